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
	// ReworkNone: nothing says that it was not planned.
	ReworkNone Rework = iota
	// ReworkRollback: it brought back an older commit.
	ReworkRollback
	// ReworkIncident: it went live while an incident of its service was open.
	ReworkIncident
)

// rework says of each deployment what made it necessary. It follows run.
func (a *attribution) rework() []Rework {
	s := a.in.Snapshot
	rework := make([]Rework, len(s.Deployed))
	subjects := newSubjects(s, a.final)
	restored := map[incidentKey]time.Time{}
	for i := range s.Restored {
		restored[keyOf(&s.Restored[i].Held)] = s.Restored[i].At
	}
	type span struct{ from, until time.Time }
	open := map[int32][]span{}
	for i := range s.Opened {
		m := &s.Opened[i]
		if m.Counted.After(a.in.At) {
			continue
		}
		until, ended := restored[keyOf(&m.Held)]
		if !ended {
			until = a.in.At
		}
		if subject := subjects.of(m.Owner, m.Service, m.Record.Repository); subject > 0 {
			open[subject] = append(open[subject], span{m.At, until})
		}
	}
	for i := range s.Deployed {
		d := &a.ended[i]
		switch {
		case !d.InProduction():
		case d.Rollback:
			rework[i] = ReworkRollback
		case d.Status == record.DeploymentSucceeded && slices.ContainsFunc(open[a.subjectOf[i]], func(s span) bool {
			return s.from.Before(a.in.Snapshot.Deployed[i].At) && !a.in.Snapshot.Deployed[i].At.After(s.until)
		}):
			rework[i] = ReworkIncident
		}
	}
	return rework
}
