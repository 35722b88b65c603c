package derivation

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// application is one batch that is being applied to the state.
type application struct {
	*State
	tx     store.Tx
	batch  *record.Batch
	source store.SourceID
	// scope is the number of the batch's scope; first says that it was never read before.
	scope int32
	first bool
	// read is when the scope was read last before.
	read time.Time
	// whole: what the batch lacks is gone. A full sweep that could not understand more items than the last whole one may
	// lack just those.
	whole bool

	// pending are the reports that changed; byReport finds them.
	pending  []*identity.Report
	byReport map[int32]*identity.Report
	// groups are those whose members changed, in the order in which they were touched; loose the changed reports without one.
	groups  []uint32
	touched map[uint32]bool
	// split are the weaknesses that were a part of another one before the batch, absorbed those that are now.
	split, absorbed []int32
	// stored are the reports of the batch that say something else than the store does.
	stored map[int32]*identity.Report
}

// Unread says that a batch is the first of its scope that is counted.
func (s *State) Unread(source store.SourceID, b *record.Batch) bool {
	number, known := s.scopeIndex[scopeKey{source, b.Scope}]
	return b.Err == nil && !b.Retired && !s.Importing() && (!known || s.scopes[number].LastSuccess.IsZero())
}

// Apply brings a batch into the state: records first, because findings are attributed by catalogs and covered by exceptions.
func (s *State) Apply(t store.Tx, source store.SourceID, b *record.Batch) error {
	if b.Retired {
		return s.retire(t, source, b)
	}
	number := s.scopeOf(source, b.Scope)
	sc := s.changeScope(number)
	sc.LastAttempt = store.TimeOf(s.now)
	sc.Classes = joined(sc.Classes, b.Classes)
	if b.Err != nil {
		sc.LastError = record.ReasonOf(b.Err)
		return nil //nolint:nilerr // it is the source's failure and is handled here: the scope is marked
	}
	a := &application{
		State: s, tx: t, batch: b, source: source, scope: number, first: sc.LastSuccess.IsZero(), read: sc.LastSuccess,
		whole:    b.Mode == record.Full && (sc.LastFull.IsZero() || b.LeftOut() <= sc.LeftOut),
		byReport: map[int32]*identity.Report{}, touched: map[uint32]bool{},
	}
	sc.Kinds = joined(sc.Kinds, b.Kinds())
	gained := a.first && !s.Importing()
	var before map[string]float64
	if gained {
		before = s.measured()
		s.late = &lateHistory{touched: map[int32]bool{}}
	}
	s.settlePauses()
	if err := a.records(); err != nil {
		return err
	}
	if err := a.findings(); err != nil {
		return err
	}
	sc = &s.scopes[number]
	sc.LastSuccess, sc.LastError = store.TimeOf(s.now), ""
	if s.awaited[number] {
		s.nextDue = math.MinInt64
	}
	late := s.late
	s.late = nil // what falls due now was known before
	s.settleDeadlines()
	s.late, s.at = late, s.now
	if a.whole {
		sc.LeftOut = b.LeftOut()
		sc.LastFull = sc.LastSuccess
	}
	if b.Cursor != "" {
		sc.Cursor = b.Cursor
	}
	if gained {
		s.importLate()
		s.countingChange(snapshot.CountingScope, before)
	}
	return a.regrouped()
}

// records stores every kind but findings and follows what that changes.
func (a *application) records() error {
	if err := a.tables.Apply(placement{a.State}, a.now, a.tx, a.scope, a.read, a.batch, a.whole); err != nil {
		return err
	}
	return a.follow()
}

// follow brings up to date what the records say of findings, as far as they changed.
func (a *application) follow() error {
	a.hostsStale = a.hostsStale || a.tables.Repositories.Stale
	exceptions := a.tables.Exceptions.Stale
	if a.tables.Exploited.Stale {
		if err := a.reexploit(a.tx); err != nil {
			return err
		}
	}
	if a.tables.Services.Stale || a.tables.Repositories.Stale && len(differingNames(a.catalog.Retired, a.readRetired())) > 0 {
		if err := a.reattribute(a.tx); err != nil {
			return err
		}
	}
	if exceptions {
		return a.reexcept(a.tx, store.Unix(a.read))
	}
	return nil
}

// reexcept reads the exceptions anew and brings the pauses of everything they cover or covered up to date.
// They are known to have been as they were until the instant known.
func (s *State) reexcept(t store.Tx, known int64) error {
	old := s.exceptions
	s.exceptions = newExceptionIndex(s.tables.Exceptions, s.catalog.FormerNames)
	change := &exceptionChange{known: known}
	change.before, change.after = differing(&old, &s.exceptions)
	return s.recoverAll(t, s.candidates(slices.Concat(change.before, change.after)), func(p int32, cluster []*identity.Report) {
		w := s.weaknesses.At(int(p))
		s.cover(p, s.pausesAfter(p, s.subjectOf(w, cluster), change), w.Open())
	})
}

