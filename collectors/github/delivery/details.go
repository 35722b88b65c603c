package delivery

import (
	"context"

	"prodsec_exporter/internal/record"
)

// look finds out all there is to know about deployments that have ended, in their order, and returns those that it came to within what one collection may ask.
func (r *repositoryReading) look(ctx context.Context, ended []*deployment) ([]*deployment, error) {
	before := r.remembered()
	var ready, open []*deployment
	for _, d := range ended {
		line := r.line(d)
		if found, ok := before[d.ID]; ok && !d.known {
			d.Deployment, d.known = found, true
		} else if !d.known {
			if r.details == 0 {
				break
			}
			r.details--
			if err := r.detail(ctx, d, line); err != nil {
				return nil, err
			}
			open = append(open, d)
		}
		line.follow(d)
		ready = append(ready, d)
	}
	pulls, err := r.pullsOf(ctx, open)
	if err != nil {
		return nil, err
	}
	kept := map[string]record.Deployment{}
	for _, d := range ready {
		line := r.line(d)
		if !d.known {
			r.bring(d, pulls)
		}
		d.Changes = line.fresh(d, d.Changes)
		if !d.CreatedAt.Before(r.cursor.Since) {
			kept[d.ID] = d.Deployment
		}
	}
	r.keep(kept)
	return ready, nil
}

func (r *repositoryReading) line(d *deployment) *lineage {
	key := lineOf(d)
	if r.cursor.Lines[key] == nil {
		r.cursor.Lines[key] = &lineage{}
	}
	return r.cursor.Lines[key]
}

// remembered are the repository's deployments about which all was found out before.
func (r *repositoryReading) remembered() (known map[string]record.Deployment) {
	r.collector.state.With(r.org, func(o *organisation) { known = o.deployed[r.head.Name] })
	return known
}

// keep remembers deployments, and with a whole reading forgets the rest.
func (r *repositoryReading) keep(read map[string]record.Deployment) {
	horizon := r.now.Add(-r.collector.config.DeploymentHistory.Std())
	r.collector.state.With(r.org, func(o *organisation) {
		kept := map[string]record.Deployment{}
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
func (r *repositoryReading) detail(ctx context.Context, d *deployment, line *lineage) error {
	if err := r.approve(ctx, d); err != nil {
		return err
	}
	if err := r.onProtectedBranch(ctx, d); err != nil {
		return err
	}
	if line.judge(d, r.cursor.Whole) {
		if err := r.compareWith(ctx, line.Base, d); err != nil {
			return err
		}
	}
	if d.Status != record.DeploymentSucceeded {
		d.ChangesKnown, d.commits = record.AnswerUnknown, nil
	}
	return nil
}

// pass decides what a failure means for a deployment: a permission that is missing and something that is gone leave a part unknown, and nothing else does.
func (r *repositoryReading) pass(d *deployment, permission string, err error) error {
	switch record.ReasonOf(err) {
	case record.ReasonPermission:
		r.refused[permission] = true
		d.lacks(permission)
	case record.ReasonNotFound, record.ReasonFeatureOff:
	default:
		if err != nil {
			return err
		}
		if r.refused[permission] {
			d.lacks(permission)
		}
	}
	return nil
}
