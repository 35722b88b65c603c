// Package derivation keeps in memory what a ledger knows, and derives from what collectors report what happened: weaknesses from reports,
// events from changes, outcomes from deadlines. It reads and writes rows through package store and never touches a database itself.
//
// # Where to change what
//
//   - What is held in memory: state.go, indexes in index.go and bits.go.
//   - A batch arrives: batch.go, the reports that it changes in application.go, which weaknesses they make in group.go; what other records change in follow.go.
//   - A scope is retired: retire_scope.go; is read for the first time after the founding: late.go.
//   - What a weakness is and how it changes: weakness.go. Its deadline and outcome: outcome.go (targets are package policy's). What covers it: exception.go, exploitation.go; what is known of each by
//     advisory or subject in exception_index.go, exploitation_index.go, pauses.go. In which sums an event takes part: events.go.
//   - Who owns it: attribution.go (by package catalog), identify.go, rename.go, retired.go.
//   - Changes of counting and their size: restate.go, regroup.go.
//   - Start, configuration, policy, time: load.go, configure.go, policy.go, settle.go.
//   - The stored form: codec.go, blocks.go, names.go, dictionary.go, written by save.go; what takes an operation back: changes.go (by package undo).
//   - The form in which it is shown: snapshot.go, explain.go.
//
// Files refer to one another one way: a derivation knows the state and what it builds on, and the state knows no derivation.
package derivation

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/ledger/catalog"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
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
	// readLater are the services that came with the first reading of a catalog after the founding, and when, by position.
	readLater     map[int32]int64
	exceptions    exceptionIndex
	exploitations exploitations

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

// lateHistory is a first reading under way.
type lateHistory struct {
	// touched are the weaknesses that it brought or changed.
	touched map[int32]bool
}

// touch notes that a first reading concerns a weakness.
func (s *State) touch(p int32) {
	if s.late != nil {
		s.late.touched[p] = true
	}
}

// Importing reports whether what is read is history: until the first full pass has ended. Nothing is emitted then; the
// history is derived from the weaknesses as they stand, by importHistory.
func (s *State) Importing() bool { return s.founded.IsZero() }

// Measure computes the headline numbers of a snapshot.
type Measure func(*snapshot.Snapshot, *policy.Policy, time.Time) map[string]float64

// host is what source hosts say about a repository, and the scope that says it first.
type host struct {
	repository record.Repository
	scope      int32
}

// origin is what a state was when the operation under way began.
type origin struct {
	at         int64
	lengths    undo.Lengths
	numbering  numbering
	weaknesses snapshot.Table[snapshot.Weakness]
	sources    []store.Source
	// scopes and pauses hold those that the operation changes, as they were.
	scopes map[int32]scope
	pauses map[int32]string
	// sums are those in which events took part that the operation changes; events is how many there were.
	sums   map[int32]snapshot.Sums
	events int
	// renamed are the names that services had, by number.
	renamed map[int32]string
}

// serviceAt is the snapshot's form of a merged service.
func (s *State) serviceAt(r record.Service) snapshot.Service {
	return snapshot.Service{Service: r, Owner: s.owners.of(catalog.OwnerOf(&r, s.policy)), Facts: s.policy.FactsOf(r)}
}

// repositoryOf is the position of a repository, which it gets if it has none.
func (s *State) repositoryOf(name record.RepositoryName) int32 {
	return s.repositories.add(string(name))
}
