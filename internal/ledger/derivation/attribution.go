package derivation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"prodsec_exporter/internal/ledger/catalog"
	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// precedence is the rank of a catalog: its place in the policy's list, else behind it in the order of the configuration.
func (s *State) precedence(source store.SourceID) int {
	return catalog.PrecedenceOf(source, s.policy.Config().Precedence, s.sources)
}

// readCatalogs merges the catalogs anew and gives every service a position. It returns where the old positions went, nil if
// they stayed, and whether the set of names changed.
func (s *State) readCatalogs() (moved []int32, renamed bool) {
	entries := s.tables.Services.Ordered()
	slices.SortStableFunc(entries, func(a, b *records.Entry[record.Service]) int {
		return cmp.Compare(s.precedence(s.scopes[a.Scope].Source), s.precedence(s.scopes[b.Scope].Source))
	})
	statements := make([]catalog.Statement, 0, len(entries))
	for _, e := range entries {
		if e.Value.Name != record.Unattributed {
			statements = append(statements, catalog.Statement{Service: e.Value, By: s.scopes[e.Scope].Source.String()})
		}
	}
	merged := catalog.Merge(statements)
	byName := make(map[string]record.Service, len(merged)+1)
	for _, r := range merged {
		byName[r.Name] = r
	}
	byName[record.Unattributed] = record.Service{Name: record.Unattributed}
	former := catalog.FormerNames(merged)
	s.renameServices(former)
	if !maps.Equal(former, s.catalog.FormerNames) {
		s.exceptions = newExceptionIndex(s.tables.Exceptions, former) // they may name services by former names
	}
	moved = s.services.keep(func(name string) bool { _, ok := byName[name]; return ok })
	before := len(s.services.order)
	for _, r := range merged {
		s.services.add(r.Name)
	}
	services := make([]snapshot.Service, len(s.services.order))
	for i := range services {
		services[i] = s.serviceAt(byName[s.services.at(int32(i))])
	}
	s.catalog = catalog.Catalog{Services: services, FormerNames: former, Retired: s.readRetired(), Rules: catalog.Rules(merged, statements), Conflicts: s.placeConflicts(catalog.Compare(statements))}
	s.noteReadLater(former)
	s.hostsStale, s.repositoryLeft, s.positionsMoved = true, true, true
	for name := range s.catalog.Rules {
		s.repositoryOf(name)
	}
	return moved, moved != nil || before != len(services)
}

// noteReadLater notes which services came with the first reading of a catalog after the founding, under their present names.
func (s *State) noteReadLater(former map[string]string) {
	s.readLater = map[int32]int64{}
	if s.Importing() {
		return
	}
	known := map[int32]int64{}
	for name, first := range s.tables.FirstRead() {
		if p := s.serviceUnder(name, former); p > 0 {
			if before, ok := known[p]; !ok || first < before {
				known[p] = first
			}
		}
	}
	for p, first := range known {
		if first > store.Unix(s.founded) {
			s.readLater[p] = first
		}
	}
}

// serviceUnder is the position of a service by a name that it has or had, -1 if there is none.
func (s *State) serviceUnder(name string, former map[string]string) int32 {
	if present := former[name]; present != "" {
		name = present
	}
	return s.services.find(name)
}

// reattribute reads the catalogs and moves every weakness to the service that owns it now. Deadlines and exceptions that depend
// on the service follow.
func (s *State) reattribute(t store.Tx) error {
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
		before, carried := w.Service, w.Service
		if moved != nil {
			carried = moved[before] // another one may have the position of one that left
		}
		service := max(0, carried)
		switch {
		case special[p]:
			service = s.serviceOf(details[p])
		case !declared[p] && !s.shared(w) && !orphaned(w.Closure):
			service = s.defaultOf(w)
		}
		if service != before || service != carried {
			s.changeWeakness(p).Service = service
		}
		s.markRetired(p)
		if w.Reports > 0 && old.Services[before].Name != s.catalog.Services[service].Name {
			moving[p] = true
		}
		s.moved(p, old.Services[before].Owner)
	}
	s.nextDue = 0 // facts may have changed: look at every clock
	s.settleDeadlines()
	return s.recoverAll(t, moving, func(p int32, cluster []*identity.Report) {
		s.coverFrom(p, cluster, s.sinceMoved(p), s.weaknesses.At(int(p)).Open())
	})
}

// moved emits a change of owner of an open weakness.
func (s *State) moved(p, owner int32) {
	w := s.weaknesses.At(int(p))
	if owner == s.ownerOf(w) {
		return
	}
	s.touch(p)
	if s.Importing() || !w.Open() {
		return
	}
	s.emitUnder(owner, snapshot.EventMovedOut, p, w, s.now, s.now)
	s.emit(snapshot.EventMovedIn, p, w, s.now, s.now)
}

