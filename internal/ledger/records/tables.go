// Package records holds the records of every kind but findings, as they are and as they were when something about them was counted
// (milestones). A kind of record is a line in New and one in each list of Tables.
//
// It stores and orders records. What they mean for weaknesses, e.g. what an exception covers, is decided in package derivation.
package records

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// Tables are the tables of all kinds of record but findings.
type Tables struct {
	Services     *Table[record.Service]
	Repositories *Table[record.Repository]
	Exceptions   *Table[record.Exception]
	Reviews      *Table[record.Review]
	Followups    *Table[record.Followup]
	Incidents    *Table[record.Incident]
	Deployments  *Table[record.Deployment]
	Releases     *Table[record.Release]
	Escalations  *Table[record.Escalation]
	Evidence     *Table[record.Evidence]
	Scans        *Table[record.Scan]
	Pipelines    *Table[record.Pipeline]
	Runners      *Table[record.Runner]
	Identities   *Table[record.CloudIdentity]
	Bypasses     *Table[record.Bypass]
	Exploited    *Table[record.Exploitation]
	// next is the number of the next record of any kind.
	next int32
}

// New makes empty tables.
func New() *Tables {
	h := &Tables{
		Services:     newTable(record.KindService, func(r *record.Service) Subject { return Subject{id: r.Name, Service: r.Name} }),
		Repositories: newTable(record.KindRepository, func(r *record.Repository) Subject { return Subject{id: string(r.Name), Repository: r.Name} }),
		Exceptions:   newTable(record.KindException, func(r *record.Exception) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Reviews:      newTable(record.KindReview, func(r *record.Review) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Followups:    newTable(record.KindFollowup, func(r *record.Followup) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Incidents:    newTable(record.KindIncident, func(r *record.Incident) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Deployments:  newTable(record.KindDeployment, func(r *record.Deployment) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Releases:     newTable(record.KindRelease, func(r *record.Release) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Escalations:  newTable(record.KindEscalation, func(r *record.Escalation) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Evidence:     newTable(record.KindEvidence, func(r *record.Evidence) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Scans: newTable(record.KindScan, func(r *record.Scan) Subject {
			return Subject{id: r.Tool + " " + string(r.Class) + " " + string(r.Repository), Repository: r.Repository}
		}),
		Pipelines: newTable(record.KindPipeline, func(r *record.Pipeline) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Runners:   newTable(record.KindRunner, func(r *record.Runner) Subject { return Subject{id: r.ID} }),
		Identities: newTable(record.KindCloudIdentity, func(r *record.CloudIdentity) Subject {
			return Subject{id: string(r.Repository), Repository: r.Repository}
		}),
		Bypasses:  newTable(record.KindBypass, func(r *record.Bypass) Subject { return Subject{r.ID, r.Service, r.Repository} }),
		Exploited: newTable(record.KindExploitation, func(r *record.Exploitation) Subject { return Subject{id: r.Advisory} }),
	}
	h.Scans.carry = carryScan
	h.Reviews.countedBy(answered)
	h.Exceptions.countedBy(decided)
	h.Exceptions.keepRevisions(exceptionSince)
	h.Followups.countedBy(completed)
	h.Escalations.countedBy(raised)
	h.Deployments.countedBy(deployed)
	h.Incidents.countedBy(opened, restored)
	h.Bypasses.countedBy(bypassed)
	return h
}

// All lists the tables.
func (h *Tables) All() []AnyTable {
	return []AnyTable{
		h.Services, h.Repositories, h.Exceptions, h.Reviews, h.Followups, h.Incidents, h.Deployments, h.Releases,
		h.Escalations, h.Evidence, h.Scans, h.Pipelines, h.Runners, h.Identities, h.Bypasses, h.Exploited,
	}
}

// Counted are the kinds that have milestones.
func (h *Tables) Counted() []record.Kind {
	var kinds []record.Kind
	for _, one := range h.All() {
		if kind, counted := one.counts(); counted {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// carryScan keeps the last success: a later scan that failed does not take it back.
func carryScan(known, value *record.Scan) {
	if value.SucceededAt.IsZero() {
		value.SucceededAt = known.SucceededAt
	}
}

// Load enters a stored record.
func (h *Tables) Load(row store.RecordRow) error {
	for _, one := range h.All() {
		if kind, _ := one.Size(); kind == row.Kind {
			h.next = max(h.next, row.Record+1)
			return one.load(row)
		}
	}
	return fmt.Errorf("record %d is of the unknown kind %q", row.Record, row.Kind)
}

// Apply stores what a batch says of all kinds but findings; a table that changed is stale afterwards.
func (h *Tables) Apply(in Placement, at int64, t store.Tx, scope int32, read time.Time, b *record.Batch, whole bool) error {
	p := putting{in: in, at: at, tx: t, scope: scope, whole: whole, partial: !whole || b.Read != nil || len(b.Unread) > 0, read: store.Unix(read), next: &h.next}
	for _, err := range []error{
		put(&p, h.Services, b.Services),
		put(&p, h.Repositories, b.Repositories),
		put(&p, h.Exceptions, b.Exceptions),
		put(&p, h.Reviews, b.Reviews),
		put(&p, h.Followups, b.Followups),
		put(&p, h.Incidents, b.Incidents),
		put(&p, h.Deployments, b.Deployments),
		put(&p, h.Releases, b.Releases),
		put(&p, h.Escalations, b.Escalations),
		put(&p, h.Evidence, b.Evidence),
		put(&p, h.Scans, b.Scans),
		put(&p, h.Pipelines, b.Pipelines),
		put(&p, h.Runners, b.Runners),
		put(&p, h.Identities, b.CloudIdentities),
		put(&p, h.Bypasses, b.Bypasses),
		put(&p, h.Exploited, b.Exploitations),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
