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

// analysis is one upload to code scanning.
type analysis struct {
	CreatedAt api.Timestamp `json:"created_at"`
	// Category tells apart what one tool analyses separately, such as languages: "/language:go".
	Category string `json:"category"`
	// Error is empty when the analysis succeeded.
	Error string `json:"error"`
	Tool  struct {
		Name string `json:"name"`
	} `json:"tool"`
}

// readAnalyses reads when each tool last analysed a repository's default branch, and whether GitHub's own analysis is set up.
func (c *Collector) readAnalyses(ctx context.Context, _ string, r api.Repository, _ record.Cursor) record.Batch {
	b := record.Batch{Mode: record.Full, Cursor: c.ReadAt(), Scans: []record.Scan{}}
	scans, off, err := c.analyses(ctx, r, &b)
	if err != nil {
		return record.Batch{Err: api.ScopeError(err, securityEventsPermission)}
	}
	configured := record.AnswerNo
	var languages []string
	if !off {
		if configured, languages, err = c.defaultSetup(ctx, r); err != nil {
			return record.Batch{Err: err}
		}
	}
	for _, tool := range slices.Sorted(maps.Keys(scans)) {
		b.Scans = append(b.Scans, scans[tool].scan(languages))
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

// analyses gathers the last analyses of each tool. Off says that code scanning is switched off.
func (c *Collector) analyses(ctx context.Context, r api.Repository, b *record.Batch) (scans map[string]*toolScan, off bool, err error) {
	scans = map[string]*toolScan{}
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
		return nil, true, nil
	default:
		return nil, false, err
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	return scans, false, nil
}

// toolScan is what a tool analysed in a repository, by category.
type toolScan struct {
	record.Scan
	categories map[string]*categoryScan
}

// categoryScan is when a category was last analysed, and last with success.
type categoryScan struct{ attempted, succeeded time.Time }

// scan is the scan of the tool. It is as old as that of the category that fails longest: a language that is not analysed any more because it fails is not scanned,
// whatever the others do. The same holds of a language that default setup has and that nobody analyses any more.
func (s *toolScan) scan(languages []string) record.Scan {
	result := s.Scan
	for name, c := range s.categories {
		_, language, _ := strings.Cut(name, "/language:")
		if (c.attempted.After(c.succeeded) || slices.Contains(languages, language)) && c.succeeded.Before(result.SucceededAt) {
			result.SucceededAt = c.succeeded
		}
	}
	return result
}

// add brings an analysis into the scan of its tool.
func (a *analysis) add(scans map[string]*toolScan, r api.Repository) {
	known := record.ToolNamed(cmp.Or(a.Tool.Name, unnamedTool))
	tool := known.Name
	s := scans[tool]
	if s == nil {
		s = &toolScan{record.Scan{Tool: tool, Class: classOfScan(known), Repository: r.Name}, map[string]*categoryScan{}}
		scans[tool] = s
	}
	c := s.categories[a.Category]
	if c == nil {
		c = &categoryScan{}
		s.categories[a.Category] = c
	}
	if a.CreatedAt.After(c.attempted) {
		c.attempted = a.CreatedAt.Time
	}
	if a.Error == "" && a.CreatedAt.After(c.succeeded) {
		c.succeeded = a.CreatedAt.Time
	}
	if a.CreatedAt.After(s.AttemptedAt) {
		s.AttemptedAt = a.CreatedAt.Time
	}
	if a.Error == "" && a.CreatedAt.After(s.SucceededAt) {
		s.SucceededAt = a.CreatedAt.Time
	}
}

// classOfScan is the class of a tool's scans. An analysis does not say whether Trivy or Grype looked at an image or at packages: most often it is an image.
func classOfScan(tool record.Tool) record.Class {
	if tool.Name == "trivy" || tool.Name == "grype" {
		return record.ClassContainer
	}
	return cmp.Or(tool.Class, record.ClassSAST)
}

// defaultSetup says whether GitHub's own analysis is set up, and for which languages; unknown where the credential may not see it.
func (c *Collector) defaultSetup(ctx context.Context, r api.Repository) (configured record.Answer, languages []string, err error) {
	var setup struct {
		State     string   `json:"state"`
		Languages []string `json:"languages"`
	}
	_, err = c.API.Get(ctx, "repos/"+api.EscapeName(r.FullName)+"/code-scanning/default-setup", &setup)
	switch reason := record.ReasonOf(err); {
	case err == nil && setup.State == "configured":
		return record.AnswerYes, setup.Languages, nil
	case err == nil && setup.State == "not-configured":
		return record.AnswerNo, nil, nil
	case err == nil:
		c.UnknownValue("code scanning default setup", setup.State)
		return record.AnswerUnknown, nil, nil
	case api.FeatureOff(err.Error()):
		return record.AnswerNo, nil, nil
	case reason == record.ReasonPermission || reason == record.ReasonNotFound:
		return record.AnswerUnknown, nil, nil
	default:
		return record.AnswerUnknown, nil, err
	}
}

// noAnalyses recognises the answer of a repository where code scanning is on and nothing was analysed yet.
func noAnalyses(err error) bool {
	return record.ReasonOf(err) == record.ReasonNotFound && strings.Contains(strings.ToLower(err.Error()), "no analysis found")
}
