package derivation

import (
	"slices"

	"prodsec_exporter/internal/record"
)

// identify tells renamed services from new ones: one that a catalog states under another name, with the identity of one that it states no longer, was renamed
// from that. A service keeps its former names for as long as it keeps its identity, because its catalog does not say them again.
func (a *application) identify() {
	if !a.whole || len(a.batch.Services) == 0 {
		return
	}
	before, after := map[string]*record.Service{}, map[string]int{}
	for _, e := range a.tables.Services.Entries {
		if id := e.Value.Identity; e.Scope == a.scope && !e.Gone && id != "" {
			if _, shared := before[id]; shared {
				before[id] = nil // of two services with one identity nobody can tell which was renamed
				continue
			}
			before[id] = &e.Value
		}
	}
	present := make(map[string]bool, len(a.batch.Services))
	for i := range a.batch.Services {
		present[a.batch.Services[i].Name] = true
		after[a.batch.Services[i].Identity]++
	}
	services := slices.Clone(a.batch.Services)
	for i := range services {
		s := &services[i]
		old := before[s.Identity]
		if old == nil || after[s.Identity] > 1 {
			continue
		}
		former := slices.Clone(s.RenamedFrom)
		if !present[old.Name] {
			former = append(former, old.Name)
		}
		for _, name := range append(former, old.RenamedFrom...) {
			if name != s.Name && !slices.Contains(s.RenamedFrom, name) {
				s.RenamedFrom = append(slices.Clip(s.RenamedFrom), name)
			}
		}
	}
	b := *a.batch
	b.Services = services
	a.batch = &b
}
