package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// host is what source hosts say about a repository, and the scope that says it first.
type host struct {
	repository record.Repository
	scope      int32
}

// precedence is the rank of a catalog: its place in the policy's list, else behind it in the order of the configuration.
func (s *state) precedence(source sourceID) int {
	return precedenceOf(source, s.policy.Config().Precedence, s.sources)
}

func precedenceOf(source sourceID, listed []string, configured []sourceID) int {
	if i := slices.Index(listed, source.String()); i >= 0 {
		return i
	}
	if i := slices.Index(listed, source.collector); i >= 0 {
		return i
	}
	if i := slices.Index(configured, source); i >= 0 {
		return len(listed) + i
	}
	return len(listed) + len(configured)
}

// serviceAt is the snapshot's form of a merged service.
func (s *state) serviceAt(r record.Service) snapshot.Service {
	return snapshot.Service{Service: r, Owner: s.owners.of(ownerOf(&r, s.policy)), Facts: s.policy.FactsOf(r)}
}

// readCatalogs merges the catalogs anew and gives every service a position. It returns where the old positions went, nil if
// they stayed, and whether the set of names changed.
func (s *state) readCatalogs() (moved []int32, renamed bool) {
	entries := s.shelves.services.ordered()
	slices.SortStableFunc(entries, func(a, b *entry[record.Service]) int {
		return cmp.Compare(s.precedence(s.scopes[a.scope].source), s.precedence(s.scopes[b.scope].source))
	})
	statements := make([]statement, 0, len(entries))
	for _, e := range entries {
		if e.value.Name != record.Unattributed {
			statements = append(statements, statement{e.value, s.scopes[e.scope].source.String()})
		}
	}
	merged := mergeServices(statements)
	byName := make(map[string]record.Service, len(merged)+1)
	for _, r := range merged {
		byName[r.Name] = r
	}
	byName[record.Unattributed] = record.Service{Name: record.Unattributed}
	moved = s.services.keep(func(name string) bool { _, ok := byName[name]; return ok })
	before := len(s.services.order)
	for _, r := range merged {
		s.services.add(r.Name)
	}
	services := make([]snapshot.Service, len(s.services.order))
	for i := range services {
		services[i] = s.serviceAt(byName[s.services.at(int32(i))])
	}
	s.catalog = catalog{services: services, retired: s.readRetired(), rules: rulesOf(merged), conflicts: s.placeConflicts(conflictsOf(statements))}
	s.hostsStale, s.rosterShrunk, s.shelvesStale = true, true, true
	for name := range s.catalog.rules {
		s.repositoryOf(name)
	}
	return moved, moved != nil || before != len(services)
}

// reattribute reads the catalogs and moves every weakness to the service that owns it now. Deadlines and exceptions that depend
// on the service follow.
func (s *state) reattribute(t tx) error {
	s.settleDeadlines() // under the facts that held until now
	s.at = s.now        // what lapses from here on does so because of the change
	old := s.catalog
	moved, renamed := s.readCatalogs()
	special := s.specialCases(&old, renamed)
	details, err := s.clustersOf(t, special)
	if err != nil {
		return fmt.Errorf("attributing weaknesses: %w", err)
	}
	declared := s.declaring()
	moving := map[int32]bool{}
	for i := range s.weaknesses.Len() {
		p := int32(i)
		w := s.weaknesses.At(i)
		before, service := w.Service, w.Service
		if moved != nil {
			service = max(0, moved[service])
		}
		switch {
		case special[p]:
			service = s.serviceOf(details[p])
		case !declared[p] && !s.shared(w) && !orphaned(w.Closure):
			service = s.defaultOf(w)
		}
		if service != before {
			s.changeWeakness(p).Service = service
		}
		s.markRetired(p)
		if w.Reports > 0 && old.services[before].Name != s.catalog.services[service].Name {
			moving[p] = true
		}
		s.moved(p, old.services[before].Owner)
	}
	s.nextDue = 0 // facts may have changed: look at every clock
	s.settleDeadlines()
	return s.recoverAll(t, moving)
}

// moved emits a change of owner of an open weakness.
func (s *state) moved(p, owner int32) {
	w := s.weaknesses.At(int(p))
	if s.importing() || !w.Open() || owner == s.ownerOf(w) {
		return
	}
	s.emitUnder(owner, snapshot.EventMovedOut, p, w, s.now, s.now)
	s.emit(snapshot.EventMovedIn, p, w, s.now, s.now)
}

// defaultOf is the service that owns the whole repository of a weakness.
func (s *state) defaultOf(w *snapshot.Weakness) int32 {
	if w.Repository < 0 || s.retired(w) {
		return 0
	}
	if rule := s.catalog.rules[record.RepositoryName(s.repositories.at(w.Repository))]; rule != nil {
		return max(0, s.services.find(rule.service))
	}
	return 0
}

// shared reports whether the repository of a weakness is shared by services, so that the place decides.
func (s *state) shared(w *snapshot.Weakness) bool {
	if w.Repository < 0 {
		return false
	}
	rule := s.catalog.rules[record.RepositoryName(s.repositories.at(w.Repository))]
	return rule != nil && len(rule.paths) > 0
}

