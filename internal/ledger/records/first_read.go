package records

// FirstRead are the instants at which services first became known, by their names, as far as they came with the first reading of a catalog.
func (h *Tables) FirstRead() map[string]int64 {
	scopes, services := map[int32]int64{}, map[string]int64{}
	for _, e := range h.Services.Entries {
		if first, ok := scopes[e.Scope]; !ok || e.firstObserved < first {
			scopes[e.Scope] = e.firstObserved
		}
		if first, ok := services[e.Value.Name]; !ok || e.firstObserved < first {
			services[e.Value.Name] = e.firstObserved
		}
	}
	read := map[string]int64{}
	for _, e := range h.Services.Entries {
		if first := services[e.Value.Name]; e.firstObserved == first && scopes[e.Scope] == first {
			read[e.Value.Name] = first
		}
	}
	return read
}
