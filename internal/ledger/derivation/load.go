package derivation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Options are what a state is made with.
type Options struct {
	// Policy decides. It is the one in force; what fell due under a former one does so before it takes over.
	Policy *policy.Policy
	// Measure computes headline numbers; nil if nobody wants to know.
	Measure Measure
	// Sources are what the caller configured last, which says more than the store should the two differ.
	Sources []store.Source
	Logger  *slog.Logger
}

// Load reads the whole state from a store.
func Load(ctx context.Context, from store.Store, o Options) (*State, error) {
	s := New(o.Policy, o.Logger)
	s.measure = o.Measure
	if err := from.Load(ctx, s.Receives()); err != nil {
		return nil, err
	}
	for _, source := range o.Sources {
		s.configured[source.ID()] = source
	}
	if n := len(s.policies); n > 0 && s.policies[n-1].Version != o.Policy.Version() {
		s.policy = s.formerPolicy(s.policies[n-1])
	}
	if err := s.Resume(); err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return s, nil
}

// Receives is what hands stored rows to the state. When all are in, call resume.
func (s *State) Receives() *store.Rows {
	return &store.Rows{
		Revisions: s.tables.Counted(),
		Meta:      s.loadMeta,
		Code:      s.codec.load,
		Text:      func(_ int32, text string) { s.texts.of(text) },
		Owner:     func(_ int32, o snapshot.Owner) { s.owners.of(o) },
		Source:    s.loadSource,
		Scope:     s.loadScope,
		Policy:    func(p store.PolicyRow) { s.policies = append(s.policies, p) },
		Counting:  func(c snapshot.CountingChange) { s.countingChanges = append(s.countingChanges, c) },
		Record:    s.tables.Load,
		Name: func(kind string, id int32, name string, removed bool) {
			if kind == s.services.kind {
				s.services.load(id, name, removed)
			} else {
				s.repositories.load(id, name, removed)
			}
		},
		Block: s.loadBlock,
		Pauses: func(weakness int32, spans string) error {
			pauses, err := parsePauses(spans)
			s.pauses[weakness] = pauses
			return err
		},
	}
}

// formerPolicy is the policy that was in force when the ledger was written last, so that what fell due under it does so before the
// present one takes over.
func (s *State) formerPolicy(row store.PolicyRow) *policy.Policy {
	former, err := StoredPolicy(row)
	if err == nil {
		return former
	}
	s.logger.Warn("The policy that was in force is not understood any more; the present one is used instead", "version", row.Version, "err", err)
	return s.policy
}

// StoredPolicy is a policy as it was stored, under the version it had then: a newer version of the program may know keys that it did not.
func StoredPolicy(row store.PolicyRow) (*policy.Policy, error) {
	config := policy.DefaultConfig()
	if err := json.Unmarshal([]byte(row.Config), &config); err != nil {
		return nil, fmt.Errorf("decoding the policy %s: %w", row.Version, err)
	}
	return policy.Former(config, row.Version)
}

// loadSource enters an instance as it was configured last.
func (s *State) loadSource(source store.Source) {
	id := source.ID()
	s.sources = append(s.sources, id)
	s.configured[id] = source
}

func (s *State) loadMeta(name, value string) error {
	number, err := SettingOf(name, value)
	switch name {
	case "at":
		s.at = number
	case "founded":
		s.founded = store.TimeOf(number)
	}
	return err
}

// SettingOf is the value of a stored setting.
func SettingOf(name, value string) (int64, error) {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the ledger's %s is %q, which is no number", name, value)
	}
	return number, nil
}

// Resume derives what is not stored from what was loaded. It refuses what cannot have been stored.
func (s *State) Resume() error {
	if err := s.damage(); err != nil {
		return err
	}
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
	s.exceptions = newExceptionIndex(s.tables.Exceptions, s.catalog.FormerNames)
	s.exploitations = newExploitations(s.tables.Exploited)
	s.nextDue, s.nextEdge = math.MinInt64, math.MinInt64 // found by the next settling
	s.listRepositories()
	s.refresh()
	return nil
}

// refreshLists brings everything that follows from the state up to date before it is saved and shown.
func (s *State) refreshLists() {
	s.listRepositories()
	s.refresh()
}

// refresh makes the snapshot's form of the records.
func (s *State) refresh() {
	for _, h := range s.tables.All() {
		h.Refresh(placement{s}, s.positionsMoved)
	}
	s.positionsMoved = false
}
