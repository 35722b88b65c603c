package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// shelf holds the records of one kind other than finding, whole and in memory: there are thousands of them, not millions.
type shelf[T any] struct {
	kind    record.Kind
	entries map[shelfKey]*entry[T]
	// about is what a record says of itself: its id in its scope, and what it belongs to.
	about func(*T) subject
	// stale says that held has to be made anew.
	stale bool
	held  []snapshot.Held[T]
	// goals say whether a record has reached what its kind is counted by, and when; there are none if nothing is. reached are the
	// milestones of all records in the snapshot's form, by goal, made with held.
	goals   []goal[T]
	reached [][]snapshot.Milestone[T]
	// live is the number of entries that are not gone.
	live int
}

type shelfKey struct {
	scope int32
	id    string
}

type entry[T any] struct {
	number        int32
	scope         int32
	id            string
	value         T
	digest        [sha256.Size]byte
	owner         int32
	firstObserved int64
	gone          bool
	revision      int32
	// milestones are by goal, nil until it is reached.
	milestones []*milestone[T]
}

// subject is what a record says of itself.
type subject struct {
	id         string
	service    string
	repository record.RepositoryName
}

func newShelf[T any](kind record.Kind, about func(*T) subject) *shelf[T] {
	return &shelf[T]{kind: kind, about: about, entries: map[shelfKey]*entry[T]{}, stale: true}
}

// shelves are all of them.
type shelves struct {
	services     *shelf[record.Service]
	repositories *shelf[record.Repository]
	exceptions   *shelf[record.Exception]
	reviews      *shelf[record.Review]
	followups    *shelf[record.Followup]
	incidents    *shelf[record.Incident]
	deployments  *shelf[record.Deployment]
	releases     *shelf[record.Release]
	escalations  *shelf[record.Escalation]
	evidence     *shelf[record.Evidence]
	scans        *shelf[record.Scan]
	pipelines    *shelf[record.Pipeline]
	runners      *shelf[record.Runner]
	identities   *shelf[record.CloudIdentity]
	bypasses     *shelf[record.Bypass]
	exploited    *shelf[record.Exploitation]
	// next is the number of the next record of any kind.
	next int32
}

func newShelves() *shelves {
	h := &shelves{
		services:     newShelf(record.KindService, func(r *record.Service) subject { return subject{id: r.Name, service: r.Name} }),
		repositories: newShelf(record.KindRepository, func(r *record.Repository) subject { return subject{id: string(r.Name), repository: r.Name} }),
		exceptions:   newShelf(record.KindException, func(r *record.Exception) subject { return subject{r.ID, r.Service, r.Repository} }),
		reviews:      newShelf(record.KindReview, func(r *record.Review) subject { return subject{r.ID, r.Service, r.Repository} }),
		followups:    newShelf(record.KindFollowup, func(r *record.Followup) subject { return subject{r.ID, r.Service, r.Repository} }),
		incidents:    newShelf(record.KindIncident, func(r *record.Incident) subject { return subject{r.ID, r.Service, r.Repository} }),
		deployments:  newShelf(record.KindDeployment, func(r *record.Deployment) subject { return subject{r.ID, r.Service, r.Repository} }),
		releases:     newShelf(record.KindRelease, func(r *record.Release) subject { return subject{r.ID, r.Service, r.Repository} }),
		escalations:  newShelf(record.KindEscalation, func(r *record.Escalation) subject { return subject{r.ID, r.Service, r.Repository} }),
		evidence:     newShelf(record.KindEvidence, func(r *record.Evidence) subject { return subject{r.ID, r.Service, r.Repository} }),
		scans: newShelf(record.KindScan, func(r *record.Scan) subject {
			return subject{id: r.Tool + " " + string(r.Class) + " " + string(r.Repository), repository: r.Repository}
		}),
		pipelines: newShelf(record.KindPipeline, func(r *record.Pipeline) subject { return subject{r.ID, r.Service, r.Repository} }),
		runners:   newShelf(record.KindRunner, func(r *record.Runner) subject { return subject{id: r.ID} }),
		identities: newShelf(record.KindCloudIdentity, func(r *record.CloudIdentity) subject {
			return subject{id: string(r.Repository), repository: r.Repository}
		}),
		bypasses:  newShelf(record.KindBypass, func(r *record.Bypass) subject { return subject{r.ID, r.Service, r.Repository} }),
		exploited: newShelf(record.KindExploitation, func(r *record.Exploitation) subject { return subject{id: r.Advisory} }),
	}
	h.reviews.aims(answered)
	h.exceptions.aims(decided)
	h.followups.aims(completed)
	h.escalations.aims(raised)
	h.deployments.aims(deployed)
	h.incidents.aims(opened, restored)
	h.bypasses.aims(bypassed)
	return h
}

