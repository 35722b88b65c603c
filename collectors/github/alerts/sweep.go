package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// overlap is how far before its watermark a delta reads on: clocks differ, and an update may become visible late.
const overlap = 10 * time.Minute

// looksOfMean is how many looks for changes the mean of their cost is about: those of two hours, by default.
const looksOfMean = 24

// alertSource is a kind of alert and where it comes from.
type alertSource struct {
	kind       Kind
	class      record.Class
	path       string
	permission string
	// queries are the lists that hold all alerts of the kind, together; more than one where GitHub leaves some out unless they are named.
	queries []url.Values
	// decode turns an alert into a finding; an error of type rejection leaves it out.
	decode func(c *Collector, item json.RawMessage) (record.Finding, error)
}

// alertSources are the kinds of alert that the configuration asks for.
func (c *Collector) alertSources() []alertSource {
	all := []alertSource{
		{Dependabot, record.ClassSCA, "dependabot/alerts", "vulnerability_alerts=read", []url.Values{{}}, (*Collector).dependabotFinding},
		{CodeScanning, record.ClassSAST, "code-scanning/alerts", securityEventsPermission, []url.Values{{}}, (*Collector).codeScanningFinding},
		{SecretScanning, record.ClassSecret, "secret-scanning/alerts", "secret_scanning_alerts=read", c.secretQueries(), (*Collector).secretScanningFinding},
	}
	return slices.DeleteFunc(all, func(s alertSource) bool { return !slices.Contains(c.config.Kinds, s.kind) })
}

// readAlerts reads the alerts of one kind in an organisation: all of them, or those updated since the cursor.
//
// A full sweep goes by time of creation, oldest first: nothing that happens meanwhile moves an alert to a page that was
// read already, so an alert that is absent is gone. A delta goes by time of update, newest first, until it meets the watermark.
func (c *Collector) readAlerts(ctx context.Context, org string, source alertSource, cursor record.Cursor) record.Batch {
	started, classes := c.Now(), []record.Class{source.class}
	walk := newAlertWalk(c, source, cursor)
	pages, before := 0, c.API.Spent()
	for _, more := range source.queries {
		query := url.Values{"per_page": {api.PageSize}, "sort": {"created"}, "direction": {"asc"}}
		if walk.delta {
			query = url.Values{"per_page": {api.PageSize}, "sort": {"updated"}, "direction": {"desc"}}
		}
		maps.Copy(query, more)
		n, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/"+source.path, query, walk.page)
		if err != nil {
			return record.Batch{Classes: classes, Err: api.ScopeError(source.explain(more, err), source.permission)}
		}
		pages += n
	}
	c.state.With(org, func(o *organisation) {
		if !walk.delta {
			o.sweepPages[source.kind] = pages
			return
		}
		took, known := o.spent[source.kind]
		if !known {
			took = float64(len(source.queries))
		}
		o.spent[source.kind] = took + (float64(c.API.Spent()-before)-took)/looksOfMean
	})
	walk.markArchived(c.inventory.Archived(org))
	if err := walk.markDeleted(ctx, org); err != nil {
		return record.Batch{Classes: classes, Err: err}
	}
	return walk.batch(started)
}

// explain adds to a refusal of a list what the configuration has to do with it.
func (s *alertSource) explain(query url.Values, err error) error {
	if record.ReasonOf(err) == record.ReasonRejected && query.Has("secret_type") {
		return fmt.Errorf("%w: take from generic_secret_types what this server does not know", err)
	}
	return err
}

// alertWalk gathers the alerts of one reading.
type alertWalk struct {
	collector *Collector
	source    alertSource
	delta     bool
	cutoff    time.Time
	latest    time.Time
	findings  []record.Finding
	at        map[string]int
	rejected  map[record.RejectReason]int
}

func newAlertWalk(c *Collector, source alertSource, cursor record.Cursor) *alertWalk {
	w := &alertWalk{
		collector: c, source: source, findings: []record.Finding{}, at: map[string]int{}, rejected: map[record.RejectReason]int{},
	}
	if watermark, ok := cursor.Time(); ok {
		w.delta, w.cutoff, w.latest = true, watermark.Add(-overlap), watermark
	}
	return w
}

// page takes a page and says whether the next one is wanted.
func (w *alertWalk) page(items []json.RawMessage) (more bool) {
	for _, item := range items {
		finding, err := w.source.decode(w.collector, item)
		if err != nil {
			w.rejected[api.RejectReasonOf(err)]++
			continue
		}
		if w.delta && !finding.UpdatedAt.IsZero() && finding.UpdatedAt.Before(w.cutoff) {
			return false
		}
		w.add(finding)
	}
	return true
}

// add keeps the newer of two reports of one alert: a list that moves while it is read may show it twice.
func (w *alertWalk) add(f record.Finding) {
	if f.UpdatedAt.After(w.latest) {
		w.latest = f.UpdatedAt
	}
	i, twice := w.at[f.ID]
	switch {
	case !twice:
		w.at[f.ID] = len(w.findings)
		w.findings = append(w.findings, f)
	case f.UpdatedAt.After(w.findings[i].UpdatedAt):
		w.findings[i] = f
	}
}

// markArchived closes what is open in archived repositories, where nobody can fix it any more.
func (w *alertWalk) markArchived(archived map[record.RepositoryName]bool) {
	for i := range w.findings {
		if f := &w.findings[i]; f.Closure == record.ClosureNone && archived[f.Repository] {
			f.Closure = record.ClosureRepositoryArchived
		}
	}
}

// batch makes the batch of a reading that began at a time. The watermark is never later than that: what was updated while
// the pages were read must be met again.
func (w *alertWalk) batch(started time.Time) record.Batch {
	b := record.Batch{Mode: record.Full, Findings: w.findings, Classes: []record.Class{w.source.class}}
	if w.delta {
		b.Mode = record.Delta
	}
	if len(w.rejected) > 0 {
		b.Rejected = w.rejected
	}
	if watermark := w.latest; !watermark.IsZero() {
		if watermark.After(started) {
			watermark = started
		}
		b.Cursor = record.CursorAt(watermark)
	}
	return b
}

// markDeleted closes what is open about manifests that the default branch no longer has. A sweep asks about all of them; a delta only about those that were
// gone at the last sweep, so that an update does not reopen what nobody can fix. What cannot be read stays open.
func (w *alertWalk) markDeleted(ctx context.Context, org string) error {
	c := w.collector
	if !c.config.Manifests || w.source.kind != Dependabot {
		return nil
	}
	var known map[manifest]time.Time
	c.state.With(org, func(o *organisation) { known = o.deleted })
	asked := map[manifest]bool{}
	for i := range w.findings {
		m := manifestOf(&w.findings[i])
		if _, gone := known[m]; w.findings[i].Closure == record.ClosureNone && m.path != "" && (gone || !w.delta) {
			asked[m] = true
		}
	}
	deleted, err := c.deletedManifests(ctx, asked)
	if err != nil {
		return fmt.Errorf("look for the manifests of open alerts: %w", err)
	}
	for i := range w.findings {
		f := &w.findings[i]
		if at, gone := deleted[manifestOf(f)]; gone && f.Closure == record.ClosureNone {
			f.Closure = record.ClosureManifestDeleted
			if at.After(f.FirstSeen) {
				f.ClosedAt = at
			}
		}
	}
	if !w.delta {
		c.state.With(org, func(o *organisation) { o.deleted, o.manifests = deleted, len(asked) })
	}
	return nil
}
