// Package derivation keeps in memory what a ledger knows, and derives from what collectors report what happened: weaknesses from reports,
// events from changes, outcomes from deadlines. It reads and writes rows through package store and never touches a database itself.
//
// # Where to change what
//
//   - A batch arrives: batch.go (records, reports) and group.go (which weaknesses they make).
//   - What a weakness is and how it changes: weakness.go. Its deadline and outcome: sla.go. What covers it: exception.go, exploitation.go.
//   - Who owns it: attribution.go (by package catalog), retired.go.
//   - Changes of counting and their size: restate.go.
//   - Start, configuration, policy, time: load.go, configure.go, policy.go, settle.go.
//   - The stored form: blocks.go, names.go, dictionary.go; what takes an operation back: changes.go (by package undo).
//   - The form in which it is shown: snapshot.go, explain.go.
package derivation

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/ledger/catalog"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// State is everything the ledger holds in memory. It is changed by the derivations and then saved, all within one
// transaction; if that fails the state is thrown away and loaded again, so memory never runs ahead of the store.
type State struct {
	policy *policy.Policy
	// measure computes headline numbers; nil if nobody wants to know.
	measure Measure
	logger  *slog.Logger
	codec   *codec

	// at is the instant up to which time-driven events were settled, in Unix seconds. It never goes back.
	at int64
	// now is the instant of the operation under way, at or later.
	now     int64
	founded time.Time

	sources      []store.SourceID
	configured   map[store.SourceID]store.Source
	texts        dictionary[string]
	owners       dictionary[snapshot.Owner]
	services     nameTable
	repositories nameTable
	scopes       []scope
	scopeIndex   map[scopeKey]int32
	// scopeOrder holds the number of the scope at each position of the snapshot.
	scopeOrder []int32

	reports         *snapshot.Editor[report]
	byKey, byGroup  index
	weaknesses      *snapshot.Editor[snapshot.Weakness]
	events          *snapshot.Editor[snapshot.Event]
	pauses          map[int32][]policy.Pause
	policies        []store.PolicyRow
	countingChanges []snapshot.CountingChange
	tables          *records.Tables
	catalog         catalog.Catalog
	exceptions      exceptionIndex
	exploitations   exploitations

	// nextDue and nextEdge are no later than the next deadline and the next start or end of a pause that are still to be
	// settled, so that settling costs nothing in between.
	nextDue, nextEdge int64
	// awaited are the scopes from which a fix before a deadline that passed may still be reported.
	awaited map[int32]bool

	// hostsStale: the merged repositories have to be made anew; repositoryLeft: a repository may have lost what names it;
	// positionsMoved: positions that held records refer to moved.
	hostsStale, repositoryLeft, positionsMoved bool
	// hosts are the repositories as merged over their scopes; listed is their form in the snapshot.
	hosts  map[record.RepositoryName]host
	listed []snapshot.Repository
	// origin is what the state was when the operation under way began, nil before the founding.
	origin *origin
	// silent keeps outcomes that nobody counted from being emitted.
	silent bool
	// late is the first reading of a scope that is under way after the founding, nil if none is.
	late *lateHistory
	// deriving says that events are derived from what weaknesses are, and take part in derivedSums.
	deriving    bool
	derivedSums snapshot.Sums

	dirtyReports, dirtyWeaknesses, dirtyEvents map[int32]struct{}
	dirtyPauses, dirtyScopes                   map[int32]struct{}
	savedCounting, savedPolicies               int
	dirtySources                               bool
}

// scope is a scope as held.
type scope struct {
	store.ScopeRow
	// live is the number of reports that the scope yielded last and that are not gone.
	live int
}

type scopeKey struct {
	source store.SourceID
	name   string
}

// kind is the part of the name before the first colon.
func (s *scope) kind() string {
	kind, _, _ := strings.Cut(s.Name, ":")
	return kind
}

