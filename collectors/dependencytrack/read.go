package dependencytrack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// The server's permissions that requests need.
const (
	viewPortfolio     = "VIEW_PORTFOLIO"
	viewVulnerability = "VIEW_VULNERABILITY"
	viewViolation     = "VIEW_POLICY_VIOLATION"
)

const projectsPath = "api/v1/project"

// project is an entry of /api/v1/project. UUIDs are kept in lower case.
type project struct {
	ID            string         `json:"uuid"`
	Group         string         `json:"group"`
	Name          string         `json:"name"`
	Version       string         `json:"version"`
	Classifier    string         `json:"classifier"`
	Latest        bool           `json:"isLatest"`
	LastBOMImport translate.Time `json:"lastBomImport"`
	Parent        *struct {
		ID string `json:"uuid"`
	} `json:"parent"`
	Tags []struct {
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
	var byID map[string]*project
	var bad error
	err := platform.Again(func() error {
		byID, bad = map[string]*project{}, nil
		return c.read(ctx, list{path: projectsPath, query: url.Values{"excludeInactive": {"true"}}, id: uuidKey}, func(raw json.RawMessage) {
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
			byID[p.ID] = p
		})
	})
	if err = cmp.Or(err, bad); err != nil {
		return nil, translate.Needs(err, viewPortfolio)
	}
	if err := c.inherit(ctx, byID); err != nil {
		return nil, err
	}
	if c.config.OnlyLatest {
		latestOnly(byID)
	}
	return slices.SortedFunc(maps.Values(byID), func(a, b *project) int { return strings.Compare(a.ID, b.ID) }), nil
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
	r := c.readList(ctx, projects, list{
		path: "api/v1/finding", query: url.Values{"showSuppressed": {"true"}, "showInactive": {"false"}}, id: findingKey,
	}, c.finding)
	if r.err != nil {
		r.err = fmt.Errorf("read the findings of the portfolio: %w", translate.Needs(r.err, viewVulnerability))
	}
	return r
}

// readProject reads the findings of one project: for servers without a call for the portfolio, and where items moved between the portfolio's pages. The
// call answers everything at once.
func (c *Collector) readProject(ctx context.Context, p *project) reading {
	r := newReading([]*project{p})
	own := func(string) *project { return p }
	r.err = c.read(ctx, list{
		path: "api/v1/finding/project/" + url.PathEscape(p.ID), query: url.Values{"suppressed": {"true"}}, id: findingKey, atOnce: true,
	}, func(raw json.RawMessage) { r.findings[p.ID].Take(c.finding(raw, own)) })
	if r.err != nil {
		r.err = fmt.Errorf("read the findings of project %s: %w", p.ID, translate.Needs(r.err, viewVulnerability))
	}
	return r
}

// readViolations reads the policy violations of all projects.
func (c *Collector) readViolations(ctx context.Context, projects []*project) reading {
	r := c.readList(ctx, projects, list{
		path: "api/v1/violation", query: url.Values{"suppressed": {"true"}, "showInactive": {"false"}}, id: uuidKey,
	}, c.violation)
	if r.err != nil {
		r.err = fmt.Errorf("read policy violations: %w", translate.Needs(r.err, viewViolation))
	}
	return r
}

type translation func(raw json.RawMessage, projectOf func(uuid string) *project) (record.Finding, error)

// readList reads a list of all projects, anew if items moved while it was read.
func (c *Collector) readList(ctx context.Context, projects []*project, l list, translated translation) reading {
	byID := index(projects)
	var r reading
	err := platform.Again(func() error {
		r = newReading(projects)
		return c.read(ctx, l, func(raw json.RawMessage) { c.take(&r, byID, raw, translated) })
	})
	r.err = err
	return r
}

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

// list is a list of the server.
type list struct {
	path  string
	query url.Values
	// id is what tells an item from others.
	id func(json.RawMessage) string
	// atOnce: the call knows no pages and answers everything each time, unless a total says that there is more.
	atOnce bool
}

// read reads all pages of a list: until one is empty, since a total may be capped.
func (c *Collector) read(ctx context.Context, l list, take func(json.RawMessage)) error {
	read := 0
	return platform.List{Name: l.path, ID: l.id, Take: take, Page: platform.Numbered(1, func(ctx context.Context, number int) (page platform.Page, last bool, err error) {
		query := url.Values{"pageNumber": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(c.PageSize)}}
		maps.Copy(query, l.query)
		resp, err := c.Source.Get(ctx, l.path, query, &page.Items)
		if err != nil {
			return page, false, err
		}
		read += len(page.Items)
		page.Total = exactTotal(resp.Header)
		return page, l.atOnce && (page.Total == nil || read >= *page.Total), nil
	})}.Read(ctx)
}

// exactTotal is the header X-Total-Count, nil if there is none or the server of version 5 stopped counting.
func exactTotal(h http.Header) *int {
	total, err := strconv.Atoi(h.Get("X-Total-Count"))
	if err != nil || total < 0 || strings.EqualFold(h.Get("X-Total-Count-Type"), "BOUNDED") {
		return nil
	}
	return &total
}

func uuidKey(raw json.RawMessage) string { return platform.Key(raw, "uuid") }

// findingKey tells rows of the list of findings apart: a finding that two analysers attribute may have a row for each.
func findingKey(raw json.RawMessage) string {
	var w struct {
		Component     component `json:"component"`
		Vulnerability struct {
			ID     string `json:"vulnId"`
			Source string `json:"source"`
		} `json:"vulnerability"`
		Attribution struct {
			Analyzer string `json:"analyzerIdentity"`
		} `json:"attribution"`
	}
	if json.Unmarshal(raw, &w) != nil || w.Component.key() == "" || w.Vulnerability.ID == "" {
		return ""
	}
	return strings.Join([]string{w.Component.Project, w.Component.key(), w.Vulnerability.Source, w.Vulnerability.ID, w.Attribution.Analyzer}, " ")
}
