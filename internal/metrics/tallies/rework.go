package tallies

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// Rework is what made a production deployment necessary.
type Rework uint8

// The kinds of rework. Source: DORA, deployment rework rate: deployments that were not planned and happen as a result of an incident in production.
const (
	// ReworkNone: it was planned, by all that is known.
	ReworkNone Rework = iota
	// ReworkRollback: it brought back an older commit.
	ReworkRollback
	// ReworkIncident: it went live while an incident of its service was open.
	ReworkIncident
)

// newRework classifies every deployment, by position in Snapshot.Deployed, by all that is known now.
func newRework(in *Input, deployments *Deployments) []Rework {
	s, subjects := in.Snapshot, newSubjects(in.Snapshot, false)
	open := openIncidents(in, subjects)
	rework := make([]Rework, len(s.Deployed))
	for i := range s.Deployed {
		d, m := &deployments.Ended[i], &s.Deployed[i]
		switch {
		case !d.InProduction():
		case d.Rollback:
			rework[i] = ReworkRollback
		case d.Status == record.DeploymentSucceeded:
			during := func(t timeSpan) bool { return t.from.Before(m.At) && !m.At.After(t.until) }
			if slices.ContainsFunc(open[subjects.of(m.Owner, m.Service, m.Record.Repository)], during) {
				rework[i] = ReworkIncident
			}
		}
	}
	return rework
}

type timeSpan struct{ from, until time.Time }

// openIncidents are the times during which incidents of each subject were open. Incidents without a subject are left out.
func openIncidents(in *Input, subjects *subjects) map[int32][]timeSpan {
	restored := map[incidentKey]time.Time{}
	for i := range in.Snapshot.Restored {
		restored[keyOf(&in.Snapshot.Restored[i].Held)] = in.Snapshot.Restored[i].At
	}
	open := map[int32][]timeSpan{}
	for i := range in.Snapshot.Opened {
		m := &in.Snapshot.Opened[i]
		if m.Counted.After(in.At) {
			continue
		}
		until, ended := restored[keyOf(&m.Held)]
		if !ended {
			until = in.At
		}
		if subject := subjects.of(m.Owner, m.Service, m.Record.Repository); subject > 0 {
			open[subject] = append(open[subject], timeSpan{m.At, until})
		}
	}
	return open
}
