package sonarqube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

const (
	// searchLimit is how many items of one search the server gives; Cloud does not even count beyond it. A search whose total
	// reaches the limit may have more.
	searchLimit = 10_000
)

// errLimit says that a search has more items than the server gives.
var errLimit = errors.New("the search has more items than the server gives")

// answer is a page of any search.
type answer struct {
	Paging struct {
		Total int `json:"total"`
	} `json:"paging"`
	Total      int                  `json:"total"`
	Issues     *[]json.RawMessage   `json:"issues"`
	Hotspots   *[]json.RawMessage   `json:"hotspots"`
	Projects   *[]json.RawMessage   `json:"components"` // of the search for projects; files in the other two
	components map[string]sonarFile // by key
}

// sonarFile is what a search says about a file.
type sonarFile struct {
	Key  string `json:"key"`
	Path string `json:"path"`
}

// search is one search of which all pages are read.
type search struct {
	path  string
	query url.Values
	// items are those of a page.
	items func(*answer) *[]json.RawMessage
	// each takes an item and the page that it is on.
	each func(json.RawMessage, *answer)
	// last reports whether a page is the last that is wanted, in a search for what changed last; nil wants all.
	last func([]json.RawMessage) bool
}

func issuesOf(a *answer) *[]json.RawMessage   { return a.Issues }
func hotspotsOf(a *answer) *[]json.RawMessage { return a.Hotspots }
func projectsOf(a *answer) *[]json.RawMessage { return a.Projects }

// run reads all pages. errLimit is returned before any item is taken if the search has too many, unless last ends it earlier.
func (c *Collector) run(ctx context.Context, s search) error {
	read := 0
	var page *answer
	return platform.List{
		Name: s.path, Take: func(raw json.RawMessage) { s.each(raw, page) },
		ID: func(raw json.RawMessage) string { return platform.Key(raw, "key") },
		Page: platform.Numbered(1, func(ctx context.Context, number int) (platform.Page, bool, error) {
			if number*c.PageSize > searchLimit {
				return platform.Page{}, false, errLimit
			}
			var err error
			if page, err = c.page(ctx, s, number); err != nil {
				return platform.Page{}, false, err
			}
			items := s.items(page)
			if items == nil {
				return platform.Page{}, false, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: the answer has no list", s.path)}
			}
			total := max(page.Paging.Total, 0)
			if page.Paging.Total == 0 {
				total = page.Total
			}
			if s.last == nil && total >= searchLimit {
				return platform.Page{}, false, errLimit
			}
			read += len(*items)
			ended := s.last != nil && s.last(*items)
			return platform.Page{Items: *items, Total: &total, Enough: ended}, total < searchLimit && read >= total, nil
		}),
	}.Read(ctx)
}

func (c *Collector) page(ctx context.Context, s search, number int) (*answer, error) {
	query := url.Values{"p": {strconv.Itoa(number)}, "ps": {strconv.Itoa(c.PageSize)}}
	for key, values := range s.query {
		query[key] = values
	}
	if c.config.Organization != "" {
		query.Set("organization", c.config.Organization)
	}
	var page answer
	if _, err := c.Source.Get(ctx, s.path, query, &page); err != nil {
		return nil, translate.Needs(err, browse)
	}
	page.components = map[string]sonarFile{}
	if page.Projects != nil {
		for _, raw := range *page.Projects {
			if file, err := translate.Decode[sonarFile](raw); err == nil {
				page.components[file.Key] = *file
			}
		}
	}
	return &page, nil
}

