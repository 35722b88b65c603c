package trust

import (
	"context"
	"net/url"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// What reading a policy for GitHub Actions needs, that of a repository and that of its organisation.
const (
	actionsPermission    = "administration=read"
	orgActionsPermission = "organization_administration=read"
)

// under is the policy of a repository below that of its organisation: where that is strict, the repository cannot be less so.
func (p actionsPolicy) under(org actionsPolicy) actionsPolicy {
	stricter := func(own, above record.Answer) record.Answer {
		if above == record.AnswerYes {
			return above
		}
		return own
	}
	return actionsPolicy{
		enabled: p.enabled, restricted: stricter(p.restricted, org.restricted), pinned: stricter(p.pinned, org.pinned),
		readOnly: stricter(p.readOnly, org.readOnly), cannotApprove: stricter(p.cannotApprove, org.cannotApprove),
	}
}

// settings are the answers that are known.
func (p actionsPolicy) settings() map[string]record.Answer {
	settings := map[string]record.Answer{}
	for key, answer := range map[string]record.Answer{
		inventory.SettingActionsEnabled: p.enabled, inventory.SettingActionsRestricted: p.restricted, inventory.SettingActionsPinned: p.pinned,
		inventory.SettingTokenReadOnly: p.readOnly, inventory.SettingTokenCannotApprove: p.cannotApprove,
	} {
		if answer.Known() {
			settings[key] = answer
		}
	}
	return settings
}

// readActions reads which actions may run in a repository and what their token may do.
func (c *Collector) readActions(ctx context.Context, org string, r api.Repository, _ record.Cursor) record.Batch {
	above, err := c.organisationActions(ctx, org)
	if err != nil {
		return record.Batch{Err: err}
	}
	path := "repos/" + api.EscapeName(r.FullName)
	own, err := c.whichActions(ctx, path)
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, actionsPermission)}
	}
	if above.readOnly != record.AnswerYes || above.cannotApprove != record.AnswerYes {
		token, err := c.actionsToken(ctx, path)
		if err != nil {
			return record.Batch{Err: api.ScopeError(err, actionsPermission)}
		}
		own.readOnly, own.cannotApprove = token.readOnly, token.cannotApprove
	}
	return record.Batch{
		Mode: record.Full, Cursor: c.ReadAt(), Repositories: []record.Repository{{Name: r.Name, Settings: own.under(above).settings()}},
	}
}

// organisationActions is the organisation's policy, asked for once per posture interval; unknown where the credential may not see it.
func (c *Collector) organisationActions(ctx context.Context, org string) (actionsPolicy, error) {
	var known orgActions
	c.state.With(org, func(o *organisation) { known = o.actions })
	if !known.readAt.IsZero() && c.Now().Sub(known.readAt) < c.Intervals.Posture {
		return known.actionsPolicy, nil
	}
	path := "orgs/" + url.PathEscape(org)
	policy, err := c.whichActions(ctx, path)
	if err == nil {
		var token actionsPolicy
		token, err = c.actionsToken(ctx, path)
		policy.readOnly, policy.cannotApprove = token.readOnly, token.cannotApprove
	}
	if reason := record.ReasonOf(err); err != nil && reason != record.ReasonPermission && reason != record.ReasonNotFound {
		return actionsPolicy{}, err
	}
	c.state.With(org, func(o *organisation) { o.actions = orgActions{policy, c.Now()} })
	return policy, nil
}

// whichActions reads which actions may run below a path.
func (c *Collector) whichActions(ctx context.Context, path string) (actionsPolicy, error) {
	var answer struct {
		// Enabled is a repository's, EnabledRepositories an organisation's.
		Enabled             *bool  `json:"enabled"`
		EnabledRepositories string `json:"enabled_repositories"`
		AllowedActions      string `json:"allowed_actions"`
		Pinned              *bool  `json:"sha_pinning_required"`
	}
	if _, err := c.API.Get(ctx, path+"/actions/permissions", &answer); err != nil {
		return actionsPolicy{}, err
	}
	if answer.Enabled == nil && answer.EnabledRepositories == "" {
		return actionsPolicy{}, api.MissingField(path+"/actions/permissions", "enabled")
	}
	var p actionsPolicy
	if answer.Enabled != nil {
		p.enabled = record.AnswerOf(*answer.Enabled)
	}
	switch answer.AllowedActions {
	case "all":
		p.restricted = record.AnswerNo
	case "selected", "local_only":
		p.restricted = record.AnswerYes
	case "":
	default:
		c.UnknownValue("allowed_actions", answer.AllowedActions)
	}
	if p.enabled == record.AnswerNo || answer.EnabledRepositories == "none" {
		p.restricted = record.AnswerYes // Nothing may run.
	}
	if answer.Pinned != nil {
		p.pinned = record.AnswerOf(*answer.Pinned)
	}
	return p, nil
}

// actionsToken reads what the token of a workflow may do unless the workflow says otherwise.
func (c *Collector) actionsToken(ctx context.Context, path string) (actionsPolicy, error) {
	var answer struct {
		Default    string `json:"default_workflow_permissions"`
		CanApprove *bool  `json:"can_approve_pull_request_reviews"`
	}
	if _, err := c.API.Get(ctx, path+"/actions/permissions/workflow", &answer); err != nil {
		return actionsPolicy{}, err
	}
	if answer.Default == "" {
		return actionsPolicy{}, api.MissingField(path+"/actions/permissions/workflow", "default_workflow_permissions")
	}
	var p actionsPolicy
	switch answer.Default {
	case "read":
		p.readOnly = record.AnswerYes
	case "write":
		p.readOnly = record.AnswerNo
	default:
		c.UnknownValue("default_workflow_permissions", answer.Default)
	}
	if answer.CanApprove != nil {
		p.cannotApprove = record.AnswerOf(!*answer.CanApprove)
	}
	return p, nil
}
