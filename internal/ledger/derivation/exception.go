package derivation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// exceptionIndex finds the exceptions that may cover a weakness without looking at all of them. Each is in exactly one map: by
// the service it names, else the repository, else the ids of findings.
type exceptionIndex struct {
	byService    map[string][]*record.Exception
	byRepository map[record.RepositoryName][]*record.Exception
	byFinding    map[string][]*record.Exception
	all          map[records.Key]*record.Exception
}

func newExceptionIndex(table *records.Table[record.Exception]) exceptionIndex {
	x := exceptionIndex{
		byService: map[string][]*record.Exception{}, byRepository: map[record.RepositoryName][]*record.Exception{},
		byFinding: map[string][]*record.Exception{}, all: map[records.Key]*record.Exception{},
	}
	for key, e := range table.Entries {
		if e.Gone || !policy.Scoped(&e.Value) {
			continue
		}
		value := e.Value // a copy: the entry is overwritten by the next batch
		x.all[key] = &value
		switch {
		case value.Service != "":
			x.byService[value.Service] = append(x.byService[value.Service], &value)
		case value.Repository != "":
			x.byRepository[value.Repository] = append(x.byRepository[value.Repository], &value)
		default:
			for _, id := range value.Findings {
				x.byFinding[id] = append(x.byFinding[id], &value)
			}
		}
	}
	return x
}

// pausesOf are the spans in which exceptions stop the clock of a subject, ordered and disjoint.
func (x *exceptionIndex) pausesOf(p *policy.Policy, subject *policy.Subject) []policy.Pause {
	var pauses []policy.Pause
	consider := func(exceptions []*record.Exception) {
		for _, e := range exceptions {
			if pause, ok := policy.PauseOf(e); ok && p.Covers(e, subject) {
				pauses = append(pauses, pause)
			}
		}
	}
	if subject.Service != "" {
		consider(x.byService[subject.Service])
	}
	if subject.Repository != "" {
		consider(x.byRepository[subject.Repository])
	}
	for _, id := range subject.Findings {
		consider(x.byFinding[id])
	}
	return union(pauses)
}

// union merges spans that touch or overlap.
func union(pauses []policy.Pause) []policy.Pause {
	slices.SortFunc(pauses, func(a, b policy.Pause) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	merged := pauses[:0]
	for _, pause := range pauses {
		if n := len(merged); n > 0 && pause.Start <= merged[n-1].End {
			merged[n-1].End = max(merged[n-1].End, pause.End)
			continue
		}
		merged = append(merged, pause)
	}
	return merged
}

// subjectOf is a cluster in the words an exception uses.
func (s *State) subjectOf(w *snapshot.Weakness, cluster []*identity.Report) *policy.Subject {
	subject := &policy.Subject{Repository: cluster[0].Finding.Repository, Category: cluster[0].Finding.Category}
	if w.Service > 0 {
		subject.Service = s.services.at(w.Service)
	}
	for _, d := range cluster {
		subject.Findings = append(subject.Findings, d.Finding.ID)
		subject.Advisories = append(subject.Advisories, d.Finding.Aliases...)
		if d.Finding.Rule != "" {
			subject.Rules = append(subject.Rules, d.Finding.Rule)
		}
	}
	return subject
}

// cover brings the pauses of a weakness up to date. wasOpen says whether it was open before the change under way.
func (s *State) cover(p int32, cluster []*identity.Report, wasOpen bool) {
	w := s.weaknesses.At(int(p))
	old := s.pauses[p]
	pauses := s.exceptions.pausesOf(s.policy, s.subjectOf(w, cluster))
	changed := !slices.Equal(old, pauses)
	if changed {
		s.setPauses(p, pauses)
	}
	if s.Importing() || (!changed && wasOpen) || !w.Open() {
		return
	}
	before, wasPaused := paused(old, s.now)
	after, isPaused := paused(pauses, s.now)
	switch {
	case isPaused && (!wasOpen || !wasPaused):
		s.emit(snapshot.EventExcepted, p, w, max(after.Start, w.FirstSeen), s.now)
	case !isPaused && wasOpen && wasPaused:
		s.emit(snapshot.EventExceptionEnded, p, w, min(before.End, s.now), s.now)
	}
}

// candidates are the weaknesses that any of the given exceptions may cover.
func (s *State) candidates(exceptions []*record.Exception) map[int32]bool {
	services, repositories := map[int32][]*record.Exception{}, map[int32][]*record.Exception{}
	found := map[int32]bool{}
	for _, e := range exceptions {
		switch {
		case e.Service != "":
			if at := s.services.find(e.Service); at > 0 {
				services[at] = append(services[at], e)
			}
		case e.Repository != "":
			if at := s.repositories.find(string(e.Repository)); at >= 0 {
				repositories[at] = append(repositories[at], e)
			}
		default:
			for _, id := range e.Findings {
				s.weaknessesOf(id, found)
			}
		}
	}
	if len(services)+len(repositories) == 0 {
		return found
	}
	for i := range s.weaknesses.Len() {
		w := s.weaknesses.At(i)
		if s.mayCover(services[w.Service], w) || w.Repository >= 0 && s.mayCover(repositories[w.Repository], w) {
			found[int32(i)] = true
		}
	}
	return found
}

// mayCover says no where the category alone rules an exception out, so that no record has to be read for it.
func (s *State) mayCover(exceptions []*record.Exception, w *snapshot.Weakness) bool {
	return w.Reports > 0 && slices.ContainsFunc(exceptions, func(e *record.Exception) bool {
		return len(e.Categories) == 0 || slices.ContainsFunc(e.Categories, func(c string) bool {
			return strings.EqualFold(c, s.texts.values[w.Category])
		})
	})
}

// weaknessesOf adds the weaknesses that hold a report with the given id in any instance.
func (s *State) weaknessesOf(id string, into map[int32]bool) {
	for _, source := range s.instances() {
		if r := s.byKey.find(identity.KeyOf(source, id)); r >= 0 {
			into[s.reports.At(int(r)).weakness] = true
		}
	}
}

// instances are all collector instances that ever yielded a scope that is still there.
func (s *State) instances() []store.SourceID {
	seen := map[store.SourceID]bool{}
	for _, number := range s.scopeOrder {
		seen[s.scopes[number].Source] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b store.SourceID) int { return cmp.Compare(a.String(), b.String()) })
}

// differing are the exceptions that are in only one of two indexes, or different in them.
func differing(a, b *exceptionIndex, equal func(a, b *record.Exception) bool) []*record.Exception {
	var result []*record.Exception
	for key, e := range a.all {
		if other := b.all[key]; other == nil || !equal(e, other) {
			result = append(result, e)
		}
	}
	for key, e := range b.all {
		if other := a.all[key]; other == nil || !equal(e, other) {
			result = append(result, e)
		}
	}
	return result
}

// sortedKeys are the keys of a map in order, so that events are derived in an order that does not depend on the run.
func sortedKeys[V any](m map[int32]V) []int32 { return slices.Sorted(maps.Keys(m)) }
