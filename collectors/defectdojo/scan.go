package defectdojo

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// test is one scanner's part of an engagement, as far as it is read.
type test struct {
	ID         int64  `json:"id"`
	Type       string `json:"test_type_name"`
	ScanType   string `json:"scan_type"`
	Engagement int64  `json:"engagement"`
	Branch     string `json:"branch_tag"`
	// End is moved to the date of the scan by each import. In a test that people planned it may lie ahead.
	End     moment `json:"target_end"`
	Updated moment `json:"updated"`
}

// engagement is what tests are part of.
type engagement struct {
	Product   int64  `json:"product"`
	SourceURL string `json:"source_code_management_uri"`
	Branch    string `json:"branch_tag"`
}

// tests reads all tests, oldest first, and says when each repository was last scanned by each tool: also where that found nothing.
func (c *Collector) tests(ctx context.Context, products []product, started time.Time) record.Batch {
	found, err := list(ctx, c.Base, query[test]{
		path: "api/v2/tests/", values: url.Values{"o": {"created"}, "prefetch": {"engagement"}},
	})
	if err != nil {
		return record.Batch{Scope: testScope, Err: fmt.Errorf("defectdojo %s: %w", testScope, err)}
	}
	b := record.Batch{
		Scope: testScope, Mode: record.Full, Scans: []record.Scan{}, Cursor: record.CursorAt(started),
		Rejected: map[record.RejectReason]int{record.RejectDecode: found.rejected},
	}
	byID := map[int64]product{}
	for _, p := range products {
		byID[p.ID] = p
	}
	selected := func(t *test, e engagement) bool {
		_, listed := byID[e.Product]
		branch := cmp.Or(t.Branch, e.Branch)
		return (listed || len(c.unselected) == 0) && (branch == "" || oneOf(c.config.Select.Branches, branch))
	}
	latest := map[scanKey]record.Scan{}
	for i := range found.items {
		t := &found.items[i]
		e, ok := besides[engagement](found.beside, "engagement", t.Engagement)
		if !ok {
			b.Rejected[record.RejectNoTarget]++
			continue
		}
		if !selected(t, e) {
			continue
		}
		scan, reason := t.scan(c.repositoryOf(byID[e.Product], e))
		key := scanKey{scan.Repository, scan.Tool}
		switch {
		case reason != "":
			b.Rejected[reason]++
		case scan.Class != "" && scan.SucceededAt.After(latest[key].SucceededAt):
			latest[key] = scan
		}
	}
	for _, scan := range latest {
		b.Scans = append(b.Scans, scan)
	}
	slices.SortFunc(b.Scans, func(a, b record.Scan) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Tool, b.Tool))
	})
	return b
}

type scanKey struct {
	repository record.RepositoryName
	tool       string
}

// repositoryOf is the repository that is configured for a product, else the engagement's.
func (c *Collector) repositoryOf(p product, e engagement) record.RepositoryName {
	if configured := c.targetOf(p, nil).repository; configured != "" {
		return configured
	}
	name, err := record.ParseRepository(e.SourceURL)
	if err != nil {
		return ""
	}
	return name
}

// scan is what a test says about a repository. It has no class if that is nothing: no repository, nothing imported, or a scanner of which we do
// not know what it looks for.
func (t *test) scan(repository record.RepositoryName) (record.Scan, record.RejectReason) {
	tool := toolOf(t.Type, t.ScanType)
	if repository == "" || t.ScanType == "" || tool.Class == "" {
		return record.Scan{}, ""
	}
	at := t.End.Time
	if at.IsZero() || !t.Updated.IsZero() && t.Updated.Before(at) {
		at = t.Updated.Time
	}
	if t.End.wrong || t.Updated.wrong || at.IsZero() {
		return record.Scan{}, record.RejectTimestamp
	}
	return record.Scan{Tool: tool.Name, Class: tool.Class, Repository: repository, SucceededAt: at, AttemptedAt: at, Enabled: record.AnswerYes}, ""
}
