package jira

import (
	"slices"
	"sync"
)

// status is a status and the category that Jira itself puts it into, which does not depend on language.
type status struct {
	ID       loose  `json:"id"`
	Name     string `json:"name"`
	Category struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
	// former are the names that the status had before, as changelogs tell them.
	former []string
}

// is compares statuses by what is known of both: ids, which outlive renames, or names.
func (s status) is(other status) bool {
	return s.ID != "" && s.ID == other.ID || s.Name != "" && fold(s.Name) == fold(other.Name)
}

// isZero: nothing is known of the status.
func (s status) isZero() bool { return s.ID == "" && s.Name == "" }

// configured is the meaning that the configuration gives to a status, under its present name or a former one: a status that was renamed
// in Jira keeps the meaning that it had.
func configured[M ~string](names map[string]M, s status) (M, bool) {
	if meaning, ok := names[fold(s.Name)]; ok {
		return meaning, true
	}
	for _, name := range s.former {
		if meaning, ok := names[fold(name)]; ok {
			return meaning, true
		}
	}
	var none M
	return none, false
}

// usualOf is the meaning of the usual words in a status' name, or else in a former one.
func usualOf[M ~string](all []words[M], s status) M {
	meaning := usual(all, s.Name)
	for _, name := range s.former {
		if meaning != "" {
			break
		}
		meaning = usual(all, name)
	}
	return meaning
}

// formerNames remembers which names statuses had by id. Changelogs name statuses as they were called then, so that each issue can tell
// what a status of another one was called.
type formerNames struct {
	mu   sync.Mutex
	byID map[string][]string
}

// mostFormerNames bounds what is remembered of one status.
const mostFormerNames = 16

// learn takes up the names in the changes of issues.
func (f *formerNames) learn(issues []*issue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID == nil {
		f.byID = map[string][]string{}
	}
	for _, i := range issues {
		for _, c := range i.changes {
			f.add(c.fromID, c.from)
			f.add(c.toID, c.to)
		}
	}
}

func (f *formerNames) add(id, name string) {
	known := f.byID[id]
	if id == "" || name == "" || len(known) >= mostFormerNames || slices.Contains(known, name) {
		return
	}
	known = append(slices.Clone(known), name)
	slices.Sort(known) // the order in which issues come must not matter
	f.byID[id] = known
}

// of are the names of a status other than its present one.
func (f *formerNames) of(id, present string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var other []string
	for _, name := range f.byID[id] {
		if fold(name) != fold(present) {
			other = append(other, name)
		}
	}
	return other
}

// identify finds the statuses that an issue has and went through among those of today. A status that is gone is known by its name alone.
func (i *issue) identify(present map[string]status, former *formerNames) {
	for n := range i.changes {
		c := &i.changes[n]
		c.before, c.after = i.find(c.fromID, c.from, present, former), i.find(c.toID, c.to, present, former)
	}
	if today, ok := present[string(i.status.ID)]; ok && fold(today.Name) == fold(i.status.Name) {
		i.status.former = former.of(string(i.status.ID), i.status.Name)
	}
}

func (i *issue) find(id, name string, present map[string]status, former *formerNames) status {
	if s, ok := present[id]; ok {
		s.former = former.of(id, s.Name)
		return s
	}
	s := status{ID: loose(id), Name: name}
	if fold(name) == fold(i.status.Name) {
		s.Category = i.status.Category
	}
	return s
}