// New is the state of a ledger that holds nothing yet; rows are entered by what Receives returns, and Resume completes it.
func New(p *policy.Policy, logger *slog.Logger) *State {
	s := &State{
		policy: p, logger: logger, codec: newCodec(),
		configured: map[store.SourceID]store.Source{}, services: newNameTable(NamesOfServices), repositories: newNameTable(NamesOfRepositories),
		scopeIndex: map[scopeKey]int32{},
		reports:    snapshot.Edit(snapshot.Table[report]{}), weaknesses: snapshot.Edit(snapshot.Table[snapshot.Weakness]{}),
		events: snapshot.Edit(snapshot.Table[snapshot.Event]{}), pauses: map[int32][]policy.Pause{}, tables: records.New(),
		awaited: map[int32]bool{}, nextDue: policy.Forever, nextEdge: policy.Forever, hostsStale: true, positionsMoved: true,
		dirtyReports: map[int32]struct{}{}, dirtyWeaknesses: map[int32]struct{}{}, dirtyEvents: map[int32]struct{}{},
		dirtyPauses: map[int32]struct{}{}, dirtyScopes: map[int32]struct{}{},
	}
	s.byKey.hash = func(p int32) uint64 { return s.reports.At(int(p)).key }
	s.byGroup.hash = func(p int32) uint64 { return spread(s.reports.At(int(p)).group) }
	return s
}

// spread mixes a 32-bit hash so that its low bits are good enough for an index.
func spread(h uint32) uint64 { return uint64(h) * 0x9E3779B97F4A7C15 >> 16 }

// begins fills a new ledger with what every ledger has.
func (s *State) begins() {
	s.texts.of("")
	s.owners.of(snapshot.UnattributedOwner)
	s.services.add(record.Unattributed)
	s.catalog = catalog.Catalog{Services: []snapshot.Service{s.serviceAt(record.Service{Name: record.Unattributed})}}
}

// enter adds a loaded report to memory and indexes.
func (s *State) enter(r report) {
	p := int32(s.reports.Append(r))
	s.byKey.add(p)
	s.count(&r, +1)
}

// count keeps the number of live reports of a scope.
func (s *State) count(r *report, by int) {
	if !r.gone() {
		s.scopes[r.scopeNumber()].live += by
	}
}

// changeReport returns a report for changing.
func (s *State) changeReport(p int32) *report {
	s.dirtyReports[p/blockSize] = struct{}{}
	return s.reports.Change(int(p))
}

// changeWeakness returns a weakness for changing.
func (s *State) changeWeakness(p int32) *snapshot.Weakness {
	s.dirtyWeaknesses[p/blockSize] = struct{}{}
	s.touch(p)
	return s.weaknesses.Change(int(p))
}

// addWeakness appends a weakness and gives it its identity.
func (s *State) addWeakness(w snapshot.Weakness) int32 {
	w.ID = int64(s.weaknesses.Len()) + 1
	p := int32(s.weaknesses.Append(w))
	s.dirtyWeaknesses[p/blockSize] = struct{}{}
	s.touch(p)
	return p
}

// emit appends an event about a weakness, with the owner, severity and class of w frozen in it.
func (s *State) emit(kind snapshot.EventKind, p int32, w *snapshot.Weakness, at, counted int64) {
	s.emitUnder(s.ownerOf(w), kind, p, w, at, counted)
}

// emitUnder is emit with another owner than the present one.
func (s *State) emitUnder(owner int32, kind snapshot.EventKind, p int32, w *snapshot.Weakness, at, counted int64) {
	sums, ok := s.reckon(kind, p)
	if !ok {
		return
	}
	e := snapshot.Event{At: at, Counted: counted, Weakness: p, Owner: owner, Kind: kind, Severity: w.Severity, Class: w.Class, Sums: sums}
	if kind == snapshot.EventFixed {
		e.Seconds = uint32(min(max(0, at-w.FirstSeen), 1<<32-1))
	}
	i := int32(s.events.Append(e))
	s.dirtyEvents[i/blockSize] = struct{}{}
}

// ownerOf is the present owner of a weakness, an index into owners.
func (s *State) ownerOf(w *snapshot.Weakness) int32 { return s.catalog.Services[w.Service].Owner }

// setPauses replaces the pauses of a weakness. The map is shared with snapshots, so it is copied by publish.
func (s *State) setPauses(p int32, pauses []policy.Pause) {
	if o := s.origin; o != nil {
		if _, ok := o.pauses[p]; !ok {
			o.pauses[p] = formatPauses(s.pauses[p])
		}
	}
	if len(pauses) == 0 {
		delete(s.pauses, p)
	} else {
		s.pauses[p] = pauses
		s.nextEdge = min(s.nextEdge, nextEdge(pauses, s.at))
	}
	s.dirtyPauses[p] = struct{}{}
	s.touch(p)
}

