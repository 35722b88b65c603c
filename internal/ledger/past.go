package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The errors of History.
var (
	// ErrNoLedger is wrapped when there is no ledger at the path.
	ErrNoLedger = errors.New("there is no ledger")
	// ErrNotFounded is wrapped when the first full pass has not ended, so that nothing was served yet.
	ErrNotFounded = errors.New("the first full pass over all sources has not ended")
	// ErrBeforeHistory is wrapped for an instant that the ledger knows nothing of.
	ErrBeforeHistory = errors.New("the ledger knows nothing of that time")
)

// History reads a ledger as it was. It never writes, and may be open beside the ledger itself, in the same process or another.
type History struct {
	store  *sqlite
	logger *slog.Logger
}

// OpenHistory opens the ledger at path for reading its past. The error wraps ErrNoLedger when there is none, and ErrNewerSchema when a
// newer version wrote it. logger is told of what cannot be understood any more; nil discards.
func OpenHistory(ctx context.Context, path string, logger *slog.Logger) (*History, error) {
	s, err := openSQLiteForReading(ctx, path)
	if err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &History{store: s, logger: logger}, nil
}

// Close releases the file.
func (h *History) Close() error { return h.store.close() }

// AsOf is what the ledger knew at an instant, with everything settled that fell due until then, and the policy that was in force: evaluated
// at that instant they give what was served. For an instant between two evaluations it is what would have been served, and for one
// at which nothing ran, what would have been if nothing had been read in the meantime. Several changes within one second count as one.
//
// Before the founding nothing was served. As of such an instant the ledger knows the history that it imported, by the sources' dates: what
// had been seen and closed by then, with all else (catalog, severities, protection) as it was first read. The error wraps
// ErrBeforeHistory for an instant before all of that, and ErrNotFounded while the import is under way.
func (h *History) AsOf(ctx context.Context, at time.Time) (*snapshot.Snapshot, *policy.Policy, error) {
	return h.asOf(ctx, at, nil)
}

