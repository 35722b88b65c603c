package delivery

import (
	"context"

	"prodsec_exporter/internal/record"
)

// readDetails reads all details of deployments that have ended, in their order, and returns those that it read within the limit of one collection.
func (r *repositoryReader) readDetails(ctx context.Context, ended []*deployment) ([]*deployment, error) {
	known := r.knownDeployments()
	var ready, open []*deployment
	for _, d := range ended {
		history := r.lineage(d)
		if found, ok := known[d.ID]; ok && !d.known && !r.mayAsk(found.refused) {
			d.Deployment, d.refused, d.known = found.Deployment, found.refused, true
		} else if !d.known {
			if r.details == 0 {
				break
			}
			r.details--
			if err := r.detail(ctx, d, history); err != nil {
				return nil, err
			}
			open = append(open, d)
		}
		history.advance(d)
		ready = append(ready, d)
	}
	pulls, err := r.pullsOf(ctx, open)
	if err != nil {
		return nil, err
	}
	kept := map[string]knownDeployment{}
	for _, d := range ready {
		history := r.lineage(d)
		if !d.known {
			r.attachChanges(d, pulls)
		}
		d.Changes = history.newChanges(d, d.Changes)
		if !d.CreatedAt.Before(r.cursor.Since) {
			kept[d.ID] = knownDeployment{d.Deployment, d.refused}
		}
	}
	r.keep(kept)
	return ready, nil
}

func (r *repositoryReader) lineage(d *deployment) *lineage {
	key := lineageKey(d)
	if r.cursor.Lines[key] == nil {
		r.cursor.Lines[key] = &lineage{}
	}
	return r.cursor.Lines[key]
}

// knownDeployments are the repository's deployments about which all was found out before.
func (r *repositoryReader) knownDeployments() (known map[string]knownDeployment) {
	r.collector.state.With(r.org, func(o *organisation) { known = o.deployed[r.head.Name] })
	return known
}

// keep remembers deployments, and with a whole reading forgets the rest.
func (r *repositoryReader) keep(read map[string]knownDeployment) {
	horizon := r.now.Add(-r.collector.config.DeploymentHistory.Std())
	r.collector.state.With(r.org, func(o *organisation) {
		kept := map[string]knownDeployment{}
		for id, d := range o.deployed[r.head.Name] {
			if r.resumed && !d.CreatedAt.Before(horizon) {
				kept[id] = d
			}
		}
		for id, d := range read {
			kept[id] = d
		}
		o.deployed[r.head.Name] = kept
		if len(kept) == 0 {
			delete(o.deployed, r.head.Name)
		}
	})
}

// detail finds out how a deployment was let through and what it brought.
func (r *repositoryReader) detail(ctx context.Context, d *deployment, history *lineage) error {
	if err := r.approve(ctx, d); err != nil {
		return err
	}
	if r.collector.comesByProductionWorkflow(&d.Deployment) {
		d.Production = record.AnswerYes
	}
	if err := r.onProtectedBranch(ctx, d); err != nil {
		return err
	}
	if history.classify(d, r.cursor.Whole) {
		if err := r.compareWith(ctx, history.Base, d); err != nil {
			return err
		}
	}
	if d.Status != record.DeploymentSucceeded {
		d.ChangesKnown, d.commits = record.AnswerUnknown, nil
	}
	return nil
}