// defaultOf is the service that owns the whole repository of a weakness.
func (s *State) defaultOf(w *snapshot.Weakness) int32 {
	if w.Repository < 0 || s.retired(w) {
		return 0
	}
	if rule := s.catalog.Rules[record.RepositoryName(s.repositories.at(w.Repository))]; rule != nil {
		return max(0, s.services.find(rule.Service))
	}
	return 0
}

// shared reports whether the repository of a weakness is shared by services, so that the place decides.
func (s *State) shared(w *snapshot.Weakness) bool {
	if w.Repository < 0 {
		return false
	}
	rule := s.catalog.Rules[record.RepositoryName(s.repositories.at(w.Repository))]
	return rule != nil && len(rule.Paths) > 0
}

// declaring are the weaknesses of which a source names the service.
func (s *State) declaring() []bool {
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
func (s *State) specialCases(old *catalog.Catalog, renamed bool) map[int32]bool {
	special := map[int32]bool{}
	changed := map[record.RepositoryName]bool{}
	for name, rule := range s.catalog.Rules {
		if before := old.Rules[name]; before == nil || !before.Equal(rule) {
			changed[name] = true
		}
	}
	for name := range old.Rules {
		if s.catalog.Rules[name] == nil {
			changed[name] = true
		}
	}
	for name := range differingNames(old.Retired, s.catalog.Retired) {
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

// recoverAll brings the pauses of the given weaknesses up to date by cover, and lets their deadlines pass where they lie behind us. An exception that
// began in time is in time even if it was read after the deadline; one that ended moves the deadline back, and a miss then counts from now.
func (s *State) recoverAll(t store.Tx, weaknesses map[int32]bool, cover func(p int32, cluster []*identity.Report)) error {
	if len(weaknesses) == 0 || len(s.exceptions.all)+len(s.pauses) == 0 {
		return nil
	}
	details, err := s.clustersOf(t, weaknesses)
	if err != nil {
		return fmt.Errorf("matching exceptions: %w", err)
	}
	for _, p := range sortedKeys(details) {
		before := s.dueOf(p, s.weaknesses.At(int(p)))
		cover(p, details[p])
		if s.Importing() {
			continue
		}
		settled := s.at
		if before >= s.now {
			s.at = s.now
		}
		s.lapse(p, s.now, 0, true)
		s.at = settled
	}
	return nil
}

// readHosts merges what source hosts say about repositories.
func (s *State) readHosts() {
	s.hosts = map[record.RepositoryName]host{}
	for _, e := range s.tables.Repositories.Ordered() {
		name := e.Value.Name
		if h, ok := s.hosts[name]; ok {
			s.hosts[name] = host{catalog.MergeRepositories(h.repository, e.Value), h.scope}
		} else {
			s.hosts[name] = host{e.Value, e.Scope}
		}
		s.repositoryOf(name)
	}
}

// dropRepositories takes out of the table of names what no host, no catalog and no finding names any more.
func (s *State) dropRepositories() {
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
		return hosted || s.catalog.Rules[repository] != nil || named[s.repositories.positionOf(s.repositories.byName[name])]
	})
	if moved != nil {
		s.renumber(func(w *snapshot.Weakness) *int32 { return &w.Repository }, moved, -1)
		s.listed = nil
	}
	s.repositoryLeft = false
}

// listRepositories brings the snapshot's form of the repositories up to date.
func (s *State) listRepositories() {
	if s.hostsStale {
		s.readHosts()
		s.repositoryLeft, s.hostsStale, s.listed = true, false, nil
	}
	if s.repositoryLeft {
		s.dropRepositories()
	}
	for i := len(s.listed); i < len(s.repositories.order); i++ {
		s.listed = append(s.listed, s.listRepository(record.RepositoryName(s.repositories.at(int32(i)))))
	}
}

func (s *State) listRepository(name record.RepositoryName) snapshot.Repository {
	r := snapshot.Repository{Repository: record.Repository{Name: name}, Scope: -1}
	if h, ok := s.hosts[name]; ok {
		r.Repository, r.Scope = h.repository, s.scopePositionOf(h.scope)
	}
	rule := s.catalog.Rules[name]
	if rule != nil {
		r.Service = max(0, s.services.find(rule.Sole()))
	}
	r.Unmapped = catalog.Unmapped(&r, rule, s.owned(rule))
	return r
}

// owned reports whether every service that has a part of a repository has a team.
func (s *State) owned(rule *catalog.Rule) bool {
	return rule != nil && !slices.ContainsFunc(rule.Services(), func(name string) bool {
		at := s.services.find(name)
		return at <= 0 || s.catalog.Services[at].Team == ""
	})
}

// placeConflicts gives conflicts the positions that services have now.
func (s *State) placeConflicts(conflicts []catalog.Conflict) []snapshot.CatalogConflict {
	var placed []snapshot.CatalogConflict
	for _, c := range conflicts {
		if p := s.services.find(c.Name); p >= 0 {
			c.Service = p
			placed = append(placed, c.CatalogConflict)
		}
	}
	return placed
}