// declaring are the weaknesses of which a source names the service.
func (s *state) declaring() []bool {
	declared := make([]bool, s.weaknesses.Len())
	for i := range s.reports.Len() {
		if r := s.reports.At(i); r.declares() {
			declared[r.weakness] = true
		}
	}
	return declared
}

// specialCases are the weaknesses whose service cannot be told from the repository alone and may have changed: their reports
// have to be read.
func (s *state) specialCases(old *catalog, renamed bool) map[int32]bool {
	special := map[int32]bool{}
	changed := map[record.RepositoryName]bool{}
	for name, rule := range s.catalog.rules {
		if before := old.rules[name]; before == nil || !before.equal(rule) {
			changed[name] = true
		}
	}
	for name := range old.rules {
		if s.catalog.rules[name] == nil {
			changed[name] = true
		}
	}
	for name := range differingNames(old.retired, s.catalog.retired) {
		changed[name] = true
	}
	declared := s.declaring()
	for i := range s.weaknesses.Len() {
		w := s.weaknesses.At(i)
		if w.Reports == 0 || !declared[i] && !s.shared(w) && !orphaned(w.Closure) {
			continue
		}
		ruleChanged := w.Repository < 0 && len(changed) > 0 || w.Repository >= 0 && changed[record.RepositoryName(s.repositories.at(w.Repository))]
		if renamed || ruleChanged {
			special[int32(i)] = true
		}
	}
	return special
}

// recoverAll brings the pauses of the given weaknesses up to date.
func (s *state) recoverAll(t tx, weaknesses map[int32]bool) error {
	if len(weaknesses) == 0 || len(s.exceptions.all)+len(s.pauses) == 0 {
		return nil
	}
	details, err := s.clustersOf(t, weaknesses)
	if err != nil {
		return fmt.Errorf("matching exceptions: %w", err)
	}
	for _, p := range sortedKeys(details) {
		s.recover(p, details[p])
	}
	return nil
}

// recover brings the pauses of one weakness up to date and lets its deadline pass if it lies behind us. An exception that began in
// time is in time even if it was read after the deadline; one that ended moves the deadline back, and a miss then counts from now.
func (s *state) recover(p int32, cluster []*detail) {
	w := s.weaknesses.At(int(p))
	before := s.dueOf(p, w)
	s.cover(p, cluster, w.Open())
	if s.importing() {
		return
	}
	settled := s.at
	if before >= s.now {
		s.at = s.now
	}
	s.lapse(p, s.now, 0, true)
	s.at = settled
}

// repositoryOf is the position of a repository, which it gets if it has none.
func (s *state) repositoryOf(name record.RepositoryName) int32 {
	return s.repositories.add(string(name))
}

// readHosts merges what source hosts say about repositories.
func (s *state) readHosts() {
	s.hosts = map[record.RepositoryName]host{}
	for _, e := range s.shelves.repositories.ordered() {
		name := e.value.Name
		if h, ok := s.hosts[name]; ok {
			s.hosts[name] = host{mergeRepositories(h.repository, e.value), h.scope}
		} else {
			s.hosts[name] = host{e.value, e.scope}
		}
		s.repositoryOf(name)
	}
}

// dropRepositories takes out of the roster what no host, no catalog and no finding names any more.
func (s *state) dropRepositories() {
	named := make([]bool, len(s.repositories.order))
	for i := range s.weaknesses.Len() {
		w := s.weaknesses.At(i)
		if w.Repository >= 0 && w.Reports > 0 {
			named[w.Repository] = true
		}
	}
	moved := s.repositories.keep(func(name string) bool {
		repository := record.RepositoryName(name)
		_, hosted := s.hosts[repository]
		return hosted || s.catalog.rules[repository] != nil || named[s.repositories.positionOf(s.repositories.byName[name])]
	})
	if moved != nil {
		s.renumber(func(w *snapshot.Weakness) *int32 { return &w.Repository }, moved, -1)
		s.listed = nil
	}
	s.rosterShrunk = false
}

// listRepositories brings the snapshot's form of the repositories up to date.
func (s *state) listRepositories() {
	if s.hostsStale {
		s.readHosts()
		s.rosterShrunk, s.hostsStale, s.listed = true, false, nil
	}
	if s.rosterShrunk {
		s.dropRepositories()
	}
	for i := len(s.listed); i < len(s.repositories.order); i++ {
		s.listed = append(s.listed, s.listRepository(record.RepositoryName(s.repositories.at(int32(i)))))
	}
}

func (s *state) listRepository(name record.RepositoryName) snapshot.Repository {
	r := snapshot.Repository{Repository: record.Repository{Name: name}, Scope: -1}
	if h, ok := s.hosts[name]; ok {
		r.Repository, r.Scope = h.repository, s.scopePositionOf(h.scope)
	}
	rule, team := s.catalog.rules[name], ""
	if rule != nil {
		if r.Service = max(0, s.services.find(rule.sole())); r.Service > 0 {
			team = s.catalog.services[r.Service].Team
		}
	}
	r.Unmapped = unmapped(&r.Repository, rule, team)
	return r
}
