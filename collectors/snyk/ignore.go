package snyk

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// ignoreReasons are why an issue is ignored. A reason that we do not know closes nothing.
var ignoreReasons = translate.Vocabulary[record.Closure]{
	Name: "snyk ignore reason",
	Words: map[string]record.Closure{
		"not-vulnerable": record.ClosureFalsePositive, "wont-fix": record.ClosureWontFix, "temporary-ignore": record.ClosureRiskAccepted, "": record.ClosureOther,
	},
	Other: record.ClosureNone,
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

// projectIgnores is what API v1 says about the ignores of a project.
type projectIgnores struct {
	byIssue  map[string]ignore
	rejected map[record.RejectReason]int
}

// ignoreList is what is known of an organisation's ignores. A nil list knows nothing.
type ignoreList struct {
	byIssue map[ignoreKey]ignore
	// byAsset are those of policies, by the key of the finding over all projects.
	byAsset map[string]ignore
	// ignored are the open issues that are ignored, by project, and failed the projects whose ignores could not be read.
	ignored map[string][]*wireIssue
	failed  map[string]error
	rejects map[string]map[record.RejectReason]int
}

func ignoresPath(org, project string) string {
	return "v1/org/" + url.PathEscape(org) + "/project/" + url.PathEscape(project) + "/ignores"
}

// readIgnores reads the ignored issues of an organisation and why they are ignored. The REST API only says that an issue is ignored. Reason and end are in API v1, project by
// project, for ignores that were made in Snyk's pages or API, and in the policies of the organisation, for ignores that hold over all branches. Those of .snyk
// files are in neither. Where a project's ignores cannot be read, the last that were read count.
func (c *Collector) readIgnores(ctx context.Context, org string) (*ignoreList, error) {
	var list *ignoreList
	err := platform.Again(func() error {
		list = &ignoreList{
			byIssue: map[ignoreKey]ignore{}, ignored: map[string][]*wireIssue{}, failed: map[string]error{}, rejects: map[string]map[record.RejectReason]int{},
		}
		return c.pages(ctx, orgPath(org, "issues"), url.Values{"ignored": {"true"}}, func(raw json.RawMessage) {
			w, err := translate.Decode[wireIssue](raw)
			if err != nil || !openness.Of(nil, w.Attributes.Status) {
				return // Rejected and counted where issues are read; or resolved, so that nothing is tolerated any longer.
			}
			if id := w.project(); id != "" {
				list.ignored[id] = append(list.ignored[id], w)
			}
		})
	})
	if err != nil {
		return nil, translate.Needs(err, viewSnapshot)
	}
	unexplained := false
	for _, project := range list.projects() {
		read, err := c.readProjectIgnores(ctx, org, project)
		if err != nil {
			list.failed[project] = fmt.Errorf("read the ignores of project %s: %w", project, translate.Needs(err, viewIgnores))
			read = c.lastIgnores(org, project)
		}
		list.rejects[project] = read.rejected
		for issue, ig := range read.byIssue {
			list.byIssue[ignoreKey{project, issue}] = ig
		}
		unexplained = unexplained || slices.ContainsFunc(list.ignored[project], func(w *wireIssue) bool { _, known := list.find(w); return !known })
	}
	if unexplained {
		list.byAsset = c.readPolicies(ctx, org)
	}
	return list, nil
}

// projects are those that have ignored issues, in order.
func (l *ignoreList) projects() []string {
	if l == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(l.ignored))
}

