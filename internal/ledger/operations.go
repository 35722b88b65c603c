package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// load reads the whole state from the store.
func (l *Ledger) load(ctx context.Context) (*state, error) {
	s := newState(l.policy, l.logger)
	s.measure = l.measure
	var last policyRow
	into := &loaded{
		meta:     s.loadMeta,
		code:     s.codec.load,
		text:     func(_ int32, text string) { s.texts.of(text) },
		owner:    func(_ int32, o snapshot.Owner) { s.owners.of(o) },
		source:   s.loadSource,
		scope:    s.loadScope,
		policy:   func(p policyRow) { s.policies, last = append(s.policies, p), p },
		counting: func(c snapshot.CountingChange) { s.countingChanges = append(s.countingChanges, c) },
		record:   s.shelves.load,
		name: func(kind string, id int32, name string, removed bool) {
			if kind == s.services.kind {
				s.services.load(id, name, removed)
			} else {
				s.repositories.load(id, name, removed)
			}
		},
		block: s.loadBlock,
		pauses: func(weakness int32, spans string) error {
			pauses, err := parsePauses(spans)
			s.pauses[weakness] = pauses
			return err
		},
	}
	if err := l.store.load(ctx, into); err != nil {
		return nil, err
	}
	if err := s.damage(); err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	for _, source := range l.sources { // what the caller configured last says more than the store, should the two differ
		s.configured[sourceID{source.Collector, source.Instance}] = source
	}
	if last.version != "" && last.version != l.policy.Version() {
		s.policy = l.formerPolicy(last)
	}
	s.resume()
	return s, nil
}

// formerPolicy is the policy that was in force when the ledger was written last, so that what fell due under it does so before the
// present one takes over.
func (l *Ledger) formerPolicy(row policyRow) *policy.Policy {
	former, err := storedPolicy(row)
	if err == nil {
		return former
	}
	l.logger.Warn("The policy that was in force is not understood any more; the present one is used instead", "version", row.version, "err", err)
	return l.policy
}

// loadSource enters an instance as it was configured last.
func (s *state) loadSource(source Source) {
	id := sourceID{source.Collector, source.Instance}
	s.sources = append(s.sources, id)
	s.configured[id] = source
}

func (s *state) loadMeta(name, value string) error {
	number, err := settingOf(name, value)
	switch name {
	case "at":
		s.at = number
	case "founded":
		s.founded = timeOf(number)
	}
	return err
}

// settingOf is the value of a stored setting.
func settingOf(name, value string) (int64, error) {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the ledger's %s is %q, which is no number", name, value)
	}
	return number, nil
}

// resume derives what is not stored from what was loaded.
func (s *state) resume() {
	s.codec.complete()
	s.texts.saved, s.owners.saved = len(s.texts.values), len(s.owners.values)
	s.savedPolicies, s.savedCounting = len(s.policies), len(s.countingChanges)
	s.begins()
	linked := newBits(s.reports.Len())
	for i := range s.reports.Len() {
		if next := s.reports.At(i).next; next >= 0 {
			linked.set(next)
		}
	}
	for i := range s.reports.Len() {
		if r := s.reports.At(i); r.group != 0 && !linked.has(int32(i)) {
			s.byGroup.add(int32(i))
		}
	}
	s.now = s.at
	s.readCatalogs()
	s.exceptions = newExceptionIndex(s.shelves.exceptions)
	s.exploitations = newExploitations(s.shelves.exploited)
	s.nextDue, s.nextEdge = math.MinInt64, math.MinInt64 // found by the next settling
	s.listRepositories()
	s.refresh()
}

// open makes the store complete: codes of a new version of the program, the policy in force, a migration.
func (s *state) open(t tx, p *policy.Policy, migrated bool) error {
	for _, c := range s.codec.missing {
		if err := t.putCode(c.enumeration, c.code, c.name); err != nil {
			return err
		}
	}
	if migrated && !s.importing() {
		s.countingChange(snapshot.CountingMigration, s.measured()) // it brings everything over as it is
	}
	switch n := len(s.policies); {
	case n == 0:
		return s.notePolicy()
	case s.policies[n-1].version != p.Version():
		return s.setPolicy(t, p)
	}
	return nil
}

// notePolicy records the policy in force for the verdicts to come.
func (s *state) notePolicy() error {
	config, err := json.Marshal(s.policy.Config())
	if err != nil {
		return fmt.Errorf("encoding the policy: %w", err)
	}
	s.policies = append(s.policies, policyRow{
		version: s.policy.Version(), since: s.now, firstEvent: int64(s.events.Len()), config: string(config),
	})
	return nil
}

// settle brings everything that follows from the state up to date before it is saved and shown.
func (s *state) settle() {
	s.listRepositories()
	s.refresh()
}

// refresh makes the snapshot's form of the shelves.
func (s *state) refresh() {
	for _, h := range s.shelves.all() {
		h.refresh(s)
	}
	s.shelvesStale = false
}

