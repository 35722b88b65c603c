package ledger

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// application is one batch on its way into the state.
type application struct {
	*state
	tx     tx
	batch  *record.Batch
	source sourceID
	// scope is the number of the batch's scope; first says that it was never read before.
	scope int32
	first bool
	// whole: what the batch lacks is gone. A full sweep that could not understand more items than the last whole one may
	// lack just those.
	whole bool

	// pending are the reports that changed; byReport finds them.
	pending  []*detail
	byReport map[int32]*detail
	// groups are those whose members changed, in the order in which they were touched; loose the changed reports without one.
	groups  []uint32
	touched map[uint32]bool
	// split are the weaknesses that were a part of another one before the batch, absorbed those that are now.
	split, absorbed []int32
	// stored are the reports of the batch that say something else than the store does.
	stored map[int32]*detail
}

// unread says that a batch is the first of its scope that is counted.
func (s *state) unread(source sourceID, b *record.Batch) bool {
	number, known := s.scopeIndex[scopeKey{source, b.Scope}]
	return b.Err == nil && !b.Retired && !s.importing() && (!known || s.scopes[number].lastSuccess.IsZero())
}

// apply brings a batch into the state: records first, because findings are attributed by catalogs and covered by exceptions.
func (s *state) apply(t tx, source sourceID, b *record.Batch) error {
	if b.Retired {
		return s.retire(t, source, b)
	}
	number := s.scopeOf(source, b.Scope)
	sc := s.changeScope(number)
	sc.lastAttempt = timeOf(s.now)
	sc.classes = joined(sc.classes, b.Classes)
	if b.Err != nil {
		sc.lastError = record.ReasonOf(b.Err)
		return nil //nolint:nilerr // it is the source's failure and is handled here: the scope is marked
	}
	a := &application{
		state: s, tx: t, batch: b, source: source, scope: number, first: sc.lastSuccess.IsZero(),
		whole:    b.Mode == record.Full && (sc.lastFull.IsZero() || b.LeftOut() <= sc.leftOut),
		byReport: map[int32]*detail{}, touched: map[uint32]bool{},
	}
	sc.kinds = joined(sc.kinds, b.Kinds())
	gained := a.first && !s.importing()
	var before map[string]float64
	if gained {
		before = s.measured()
	}
	s.settlePauses()
	if err := a.records(); err != nil {
		return err
	}
	if err := a.findings(); err != nil {
		return err
	}
	sc = &s.scopes[number]
	sc.lastSuccess, sc.lastError = timeOf(s.now), ""
	if s.awaited[number] {
		s.nextDue = math.MinInt64
	}
	s.settleDeadlines()
	s.at = s.now
	if a.whole {
		sc.leftOut = b.LeftOut()
		sc.lastFull = sc.lastSuccess
	}
	if b.Cursor != "" {
		sc.cursor = b.Cursor
	}
	if gained {
		s.countingChange(snapshot.CountingScope, before)
	}
	return a.regrouped()
}

// records stores every kind but findings and follows what that changes.
func (a *application) records() error {
	if err := a.shelves.apply(a.state, a.tx, a.scope, a.batch, a.whole); err != nil {
		return err
	}
	return a.follow()
}

// follow brings up to date what the records say of findings, as far as they changed.
func (a *application) follow() error {
	a.hostsStale = a.hostsStale || a.shelves.repositories.stale
	exceptions := a.shelves.exceptions.stale
	if a.shelves.exploited.stale {
		if err := a.reexploit(a.tx); err != nil {
			return err
		}
	}
	if a.shelves.services.stale || a.shelves.repositories.stale && len(differingNames(a.catalog.retired, a.readRetired())) > 0 {
		if err := a.reattribute(a.tx); err != nil {
			return err
		}
	}
	if exceptions {
		return a.reexcept(a.tx)
	}
	return nil
}

// reexcept reads the exceptions anew and brings the pauses of everything they cover or covered up to date.
func (s *state) reexcept(t tx) error {
	old := s.exceptions
	s.exceptions = newExceptionIndex(s.shelves.exceptions)
	changed := differing(&old, &s.exceptions, sameException)
	return s.recoverAll(t, s.candidates(changed))
}

// sameException compares all that an exception says.
func sameException(a, b *record.Exception) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
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
		buffer, h.content = contentOf(buffer, &findings[i])
		h.key = keyOf(a.source, findings[i].ID)
		if number := a.byKey.find(h.key); number >= 0 && !a.unchanged(number, h.content) {
			changed[number] = true
		}
	}
	details, err := a.details(a.tx, sortedKeys(changed))
	a.stored = make(map[int32]*detail, len(details))
	for _, d := range details {
		a.stored[d.number] = d
	}
	return hashes, err
}

