package derivation

import (
	"math"
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

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
	sc.Classes, sc.Kinds = joined(sc.Classes, b.Classes), joined(sc.Kinds, b.Kinds())
	if b.Err != nil {
		sc.LastError = record.ReasonOf(b.Err)
		return nil //nolint:nilerr // it is the source's failure and is handled here: the scope is marked
	}
	a := &application{
		State: s, tx: t, batch: b, source: source, scope: number, first: sc.LastSuccess.IsZero(), read: sc.LastSuccess,
		whole:    b.Mode == record.Full && (sc.LastFull.IsZero() || b.LeftOut() <= sc.LeftOut),
		byReport: map[int32]*identity.Report{}, touched: map[uint32]bool{},
	}
	gained := a.first && !s.Importing()
	var before map[string]float64
	if gained {
		before = s.measured()
		s.late = &lateHistory{touched: map[int32]bool{}}
	}
	s.settlePauses()
	a.identify()
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
