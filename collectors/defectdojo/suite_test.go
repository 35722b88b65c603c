package defectdojo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// dojo is a fake DefectDojo with two products. It answers at most two items a page, whatever is asked for, and refuses requests that
// DefectDojo would not understand.
type dojo struct {
	products     []string
	productTypes []string
	findings     map[int64][]string // by product
	acceptances  []string
	tests        []string
	// beside is what pages send along, by field and number.
	beside map[string]map[string]any
	// count, if set, replaces the number of items that pages claim.
	count func(offset int) int
}

// item is a finding of a product in JSON, with further fields.
func item(id, product int64, fields string) string {
	return fmt.Sprintf(`{"id": %d, "title": "Finding %d", "severity": "High", "date": "2026-01-02", "created": "2026-01-02T10:00:00.5Z",
		"last_status_update": "2026-02-0%dT10:00:00Z", "active": true, "verified": true, "cwe": 79, "static_finding": true,
		"related_fields": {"test": {"test_type": {"id": 1, "name": "Semgrep JSON Report"}, "engagement": {"id": 1, "product": {"id": %d, "name": "p%d"}}}} %s}`,
		id, id, id%9+1, product, product, fields)
}

func healthy() *dojo {
	return &dojo{
		products: []string{`{"id": 2, "name": "payments"}`, `{"id": 1, "name": "search"}`},
		findings: map[int64][]string{
			1: {item(11, 1, ""), item(12, 1, ""), item(13, 1, "")},
			2: {item(21, 2, ""), item(22, 2, ""), item(23, 2, "")},
		},
		acceptances: []string{acceptanceOf(1, `"A"`), acceptanceOf(2, `"M"`), acceptanceOf(3, "null")},
		tests: []string{
			testOf(1, 1, "Semgrep JSON Report", "2026-02-01T03:00:00Z"), testOf(2, 1, "Trivy Scan", "2026-02-02T03:00:00Z"), testOf(3, 2, "Trivy Scan", "2026-02-03T03:00:00Z"),
		},
		beside: map[string]map[string]any{"engagement": {
			"1": map[string]any{"id": 1, "product": 1, "source_code_management_uri": "https://github.com/Acme/Search"},
			"2": map[string]any{"id": 2, "product": 2, "source_code_management_uri": "https://github.com/Acme/Pay"},
			"3": map[string]any{"id": 3, "product": 2, "source_code_management_uri": nil},
		}},
	}
}

// testOf is a test of an engagement whose last import was of a scan of that time.
func testOf(id, engagement int, scanType, scanned string) string {
	return fmt.Sprintf(`{"id": %d, "engagement": %d, "test_type": 1, "test_type_name": %q, "scan_type": %q, "target_start": "2026-01-01T00:00:00Z",
		"target_end": %q, "created": "2026-01-01T00:00:00Z", "updated": "2026-02-04T00:00:00Z"}`, id, engagement, scanType, scanType, scanned)
}

func acceptanceOf(id int, decision string) string {
	return fmt.Sprintf(`{"id": %d, "name": "Accepted %d", "decision": %s, "accepted_findings": [11, 12], "expiration_date": "2026-12-31T00:00:00Z",
		"created": "2026-01-05T00:00:00Z", "updated": "2026-01-06T00:00:00Z"}`, id, id, decision)
}

func (d *dojo) serve(s *collectorstest.Server) {
	s.Handle("GET /api/v2/products/", func(w http.ResponseWriter, r *http.Request) { (&dojo{}).page(w, r, d.products) })
	s.Handle("GET /api/v2/product_types/", func(w http.ResponseWriter, r *http.Request) { (&dojo{}).page(w, r, d.productTypes) })
	s.Handle("GET /api/v2/findings/", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Get("related_fields") != "true" || query.Get("prefetch") != "endpoints" || !slices.Contains([]string{"id", "-last_status_update,-id"}, query.Get("o")) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var items []string
		for _, product := range []int64{1, 2} {
			if wanted := query.Get("test__engagement__product"); wanted == "" || wanted == strconv.FormatInt(product, 10) {
				items = append(items, d.findings[product]...)
			}
		}
		if query.Get("o") == "-last_status_update,-id" {
			slices.SortStableFunc(items, func(a, b string) int {
				return cmp.Or(strings.Compare(updated(b), updated(a)), cmp.Compare(numberOf(b), numberOf(a)))
			})
		}
		d.page(w, r, items)
	})
	s.Handle("GET /api/v2/risk_acceptance/", func(w http.ResponseWriter, r *http.Request) { d.page(w, r, d.acceptances) })
	s.Handle("GET /api/v2/tests/", func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Get("o") != "created" || query.Get("prefetch") != "engagement" { // there is no order by number
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		d.page(w, r, d.tests)
	})
}

