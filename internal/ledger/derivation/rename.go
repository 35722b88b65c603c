package derivation

import (
	"prodsec_exporter/internal/ledger/undo"
)

// serviceNamed is the position of a service by a name that it has or had, -1 if there is none.
func (s *State) serviceNamed(name string) int32 {
	if p := s.services.find(name); p >= 0 {
		return p
	}
	if present := s.catalog.FormerNames[name]; present != "" {
		return s.services.find(present)
	}
	return -1
}

// renameServices gives services that a catalog renamed their new names, under their old positions: their weaknesses, their events and their owners are
// theirs as before. A new name that was known already is another service, to which what the old one had moves.
func (s *State) renameServices(former map[string]string) {
	for _, old := range sortedNames(former) {
		present := former[old]
		if s.services.find(old) <= 0 || s.services.find(present) >= 0 || s.ownsUnder(present) {
			continue
		}
		number := s.services.rename(old, present)
		if s.origin != nil && int(number) < s.origin.lengths[undo.GrownServices] {
			if _, ok := s.origin.renamed[number]; !ok {
				s.origin.renamed[number] = old
			}
		}
		for i := range s.owners.values {
			if o := s.owners.values[i]; o.Service == old {
				o.Service = present
				s.owners.replace(int32(i), o)
			}
		}
	}
}

// ownsUnder reports whether an owner has or had a service of a name.
func (s *State) ownsUnder(name string) bool {
	for i := range s.owners.values {
		if s.owners.values[i].Service == name {
			return true
		}
	}
	return false
}