// findings applies the findings of a batch.
func (a *application) findings() error {
	b := a.batch
	if b.Findings == nil {
		return nil
	}
	hashes, err := a.prefetch(b.Findings)
	if err != nil {
		return err
	}
	seen := newBits(a.reports.Len() + len(b.Findings))
	present := 0
	for i := range b.Findings {
		if b.Findings[i].ID == "" {
			continue // nothing to know it by; collectors reject such items themselves
		}
		number, err := a.report(&b.Findings[i], hashes[i])
		if err != nil {
			return err
		}
		if !seen.set(number) {
			present++
		}
	}
	if a.whole && present < a.scopes[a.scope].live {
		if err := a.absent(func(p int32, r *report) bool { return r.scopeNumber() == a.scope && !seen.has(p) }, b.Absence); err != nil {
			return err
		}
	}
	return a.derive()
}

// hashed is a finding's identity and content.
type hashed struct{ key, content uint64 }

// prefetch hashes the findings of the batch and reads what is stored of those that changed, all at once.
func (a *application) prefetch(findings []record.Finding) ([]hashed, error) {
	hashes := make([]hashed, len(findings))
	var buffer []byte
	changed := map[int32]bool{}
	for i := range findings {
		h := &hashes[i]
		buffer, h.content = identity.ContentOf(buffer, &findings[i])
		h.key = identity.KeyOf(a.source, findings[i].ID)
		if number := a.byKey.find(h.key); number >= 0 && !a.unchanged(number, h.content) {
			changed[number] = true
		}
	}
	details, err := a.details(a.tx, sortedKeys(changed))
	a.stored = make(map[int32]*identity.Report, len(details))
	for _, d := range details {
		a.stored[d.Number] = d
	}
	return hashes, err
}

// unchanged reports whether a report has the content that is stored, in the same scope.
func (a *application) unchanged(number int32, content uint64) bool {
	r := a.reports.At(int(number))
	return r.content == content && r.scopeNumber() == a.scope && !r.gone()
}

// report enters one finding and returns the position of its report. What says the same as before costs a hash and a look-up.
func (a *application) report(f *record.Finding, h hashed) (int32, error) {
	key, content := h.key, h.content
	number := a.byKey.find(key)
	if number >= 0 && a.unchanged(number, content) {
		return number, nil
	}
	d := &identity.Report{
		Number: number, Source: a.source, Scope: a.scope, Finding: *f, FirstObserved: a.now, ChangedAt: a.now, Changed: true, Fresh: number < 0,
	}
	at := store.TimeOf(a.now)
	if number < 0 {
		identity.Normalise(&d.Finding, nil, at)
		d.Number = int32(a.reports.Append(report{key: key, content: content, weakness: -1, next: -1, scope: a.scope}))
		a.byKey.add(d.Number)
		a.scopes[a.scope].live++
		a.yields(f.Class)
		return d.Number, a.change(d)
	}
	before, err := a.known(number)
	if err != nil {
		return 0, err
	}
	if (a.batch.Mode == record.Delta || a.byReport[number] != nil) && before.GoneAt == 0 && !f.UpdatedAt.IsZero() && f.UpdatedAt.Before(before.Finding.UpdatedAt) {
		return number, nil // news that came late
	}
	d.FirstObserved, d.Fresh = before.FirstObserved, before.Fresh
	identity.Normalise(&d.Finding, before, at)
	r := a.changeReport(number)
	a.count(r, -1)
	r.content, r.scope = content, a.scope|r.scope&primaryBit
	a.count(r, +1)
	a.yields(f.Class)
	return number, a.change(d)
}

// yields notes that the scope yields a class.
func (a *application) yields(c record.Class) {
	sc := &a.scopes[a.scope]
	sc.Classes = joined(sc.Classes, []record.Class{c})
}