func (h *History) asOf(ctx context.Context, at time.Time, other *policy.Policy) (*snapshot.Snapshot, *policy.Policy, error) {
	p := &past{instant: unix(at), logger: h.logger, shelves: newShelves(), policy: other}
	if err := h.store.loadPast(ctx, p); err != nil {
		return nil, nil, fmt.Errorf("reading the ledger %s as of %s: %w", h.store.path, at.UTC().Format(time.RFC3339), err)
	}
	known, err := p.snapshot()
	if err == nil && at.Before(known.Founded) {
		imported, ok := known.Imported(at)
		if known = imported; !ok {
			err = fmt.Errorf("%w: nothing that was imported at the founding (%s) has an earlier date", ErrBeforeHistory,
				known.Founded.Format(time.RFC3339))
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the ledger %s as of %s: %w", h.store.path, at.UTC().Format(time.RFC3339), err)
	}
	return known, p.policy, nil
}

// AsOfUnder is AsOf for another policy than the one that was in force: who owns what, deadlines that had not passed, and what is left to
// evaluation follow from it. Outcomes that had fallen stay as they fell, and exceptions stop the clocks that they stopped.
func (h *History) AsOfUnder(ctx context.Context, at time.Time, other *policy.Policy) (*snapshot.Snapshot, error) {
	known, _, err := h.asOf(ctx, at, other)
	return known, err
}

// past is what a store holds, row by row, on its way back to an instant.
type past struct {
	instant int64
	logger  *slog.Logger
	policy  *policy.Policy

	// settled, founded and since are the store's settings: since is where the history of a ledger begins that an earlier version founded.
	settled, founded, since int64
	codes                   []codeRow
	texts                   []string
	owners                  []snapshot.Owner
	names                   map[string][]nameRow
	sources                 []Source
	scopes                  []scope
	reports                 int
	weaknesses, events      []byte
	pauses                  map[int32]string
	policies                []policyRow
	counting                []snapshot.CountingChange
	shelves                 *shelves
}

type nameRow struct {
	name    string
	removed bool
}

// recordsUntil is the instant as of which records are read: before the founding all that was imported is.
func (p *past) recordsUntil() int64 { return max(p.instant, p.founded) }

// check refuses an instant that nothing is known of. It is called when the settings have been read.
func (p *past) check() error {
	switch {
	case p.founded == 0:
		return ErrNotFounded
	case p.since > 0 && p.instant < p.since:
		return fmt.Errorf("%w: its history begins at %s, when this version took it over from an earlier one, which kept none", ErrBeforeHistory,
			timeOf(p.since).Format(time.RFC3339))
	}
	return nil
}

// receives is what a store hands its rows to.
func (p *past) receives() *loaded {
	p.names, p.pauses = map[string][]nameRow{}, map[int32]string{}
	return &loaded{
		meta: func(name, value string) error { return p.meta(name, value) },
		code: func(enumeration string, code int, name string) {
			p.codes = append(p.codes, codeRow{enumeration, code, name})
		},
		text:  func(_ int32, text string) { p.texts = append(p.texts, text) },
		owner: func(_ int32, o snapshot.Owner) { p.owners = append(p.owners, o) },
		name: func(roster string, id int32, name string, removed bool) {
			for int32(len(p.names[roster])) < id {
				p.names[roster] = append(p.names[roster], nameRow{removed: true})
			}
			p.names[roster] = append(p.names[roster], nameRow{name, removed})
		},
		source: func(s Source) { p.sources = append(p.sources, s) },
		scope: func(id int32, s scope) {
			for int32(len(p.scopes)) < id {
				p.scopes = append(p.scopes, scope{removed: true})
			}
			p.scopes = append(p.scopes, s)
		},
		block:    p.block,
		pauses:   func(weakness int32, spans string) error { p.pauses[weakness] = spans; return nil },
		policy:   func(row policyRow) { p.policies = append(p.policies, row) },
		counting: func(c snapshot.CountingChange) { p.counting = append(p.counting, c) },
		record:   p.shelves.load,
	}
}

func (p *past) meta(name, value string) error {
	if name == "generation" {
		return nil
	}
	number, err := settingOf(name, value)
	switch name {
	case "at":
		p.settled = number
	case "founded":
		p.founded = number
	case "history":
		p.since = number
	}
	return err
}

func (p *past) block(t blockTable, _ int32, body []byte) error {
	switch t {
	case reportBlocks:
		p.reports += len(body) / reportBytes
	case weaknessBlocks:
		p.weaknesses = append(p.weaknesses, body...)
	case eventBlocks:
		p.events = append(p.events, body...)
	}
	return nil
}

// takeBack undoes a transaction; call it with the last one first. It reports whether the one before has to be looked at.
func (p *past) takeBack(at int64, body []byte) (bool, error) {
	if at <= p.instant {
		return false, nil
	}
	u, err := decodeUndo(at, body)
	if err != nil {
		return false, err
	}
	if err := p.shrink(&u.added); err != nil {
		return false, err
	}
	p.settled = u.settled
	for roster, numbers := range map[string][]int32{rosterServices: u.services, rosterRepositories: u.repositories} {
		for _, n := range numbers {
			if int(n) >= len(p.names[roster]) {
				return false, errUndo
			}
			p.names[roster][n].removed = false
		}
	}
	for i := range u.scopes {
		b := &u.scopes[i]
		if int(b.number) >= len(p.scopes) {
			return false, errUndo
		}
		b.apply(&p.scopes[b.number])
	}
	for i := range u.weaknesses {
		b := &u.weaknesses[i]
		if (int(b.position)+1)*weaknessBytes > len(p.weaknesses) {
			return false, errUndo
		}
		b.apply(p.weaknesses[int(b.position)*weaknessBytes:])
	}
	for _, b := range u.pauses {
		if p.pauses[b.weakness] = b.spans; b.spans == "" {
			delete(p.pauses, b.weakness)
		}
	}
	if u.sources != nil {
		p.sources = u.sources
	}
	return true, nil
}

// apply brings back the bytes that were others.
func (b *weaknessBefore) apply(entry []byte) {
	next := 0
	for at := range weaknessBytes {
		if b.mask&(1<<at) != 0 {
			entry[at] = b.bytes[next]
			next++
		}
	}
}

// shrink takes off what a transaction added.
func (p *past) shrink(added *lengths) error {
	weaknesses, events := len(p.weaknesses)/weaknessBytes, len(p.events)/eventBytes
	have := lengths{
		p.reports, weaknesses, events, len(p.texts), len(p.owners), len(p.scopes), len(p.names[rosterServices]), len(p.names[rosterRepositories]),
		len(p.policies), len(p.counting),
	}
	for i := range have {
		if have[i] -= added[i]; have[i] < 0 {
			return errUndo
		}
	}
	for position := have[grownWeaknesses]; position < weaknesses; position++ {
		delete(p.pauses, int32(position))
	}
	p.reports = have[grownReports]
	p.weaknesses, p.events = p.weaknesses[:have[grownWeaknesses]*weaknessBytes], p.events[:have[grownEvents]*eventBytes]
	p.texts, p.owners, p.scopes = p.texts[:have[grownTexts]], p.owners[:have[grownOwners]], p.scopes[:have[grownScopes]]
	p.names[rosterServices] = p.names[rosterServices][:have[grownServices]]
	p.names[rosterRepositories] = p.names[rosterRepositories][:have[grownRepositories]]
	p.policies, p.counting = p.policies[:have[grownPolicies]], p.counting[:have[grownCountingChanges]]
	return nil
}

// snapshot is what was known at the instant, with everything settled that the calendar decides.
func (p *past) snapshot() (*snapshot.Snapshot, error) {
	if len(p.policies) == 0 {
		return nil, errors.New("it names no policy")
	}
	if p.policy == nil {
		row := p.policies[len(p.policies)-1]
		var err error
		if p.policy, err = storedPolicy(row); err != nil {
			p.logger.Warn("The policy that was in force is not understood any more; the default one is used instead", "version", row.version, "err", err)
			p.policy = policy.Default()
		}
	}
	s, err := p.state()
	if err != nil {
		return nil, err
	}
	if p.instant > s.at {
		s.now = p.instant
		s.settlePauses()
		s.settleDeadlines()
		s.at = s.now
	}
	s.settle()
	made := s.snapshot()
	made.Records[record.KindFinding] = p.reports
	return made, nil
}

// state is the ledger's memory as it was.
func (p *past) state() (*state, error) {
	s := newState(p.policy, p.logger)
	s.at, s.founded, s.shelves = min(p.settled, p.recordsUntil()), timeOf(p.founded), p.shelves
	for _, c := range p.codes {
		s.codec.load(c.enumeration, c.code, c.name)
	}
	for _, text := range p.texts {
		s.texts.of(text)
	}
	for _, o := range p.owners {
		s.owners.of(o)
	}
	for _, r := range []*roster{&s.services, &s.repositories} {
		for number, row := range p.names[r.kind] {
			r.load(int32(number), row.name, row.removed)
		}
	}
	for _, source := range p.sources {
		s.loadSource(source)
	}
	for number := range p.scopes {
		s.loadScope(int32(number), p.scopes[number])
	}
	for table, rows := range map[blockTable][]byte{weaknessBlocks: p.weaknesses, eventBlocks: p.events} {
		if err := s.loadEntries(table, rows); err != nil {
			return nil, err
		}
	}
	for weakness, spans := range p.pauses {
		pauses, err := parsePauses(spans)
		if err != nil {
			return nil, err
		}
		s.pauses[weakness] = pauses
	}
	s.policies, s.countingChanges = p.policies, p.counting
	if err := s.damage(); err != nil {
		return nil, err
	}
	s.resume()
	return s, nil
}

// storedPolicy is a policy as it was stored, under the version it had then: a newer version of the program may know keys that it did not.
func storedPolicy(row policyRow) (*policy.Policy, error) {
	config := policy.DefaultConfig()
	if err := json.Unmarshal([]byte(row.config), &config); err != nil {
		return nil, fmt.Errorf("decoding the policy %s: %w", row.version, err)
	}
	return policy.Former(config, row.version)
}
