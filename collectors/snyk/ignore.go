package snyk

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// ignoreReasons are why an issue is ignored.
var ignoreReasons = translate.Vocabulary[record.Closure]{
	Name: "snyk ignore reason",
	Words: map[string]record.Closure{
		"not-vulnerable": record.ClosureFalsePositive, "wont-fix": record.ClosureWontFix, "temporary-ignore": record.ClosureRiskAccepted, "": record.ClosureOther,
	},
	Other: record.ClosureOther,
}

// ignore is why one issue of one project is ignored.
type ignore struct {
	Reason     string         `json:"reason"`
	ReasonType string         `json:"reasonType"`
	Expires    translate.Time `json:"expires"`
	Created    translate.Time `json:"created"`
}

// ignoreKey is how an ignore finds its issues.
type ignoreKey struct{ project, issue string }

// ignoreList is what is known of an organisation's ignores; nil knows nothing.
type ignoreList struct {
	byIssue    map[ignoreKey]ignore
	exceptions []record.Exception
	rejected   map[record.RejectReason]int
}

func ignoresPath(org, project string) string {
	return "v1/org/" + url.PathEscape(org) + "/project/" + url.PathEscape(project) + "/ignores"
}

// readIgnores reads the ignored issues of an organisation and, for each project that has one, why they are ignored. The REST API
// only says that an issue is ignored; reason and expiry are in API v1, project by project, and there only for ignores that were
// made in Snyk's pages or API: those by policies and by .snyk files have no reason.
func (c *Collector) readIgnores(ctx context.Context, org string) (*ignoreList, error) {
	list := &ignoreList{byIssue: map[ignoreKey]ignore{}, exceptions: []record.Exception{}, rejected: map[record.RejectReason]int{}}
	var ignored []*wireIssue
	inProject := map[string]bool{}
	err := c.pages(ctx, "rest/orgs/"+url.PathEscape(org)+"/issues", url.Values{"ignored": {"true"}}, func(raw json.RawMessage) {
		w, err := translate.Decode[wireIssue](raw)
		if err != nil || !openness.Of(nil, w.Attributes.Status) {
			return // Rejected and counted where issues are read; or resolved, so that nothing is tolerated any longer.
		}
		ignored = append(ignored, w)
		if id := w.project(); id != "" {
			inProject[id] = true
		}
	})
	if err != nil {
		return nil, translate.Needs(err, viewSnapshot)
	}
	for _, project := range slices.Sorted(maps.Keys(inProject)) {
		if err := c.readProjectIgnores(ctx, org, project, list); err != nil {
			return nil, fmt.Errorf("project %s: %w", project, translate.Needs(err, viewIgnores))
		}
	}
	for _, w := range ignored {
		if ig, ok := list.find(w); ok && ig.temporary() {
			list.exceptions = append(list.exceptions, ig.exception(w))
		}
	}
	return list, nil
}

func (c *Collector) readProjectIgnores(ctx context.Context, org, project string, list *ignoreList) error {
	var byIssue map[string]json.RawMessage
	if _, err := c.Source.Get(ctx, ignoresPath(org, project), nil, &byIssue); err != nil {
		return err
	}
	for _, issue := range slices.Sorted(maps.Keys(byIssue)) {
		var paths []map[string]ignore
		if err := json.Unmarshal(byIssue[issue], &paths); err != nil {
			list.rejected[translate.Reason(err)]++
			continue
		}
		if ig, ok := firstToEnd(paths); ok {
			list.byIssue[ignoreKey{project, issue}] = ig
		}
	}
	return nil
}

// firstToEnd chooses among the ignores of an issue's paths. The issue is ignored as long as all of them hold, so that the one
// that expires first counts; among those without an end, the first path in order.
func firstToEnd(paths []map[string]ignore) (chosen ignore, ok bool) {
	for _, byPath := range paths {
		for _, path := range slices.Sorted(maps.Keys(byPath)) {
			ig := byPath[path]
			if !ok || !ig.Expires.IsZero() && (chosen.Expires.IsZero() || ig.Expires.Before(chosen.Expires.Time)) {
				chosen, ok = ig, true
			}
		}
	}
	return chosen, ok
}

// find is the ignore of an issue, by its key or one of its problems.
func (l *ignoreList) find(w *wireIssue) (ignore, bool) {
	if l == nil {
		return ignore{}, false
	}
	ids := []string{w.Attributes.Key}
	for _, p := range w.Attributes.Problems {
		ids = append(ids, p.ID)
	}
	for _, id := range ids {
		if ig, ok := l.byIssue[ignoreKey{w.project(), id}]; ok {
			return ig, true
		}
	}
	return ignore{}, false
}

// temporary reports whether the ignore tolerates the issue until a date, which makes it an exception and no dismissal.
func (ig ignore) temporary() bool {
	return !ig.Expires.IsZero() && ignoreReasons.Of(nil, ig.ReasonType) != record.ClosureFalsePositive
}

// exception is a temporary ignore. That it has expired is computed from its date, whatever Snyk's flag says.
func (ig ignore) exception(w *wireIssue) record.Exception {
	return record.Exception{
		ID: "ignore:" + w.project() + ":" + record.Text(w.Attributes.Key), Title: record.Text(ig.Reason), State: record.ExceptionApproved,
		Category: record.Text(ig.ReasonType), Findings: []string{w.findingID()}, RequestedAt: ig.Created.Time, DecidedAt: ig.Created.Time,
		ExpiresAt: ig.Expires.Time, UpdatedAt: ig.Created.Time, VendorAcceptance: true, Tool: tool,
	}
}

// closure is what an ignore makes of an open issue at an instant: nothing if it is temporary or has expired.
func (c *Collector) closure(ig ignore, known bool, now time.Time) record.Closure {
	switch {
	case !known:
		return record.ClosureOther // by a policy or a .snyk file, whose reasons the API does not give
	case ig.temporary(), !ig.Expires.IsZero() && !ig.Expires.After(now):
		return record.ClosureNone
	default:
		return ignoreReasons.Of(c.Words, ig.ReasonType)
	}
}