func numberOf(item string) int64 {
	var f struct {
		ID int64 `json:"id"`
	}
	_ = json.Unmarshal([]byte(item), &f)
	return f.ID
}

func updated(item string) string {
	var f struct {
		At string `json:"last_status_update"`
	}
	if json.Unmarshal([]byte(item), &f) != nil || f.At == "" {
		return "9999" // PostgreSQL sorts null first in descending order
	}
	return f.At
}

func (d *dojo) page(w http.ResponseWriter, r *http.Request, items []string) {
	offset, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("offset"), "0"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	count := len(items)
	if d.count != nil {
		count = d.count(offset)
	}
	results := []json.RawMessage{}
	size := 2
	if r.URL.Query().Get("limit") == "1" {
		size = 1
	}
	for _, i := range items[min(offset, len(items)):min(offset+size, len(items))] {
		results = append(results, json.RawMessage(i))
	}
	next := "http://wrong.example/api/v2/?offset=2" // as behind many proxies
	collectorstest.WriteJSON(w, map[string]any{"count": count, "next": next, "previous": nil, "results": results, "prefetch": d.beside})
}

func TestConformance(t *testing.T) {
	product := func(id string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Query.Get("test__engagement__product") == id }
	}
	altered := func(change func(*dojo)) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			d := healthy()
			change(d)
			d.serve(s)
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(base string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return New(Config{URL: base, Token: token}, env)
		},
		Serve: healthy().serve,
		Scopes: []collectorstest.Scope{
			{Name: "product:search", Records: 3, Pages: 2, Requests: product("1"), Items: "results", Total: "count"},
			{Name: "product:payments", Records: 3, Pages: 2, Requests: product("2"), Items: "results", Total: "count"},
			{Name: "acceptances:all", Records: 3, Pages: 2, Items: "results", Total: "count", Requests: func(r collectorstest.Request) bool { return strings.Contains(r.Path, "risk_acceptance") }},
			{Name: "tests:all", Records: 3, Pages: 2, Items: "results", Total: "count", Requests: func(r collectorstest.Request) bool { return strings.Contains(r.Path, "tests") }},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown severity and scanner", Scope: "product:search", Records: 1,
				Serve: altered(func(d *dojo) {
					d.findings[1] = []string{strings.NewReplacer(`"High"`, `"Spicy"`, "Semgrep JSON Report", "Novel Scan").Replace(item(11, 1, ""))}
				}),
				Check: func(b record.Batch) error {
					if f := b.Findings[0]; f.Severity != record.SeverityUnknown || f.Tool != "novel" || f.Class != record.ClassSAST {
						return fmt.Errorf("got %+v", f)
					}
					return nil
				},
			},
			{
				Name: "items that cannot be understood", Scope: "product:search", Records: 1, Rejected: 3,
				Serve: altered(func(d *dojo) {
					d.findings[1] = []string{`"nonsense"`, item(11, 1, ""), `{"title": "no id"}`, item(12, 1, `, "mitigated": "yesterday"`)}
				}),
			},
			{
				Name: "unknown decision, and no end that can be read", Scope: "acceptances:all", Records: 1, Rejected: 1,
				Serve: altered(func(d *dojo) {
					d.acceptances = []string{acceptanceOf(1, `"Z"`), strings.Replace(acceptanceOf(2, `"A"`), "2026-12-31T00:00:00Z", "soon", 1)}
				}),
				Check: func(b record.Batch) error {
					if b.Exceptions[0].State != record.ExceptionOther {
						return errors.New("an unknown decision must become other")
					}
					return nil
				},
			},
		},
		Gone: []collectorstest.Gone{
			{
				Name: "a product is deleted", Retired: []string{"product:payments"}, Reason: record.ClosureVanished,
				Serve: altered(func(d *dojo) { d.products = []string{`{"id": 1, "name": "search"}`} }),
			},
			{
				Name: "the user sees no product any more", Hidden: []string{"product:search", "product:payments"},
				Serve: altered(func(d *dojo) { d.products = []string{} }),
			},
		},
		Readme: "README.md",
	})
}

