package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// overlap is how far before its watermark a delta reads on: clocks differ, and an update may become visible late.
const overlap = 10 * time.Minute

// alertSource is a kind of alert and where it comes from.
type alertSource struct {
	kind       AlertKind
	class      record.Class
	path       string
	permission string
	query      url.Values
	// decode turns an alert into a finding; an error of type rejection leaves it out.
	decode func(c *Collector, item json.RawMessage) (record.Finding, error)
}

func alertSources() []alertSource {
	return []alertSource{
		{Dependabot, record.ClassSCA, "dependabot/alerts", "vulnerability_alerts=read", nil, (*Collector).dependabotFinding},
		{CodeScanning, record.ClassSAST, "code-scanning/alerts", "security_events=read", nil, (*Collector).codeScanningFinding},
		// Without hide_secret the answer holds the secrets themselves.
		{SecretScanning, record.ClassSecret, "secret-scanning/alerts", "secret_scanning_alerts=read", url.Values{"hide_secret": {"true"}}, (*Collector).secretScanningFinding},
	}
}

// rejection leaves one item out.
type rejection struct {
	reason record.RejectReason
	err    error
}

func (r rejection) Error() string { return fmt.Sprintf("%s: %v", r.reason, r.err) }

// readAlerts reads the alerts of one kind in an organisation: all of them, or those updated since the cursor.
//
// A full sweep goes by time of creation, oldest first: nothing that happens meanwhile moves an alert to a page that was
// read already, so an alert that is absent is gone. A delta goes by time of update, newest first, until it meets the watermark.
func (c *Collector) readAlerts(ctx context.Context, org string, source alertSource, cursor record.Cursor) record.Batch {
	started, classes := c.env.Now(), []record.Class{source.class}
	walk := newAlertWalk(c, source, cursor)
	query := url.Values{"per_page": {pageSize}, "sort": {"created"}, "direction": {"asc"}}
	if walk.delta {
		query = url.Values{"per_page": {pageSize}, "sort": {"updated"}, "direction": {"desc"}}
	}
	for key, values := range source.query {
		query[key] = values
	}
	pages, err := c.api.pages(ctx, "orgs/"+url.PathEscape(org)+"/"+source.path, query, walk.page)
	if err != nil {
		return record.Batch{Classes: classes, Err: scopeError(err, source.permission)}
	}
	c.remember(org, func(o *organisation) {
		if !walk.delta {
			o.sweepPages[string(source.kind)] = pages
		}
		walk.markArchived(o.archived)
	})
	if err := walk.markDeleted(ctx, org); err != nil {
		return record.Batch{Classes: classes, Err: err}
	}
	return walk.batch(started)
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
	if watermark, err := time.Parse(time.RFC3339, string(cursor)); err == nil {
		w.delta, w.cutoff, w.latest = true, watermark.Add(-overlap), watermark
	}
	return w
}

// page takes a page and says whether the next one is wanted.
func (w *alertWalk) page(items []json.RawMessage) (more bool) {
	for _, item := range items {
		finding, err := w.source.decode(w.collector, item)
		if err != nil {
			w.rejected[reasonOf(err)]++
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
		b.Cursor = record.Cursor(watermark.UTC().Format(time.RFC3339))
	}
	return b
}

func reasonOf(err error) record.RejectReason {
	if r, ok := errors.AsType[rejection](err); ok {
		return r.reason
	}
	if errors.Is(err, errTimestamp) {
		return record.RejectTimestamp
	}
	return record.RejectDecode
}

// alert is what all kinds of alert have in common.
type alert struct {
	Number     int64      `json:"number"`
	State      string     `json:"state"`
	HTMLURL    string     `json:"html_url"`
	CreatedAt  timestamp  `json:"created_at"`
	UpdatedAt  timestamp  `json:"updated_at"`
	Repository repository `json:"repository"`
}

// finding is the part of the finding that all kinds of alert share.
func (a *alert) finding(c *Collector, kind AlertKind) (record.Finding, error) {
	name, err := c.repositoryName(a.Repository.HTMLURL, a.Repository.FullName)
	switch {
	case err != nil:
		return record.Finding{}, rejection{record.RejectNoTarget, err}
	case a.Number <= 0:
		return record.Finding{}, rejection{record.RejectNoID, errors.New("the alert has no number")}
	}
	return record.Finding{
		ID:         string(kind) + ":" + string(name) + "#" + strconv.FormatInt(a.Number, 10),
		Repository: name,
		URL:        record.Text(a.HTMLURL),
		FirstSeen:  a.CreatedAt.Time,
		UpdatedAt:  a.UpdatedAt.Time,
	}, nil
}

// repositoryName names a repository by the address that people use; it is the API's host that differs otherwise.
func (c *Collector) repositoryName(htmlURL, fullName string) (record.RepositoryName, error) {
	if htmlURL != "" {
		return record.ParseRepository(htmlURL)
	}
	if _, err := record.ParseRepository(fullName); err != nil {
		return "", err
	}
	return record.RepositoryOn(strings.TrimPrefix(c.api.base.Hostname(), "api."), fullName), nil
}

var errTimestamp = errors.New("not a point in time")

// timestamp is a time that may be null, empty or absent.
type timestamp struct{ time.Time }

// UnmarshalJSON reads RFC 3339, and what older servers write.
func (t *timestamp) UnmarshalJSON(data []byte) error {
	text, err := strconv.Unquote(string(data))
	if string(data) == "null" || text == "" && err == nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 MST"} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	return fmt.Errorf("%w: %s", errTimestamp, record.Text(string(data)))
}

// number is a number that GitHub sometimes writes as text (EPSS percentiles do, in its own example).
type number float64

// UnmarshalJSON reads a number, a number in quotes, or null.
func (n *number) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" || text == "" {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("not a number: %s", record.Text(string(data)))
	}
	*n = number(value)
	return nil
}