// projectKeys lists the projects that the token may browse.
func (c *Collector) projectKeys(ctx context.Context) ([]string, error) {
	var keys []string
	var bad error
	err := platform.Again(func() error {
		keys, bad = nil, nil
		return c.run(ctx, search{
			path: componentsPath, query: url.Values{"qualifiers": {"TRK"}}, items: projectsOf,
			each: func(raw json.RawMessage, _ *answer) {
				found, err := translate.Decode[sonarFile](raw)
				if err == nil && found.Key == "" {
					err = translate.ErrNoID
				}
				if err != nil {
					bad = &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("read a project: %w", err)}
					return
				}
				keys = append(keys, found.Key)
			},
		})
	})
	if errors.Is(err, errLimit) {
		err = &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%d projects or more cannot be listed: %w", searchLimit, err)}
	}
	if err = cmp.Or(err, bad); err != nil {
		return nil, err
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// readIssues reads the issues of a project, and when it was last analysed.
func (c *Collector) readIssues(ctx context.Context, p project, cursor record.Cursor) record.Batch {
	scope := p.scope(scopeIssues)
	fail := func(err error) record.Batch {
		if errors.Is(err, errLimit) {
			err = &record.Error{Reason: record.ReasonTruncated, Err: err}
		}
		return translate.Failed(scope, fmt.Errorf("read the issues of project %s: %w", p.key, err))
	}
	analysed, err := c.analysed(ctx, p)
	if err != nil {
		return fail(err)
	}
	r := &reading{c: c, p: p, found: translate.NewFindingSet(), mode: record.Full}
	if since, ok := cursor.Time(); ok {
		r.mode, r.latest = record.Delta, since
		err = r.changed(ctx, since.Add(-overlap))
		switch {
		case errors.Is(err, errLimit), errors.Is(err, platform.ErrMoved):
			r.mode = record.Full // too many changes, or many at one instant, whose order is not the same on each page
		case err != nil:
			return fail(err)
		}
	}
	if r.mode == record.Full {
		err := platform.Again(func() error {
			r = &reading{c: c, p: p, found: translate.NewFindingSet(), mode: record.Full}
			return r.whole(ctx)
		})
		if err != nil {
			return fail(err)
		}
	}
	if err := c.addCWEs(ctx, r.found.Findings); err != nil {
		return fail(err)
	}
	b := r.found.Batch(scope)
	b.Mode = r.mode
	if !r.latest.IsZero() {
		b.Cursor = record.CursorAt(r.latest)
	}
	b.Scans = scansOf(p, analysed)
	return b
}

func scansOf(p project, analysed time.Time) []record.Scan {
	if p.owner.Repository == "" {
		return []record.Scan{}
	}
	return []record.Scan{{
		Tool: tool, Class: record.ClassSAST, Repository: p.owner.Repository, SucceededAt: analysed, AttemptedAt: analysed, Enabled: record.AnswerYes,
	}}
}

// analysed is when a project's main branch was last analysed; zero if never.
func (c *Collector) analysed(ctx context.Context, p project) (time.Time, error) {
	var list struct {
		Analyses []struct {
			Date translate.Time `json:"date"`
		} `json:"analyses"`
	}
	if _, err := c.Source.Get(ctx, "api/project_analyses/search", p.on(url.Values{"project": {p.key}, "p": {"1"}, "ps": {"1"}}), &list); err != nil {
		return time.Time{}, translate.Needs(err, browse)
	}
	if len(list.Analyses) == 0 {
		return time.Time{}, nil
	}
	return list.Analyses[0].Date.Time, nil
}

// reading is the issues of one project while they are read.
type reading struct {
	c      *Collector
	p      project
	found  *translate.FindingSet
	mode   record.Mode
	latest time.Time
}

func (r *reading) query() url.Values {
	query := r.p.on(url.Values{r.c.componentsKey(): {r.p.key}})
	if r.p.by == SecurityByImpact {
		query.Set("impactSoftwareQualities", "SECURITY")
	} else {
		query.Set("types", "VULNERABILITY")
	}
	return query
}

func (r *reading) take(raw json.RawMessage, page *answer) {
	f, err := r.c.issue(raw, page, r.p)
	r.found.Take(f, err)
	if err == nil && f.UpdatedAt.After(r.latest) {
		r.latest = f.UpdatedAt
	}
}

// changed reads the issues that changed since an instant, the latest first.
func (r *reading) changed(ctx context.Context, since time.Time) error {
	query := r.query()
	query.Set("s", "UPDATE_DATE")
	query.Set("asc", "false")
	return r.c.run(ctx, search{path: issuesPath, query: query, items: issuesOf, each: r.take, last: func(items []json.RawMessage) bool {
		if len(items) == 0 {
			return true
		}
		last, err := translate.Decode[struct {
			UpdatedAt translate.Time `json:"updateDate"`
		}](items[len(items)-1])
		return err == nil && !last.UpdatedAt.IsZero() && last.UpdatedAt.Before(since)
	}})
}

// whole reads all issues, sliced until each search stays below the limit.
func (r *reading) whole(ctx context.Context) error {
	err := r.c.run(ctx, search{path: issuesPath, query: r.query(), items: issuesOf, each: r.take})
	if !errors.Is(err, errLimit) {
		return err
	}
	key, severities := "severities", "INFO,MINOR,MAJOR,CRITICAL,BLOCKER"
	if r.p.by == SecurityByImpact {
		key, severities = "impactSeverities", "INFO,LOW,MEDIUM,HIGH,BLOCKER"
	}
	for severity := range strings.SplitSeq(severities, ",") {
		query := r.query()
		query.Set(key, severity)
		if err := r.slice(ctx, query, span{from: epoch, to: r.c.Env.Now().UTC().Truncate(time.Second), open: true}); err != nil {
			return err
		}
	}
	return nil
}

// epoch is before the first issue of any server: SonarQube's predecessor was released in 2008.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// span is the time from one instant, included, to another, excluded; or without an end, where to is only what halves are cut by: the
// server refuses to search from a time in its future.
type span struct {
	from, to time.Time
	open     bool
}

// slice reads the issues created within a span, halved until each search stays below the limit. Issues made within one second cannot
// be told apart.
func (r *reading) slice(ctx context.Context, query url.Values, s span) error {
	query = cloneValues(query)
	query.Set("createdAfter", s.from.Format(dateLayout))
	query.Del("createdBefore")
	if !s.open {
		query.Set("createdBefore", s.to.Format(dateLayout))
	}
	err := r.c.run(ctx, search{path: issuesPath, query: query, items: issuesOf, each: r.take})
	if !errors.Is(err, errLimit) {
		return err
	}
	middle := s.from.Add(s.to.Sub(s.from) / 2).Truncate(time.Second)
	if !middle.After(s.from) {
		return fmt.Errorf("%d or more issues of one severity were created at %s: %w", searchLimit, s.from.Format(time.RFC3339), err)
	}
	if err := r.slice(ctx, query, span{from: s.from, to: middle}); err != nil {
		return err
	}
	return r.slice(ctx, query, span{from: middle, to: s.to, open: s.open})
}

// dateLayout is the form of dates that the server reads and writes.
const dateLayout = "2006-01-02T15:04:05-0700"

const (
	issuesPath     = "api/issues/search"
	hotspotsPath   = "api/hotspots/search"
	componentsPath = "api/components/search"
)

func cloneValues(v url.Values) url.Values {
	copied := make(url.Values, len(v))
	for key, values := range v {
		copied[key] = slices.Clone(values)
	}
	return copied
}

// readHotspots reads the hotspots of a project, sliced by review where there are too many. There is no further way to slice.
func (c *Collector) readHotspots(ctx context.Context, p project) record.Batch {
	scope := p.scope(scopeHotspots)
	var found *translate.FindingSet
	read := func(query url.Values) error {
		p.on(query).Set("projectKey", p.key)
		return c.run(ctx, search{path: hotspotsPath, query: query, items: hotspotsOf, each: func(raw json.RawMessage, page *answer) {
			found.Take(c.hotspot(raw, page, p))
		}})
	}
	err := platform.Again(func() error {
		found = translate.NewFindingSet()
		err := read(url.Values{})
		if errors.Is(err, errLimit) {
			err = read(url.Values{"status": {"TO_REVIEW"}})
			for _, resolution := range []string{"FIXED", "SAFE", "ACKNOWLEDGED"} {
				if err == nil {
					err = read(url.Values{"status": {"REVIEWED"}, "resolution": {resolution}})
				}
			}
		}
		return err
	})
	if errors.Is(err, errLimit) {
		err = &record.Error{Reason: record.ReasonTruncated, Err: err}
	}
	if err == nil {
		err = c.addCWEs(ctx, found.Findings)
	}
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read the hotspots of project %s: %w", p.key, err))
	}
	b := found.Batch(scope)
	if len(b.Rejected) == 0 {
		// The search leaves out hotspots whose code was changed so that they are no longer found.
		b.Absence = record.ClosureFixed
	}
	return b
}