func gather(t *testing.T, d *dojo, config Config, cursors collectors.Cursors) (map[string]record.Batch, *collectorstest.Server) {
	t.Helper()
	s := collectorstest.NewServer(t)
	d.serve(s)
	config.URL, config.Token = s.URL(), collectorstest.Secret(t, "t0ken-of-dojo")
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, cursors)
	if err != nil {
		t.Fatal(err)
	}
	return batches, s
}

func TestDelta(t *testing.T) {
	d := healthy()
	d.findings[1] = append(d.findings[1], strings.Replace(item(14, 1, ""), `"last_status_update": "2026-02-06T10:00:00Z"`, `"last_status_update": null`, 1))
	old := record.Cursor("2026-02-05T10:30:00Z") // with the overlap: from 09:30 on that day
	batches, s := gather(t, d, Config{}, collectors.Cursors{"product:search": old, "product:payments": "2026-02-09T00:00:00Z"})
	got := map[string][]string{}
	for scope, b := range batches {
		delta := strings.HasPrefix(scope, "product:")
		if b.Err != nil || delta && b.Mode != record.Delta || delta && b.Cursor <= old {
			t.Errorf("%s: mode %s, cursor %s, error %v", scope, b.Mode, b.Cursor, b.Err)
		}
		for _, f := range b.Findings {
			got[scope] = append(got[scope], f.ID)
		}
	}
	// Finding n was updated on day n%9+1 of February: 13 on the 5th, 22 on the 5th, 23 on the 6th; 14 has no date, and comes first.
	slices.Sort(got["product:payments"])
	slices.Sort(got["product:search"])
	if want := "[defectdojo#13]"; fmt.Sprint(got["product:search"]) != want {
		t.Errorf("product:search: got %v, want %s", got["product:search"], want)
	}
	if want := "[defectdojo#22 defectdojo#23]"; fmt.Sprint(got["product:payments"]) != want {
		t.Errorf("product:payments: got %v, want %s", got["product:payments"], want)
	}
	for _, r := range s.Requests() {
		if r.Query.Has("test__engagement__product") {
			t.Error("a delta must not ask product by product")
		}
	}
}

func TestNewProductIsReadWhole(t *testing.T) {
	batches, _ := gather(t, healthy(), Config{}, collectors.Cursors{"product:search": record.Cursor(time.Now().UTC().Format(time.RFC3339))})
	if b := batches["product:payments"]; b.Mode != record.Full || len(b.Findings) != 3 {
		t.Errorf("got mode %s with %d findings, want all", b.Mode, len(b.Findings))
	}
	if b := batches["product:search"]; b.Mode != record.Delta {
		t.Errorf("got mode %s, want a delta", b.Mode)
	}
}

func TestListsThatAreNotWhole(t *testing.T) {
	for name, change := range map[string]func(*dojo){
		"shrinks":      func(d *dojo) { d.count = func(offset int) int { return 4 - offset/2 } },
		"ends early":   func(d *dojo) { d.count = func(int) int { return 50 } },
		"repeats":      func(d *dojo) { d.findings[1] = append(d.findings[1], d.findings[1][0]) },
		"empty page":   func(d *dojo) { d.findings[1] = nil; d.count = func(int) int { return 1 } },
		"repeats soon": func(d *dojo) { d.findings[1] = []string{item(11, 1, ""), item(11, 1, "")} },
	} {
		d := healthy()
		change(d)
		batches, _ := gather(t, d, Config{}, nil)
		if b := batches["product:search"]; record.ReasonOf(b.Err) != record.ReasonTruncated || len(b.Findings) != 0 {
			t.Errorf("%s: got %d findings, %v; want truncated", name, len(b.Findings), b.Err)
		}
	}
}