// anyShelf is a shelf without its type.
type anyShelf interface {
	load(row recordRow) error
	drop(s *state, t tx, scope int32, keep map[string]bool) error
	refresh(s *state)
	freeze(s *state, t tx) error
	size() (record.Kind, int)
	counts() (record.Kind, bool)
}

func (h *shelves) all() []anyShelf {
	return []anyShelf{
		h.services, h.repositories, h.exceptions, h.reviews, h.followups, h.incidents, h.deployments, h.releases,
		h.escalations, h.evidence, h.scans, h.pipelines, h.runners, h.identities, h.bypasses, h.exploited,
	}
}

// counted are the kinds that have milestones.
func (h *shelves) counted() []record.Kind {
	var kinds []record.Kind
	for _, one := range h.all() {
		if kind, counted := one.counts(); counted {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// load enters a stored record.
func (h *shelves) load(row recordRow) error {
	for _, one := range h.all() {
		if kind, _ := one.size(); kind == row.kind {
			h.next = max(h.next, row.record+1)
			return one.load(row)
		}
	}
	return fmt.Errorf("record %d is of the unknown kind %q", row.record, row.kind)
}

// apply stores what a batch says of all kinds but findings; a shelf that changed is stale afterwards.
func (h *shelves) apply(s *state, t tx, scope int32, b *record.Batch, whole bool) error {
	for _, err := range []error{
		put(h.services, s, t, scope, whole, b.Services),
		put(h.repositories, s, t, scope, whole, b.Repositories),
		put(h.exceptions, s, t, scope, whole, b.Exceptions),
		put(h.reviews, s, t, scope, whole, b.Reviews),
		put(h.followups, s, t, scope, whole, b.Followups),
		put(h.incidents, s, t, scope, whole, b.Incidents),
		put(h.deployments, s, t, scope, whole, b.Deployments),
		put(h.releases, s, t, scope, whole, b.Releases),
		put(h.escalations, s, t, scope, whole, b.Escalations),
		put(h.evidence, s, t, scope, whole, b.Evidence),
		put(h.scans, s, t, scope, whole, b.Scans),
		put(h.pipelines, s, t, scope, whole, b.Pipelines),
		put(h.runners, s, t, scope, whole, b.Runners),
		put(h.identities, s, t, scope, whole, b.CloudIdentities),
		put(h.bypasses, s, t, scope, whole, b.Bypasses),
		put(h.exploited, s, t, scope, whole, b.Exploitations),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// put stores the records of one kind and, for a whole batch that speaks of the kind, drops what it lacks.
func put[T any](h *shelf[T], s *state, t tx, scope int32, whole bool, items []T) error {
	if items == nil {
		return nil
	}
	keep := make(map[string]bool, len(items))
	for i := range items {
		id := h.about(&items[i]).id
		if id == "" {
			continue // nothing to know it by; collectors reject such items themselves
		}
		keep[id] = true
		if err := h.put(s, t, scope, id, items[i]); err != nil {
			return err
		}
	}
	if whole {
		return h.drop(s, t, scope, keep)
	}
	return nil
}

func (h *shelf[T]) put(s *state, t tx, scope int32, id string, value T) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding %s %q: %w", h.kind, id, err)
	}
	digest := sha256.Sum256(body)
	key := shelfKey{scope, id}
	e := h.entries[key]
	if e != nil && e.digest == digest && !e.gone {
		return nil
	}
	if e == nil {
		e = &entry[T]{number: s.shelves.next, scope: scope, id: id, firstObserved: s.now, gone: true}
		s.shelves.next++
		h.entries[key] = e
		_, e.owner = s.belongs(h.about(&value))
	}
	revised := e.digest != digest
	if revised {
		e.revision++
	}
	if e.gone {
		h.live++
	}
	e.value, e.digest, e.gone = value, digest, false
	h.reach(e, s.now)
	h.stale = true
	return h.store(t, e, s.now, body, revised)
}

func (h *shelf[T]) store(t tx, e *entry[T], at int64, body []byte, revised bool) error {
	row := recordRow{
		record: e.number, kind: h.kind, scope: e.scope, id: e.id, owner: e.owner, firstObserved: e.firstObserved,
		changedAt: at, revision: e.revision, body: body, revised: revised,
	}
	if e.gone {
		row.goneAt = at
	}
	if err := t.putRecord(row); err != nil {
		return fmt.Errorf("storing %s %q: %w", h.kind, e.id, err)
	}
	return nil
}

// drop marks the records of a scope as gone that are not to be kept.
func (h *shelf[T]) drop(s *state, t tx, scope int32, keep map[string]bool) error {
	for key, e := range h.entries {
		if key.scope != scope || e.gone || keep[key.id] {
			continue
		}
		e.gone = true
		h.live--
		h.stale = true
		e.digest = [sha256.Size]byte{} // its return is a revision: the one before ends now
		if err := h.store(t, e, s.now, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// load enters a revision of a stored record; the last one is what it says now.
func (h *shelf[T]) load(row recordRow) error {
	key := shelfKey{row.scope, row.id}
	e := h.entries[key]
	if e == nil {
		e = &entry[T]{number: row.record, scope: row.scope, id: row.id, owner: row.owner, firstObserved: row.firstObserved, gone: true}
		h.entries[key] = e
	}
	if gone := row.goneAt != 0; gone != e.gone {
		e.gone = gone
		if gone {
			h.live--
		} else {
			h.live++
		}
	}
	var value T
	if err := json.Unmarshal(row.body, &value); err != nil {
		return fmt.Errorf("decoding %s %q: %w", row.kind, row.id, err)
	}
	e.value, e.revision = value, row.revision
	if !e.gone {
		e.digest = sha256.Sum256(row.body)
	}
	h.reach(e, row.validFrom)
	h.stale = true
	return nil
}

func (h *shelf[T]) size() (record.Kind, int) { return h.kind, h.live }

// counts says whether anything is counted by milestones of the kind.
func (h *shelf[T]) counts() (record.Kind, bool) { return h.kind, len(h.goals) > 0 }

// ordered are the entries that are not gone, in the order in which they were first held.
func (h *shelf[T]) ordered() []*entry[T] {
	result := make([]*entry[T], 0, h.live)
	for _, e := range h.entries {
		if !e.gone {
			result = append(result, e)
		}
	}
	slices.SortFunc(result, func(a, b *entry[T]) int { return cmp.Compare(a.number, b.number) })
	return result
}

// refresh makes the snapshot's form of the shelf if something changed.
func (h *shelf[T]) refresh(s *state) {
	if !h.stale && !s.shelvesStale {
		return
	}
	entries := h.ordered()
	h.held = make([]snapshot.Held[T], 0, len(entries))
	for _, e := range entries {
		h.held = append(h.held, h.hold(s, e, e.value))
	}
	h.reached = make([][]snapshot.Milestone[T], len(h.goals))
	for i := range h.goals {
		h.reached[i] = h.milestones(s, i)
	}
	h.stale = false
}

// hold is the snapshot's form of an entry that says, or once said, value.
func (h *shelf[T]) hold(s *state, e *entry[T], value T) snapshot.Held[T] {
	service, owner := s.belongs(h.about(&value))
	if !s.founded.IsZero() {
		owner = e.owner
	}
	return snapshot.Held[T]{
		Record: value, Instance: s.scopes[e.scope].source.String(), Scope: s.scopePositionOf(e.scope), Service: service,
		Owner: owner, FirstObserved: timeOf(e.firstObserved),
	}
}

// freeze fixes the owners of everything held at the founding: until then a catalog may have been read after what it owns.
func (h *shelf[T]) freeze(s *state, t tx) error {
	h.stale = true // milestones of what is gone have the owner of the day they were first held from now on
	for _, e := range h.entries {
		_, owner := s.belongs(h.about(&e.value))
		if owner == e.owner || e.gone {
			continue
		}
		e.owner = owner
		if err := h.store(t, e, s.now, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// belongs says which service a record is about and who owns that now.
func (s *state) belongs(about subject) (service, owner int32) {
	if about.service != "" {
		if p := s.services.find(about.service); p >= 0 {
			service = p
		}
	} else if rule := s.catalog.rules[about.repository]; rule != nil {
		if name := rule.sole(); name != "" {
			service = max(0, s.services.find(name))
		}
	}
	if int(service) >= len(s.catalog.services) {
		return 0, 0
	}
	return service, s.catalog.services[service].Owner
}