// scopeOf finds or makes a scope and returns its number.
func (s *State) scopeOf(source store.SourceID, name string) int32 {
	key := scopeKey{source, name}
	if number, ok := s.scopeIndex[key]; ok {
		return number
	}
	number := int32(len(s.scopes))
	s.loadScope(number, store.ScopeRow{Source: source, Name: name})
	s.dirtyScopes[number] = struct{}{}
	return number
}

func (s *State) loadScope(number int32, sc store.ScopeRow) {
	for int32(len(s.scopes)) <= number {
		s.scopes = append(s.scopes, scope{ScopeRow: store.ScopeRow{Removed: true}})
	}
	s.scopes[number] = scope{ScopeRow: sc}
	if !sc.Removed {
		s.scopeIndex[scopeKey{sc.Source, sc.Name}] = number
		s.scopeOrder = append(s.scopeOrder, number)
	}
}

// scopePositionOf is the position in the snapshot of a scope by number, -1 for one that was removed.
func (s *State) scopePositionOf(number int32) int32 {
	if i, ok := slices.BinarySearch(s.scopeOrder, number); ok {
		return int32(i)
	}
	return -1
}

// renumber changes the position of a service, repository or scope in every weakness after one of them left.
func (s *State) renumber(field func(*snapshot.Weakness) *int32, moved []int32, gone int32) {
	for p := range s.weaknesses.Len() {
		old := *field(s.weaknesses.At(p))
		if old < 0 {
			continue
		}
		position := moved[old]
		if position < 0 {
			position = gone
			s.dirtyWeaknesses[int32(p)/blockSize] = struct{}{}
		}
		if position != old {
			*field(s.weaknesses.Change(p)) = position
		}
	}
}

// Save brings up to date what follows from what changed, and writes all of it.
func (s *State) Save(t store.Tx) error {
	s.refreshLists()
	if err := s.saveUndo(t); err != nil {
		return fmt.Errorf("saving the history: %w", err)
	}
	if err := s.texts.save(t.PutString); err != nil {
		return fmt.Errorf("saving texts: %w", err)
	}
	if err := s.owners.save(t.PutOwner); err != nil {
		return fmt.Errorf("saving owners: %w", err)
	}
	for _, r := range []*nameTable{&s.services, &s.repositories} {
		if err := r.save(t); err != nil {
			return fmt.Errorf("saving names: %w", err)
		}
	}
	for number := range s.dirtyScopes {
		if err := t.PutScope(number, s.scopes[number].ScopeRow); err != nil {
			return fmt.Errorf("saving scopes: %w", err)
		}
	}
	if s.dirtySources {
		if err := t.PutSources(s.configuredSources()); err != nil {
			return fmt.Errorf("saving sources: %w", err)
		}
	}
	if err := s.saveBlocks(t); err != nil {
		return fmt.Errorf("saving weaknesses: %w", err)
	}
	for p := range s.dirtyPauses {
		if err := t.PutPauses(p, formatPauses(s.pauses[p])); err != nil {
			return fmt.Errorf("saving pauses: %w", err)
		}
	}
	clear(s.dirtyScopes)
	clear(s.dirtyPauses)
	return s.saveHistory(t)
}

func (s *State) saveHistory(t store.Tx) error {
	for ; s.savedPolicies < len(s.policies); s.savedPolicies++ {
		if err := t.PutPolicy(s.savedPolicies, s.policies[s.savedPolicies]); err != nil {
			return fmt.Errorf("saving policies: %w", err)
		}
	}
	for ; s.savedCounting < len(s.countingChanges); s.savedCounting++ {
		if err := t.PutCountingChange(s.savedCounting, s.countingChanges[s.savedCounting]); err != nil {
			return fmt.Errorf("saving counting changes: %w", err)
		}
	}
	if err := t.PutMeta("at", fmt.Sprint(s.at)); err != nil {
		return err
	}
	s.dirtySources = false
	return t.PutMeta("founded", fmt.Sprint(store.Unix(s.founded)))
}
