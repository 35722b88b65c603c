package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// scanHorizon bounds how far back analyses are read: a repository may have thousands, and one scan that is that old is as late as another.
const scanHorizon = 30 * 24 * time.Hour

// codeScanningTool names a tool that uploads to code scanning, in findings and scans alike.
func codeScanningTool(name string) string {
	return cmp.Or(record.Text(strings.ToLower(name)), "code-scanning")
}

// analysis is one upload to code scanning.
type analysis struct {
	CreatedAt api.Timestamp `json:"created_at"`
	// Error is empty when the analysis succeeded.
	Error string `json:"error"`
	Tool  struct {
		Name string `json:"name"`
	} `json:"tool"`
}

// readAnalyses reads when each tool last analysed a repository's default branch, and whether GitHub's own analysis is set up.
func (c *Collector) readAnalyses(ctx context.Context, _ string, r api.Repository, _ record.Cursor) record.Batch {
	b := record.Batch{Mode: record.Full, Cursor: c.ReadAt(), Scans: []record.Scan{}}
	off, err := c.analyses(ctx, r, &b)
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, securityEventsPermission)}
	}
	configured := record.AnswerNo
	if !off {
		if configured, err = c.defaultSetup(ctx, r); err != nil {
			return record.Batch{Err: err}
		}
	}
	b.Repositories = []record.Repository{{Name: r.Name}}
	if configured.Known() {
		b.Repositories[0].Settings = map[string]record.Answer{inventory.SettingDefaultSetup: configured}
	}
	scanned := slices.ContainsFunc(b.Scans, func(s record.Scan) bool { return s.Class == record.ClassSAST })
	// A tool that uploads by itself is switched on somewhere else, so that without default setup nothing follows from old uploads.
	if configured == record.AnswerYes || !scanned && configured.Known() {
		b.Repositories[0].Scanners = map[record.Class]record.Answer{record.ClassSAST: configured}
	}
	const codeQL = "codeql"
	at := slices.IndexFunc(b.Scans, func(s record.Scan) bool { return s.Tool == codeQL })
	switch {
	case at < 0:
		b.Scans = append(b.Scans, record.Scan{Tool: codeQL, Class: record.ClassSAST, Repository: r.Name, Enabled: configured})
	case configured == record.AnswerYes:
		b.Scans[at].Enabled = configured
	}
	return b
}

// analyses gathers the last analysis of each tool. Off says that code scanning is switched off.
func (c *Collector) analyses(ctx context.Context, r api.Repository, b *record.Batch) (off bool, err error) {
	scans := map[string]*record.Scan{}
	query := url.Values{"per_page": {api.PageSize}, "sort": {"created"}, "direction": {"desc"}}
	if r.Branch != "" {
		query.Set("ref", "refs/heads/"+r.Branch)
	}
	horizon := c.Now().Add(-scanHorizon)
	rejected := map[record.RejectReason]int{}
	_, err = c.API.Pages(ctx, "repos/"+api.EscapeName(r.FullName)+"/code-scanning/analyses", query, func(items []json.RawMessage) bool {
		oldest := time.Time{}
		for _, item := range items {
			var a analysis
			if err := json.Unmarshal(item, &a); err != nil {
				rejected[api.RejectReasonOf(err)]++
				continue
			}
			if !a.CreatedAt.IsZero() {
				oldest = a.CreatedAt.Time
			}
			a.add(scans, r)
		}
		return oldest.IsZero() || !oldest.Before(horizon)
	})
	switch {
	case err == nil:
	case noAnalyses(err):
	case api.FeatureOff(err.Error()):
		return true, nil
	default:
		return false, err
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	for _, tool := range slices.Sorted(maps.Keys(scans)) {
		b.Scans = append(b.Scans, *scans[tool])
	}
	return false, nil
}

// add brings an analysis into the scan of its tool.
func (a *analysis) add(scans map[string]*record.Scan, r api.Repository) {
	tool := codeScanningTool(a.Tool.Name)
	s := scans[tool]
	if s == nil {
		s = &record.Scan{Tool: tool, Class: classOfTool(tool), Repository: r.Name}
		scans[tool] = s
	}
	if a.CreatedAt.After(s.AttemptedAt) {
		s.AttemptedAt = a.CreatedAt.Time
	}
	if a.Error == "" && a.CreatedAt.After(s.SucceededAt) {
		s.SucceededAt = a.CreatedAt.Time
	}
}

// defaultSetup says whether GitHub's own analysis is set up; unknown where the credential may not see it.
func (c *Collector) defaultSetup(ctx context.Context, r api.Repository) (record.Answer, error) {
	var setup struct {
		State string `json:"state"`
	}
	_, err := c.API.Get(ctx, "repos/"+api.EscapeName(r.FullName)+"/code-scanning/default-setup", &setup)
	switch reason := record.ReasonOf(err); {
	case err == nil && setup.State == "configured":
		return record.AnswerYes, nil
	case err == nil && setup.State == "not-configured":
		return record.AnswerNo, nil
	case err == nil:
		c.UnknownValue("code scanning default setup", setup.State)
		return record.AnswerUnknown, nil
	case api.FeatureOff(err.Error()):
		return record.AnswerNo, nil
	case reason == record.ReasonPermission || reason == record.ReasonNotFound:
		return record.AnswerUnknown, nil
	default:
		return record.AnswerUnknown, err
	}
}

// noAnalyses recognises the answer of a repository where code scanning is on and nothing was analysed yet.
func noAnalyses(err error) bool {
	return record.ReasonOf(err) == record.ReasonNotFound && strings.Contains(strings.ToLower(err.Error()), "no analysis found")
}
