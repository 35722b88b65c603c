package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// bypassesKept is how far back the first reading goes: gitlab.com answers about 30 days at a time.
	bypassesKept = 30 * 24 * time.Hour
	// bypassesOverlap is how far before the last reading events are read again: GitLab writes some of them some time after they happened.
	bypassesOverlap = time.Hour
)

// bypassEvents are the audit events by which GitLab says that somebody with the right to do so went around a rule for a branch, with the type of the rule in the words of
// record.Bypass. A merge in spite of violations that those approved whom the policy asks is no bypass and is not among them; nor is a push that
// skips the search for secrets, of which nobody knows whether it would have been refused.
var bypassEvents = map[string]string{
	"security_policy_user_push_bypass":                 "pull_request",
	"security_policy_service_account_push_bypass":      "pull_request",
	"security_policy_access_token_push_bypass":         "pull_request",
	"security_policy_merge_request_bypass":             "approval_policy",
	"merge_request_branch_bypassed_by_security_policy": "approval_policy",
}

// auditEvent is an audit event of a project. Those about a security policy are of the project that holds the policy and name the project that was pushed to.
type auditEvent struct {
	ID        int64          `json:"id"`
	CreatedAt translate.Time `json:"created_at"`
	Details   struct {
		Event        string `json:"event_name"`
		Project      int64  `json:"project_id"`
		Branch       string `json:"branch_name"`
		TargetBranch string `json:"target_branch"`
	} `json:"details"`
}

// readBypasses reads the rule bypasses that a project's audit events tell of, since a reading before, or in the last 30 days. The span is closed at both ends, so that
// events that come while it is read move nothing between pages.
func (c *Collector) readBypasses(ctx context.Context, p *project, names map[int64]record.RepositoryName, cursor record.Cursor) record.Batch {
	now := c.now()
	b := record.Batch{
		Scope: p.scope(scopeBypasses), Mode: record.Full, Bypasses: []record.Bypass{}, Rejected: map[record.RejectReason]int{}, Cursor: record.CursorAt(now),
	}
	since := now.Add(-bypassesKept)
	if last, ok := cursor.Time(); ok && last.Add(-bypassesOverlap).After(since) {
		b.Mode, since = record.Delta, last.Add(-bypassesOverlap)
	}
	query := url.Values{"created_after": {since.Format(time.RFC3339)}, "created_before": {now.Format(time.RFC3339)}}
	err := c.api.list(ctx, numbered(p.ID, "audit_events"), query, func(raw json.RawMessage) error {
		e, err := translate.Decode[auditEvent](raw)
		switch {
		case err == nil && bypassEvents[e.Details.Event] == "":
			return nil
		case err == nil && e.ID == 0:
			err = fmt.Errorf("audit event: %w", translate.ErrNoID)
		case err == nil && e.CreatedAt.IsZero():
			err = fmt.Errorf("audit event: %w", translate.ErrTimestamp)
		}
		if err != nil {
			b.Rejected[translate.Reason(err)]++
			return nil
		}
		if bypass, ours := bypassOf(e, p, names); ours {
			b.Bypasses = append(b.Bypasses, bypass)
		}
		return nil
	})
	if err != nil {
		return translate.Failed(b.Scope, fmt.Errorf("read the audit events of project %s: %w", p.Path, needs(err, premiumOrRole)))
	}
	return b
}

// bypassOf translates an event; ours is false for one about a project that is not read.
func bypassOf(e *auditEvent, p *project, names map[int64]record.RepositoryName) (bypass record.Bypass, ours bool) {
	name := p.name
	if e.Details.Project != 0 {
		if name, ours = names[e.Details.Project]; !ours {
			return record.Bypass{}, false
		}
	}
	branch := e.Details.TargetBranch
	if branch == "" {
		branch = e.Details.Branch
	}
	return record.Bypass{
		ID: "audit_event:" + strconv.FormatInt(e.ID, 10), Repository: name, Result: record.BypassBypassed, Rules: []string{bypassEvents[e.Details.Event]},
		Branch: record.Text(strings.TrimPrefix(branch, "refs/heads/")), At: e.CreatedAt.Time,
	}, true
}