func TestProducts(t *testing.T) {
	d := healthy()
	d.findings[2][0] = strings.Replace(d.findings[2][0], `"engagement": {`, `"engagement": {"source_code_management_uri": "https://github.com/Acme/Pay", `, 1)
	batches, _ := gather(t, d, Config{Products: map[string]ProductConfig{"Search": {Service: "search-api", Repository: "Acme/Search"}}}, nil)
	if f := batches["product:search"].Findings[0]; f.Service != "search-api" || f.Repository != "acme/search" {
		t.Errorf("configured product: service %q, repository %q", f.Service, f.Repository)
	}
	if f := batches["product:payments"].Findings[0]; f.Service != "payments" || f.Repository != "acme/pay" {
		t.Errorf("other product: service %q, repository %q; want its own name and the engagement's repository", f.Service, f.Repository)
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{URL: "https://dojo.example", Token: apiclient.Secret{Env: "T"}}
	for name, change := range map[string]func(*Config){
		"no url":         func(c *Config) { c.URL = "" },
		"no token":       func(c *Config) { c.Token = apiclient.Secret{} },
		"bad repository": func(c *Config) { c.Products = map[string]ProductConfig{"p": {Repository: "nonsense"}} },
	} {
		config := good
		change(&config)
		if c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))); err == nil {
			t.Errorf("%s: got %v without an error", name, c)
		}
	}
}

// TestLapsedAcceptance reads findings whose acceptance has run out while DefectDojo's own job, which would say so, has not run.
func TestLapsedAcceptance(t *testing.T) {
	d := healthy()
	for i, id := range []int64{11, 12, 13} {
		d.findings[1][i] = strings.Replace(item(id, 1, `, "risk_accepted": true, "last_status_update": "2020-01-05T00:00:00Z"`), `"active": true`, `"active": false`, 1)
	}
	until := func(id int, finding, end string) string {
		return fmt.Sprintf(`{"id": %d, "decision": "A", "accepted_findings": [%s], "expiration_date": %s, "created": "2020-01-05T00:00:00Z"}`, id, finding, end)
	}
	d.acceptances = []string{
		until(1, "11", `"2021-01-01T00:00:00Z"`),
		until(2, "12", `"2021-01-01T00:00:00Z"`), until(3, "12", `"2999-01-01T00:00:00Z"`),
		until(4, "13", "null"),
	}
	batches, _ := gather(t, d, Config{}, nil)
	want := map[string]record.Closure{
		"defectdojo#11": record.ClosureNone, "defectdojo#12": record.ClosureRiskAccepted, "defectdojo#13": record.ClosureRiskAccepted,
	}
	for _, f := range batches["product:search"].Findings {
		if f.Closure != want[f.ID] || (f.Closure == record.ClosureNone) != f.ClosedAt.IsZero() {
			t.Errorf("%s: closure %q at %v, want %q", f.ID, f.Closure, f.ClosedAt, want[f.ID])
		}
	}
}

func TestCheckAndForecast(t *testing.T) {
	s := collectorstest.NewServer(t)
	healthy().serve(s)
	s.Handle("GET /api/v2/risk_acceptance/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	for _, path := range []string{"findings", "tests"} {
		s.JSON("GET /api/v2/"+path+"/", `{"count": 0, "results": []}`)
	}
	c, err := New(Config{
		Common: collectors.Common{Interval: collectors.Duration(10 * time.Minute)}, URL: s.URL(), Token: collectorstest.Secret(t, "t0ken-of-dojo"),
	}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 4 || results[0].Err != nil || results[1].Err != nil || results[2].Err != nil || record.ReasonOf(results[3].Err) != record.ReasonPermission || results[3].Unknown == "" {
		t.Errorf("got %+v, %v; want only the risk acceptances missing", results, err)
	}
	if got := c.Forecast()[""]; got != 18 {
		t.Errorf("got %v requests per hour, want 3 each 10 minutes: 18", got)
	}
	s.Forget()
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	// 71 collections of changes and one sweep in twelve hours.
	if got, want := c.Forecast()[""], (71*3+float64(max(3, len(s.Requests()))))/12; got < want-1e-9 || got > want+1e-9 {
		t.Errorf("got %v requests per hour after a sweep of %d requests, want %v", got, len(s.Requests()), want)
	}
}