func (c *Collector) readProjectIgnores(ctx context.Context, org, project string) (projectIgnores, error) {
	read := projectIgnores{byIssue: map[string]ignore{}, rejected: map[record.RejectReason]int{}}
	var byIssue map[string]json.RawMessage
	if _, err := c.Source.Get(ctx, ignoresPath(org, project), nil, &byIssue); err != nil {
		return read, err
	}
	for _, issue := range slices.Sorted(maps.Keys(byIssue)) {
		var paths []map[string]ignore
		if err := json.Unmarshal(byIssue[issue], &paths); err != nil {
			read.rejected[translate.Reason(err)]++
			continue
		}
		if ig, ok := firstToEnd(paths); ok {
			read.byIssue[issue] = ig
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ignores[org+"/"+project] = read
	return read, nil
}

// lastIgnores are a project's as they were read last by this process; none before that.
func (c *Collector) lastIgnores(org, project string) projectIgnores {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ignores[org+"/"+project]
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

// wirePolicy is a policy that ignores a finding wherever it appears.
type wirePolicy struct {
	Attributes struct {
		Action string `json:"action_type"`
		Review string `json:"review"`
		Data   struct {
			Type    string         `json:"ignore_type"`
			Reason  string         `json:"reason"`
			Expires translate.Time `json:"expires"`
		} `json:"action"`
		Conditions struct {
			List []struct {
				Field string          `json:"field"`
				Value json.RawMessage `json:"value"`
			} `json:"conditions"`
		} `json:"conditions_group"`
		CreatedAt translate.Time `json:"created_at"`
	} `json:"attributes"`
}

// UnmarshalJSON also takes the data of an action out of the object "data" that some versions put it into.
func (w *wirePolicy) UnmarshalJSON(data []byte) error {
	type plain wirePolicy
	if err := json.Unmarshal(data, (*plain)(w)); err != nil {
		return err
	}
	var nested struct {
		Attributes struct {
			Action struct {
				Data json.RawMessage `json:"data"`
			} `json:"action"`
		} `json:"attributes"`
	}
	if err := json.Unmarshal(data, &nested); err != nil || len(nested.Attributes.Action.Data) == 0 {
		return err
	}
	return json.Unmarshal(nested.Attributes.Action.Data, &w.Attributes.Data)
}

// assetField is the condition of a policy that names the finding.
const assetField = "snyk/asset/finding/v1"

// readPolicies reads the ignores that are policies, by the finding they are about. Organisations without such policies, and tokens that may not read them,
// leave reasons unknown.
func (c *Collector) readPolicies(ctx context.Context, org string) map[string]ignore {
	byAsset := map[string]ignore{}
	err := c.pages(ctx, orgPath(org, "policies"), url.Values{}, func(raw json.RawMessage) {
		w, err := translate.Decode[wirePolicy](raw)
		if err != nil || w.Attributes.Action != "ignore" || w.Attributes.Review == "pending" || w.Attributes.Review == "rejected" {
			return
		}
		ig := ignore{Reason: w.Attributes.Data.Reason, ReasonType: w.Attributes.Data.Type, Expires: w.Attributes.Data.Expires, Created: w.Attributes.CreatedAt}
		for _, condition := range w.Attributes.Conditions.List {
			if condition.Field != assetField {
				continue
			}
			var one string
			var several []string
			if json.Unmarshal(condition.Value, &one) == nil {
				several = []string{one}
			} else if json.Unmarshal(condition.Value, &several) != nil {
				continue
			}
			for _, asset := range several {
				byAsset[asset] = ig
			}
		}
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if _, logged := c.announced.LoadOrStore("policies "+org, true); !logged {
			c.Env.Logger.Warn("The policies of a Snyk organisation cannot be read; issues that they ignore stay open", "organization", org, "error", translate.Needs(err, viewPolicies))
		}
		return c.policies[org]
	}
	c.policies[org] = byAsset
	return byAsset
}

// find is the ignore of an issue: by its key or one of its problems, else by the finding that a policy is about.
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
	ig, ok := l.byAsset[w.Attributes.Asset]
	return ig, ok && w.Attributes.Asset != ""
}

// batches are the exceptions of an organisation, a scope for each project with ignored issues, and one that says that all such projects are known.
func (l *ignoreList) batches(org string) []record.Batch {
	var batches []record.Batch
	for _, project := range l.projects() {
		b := record.Batch{Scope: ignoreScope(org, project), Mode: record.Full, Exceptions: []record.Exception{}, Rejected: l.rejects[project]}
		if err := l.failed[project]; err != nil {
			batches = append(batches, translate.Failed(b.Scope, err))
			continue
		}
		for _, w := range l.ignored[project] {
			if ig, ok := l.find(w); ok && ig.temporary() {
				b.Exceptions = append(b.Exceptions, ig.exception(w))
			}
		}
		batches = append(batches, b)
	}
	return append(batches, record.Batch{Scope: scopeIgnores + ":" + org, Mode: record.Full, Exceptions: []record.Exception{}})
}

func ignoreScope(org, project string) string {
	return scopeIgnores + ":" + org + "/" + record.Text(project)
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

// closure is what an ignore makes of an open issue at an instant: nothing if it is temporary, has expired, or if nobody can say why there is one.
func (c *Collector) closure(ig ignore, known bool, now time.Time) record.Closure {
	if !known || ig.temporary() || !ig.Expires.IsZero() && !ig.Expires.After(now) {
		return record.ClosureNone
	}
	return ignoreReasons.Of(c.Words, ig.ReasonType)
}
