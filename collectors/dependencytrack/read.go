package dependencytrack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// The server's permissions that requests need.
const (
	viewPortfolio     = "VIEW_PORTFOLIO"
	viewVulnerability = "VIEW_VULNERABILITY"
	viewViolation     = "VIEW_POLICY_VIOLATION"
)

// project is an entry of /api/v1/project. UUIDs are kept in lower case.
type project struct {
	ID            string         `json:"uuid"`
	Group         string         `json:"group"`
	Name          string         `json:"name"`
	Version       string         `json:"version"`
	Classifier    string         `json:"classifier"`
	LastBOMImport translate.Time `json:"lastBomImport"`
	Tags          []struct {
		Name string `json:"name"`
	} `json:"tags"`
	References []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"externalReferences"`

	owner translate.Owner
}

func (p *project) uuid() string { return p.ID }

// fullName is the name with the group, as people and rules write it.
func (p *project) fullName() string {
	if p.Group == "" {
		return p.Name
	}
	return p.Group + "/" + p.Name
}

// readProjects lists the active projects, ordered by UUID.
func (c *Collector) readProjects(ctx context.Context) ([]*project, error) {
	byID := map[string]*project{}
	var bad error
	err := c.walk(ctx, "api/v1/project", url.Values{"excludeInactive": {"true"}}, totalChecks, func(raw json.RawMessage) {
		p, err := translate.Decode[project](raw)
		if err == nil && p.ID == "" {
			err = translate.ErrNoID
		}
		if err != nil {
			// A project that cannot be read would take its findings with it.
			bad = &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("read a project: %w", err)}
			return
		}
		p.ID = strings.ToLower(record.Text(p.ID))
		p.owner = c.ownerOf(p)
		byID[p.ID] = p
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, translate.Needs(err, viewPortfolio)
	}
	projects := make([]*project, 0, len(byID))
	for _, p := range byID {
		projects = append(projects, p)
	}
	slices.SortFunc(projects, func(a, b *project) int { return strings.Compare(a.ID, b.ID) })
	return projects, nil
}

// ownerOf is where a project belongs: by a rule of the configuration, else by its tag, else by its version-control reference.
func (c *Collector) ownerOf(p *project) translate.Owner {
	if owner := c.Projects.Of(p.ID, p.fullName()+"@"+p.Version, p.fullName(), p.Name); owner != (translate.Owner{}) {
		return owner
	}
	for _, tag := range p.Tags {
		if name, ok := cutPrefixFold(tag.Name, c.config.RepositoryTag); ok {
			if repository, err := record.ParseRepository(name); err == nil {
				return translate.Owner{Repository: repository}
			}
		}
	}
	for _, reference := range p.References {
		if strings.EqualFold(reference.Type, "vcs") {
			if repository, err := record.ParseRepository(strings.TrimPrefix(reference.URL, "git+")); err == nil {
				return translate.Owner{Repository: repository}
			}
		}
	}
	return translate.Owner{}
}

// cutPrefixFold is strings.CutPrefix without regard to case: the server writes tags in lower case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// scansOf says when each repository's bill of materials last arrived. Of several projects of one repository the latest counts.
func scansOf(projects []*project) []record.Scan {
	latest := map[record.RepositoryName]record.Scan{}
	for _, p := range projects {
		if p.owner.Repository == "" {
			continue
		}
		scan, known := latest[p.owner.Repository]
		if !known || p.LastBOMImport.After(scan.SucceededAt) {
			latest[p.owner.Repository] = record.Scan{
				Tool: tool, Class: record.ClassSCA, Repository: p.owner.Repository, Enabled: record.AnswerYes,
				SucceededAt: p.LastBOMImport.Time, AttemptedAt: p.LastBOMImport.Time,
			}
		}
	}
	scans := make([]record.Scan, 0, len(latest))
	for _, scan := range latest {
		scans = append(scans, scan)
	}
	slices.SortFunc(scans, func(a, b record.Scan) int { return strings.Compare(string(a.Repository), string(b.Repository)) })
	return scans
}

// readPortfolio reads the findings of all projects, suppressed ones included: they are dismissals and not fixes.
func (c *Collector) readPortfolio(ctx context.Context, projects []*project) reading {
	r := newReading(projects)
	byID := index(projects)
	query := url.Values{"showSuppressed": {"true"}, "showInactive": {"false"}}
	r.err = c.walk(ctx, "api/v1/finding", query, totalChecks, func(raw json.RawMessage) { c.take(&r, byID, raw, c.finding) })
	if r.err != nil {
		r.err = fmt.Errorf("read the findings of the portfolio: %w", translate.Needs(r.err, viewVulnerability))
	}
	return r
}

// readProject reads the findings of one project, for servers without a call for the portfolio.
func (c *Collector) readProject(ctx context.Context, p *project) reading {
	r := newReading([]*project{p})
	path := "api/v1/finding/project/" + url.PathEscape(p.ID)
	r.err = c.walk(ctx, path, url.Values{"suppressed": {"true"}}, totalEnds, func(raw json.RawMessage) {
		r.findings[p.ID].Take(c.finding(raw, func(string) *project { return p }))
	})
	if r.err != nil {
		r.err = fmt.Errorf("read the findings of project %s: %w", p.ID, translate.Needs(r.err, viewVulnerability))
	}
	return r
}

// readViolations reads the policy violations of all projects.
func (c *Collector) readViolations(ctx context.Context, projects []*project) reading {
	r := newReading(projects)
	byID := index(projects)
	query := url.Values{"suppressed": {"true"}, "showInactive": {"false"}}
	r.err = c.walk(ctx, "api/v1/violation", query, totalChecks, func(raw json.RawMessage) { c.take(&r, byID, raw, c.violation) })
	if r.err != nil {
		r.err = fmt.Errorf("read policy violations: %w", translate.Needs(r.err, viewViolation))
	}
	return r
}

type translation func(raw json.RawMessage, projectOf func(uuid string) *project) (record.Finding, error)

// take adds an item to its project's findings. An item of a project that is not listed (inactive, or made a moment ago) is left
// for the collection that lists it; an item that does not even tell its project is counted with the first one.
func (c *Collector) take(r *reading, byID map[string]*project, raw json.RawMessage, translated translation) {
	var at *project
	f, err := translated(raw, func(uuid string) *project {
		at = byID[strings.ToLower(uuid)]
		return at
	})
	switch {
	case at != nil:
		r.findings[at.ID].Take(f, err)
	case err != nil && !unlisted(err) && len(r.findings) > 0:
		r.doubt = true
		r.findings[slices.Min(slices.Collect(maps.Keys(r.findings)))].Take(f, err)
	}
}

func index(projects []*project) map[string]*project {
	byID := make(map[string]*project, len(projects))
	for _, p := range projects {
		byID[p.ID] = p
	}
	return byID
}

// totals says what X-Total-Count is good for.
type totals int

const (
	// totalChecks: pages are read until one is empty, and an exact total above what was read means that something is missing.
	totalChecks totals = iota
	// totalEnds: the call knows no pages and answers everything each time, so that an exact total ends it.
	totalEnds
)

// walk reads all pages of a list.
func (c *Collector) walk(ctx context.Context, path string, query url.Values, use totals, each func(json.RawMessage)) error {
	read, total := 0, -1
	err := translate.Numbered(ctx, 1, func(ctx context.Context, number int) (translate.Page, error) {
		q := url.Values{"pageNumber": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(c.PageSize)}}
		for key, values := range query {
			q[key] = values
		}
		var page translate.Page
		resp, err := c.Source.Get(ctx, path, q, &page.Items)
		if err != nil {
			return page, err
		}
		total = exactTotal(resp.Header)
		page.Last = use == totalEnds && total >= 0 && read+len(page.Items) >= total
		return page, nil
	}, func(raw json.RawMessage) {
		read++
		each(raw)
	})
	if err == nil && total > read {
		return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%s: the server counts %d items and gave %d", path, total, read)}
	}
	return err
}

// exactTotal is the header X-Total-Count, or -1 if there is none or the server of version 5 stopped counting.
func exactTotal(h http.Header) int {
	total, err := strconv.Atoi(h.Get("X-Total-Count"))
	if err != nil || total < 0 || strings.EqualFold(h.Get("X-Total-Count-Type"), "BOUNDED") {
		return -1
	}
	return total
}
