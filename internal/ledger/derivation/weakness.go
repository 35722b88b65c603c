package derivation

import (
	"math"
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// fold makes the weakness that a cluster of reports is, its primary report first. Of open reports the worst severity
// and the union of flags count, of closed ones only when none is open. It closes with its last report; fixed wins over any
// other reason, because somebody removed the weakness, whatever another tool was told.
func (s *State) fold(cluster []*identity.Report) snapshot.Weakness {
	primary := cluster[0]
	w := snapshot.Weakness{
		FirstSeen: primary.Finding.FirstSeen.Unix(), Repository: -1, Class: snapshot.IndexOfClass(primary.Finding.Class),
		Category: s.texts.of(primary.Finding.Category), Tool: s.texts.of(primary.Finding.Tool),
		Severity: math.MaxUint8, Reports: uint16(min(len(cluster), math.MaxUint16)),
	}
	open := func(d *identity.Report) bool { return d.Open() }
	first := slices.IndexFunc(cluster, open)
	w.Scope = s.scopePositionOf(cluster[max(0, first)].Scope)
	var last *identity.Report
	fixed := false
	for _, d := range cluster {
		f := &d.Finding
		if first >= 0 && !d.Open() {
			continue
		}
		if first >= 0 {
			w.OpenReports++
		} else if last == nil || f.ClosedAt.After(last.Finding.ClosedAt) {
			last = d
		}
		fixed = fixed || f.Closure == record.ClosureFixed
		w.Severity = min(w.Severity, policy.IndexOfSeverity(f.Severity))
		w.Flags |= flagsOf(f)
		w.EPSS = max(w.EPSS, scaledEPSS(f.EPSS))
	}
	if on := s.exploitations.of(cluster); on != (exploitation{}) {
		w.EPSS = max(w.EPSS, on.epss)
		if on.known {
			w.Flags |= snapshot.KnownExploited
		}
	}
	if last != nil {
		w.ClosedAt, w.Closure = last.Finding.ClosedAt.Unix(), snapshot.IndexOfClosure(last.Finding.Closure)
		if fixed {
			w.Closure = snapshot.IndexOfClosure(record.ClosureFixed)
		}
	}
	if primary.Finding.Repository != "" && !orphaned(w.Closure) {
		w.Repository = s.repositoryOf(primary.Finding.Repository)
	}
	if s.retired(&w) {
		w.Flags |= snapshot.Orphaned
	}
	w.ClockStart = w.FirstSeen
	w.Service = s.serviceOf(cluster)
	return w
}

// orphaned reports whether a weakness was closed because it, or its repository, was seen no more: it is no reason to know of the
// repository any longer.
func orphaned(c snapshot.ClosureIndex) bool {
	return c.Closure() == record.ClosureVanished || c.Closure() == record.ClosureRepositoryDeleted
}

func flagsOf(f *record.Finding) (flags snapshot.Flags) {
	if f.KnownExploited == record.AnswerYes {
		flags |= snapshot.KnownExploited
	}
	if f.ActiveSecret == record.AnswerYes {
		flags |= snapshot.ActiveSecret
	}
	if f.FixAvailable == record.AnswerYes {
		flags |= snapshot.FixAvailable
	}
	return flags
}

// serviceOf is the service of a cluster: none in a repository that is retired; the one that a source names, if a catalog knows it; else the
// one that owns the place; else the repository's own.
func (s *State) serviceOf(cluster []*identity.Report) int32 {
	if s.catalog.Retired[cluster[0].Finding.Repository] {
		return 0
	}
	for _, d := range cluster {
		if p := s.serviceNamed(d.Finding.Service); d.Finding.Service != "" && p > 0 {
			return p
		}
	}
	for _, d := range cluster {
		if d.Finding.Place == "" {
			continue
		}
		if p := s.services.find(s.catalog.ServiceAt(d.Finding.Repository, d.Finding.Place)); p > 0 {
			return p
		}
	}
	return max(0, s.services.find(s.catalog.ServiceAt(cluster[0].Finding.Repository, "")))
}

// entrance says how a weakness came to what it is now.
type entrance uint8

// The entrances.
const (
	// observed: a scope that is known told us.
	observed entrance = iota
	// gained: a scope that was never read before told us, so it was there before we looked.
	gained
	// split: it was part of another weakness.
	split
)

// create adds a weakness that was not there before.
func (s *State) create(w snapshot.Weakness, how entrance) int32 {
	if how == gained {
		w.Flags |= snapshot.ImportedHistory
	}
	p := s.addWeakness(w)
	if s.Importing() {
		return p
	}
	switch {
	case how == observed:
		s.emit(snapshot.EventOpened, p, &w, w.FirstSeen, s.now)
		if !w.Open() {
			s.emit(snapshot.EventOfClosure(w.Closure.Closure()), p, &w, w.ClosedAt, s.now)
		}
	case w.Open():
		s.emit(snapshot.EventScopeGained, p, &w, w.FirstSeen, s.now)
	}
	return p
}

// passage is how a weakness got from what it was to what it is.
type passage struct {
	how entrance
	// existed says that it is not new.
	existed bool
	// clock is the weakness as its clock ran until now: with the severity and flags it had while it was open.
	clock snapshot.Weakness
	// ended says that the clock stopped by a closing; reopened is the instant of a reopening, 0 if there was none.
	ended    bool
	reopened int64
}

// settleClock lets the outcome fall of a clock that stopped or lapsed. What was closed before its scope was first read, after
// the founding, never gets an event: nobody counted it while it was open.
func (s *State) settleClock(p int32, way passage) {
	if s.Importing() {
		return
	}
	settled := s.at
	s.at = s.now // replace let the calendar decide what it could; the rest follows from the change, and counts from now
	s.silent = !way.existed && way.how != observed && way.ended
	if way.ended && !s.silent {
		s.closeClock(p, &way.clock, s.now)
	}
	s.lapse(p, s.now, way.reopened, false)
	s.at, s.silent = settled, false
}

// replace turns a weakness into what its reports say now.
func (s *State) replace(p int32, w snapshot.Weakness, cluster []*identity.Report, how entrance) passage {
	old := *s.weaknesses.At(int(p))
	w.ID = old.ID
	w.Flags |= old.Flags & (snapshot.ImportedHistory | snapshot.UncountedOutcome)
	s.repositoryLeft = s.repositoryLeft || old.Repository != w.Repository
	way := passage{how: how, existed: true, clock: w}
	if s.Importing() {
		*s.changeWeakness(p) = w
		return way
	}
	until := s.now
	if old.Open() && !w.Open() {
		until = min(until, w.ClosedAt)
	}
	s.lapse(p, until, 0, false)
	w.Outcome = s.weaknesses.At(int(p)).Outcome
	if old.Flags.Has(snapshot.RestartedClock) {
		w.ClockStart, w.Flags = old.ClockStart, w.Flags|snapshot.RestartedClock
	}
	if w == old {
		return way
	}
	*s.changeWeakness(p) = w
	way.clock = w
	way.ended = !w.Open() && (old.Open() || running(&old))
	switch {
	case old.Open() && !w.Open():
		s.emit(snapshot.EventOfClosure(w.Closure.Closure()), p, &old, w.ClosedAt, s.now)
		way.clock = old
		way.clock.ClockStart = w.ClockStart
	case old.Open():
		s.shift(p, &old, &w, sourceTime(cluster, s.now))
	case w.Open():
		way.reopened = s.reopen(p, &old, cluster, how)
	}
	return way
}

// shift emits what changed about a weakness that stays open: first its severity, then who owns it.
func (s *State) shift(p int32, old, w *snapshot.Weakness, at int64) {
	between := *old
	if old.Severity != w.Severity {
		between.Severity = w.Severity
		kind := snapshot.EventSeverityRaised
		if w.Severity > old.Severity {
			kind = snapshot.EventSeverityLowered
		}
		s.emit(snapshot.EventSeverityLeft, p, old, at, s.now)
		s.emit(kind, p, &between, at, s.now)
	}
	if s.ownerOf(old) != s.ownerOf(w) || old.Class != w.Class {
		s.emit(snapshot.EventMovedOut, p, &between, s.now, s.now)
		s.emit(snapshot.EventMovedIn, p, w, s.now, s.now)
	}
}

// reopen emits the return of a closed weakness and says when it was.
func (s *State) reopen(p int32, old *snapshot.Weakness, cluster []*identity.Report, how entrance) int64 {
	at := sourceTime(cluster, s.now)
	if at <= old.ClosedAt {
		at = s.now
	}
	w := s.weaknesses.At(int(p))
	if how == gained || old.Closure.Closure() == record.ClosureVanished {
		s.emit(snapshot.EventScopeGained, p, w, at, s.now)
	} else {
		s.emit(snapshot.EventReopened, p, w, at, s.now)
	}
	s.reopenClock(p, old, at)
	return at
}

// sourceTime is when the source says that a weakness changed last: the latest update of an open report, now if none is dated.
func sourceTime(cluster []*identity.Report, now int64) int64 {
	latest := int64(0)
	for _, d := range cluster {
		if d.Open() && d.Changed {
			latest = max(latest, store.Unix(d.Finding.UpdatedAt))
		}
	}
	if latest <= 0 {
		return now
	}
	return min(latest, now)
}

// absorb ends a weakness whose reports turned out to belong to another one.
func (s *State) absorb(p int32) {
	old := *s.weaknesses.At(int(p))
	if old.Open() && !s.Importing() {
		s.lapse(p, s.now, 0, false)
		old.Outcome = s.weaknesses.At(int(p)).Outcome
		s.emit(snapshot.EventDuplicate, p, &old, s.now, s.now)
	}
	w := s.changeWeakness(p)
	w.Reports, w.OpenReports = 0, 0
	s.repositoryLeft = true
	if old.Open() {
		w.Closure, w.ClosedAt = snapshot.IndexOfClosure(record.ClosureDuplicate), s.now
		if !s.Importing() {
			s.closeClock(p, &old, s.now)
		}
	}
	if s.pauses[p] != nil {
		s.setPauses(p, nil)
	}
}
