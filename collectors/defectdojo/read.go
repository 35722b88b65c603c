package defectdojo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
)

// findingsPath lists findings.
const findingsPath = "api/v2/findings/"

// findings asks for findings with their tests inlined and their endpoints beside them.
func (c *Collector) findings(values url.Values) query[finding] {
	values.Set("related_fields", "true")
	values.Set("prefetch", "endpoints")
	if c.config.Select.VerifiedOnly {
		values.Set("verified", "true")
	}
	return query[finding]{path: findingsPath, values: values}
}

// whole reads all findings of a product, in the order of their numbers, which does not change while they are read.
func (c *Collector) whole(ctx context.Context, p product, ran lapsed, started time.Time) record.Batch {
	b := record.Batch{Scope: p.scope, Mode: record.Full, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, Cursor: record.CursorAt(started)}
	found, err := list(ctx, c.Base, c.findings(url.Values{"test__engagement__product": {fmt.Sprint(p.ID)}, "o": {"id"}}))
	if err != nil {
		return record.Batch{Scope: b.Scope, Err: fmt.Errorf("defectdojo %s: %w", b.Scope, err)}
	}
	b.Rejected[record.RejectDecode] += found.rejected
	for i := range found.items {
		found.items[i].locate(found.beside)
		c.add(&b, &found.items[i], p, ran)
	}
	return b
}

// add takes up a finding of a product. One whose acceptance has run out is open again, whether or not DefectDojo's own job has run.
func (c *Collector) add(b *record.Batch, f *finding, p product, ran lapsed) {
	if f.ID == 0 {
		b.Rejected[record.RejectNoID]++
		return
	}
	if !c.config.Select.wants(f) {
		return
	}
	r, ok := f.record(c.URL, c.targetOf(p, f), c.Env.TimeZone)
	if !ok {
		b.Rejected[record.RejectTimestamp]++
		return
	}
	if r.Closure == record.ClosureRiskAccepted && ran.out(f) {
		r.Closure, r.ClosedAt = record.ClosureNone, time.Time{}
	}
	b.Findings = append(b.Findings, r)
}

// latest is the order of the list of changes: of those at one instant the one with the highest number is first, so that each page has the same order.
const latest = "-last_status_update,-id"

// changes reads what changed lately, newest first, until what is older than since, and yields a Delta for every product. A change that leaves the
// status alone is found by the next full sweep. The error wraps platform.ErrMoved where the list would not hold still; there are no batches then.
func (c *Collector) changes(ctx context.Context, products []product, ran lapsed, since, started time.Time) ([]record.Batch, error) {
	batches := make([]record.Batch, len(products))
	byProduct := map[int64]int{}
	for i, p := range products {
		byProduct[p.ID] = i
		batches[i] = record.Batch{
			Scope: p.scope, Mode: record.Delta, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, Cursor: record.CursorAt(started),
		}
	}
	found, err := c.lately(ctx, since)
	switch {
	case errors.Is(err, platform.ErrMoved):
		return nil, err
	case err != nil:
		for i := range batches {
			batches[i] = record.Batch{Scope: batches[i].Scope, Err: fmt.Errorf("defectdojo %s: list of changes: %w", batches[i].Scope, err)}
		}
		return batches, nil
	}
	// What cannot be understood does not say whose it is; it is counted once.
	batches[0].Rejected[record.RejectDecode] += found.rejected
	for i := range found.items {
		f := &found.items[i]
		if at, ok := byProduct[f.Related.Test.Engagement.Product.ID]; ok {
			f.locate(found.beside)
			c.add(&batches[at], f, products[at], ran)
		}
	}
	return batches, nil
}

// errUndated says that the list of changes begins with findings that have no date of change.
var errUndated = errors.New("the list of changes begins with findings without a date")

// lately lists what changed since an instant. PostgreSQL puts findings without a date of change first; these are old ones, which no change has touched since there is such a
// date, and the list is read from behind them.
func (c *Collector) lately(ctx context.Context, since time.Time) (*listed[finding], error) {
	q := c.findings(url.Values{"o": {latest}})
	q.enough = func(f finding) bool { return !f.LastStatusUpdate.IsZero() && f.LastStatusUpdate.Before(since) }
	q.first = func(f finding) error {
		if f.LastStatusUpdate.IsZero() && !f.LastStatusUpdate.wrong {
			return errUndated
		}
		return nil
	}
	if c.undated == 0 {
		found, err := list(ctx, c.Base, q)
		if !errors.Is(err, errUndated) {
			return found, err
		}
	}
	undated, err := c.countUndated(ctx)
	if err != nil {
		return nil, err
	}
	c.undated, q.from = undated, undated
	found, err := list(ctx, c.Base, q)
	if errors.Is(err, errUndated) { // there is nothing else, or one more since they were counted
		return &listed[finding]{}, nil
	}
	return found, err
}

// countUndated counts the findings without a date of change, which come first: by halves, or by a look at where they ended the last time.
func (c *Collector) countUndated(ctx context.Context) (int, error) {
	total := 0
	dated := func(offset int) (bool, error) {
		values := c.findings(url.Values{"o": {latest}, "limit": {"1"}, "offset": {strconv.Itoa(offset)}}).values
		var p struct {
			Count   int       `json:"count"`
			Results []finding `json:"results"`
		}
		if _, err := c.Source.Get(ctx, findingsPath, values, &p); err != nil {
			return false, err
		}
		total = p.Count
		return len(p.Results) == 0 || !p.Results[0].LastStatusUpdate.IsZero(), nil
	}
	if last := c.undated; last > 0 {
		before, err := dated(last - 1)
		if err != nil {
			return 0, err
		}
		after, err := dated(last)
		if err != nil || !before && after {
			return last, err
		}
	}
	if first, err := dated(0); err != nil || first {
		return 0, err
	}
	low, high := 0, total // undated at low, dated or past the end at high
	for high-low > 1 {
		middle := low + (high-low)/2
		is, err := dated(middle)
		switch {
		case err != nil:
			return 0, err
		case is:
			high = middle
		default:
			low = middle
		}
	}
	return high, nil
}