// unchanged reports whether a report says what it said, and where.
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
	d := &detail{
		number: number, source: a.source, scope: a.scope, finding: *f, firstObserved: a.now, changedAt: a.now, changed: true, fresh: number < 0,
	}
	at := timeOf(a.now)
	if number < 0 {
		normalise(&d.finding, nil, at)
		d.number = int32(a.reports.Append(report{key: key, content: content, weakness: -1, next: -1, scope: a.scope}))
		a.byKey.add(d.number)
		a.scopes[a.scope].live++
		a.yields(f.Class)
		return d.number, a.change(d)
	}
	before, err := a.known(number)
	if err != nil {
		return 0, err
	}
	if (a.batch.Mode == record.Delta || a.byReport[number] != nil) && before.goneAt == 0 && !f.UpdatedAt.IsZero() && f.UpdatedAt.Before(before.finding.UpdatedAt) {
		return number, nil // news that came late
	}
	d.firstObserved, d.fresh = before.firstObserved, before.fresh
	normalise(&d.finding, before, at)
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
	sc.classes = joined(sc.classes, []record.Class{c})
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
func (a *application) known(number int32) (*detail, error) {
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
func (a *application) change(d *detail) error {
	if before := a.byReport[d.number]; before != nil {
		*before = *d
		d = before
	} else {
		a.pending = append(a.pending, d)
		a.byReport[d.number] = d
	}
	r := a.changeReport(d.number)
	r.set(declaresBit, d.finding.Service != "")
	group := groupHash(groupKey(&d.finding))
	if group != r.group {
		a.touch(r.group)
		a.leave(d.number)
		a.join(d.number, group)
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
func (s *state) head(group uint32) int32 {
	return s.byGroup.probe(spread(group), func(p int32) bool { return s.reports.At(int(p)).group == group })
}

// join puts a report at the head of a group.
func (s *state) join(number int32, group uint32) {
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
func (s *state) leave(number int32) {
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
	for _, d := range details {
		d.goneAt, d.changedAt, d.changed = a.now, a.now, true
		if d.open() {
			d.finding.Closure, d.finding.ClosedAt = a.absenceOf(absence, d.finding.Repository), timeOf(a.now)
			if produced := a.batch.AsOf; !produced.IsZero() && produced.Before(d.finding.ClosedAt) && produced.After(d.finding.FirstSeen) {
				d.finding.ClosedAt = produced
			}
		}
		r := a.changeReport(d.number)
		a.count(r, -1)
		r.set(goneBit, true)
		r.content = 0
		if err := a.change(d); err != nil {
			return err
		}
	}
	return nil
}

// absenceOf is why a source lacks a finding: where it does not say itself, what became of the repository does. A repository that was
// renamed looks like one that was deleted and one that is new.
func (a *application) absenceOf(absence record.Closure, repository record.RepositoryName) record.Closure {
	if absence != record.ClosureVanished || !a.whole || !a.catalog.retired[repository] {
		return absence
	}
	for _, e := range a.shelves.repositories.entries {
		if !e.gone && e.value.Name == repository {
			return record.ClosureRepositoryArchived // retired and still there
		}
	}
	return record.ClosureRepositoryDeleted
}

// details reads stored reports.
func (s *state) details(t tx, numbers []int32) ([]*detail, error) {
	details := make([]*detail, 0, len(numbers))
	err := t.findings(numbers, func(row findingRow) error {
		d := &detail{
			number: row.report, source: s.scopes[row.scope].source, scope: row.scope, firstObserved: row.firstObserved,
			changedAt: row.changedAt, goneAt: row.goneAt,
		}
		if err := json.Unmarshal(row.body, &d.finding); err != nil {
			return fmt.Errorf("decoding the finding %q: %w", row.id, err)
		}
		details = append(details, d)
		return nil
	})
	return details, err
}

// clustersOf reads the reports of weaknesses, each cluster ordered with its primary first.
func (s *state) clustersOf(t tx, weaknesses map[int32]bool) (map[int32][]*detail, error) {
	result := make(map[int32][]*detail, len(weaknesses))
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
		w := s.reports.At(int(d.number)).weakness
		result[w] = append(result[w], d)
	}
	for _, cluster := range result {
		slices.SortFunc(cluster, earlier)
	}
	return result, nil
}

// bits is a set of positions.
type bits []uint64

func newBits(n int) bits { return make(bits, n/64+1) }

// set adds p and reports whether it was there.
func (b bits) set(p int32) bool {
	was := b.has(p)
	b[p/64] |= 1 << (p % 64)
	return was
}

func (b bits) has(p int32) bool { return b[p/64]&(1<<(p%64)) != 0 }
