package tallies

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// IncidentFacts are what sources know of incidents.
type IncidentFacts struct {
	// now and restored are nil where what was known when the incident was first observed counts.
	now, restored map[incidentKey]*record.Incident
}

type incidentKey struct{ instance, id string }

func keyOf(h *snapshot.Held[record.Incident]) incidentKey {
	return incidentKey{h.Instance, h.Record.ID}
}

// NewIncidentFacts returns what is known of incidents now or, if final, what was known when they were first observed.
func NewIncidentFacts(s *snapshot.Snapshot, final bool) *IncidentFacts {
	f := &IncidentFacts{}
	if final {
		return f
	}
	f.now, f.restored = map[incidentKey]*record.Incident{}, map[incidentKey]*record.Incident{}
	for i := range s.Incidents {
		f.now[keyOf(&s.Incidents[i])] = &s.Incidents[i].Record
	}
	for i := range s.Restored {
		f.restored[keyOf(&s.Restored[i].Held)] = &s.Restored[i].Record
	}
	return f
}

// Of is what is known of an incident: by its present record, else by the one with which it was restored, else by the given one.
func (f *IncidentFacts) Of(h *snapshot.Held[record.Incident]) *record.Incident {
	if f.now == nil {
		return &h.Record
	}
	if now, ok := f.now[keyOf(h)]; ok {
		return now
	}
	if restored, ok := f.restored[keyOf(h)]; ok {
		return restored
	}
	return &h.Record
}