// joined is a list with what it lacks of another, in the order of first mention.
func joined[T comparable](list, more []T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// known is what is held of a report: as changed by this batch, or as stored.
func (a *application) known(number int32) (*identity.Report, error) {
	if d := a.byReport[number]; d != nil {
		return d, nil
	}
	if d := a.stored[number]; d != nil {
		return d, nil
	}
	loaded, err := a.details(a.tx, []int32{number}) // a report that this batch brought back to what it said before
	if err != nil {
		return nil, err
	}
	return loaded[0], nil
}

// change notes that a report says something new, and moves it to the group it belongs to now.
func (a *application) change(d *identity.Report) error {
	if before := a.byReport[d.Number]; before != nil {
		*before = *d
		d = before
	} else {
		a.pending = append(a.pending, d)
		a.byReport[d.Number] = d
	}
	r := a.changeReport(d.Number)
	r.set(declaresBit, d.Finding.Service != "")
	group := identity.Hash(identity.Key(&d.Finding))
	if group != r.group {
		a.touch(r.group)
		a.leave(d.Number)
		a.join(d.Number, group)
	}
	a.touch(group)
	return nil
}

func (a *application) touch(group uint32) {
	if group != 0 && !a.touched[group] {
		a.touched[group] = true
		a.groups = append(a.groups, group)
	}
}

// head is the first report of a group, -1 if it has none.
func (s *State) head(group uint32) int32 {
	return s.byGroup.probe(spread(group), func(p int32) bool { return s.reports.At(int(p)).group == group })
}

// join puts a report at the head of a group.
func (s *State) join(number int32, group uint32) {
	r := s.changeReport(number)
	r.group, r.next = group, -1
	if group == 0 {
		return
	}
	if head := s.head(group); head >= 0 {
		r.next = head
		s.byGroup.replace(head, number)
	} else {
		s.byGroup.add(number)
	}
}

// leave takes a report out of its group.
func (s *State) leave(number int32) {
	r := s.changeReport(number)
	if r.group == 0 {
		return
	}
	head := s.head(r.group)
	switch {
	case head == number && r.next >= 0:
		s.byGroup.replace(number, r.next)
	case head == number:
		s.byGroup.remove(number)
	default:
		p := head
		for s.reports.At(int(p)).next != number {
			p = s.reports.At(int(p)).next
		}
		s.changeReport(p).next = r.next
	}
	r = s.changeReport(number)
	r.group, r.next = 0, -1
}

// absent closes the reports that their source no longer has.
func (a *application) absent(missing func(p int32, r *report) bool, absence record.Closure) error {
	if absence == record.ClosureNone {
		absence = record.ClosureVanished
	}
	var numbers []int32
	for i := range a.reports.Len() {
		if r := a.reports.At(i); !r.gone() && missing(int32(i), r) {
			numbers = append(numbers, int32(i))
		}
	}
	details, err := a.details(a.tx, numbers)
	if err != nil {
		return err
	}
	unread, read := setOf(a.batch.Unread), setOf(a.batch.Read)
	for _, d := range details {
		if unread[d.Finding.Place] || a.batch.Read != nil && !read[d.Finding.Place] {
			continue
		}
		d.GoneAt, d.ChangedAt, d.Changed = a.now, a.now, true
		if d.Open() {
			d.Finding.Closure, d.Finding.ClosedAt = a.absenceOf(absence, d.Finding.Repository), store.TimeOf(a.now)
			if produced := a.batch.AsOf; !produced.IsZero() && produced.Before(d.Finding.ClosedAt) && produced.After(d.Finding.FirstSeen) {
				d.Finding.ClosedAt = produced
			}
		}
		r := a.changeReport(d.Number)
		a.count(r, -1)
		r.set(goneBit, true)
		r.content = 0
		if err := a.change(d); err != nil {
			return err
		}
	}
	return nil
}

func setOf(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// absenceOf is why a source lacks a finding: where it does not say itself, what became of the repository does. A repository that was
// renamed looks like one that was deleted and one that is new.
func (a *application) absenceOf(absence record.Closure, repository record.RepositoryName) record.Closure {
	if absence != record.ClosureVanished || !a.whole || !a.catalog.Retired[repository] {
		return absence
	}
	for _, e := range a.tables.Repositories.Entries {
		if !e.Gone && e.Value.Name == repository {
			return record.ClosureRepositoryArchived // retired and still there
		}
	}
	return record.ClosureRepositoryDeleted
}

// details reads stored reports.
func (s *State) details(t store.Tx, numbers []int32) ([]*identity.Report, error) {
	details := make([]*identity.Report, 0, len(numbers))
	err := t.Findings(numbers, func(row store.FindingRow) error {
		d := &identity.Report{
			Number: row.Report, Source: s.scopes[row.Scope].Source, Scope: row.Scope, FirstObserved: row.FirstObserved,
			ChangedAt: row.ChangedAt, GoneAt: row.GoneAt,
		}
		if err := json.Unmarshal(row.Body, &d.Finding); err != nil {
			return fmt.Errorf("decoding the finding %q: %w", row.ID, err)
		}
		details = append(details, d)
		return nil
	})
	return details, err
}

// clustersOf reads the reports of weaknesses, each cluster ordered with its primary first.
func (s *State) clustersOf(t store.Tx, weaknesses map[int32]bool) (map[int32][]*identity.Report, error) {
	result := make(map[int32][]*identity.Report, len(weaknesses))
	if len(weaknesses) == 0 {
		return result, nil
	}
	var numbers []int32
	for i := range s.reports.Len() {
		if weaknesses[s.reports.At(i).weakness] {
			numbers = append(numbers, int32(i))
		}
	}
	details, err := s.details(t, numbers)
	if err != nil {
		return nil, err
	}
	for _, d := range details {
		w := s.reports.At(int(d.Number)).weakness
		result[w] = append(result[w], d)
	}
	for _, cluster := range result {
		slices.SortFunc(cluster, identity.Earlier)
	}
	return result, nil
}