// configure takes over the configured instances.
func (s *state) configure(t tx, sources []Source) error {
	configured := make(map[sourceID]Source, len(sources))
	var ids []sourceID
	for _, source := range sources {
		id := sourceID{source.Collector, source.Instance}
		if _, ok := configured[id]; !ok {
			ids = append(ids, id)
		}
		configured[id] = source
	}
	changed := s.recounts(sources)
	var before map[string]float64
	if changed {
		before = s.measured()
	}
	reordered := !slices.Equal(ids, s.sources)
	s.configured, s.sources, s.dirtySources = configured, ids, true
	s.settlePauses()
	removed, err := s.removeScopes(t)
	if err != nil {
		return err
	}
	if reordered || removed {
		s.shelvesStale = true
		if err := s.reattribute(t); err != nil {
			return err
		}
		if err := s.reexcept(t); err != nil {
			return err
		}
		if err := s.reexploit(t); err != nil {
			return err
		}
	}
	s.nextDue = math.MinInt64 // how long records are believed may have changed
	s.settleDeadlines()
	s.at = s.now
	if changed {
		s.countingChange(snapshot.CountingSource, before)
	}
	return nil
}

// recounts says that other sources than before are counted.
func (s *state) recounts(sources []Source) bool {
	if len(s.sources) == 0 || s.importing() {
		return false
	}
	ids := map[sourceID]bool{}
	for _, source := range sources {
		ids[sourceID{source.Collector, source.Instance}] = true
	}
	return len(ids) != len(s.sources) || slices.ContainsFunc(s.sources, func(id sourceID) bool { return !ids[id] })
}

// removeScopes lets the scopes of instances leave that are no longer configured.
func (s *state) removeScopes(t tx) (bool, error) {
	leaving := map[int32]bool{}
	for _, number := range s.scopeOrder {
		if _, ok := s.configured[s.scopes[number].source]; !ok {
			leaving[number] = true
		}
	}
	if len(leaving) == 0 {
		return false, nil
	}
	a := &application{state: s, tx: t, batch: &record.Batch{}, byReport: map[int32]*detail{}, touched: map[uint32]bool{}}
	if err := a.absent(func(_ int32, r *report) bool { return leaving[r.scopeNumber()] }, record.ClosureNone); err != nil {
		return false, err
	}
	if err := a.derive(); err != nil {
		return false, err
	}
	for _, number := range slices.Sorted(maps.Keys(leaving)) {
		for _, h := range s.shelves.all() {
			if err := h.drop(s, t, number, nil); err != nil {
				return false, err
			}
		}
	}
	s.hostsStale = true
	s.forget(leaving)
	return true, nil
}

// forget takes scopes out of the snapshot.
func (s *state) forget(leaving map[int32]bool) {
	moved := make([]int32, len(s.scopeOrder))
	order := s.scopeOrder[:0:0]
	for old, number := range s.scopeOrder {
		if !leaving[number] {
			moved[old] = int32(len(order))
			order = append(order, number)
			continue
		}
		moved[old] = -1
		sc := s.changeScope(number)
		sc.removed = true
		delete(s.scopeIndex, scopeKey{sc.source, sc.name})
	}
	s.scopeOrder = order
	s.renumber(func(w *snapshot.Weakness) *int32 { return &w.Scope }, moved, -1)
}

// found ends the import: the history is derived once more and from now on stored.
func (s *state) found(t tx) error {
	if !s.importing() {
		return nil
	}
	s.at = s.now
	s.importHistory()
	s.founded = timeOf(s.now)
	for _, h := range s.shelves.all() {
		if err := h.freeze(s, t); err != nil {
			return err
		}
	}
	if n := len(s.policies); n > 0 {
		s.policies[n-1].firstEvent = 0
		if s.policies[n-1].since == 0 {
			s.policies[n-1].since = s.now // a new file is opened before anybody tells it the time
		}
		s.savedPolicies = min(s.savedPolicies, n-1)
	}
	for i := 0; i < s.events.Len(); i += blockSize {
		s.dirtyEvents[int32(i/blockSize)] = struct{}{}
	}
	return nil
}

// setPolicy puts a policy in force.
func (s *state) setPolicy(t tx, p *policy.Policy) error {
	s.settlePauses()
	s.settleDeadlines()
	s.at = s.now
	counts := !s.importing()
	var before map[string]float64
	if counts {
		before = s.measured()
	}
	s.policy = p
	if err := s.notePolicy(); err != nil {
		return err
	}
	if err := s.reattribute(t); err != nil {
		return err
	}
	all := slices.Collect(maps.Values(s.exceptions.all))
	if err := s.recoverAll(t, s.candidates(all)); err != nil {
		return err
	}
	s.at = s.now
	if counts {
		s.countingChange(snapshot.CountingPolicy, before)
	}
	return nil
}
