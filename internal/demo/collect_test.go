package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/catalog"
	"prodsec_exporter/collectors/defectdojo"
	"prodsec_exporter/collectors/evidence"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/jira"
	"prodsec_exporter/collectors/reports"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/demo"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

func kinds() []collectors.Kind {
	return []collectors.Kind{catalog.Kind(), defectdojo.Kind(), evidence.Kind(), github.Kind(), jira.Kind(), reports.Kind()}
}

// requests counts what the collectors ask.
type requests struct {
	mu    sync.Mutex
	count int
	codes map[int]int
}

func (r *requests) Requested(code int, _ bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.codes[code]++
}

func (*requests) Budget(string, int, int, time.Time) {}

// exporter is the real collectors, as the demo's own configuration describes them.
type exporter struct {
	built    []config.Built
	requests requests
	cursors  map[string]collectors.Cursors
	log      bytes.Buffer
}

func newExporter(t *testing.T, d *demo.Demo, now func() time.Time) *exporter {
	t.Helper()
	e := &exporter{requests: requests{codes: map[int]int{}}, cursors: map[string]collectors.Cursors{}}
	c, err := config.Load("demo.yml", d.Config(), kinds())
	if err != nil {
		t.Fatal(err)
	}
	e.built, err = c.Build(func(kind, name string) collectors.Env {
		return collectors.Env{Logger: slog.New(slog.NewTextHandler(&e.log, nil)), Observer: &e.requests, Now: now}
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pass collects from everything once, from where it ended last time, and returns the batches by kind and scope.
func (e *exporter) pass(t *testing.T) map[string]record.Batch {
	t.Helper()
	batches := map[string]record.Batch{}
	for _, b := range e.built {
		cursors := e.cursors[b.Kind.Name]
		if cursors == nil {
			cursors = collectors.Cursors{}
			e.cursors[b.Kind.Name] = cursors
		}
		err := b.Collector.Collect(t.Context(), cursors, func(batch record.Batch) error {
			batches[b.Kind.Name+" "+batch.Scope] = batch
			if batch.Err == nil && batch.Cursor != "" {
				cursors[batch.Scope] = batch.Cursor
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", b.Kind.Name, err)
		}
	}
	return batches
}

// total adds up what a pass yields.
func total(batches map[string]record.Batch) (records map[string]int, rejected int) {
	records = map[string]int{}
	for name, b := range batches {
		kind, _, _ := strings.Cut(name, ":")
		records[kind] += b.Size()
		for reason, n := range b.Rejected {
			if reason != record.RejectNotSecurity { // rules about quality are no weaknesses
				rejected += n
			}
		}
	}
	return records, rejected
}

// unanswered are the lines of a log about questions that ended as not found.
func unanswered(log string) (lines []string) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "Not Found") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestRealCollectors runs the collectors that the exporter has against the demo: all scopes but one are read whole, nothing is rejected, and a second pass
// sees what has changed.
func TestRealCollectors(t *testing.T) {
	var mu sync.Mutex
	at := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	d, err := demo.Start(context.Background(), demo.Options{Seed: 1, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // The test of Close is elsewhere.
	e := newExporter(t, d, now)

	began := time.Now()
	first := e.pass(t)
	took := time.Since(began)
	records, rejected := total(first)
	t.Logf("%d requests in %v: %v; answers %v", e.requests.count, took.Round(time.Millisecond), records, e.requests.codes)
	// The cost of a pass is its requests; how long they take is the machine's affair.
	if most := 6500; e.requests.count > most {
		t.Errorf("the first pass took %d requests, want at most %d", e.requests.count, most)
	}
	if bad := unanswered(e.log.String()); len(bad) > 0 {
		t.Errorf("questions of the collectors that the fakes do not know: %q", bad)
	}
	var failed []string
	for scope, b := range first {
		if b.Err != nil {
			failed = append(failed, scope)
			if record.ReasonOf(b.Err) != record.ReasonPermission || !strings.Contains(b.Err.Error(), "secret_scanning_alerts=read") {
				t.Errorf("%s: %v", scope, b.Err)
			}
		}
	}
	if len(failed) != 1 || failed[0] != "github secret_scanning:meridian-labs" {
		t.Errorf("scopes that could not be read: %v", failed)
	}
	if rejected != 0 {
		t.Errorf("%d items were rejected", rejected)
	}
	for kind, least := range map[string]int{
		"catalog catalog": 60, "github repositories": 150, "github protection": 150, "github environments": 140,
		"github properties": 150, "github runners": 45, "github releases": 150, "github pipelines": 100, "github cloud_identity": 100, "github workflows": 140, "github actions": 140, "github scanning": 300, "github bypasses": 25, "github deployments": 600, "github dependabot": 2000, "github code_scanning": 1000,
		"github secret_scanning": 50, "jira exceptions": 130, "jira reviews": 250, "jira followups": 100, "jira incidents": 50, "jira escalations": 50, "reports report": 20,
		"evidence url":       110,
		"defectdojo product": 1200, "defectdojo acceptances": 20,
	} {
		if records[kind] < least {
			t.Errorf("%s: %d records, want %d or more", kind, records[kind], least)
		}
	}

	if n := reportedTwice(first); n < 10 {
		t.Errorf("%d weak packages are reported by two tools in the same words", n)
	}

	checkTrust(t, first)
	checkControls(t, first, at)
	compareReviews(t, world.New(1, at), at, first["jira reviews:default"].Reviews)
	compareDeployments(t, world.New(1, at), at, first)

	mu.Lock()
	at = at.Add(19 * time.Hour) // the next afternoon: at night nobody deploys
	mu.Unlock()
	again, rejected := total(e.pass(t))
	t.Logf("the next afternoon: %v", again)
	if rejected != 0 {
		t.Errorf("%d items were rejected", rejected)
	}
	for _, kind := range []string{"github dependabot", "github code_scanning", "github deployments", "jira exceptions", "defectdojo product"} {
		if again[kind] == 0 || again[kind] > records[kind]/2 {
			t.Errorf("%s: %d changed records after %d", kind, again[kind], records[kind])
		}
	}
}

// compareReviews holds what was learned about reviews against what happened: who answered first, and how it stands.
func compareReviews(t *testing.T, w *world.World, now time.Time, learned []record.Review) {
	t.Helper()
	reviews := map[string]record.Review{}
	for _, r := range learned {
		reviews[r.ID] = r
	}
	states := map[record.ReviewState]int{}
	for _, x := range w.TicketsAt(now) {
		if x.Project != world.ProjectReviews {
			continue
		}
		r := reviews[fmt.Sprintf("%s-%d", x.Project, x.Number)]
		states[r.State]++
		var answers []time.Time
		for _, c := range x.Comments {
			if slices.Contains(world.Reviewers(), c.By) && c.By != x.Reporter && !c.At.After(now) {
				answers = append(answers, c.At)
			}
		}
		for _, s := range x.Steps {
			if slices.Contains(world.Reviewers(), s.By) && s.By != x.Reporter && !s.At.After(now) {
				answers = append(answers, s.At)
			}
		}
		var first time.Time
		if len(answers) > 0 {
			first = slices.MinFunc(answers, time.Time.Compare)
		}
		status, _ := x.StatusAt(now)
		if r.Service != x.Service.Name || !r.FirstResponseAt.Equal(first) || r.ClosedAt.IsZero() == (status == world.TicketReviewed) {
			t.Errorf("%s of %s: learned %+v, but it is %s and was first answered at %v", x.Title, x.CreatedAt, r, status, first)
		}
	}
	for _, state := range []record.ReviewState{record.ReviewWaiting, record.ReviewInProgress, record.ReviewBlocked, record.ReviewDone} {
		if states[state] == 0 {
			t.Errorf("no review is %s: %v", state, states)
		}
	}
	if len(learned) != len(reviews) || states[""] != 0 {
		t.Errorf("%d reviews, %d of them different, %d of the organisation's missing", len(learned), len(reviews), states[""])
	}
}

// reportedTwice counts the weak packages that two collectors describe so that they can be known to be the same.
func reportedTwice(batches map[string]record.Batch) int {
	type weak struct {
		repository record.RepositoryName
		class      record.Class
		pkg, alias string
	}
	first, twice := map[weak]string{}, map[weak]bool{}
	for scope, b := range batches {
		collector, _, _ := strings.Cut(scope, " ")
		for i := range b.Findings {
			f := &b.Findings[i]
			for _, alias := range f.Aliases {
				key := weak{f.Repository, f.Class, f.Package, alias}
				if other, ok := first[key]; ok && other != collector && f.Package != "" && strings.HasPrefix(alias, "CVE-") {
					twice[key] = true
				}
				first[key] = collector
			}
		}
	}
	return len(twice)
}
