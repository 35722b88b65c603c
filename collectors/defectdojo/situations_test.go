package defectdojo

import (
	"encoding/json"
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
	"prodsec_exporter/internal/record"
)

// changedAt is a finding of product 1 with a date of change; "null" is none.
func changedAt(id int64, at string) string {
	if at != "null" {
		at = strconv.Quote(at)
	}
	return strings.Replace(item(id, 1, ""), `"last_status_update": "`+time.Date(2026, 2, int(id%9)+1, 10, 0, 0, 0, time.UTC).Format(time.RFC3339)+`"`, `"last_status_update": `+at, 1)
}

// TestManyChangesAtOneInstant: findings that were closed together have one date of change. A server that puts them into another order on each page hides some; they are read all
// the same.
func TestManyChangesAtOneInstant(t *testing.T) {
	d := healthy()
	d.findings[1] = nil
	for id := range int64(9) {
		d.findings[1] = append(d.findings[1], changedAt(100+id, "2026-02-06T10:00:00Z"))
	}
	for name, shuffled := range map[string]bool{"ordered by a second field": false, "in another order on each page": true} {
		s := collectorstest.NewServer(t)
		d.serve(s)
		if shuffled {
			s.Handle("GET /api/v2/findings/", func(w http.ResponseWriter, r *http.Request) {
				items := slices.Clone(d.findings[1])
				if offset, _ := strconv.Atoi(r.URL.Query().Get("offset")); r.URL.Query().Get("o") != "id" {
					slices.Reverse(items[:min(len(items), offset+3)])
				}
				d.page(w, r, items)
			})
		}
		c, err := New(Config{URL: s.URL(), Token: collectorstest.Secret(t, "t0ken-of-dojo")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"product:search": "2026-02-05T10:30:00Z", "product:payments": "2026-02-09T00:00:00Z"})
		if err != nil {
			t.Fatal(err)
		}
		if b := batches["product:search"]; b.Err != nil || len(b.Findings) != 9 || (b.Mode == record.Full) != shuffled {
			t.Errorf("%s: %d findings in mode %s, %v; want all nine", name, len(b.Findings), b.Mode, b.Err)
		}
	}
}

// TestUndatedFindingsAreNotReadAtEachPoll: PostgreSQL sorts findings without a date of change before all others. They cost a few small requests once, and two after that.
func TestUndatedFindingsAreNotReadAtEachPoll(t *testing.T) {
	d := healthy()
	d.findings[1] = []string{changedAt(11, "2026-02-06T10:00:00Z"), changedAt(12, "2026-01-01T00:00:00Z")}
	for id := range int64(300) {
		d.findings[1] = append(d.findings[1], changedAt(1000+id, "null"))
	}
	s := collectorstest.NewServer(t)
	d.serve(s)
	c, err := New(Config{URL: s.URL(), Token: collectorstest.Secret(t, "t0ken-of-dojo")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	poll := func(want string, most int) {
		t.Helper()
		s.Forget()
		batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"product:search": "2026-02-05T10:30:00Z", "product:payments": "2026-02-09T00:00:00Z"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range batches["product:search"].Findings {
			got = append(got, f.ID)
		}
		asked := 0
		for _, r := range s.Requests() {
			if r.Path == "/api/v2/findings/" {
				asked++
			}
		}
		if slices.Sort(got); fmt.Sprint(got) != want || asked > most {
			t.Errorf("got %v with %d requests, want %s with at most %d", got, asked, want, most)
		}
	}
	poll("[defectdojo#11]", 15)
	poll("[defectdojo#11]", 4)
	d.findings[1][10] = changedAt(1008, "2026-02-07T10:00:00Z") // one of them was changed
	poll("[defectdojo#1008 defectdojo#11]", 16)
	d.findings[1] = d.findings[1][2:10] // nothing has a date any more
	d.findings[2] = nil
	poll("[]", 20)
}

// TestNamesThatDifferInWhiteSpace: two products whose names are equal to people are two scopes, and one product.
func TestNamesThatDifferInWhiteSpace(t *testing.T) {
	d := healthy()
	d.products = []string{`{"id": 2, "name": "search "}`, `{"id": 1, "name": "search"}`}
	batches, _ := gather(t, d, Config{Products: map[string]ProductConfig{"Search": {Service: "search-api"}}}, nil)
	for _, scope := range []string{"product:search", "product:search #2"} {
		if b := batches[scope]; b.Err != nil || len(b.Findings) != 3 || b.Findings[0].Service != "search-api" {
			t.Errorf("%s: %d findings, %v; want three of the configured service", scope, len(b.Findings), b.Err)
		}
	}
}

// TestSimpleAcceptanceAfterAnExpiredOne: what was accepted anew, without an entry in the list of acceptances, stays accepted.
func TestSimpleAcceptanceAfterAnExpiredOne(t *testing.T) {
	accepted := func(id int64, at string) string {
		return strings.Replace(changedAt(id, at), `"active": true`, `"active": false, "risk_accepted": true`, 1)
	}
	d := healthy()
	d.findings[1] = []string{accepted(11, "2020-01-05T00:00:00Z"), accepted(12, "2021-03-01T00:00:00Z"), accepted(13, "2020-01-05T00:00:00Z"), accepted(14, "2020-01-05T00:00:00Z")}
	acceptance := func(id int, finding, more string) string {
		return fmt.Sprintf(`{"id": %d, "decision": "A", "accepted_findings": [%s], "expiration_date": "2021-01-01T00:00:00Z", "created": "2020-01-05T00:00:00Z"%s}`, id, finding, more)
	}
	d.acceptances = []string{
		acceptance(1, "11", ""), acceptance(2, "12", ""), // changed after the end
		acceptance(3, "13", `, "expiration_date_handled": "2021-01-01T00:10:00Z", "reactivate_expired": true`),
		acceptance(4, "14", `, "expiration_date_handled": "2021-01-01T00:10:00Z", "reactivate_expired": false`),
	}
	batches, _ := gather(t, d, Config{}, nil)
	want := map[string]record.Closure{
		"defectdojo#11": record.ClosureNone, "defectdojo#12": record.ClosureRiskAccepted, "defectdojo#13": record.ClosureRiskAccepted, "defectdojo#14": record.ClosureNone,
	}
	for _, f := range batches["product:search"].Findings {
		if f.Closure != want[f.ID] {
			t.Errorf("%s: closure %q, want %q", f.ID, f.Closure, want[f.ID])
		}
	}
}

// TestDatesAreDaysOfThePolicy: a date without a clock begins where the policy's day does.
func TestDatesAreDaysOfThePolicy(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		fields string
		want   time.Time
	}{
		"created on another day":             {`"date": "2026-01-02", "created": "2026-01-05T10:00:00Z"`, time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)},
		"created late in the evening before": {`"date": "2026-01-02", "created": "2026-01-01T23:30:00Z"`, time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC)},
		"created after midnight there":       {`"date": "2026-01-02", "created": "2026-01-02T23:30:00Z"`, time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)},
		"no date":                            {`"date": null, "created": "2026-01-02T23:30:00Z"`, time.Date(2026, 1, 2, 23, 30, 0, 0, time.UTC)},
	} {
		var f finding
		if err := json.Unmarshal([]byte(`{"id": 1, "active": true, `+tt.fields+`}`), &f); err != nil {
			t.Fatal(err)
		}
		if r, ok := f.record("", target{}, berlin); !ok || !r.FirstSeen.Equal(tt.want) {
			t.Errorf("%s: first seen at %s, want %s", name, r.FirstSeen, tt.want)
		}
	}
	a := acceptance{ID: 1, Expiration: moment{Time: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), day: true}}
	if x, reason := a.record("", berlin); reason != "" || !x.ExpiresAt.Equal(time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("an acceptance until the 31st ends at %s (%s), want the end of that day", x.ExpiresAt, reason)
	}
}

// selected are the ids of a scope's findings that a configuration reads.
func selected(t *testing.T, d *dojo, config Config, scope string) string {
	t.Helper()
	batches, _ := gather(t, d, config, nil)
	b, ok := batches[scope]
	if !ok {
		return "not read"
	}
	var ids []string
	for _, f := range b.Findings {
		ids = append(ids, strings.TrimPrefix(f.ID, "defectdojo#"))
	}
	return strings.Join(ids, " ")
}

func TestSelection(t *testing.T) {
	d := healthy()
	d.products = []string{`{"id": 1, "name": "search", "prod_type": 7, "tags": ["Internal"]}`, `{"id": 2, "name": "payments", "prod_type": 8, "tags": []}`}
	d.productTypes = []string{`{"id": 7, "name": "Retail"}`, `{"id": 8, "name": "Research"}`}
	on := func(id int64, branch, more string) string {
		return strings.Replace(item(id, 1, more), `"engagement": {"id": 1,`, `"engagement": {"id": 1, "branch_tag": `+strconv.Quote(branch)+`,`, 1)
	}
	d.findings[1] = []string{
		on(11, "main", `, "tags": ["pci"]`), on(12, "feature/x", ""), on(13, "", `, "tags": ["PCI", "old"]`),
		strings.Replace(item(14, 1, ""), `"verified": true`, `"verified": false`, 1),
	}
	for name, tt := range map[string]struct {
		selection        Selection
		search, payments string
	}{
		"everything":    {Selection{}, "11 12 13 14", "21 22 23"},
		"verified":      {Selection{VerifiedOnly: true}, "11 12 13", "21 22 23"},
		"a branch":      {Selection{Branches: []string{"main"}}, "11 13 14", "21 22 23"}, // what names no branch is read
		"a tag":         {Selection{FindingTags: []string{"pci"}}, "11 13", ""},
		"product tag":   {Selection{ProductTags: []string{"internal"}}, "11 12 13 14", "not read"},
		"product type":  {Selection{ProductTypes: []string{"Research"}}, "not read", "21 22 23"},
		"both, neither": {Selection{ProductTypes: []string{"Research"}, ProductTags: []string{"internal"}}, "not read", "not read"},
	} {
		config := Config{Select: tt.selection}
		if got := selected(t, d, config, "product:search"); got != tt.search {
			t.Errorf("%s: search has %q, want %q", name, got, tt.search)
		}
		if got := selected(t, d, config, "product:payments"); got != tt.payments {
			t.Errorf("%s: payments has %q, want %q", name, got, tt.payments)
		}
	}
	batches, _ := gather(t, d, Config{Select: Selection{ProductTypes: []string{"Research"}}}, nil)
	if scans := batches[testScope].Scans; len(scans) != 1 || scans[0].Repository != "acme/pay" {
		t.Errorf("scans %+v, want those of selected products alone", scans)
	}
	batches, _ = gather(t, d, Config{Select: Selection{ProductTypes: []string{"Research"}}}, collectors.Cursors{"product:search": ""})
	if b := batches["product:search"]; !b.Retired || b.Absence != record.ClosureOutOfScope {
		t.Errorf("a product that is not selected any more: %+v, want it retired as out of scope", b)
	}
}

func TestServices(t *testing.T) {
	d := healthy()
	d.products = []string{`{"id": 1, "name": "search", "prod_type": 7, "tags": ["repository:acme/search-api"]}`, `{"id": 2, "name": "payments", "prod_type": 7}`}
	d.productTypes = []string{`{"id": 7, "name": "Retail"}`}
	d.findings[1] = []string{item(11, 1, `, "service": "indexer", "tags": ["Service:crawler"]`), item(12, 1, `, "service": null, "tags": ["service:crawler"]`), item(13, 1, "")}
	services := func(config Config) string {
		batches, _ := gather(t, d, config, nil)
		var names []string
		for _, f := range batches["product:search"].Findings {
			names = append(names, f.Service)
			if f.Repository != "acme/search-api" {
				t.Errorf("the repository is %q, want the product's tag", f.Repository)
			}
		}
		return strings.Join(names, " ")
	}
	for want, config := range map[string]Config{
		"search search search":   {},
		"indexer crawler search": {ServiceFrom: []ServiceSource{ServiceFromFinding, ServiceFromTag, ServiceFromProduct}},
		"crawler crawler Retail": {ServiceFrom: []ServiceSource{ServiceFromTag, ServiceFromProductType}},
		"mapped mapped mapped": {
			ServiceFrom: []ServiceSource{ServiceFromFinding}, Products: map[string]ProductConfig{"SEARCH": {Service: "mapped"}},
		},
	} {
		if got := services(config); got != want {
			t.Errorf("service_from %v: %q, want %q", config.ServiceFrom, got, want)
		}
	}
	if _, err := New(Config{URL: "https://dojo.example", Token: collectorstest.Secret(t, "x"), ServiceFrom: []ServiceSource{"moon"}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))); err == nil || !strings.Contains(err.Error(), "service_from") {
		t.Errorf("a source that does not exist: %v", err)
	}
}

// TestCheckNamesTheRole: a Reader gets an empty list of acceptances and no error.
func TestCheckNamesTheRole(t *testing.T) {
	s := collectorstest.NewServer(t)
	d := healthy()
	d.acceptances = nil
	d.serve(s)
	accepted := 0
	s.Handle("GET /api/v2/findings/", func(w http.ResponseWriter, r *http.Request) {
		n := 6
		if r.URL.Query().Get("risk_accepted") == "true" {
			n = accepted
		}
		collectorstest.WriteJSON(w, fmt.Sprintf(`{"count": %d, "results": []}`, n))
	})
	c, err := New(Config{URL: s.URL(), Token: collectorstest.Secret(t, "t0ken-of-dojo")}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	last := func() collectors.CheckResult {
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return results[len(results)-1]
	}
	if r := last(); r.Err != nil {
		t.Errorf("nothing is accepted: %v", r.Err)
	}
	accepted = 7
	if r := last(); record.ReasonOf(r.Err) != record.ReasonPermission || !r.Optional || !strings.Contains(r.Err.Error(), "7 findings") || !strings.Contains(r.Err.Error(), "Writer") {
		t.Errorf("risks are accepted and no acceptance is seen: %+v, want a warning that names the role", r)
	}
	d.products = []string{}
	results, err := c.Check(t.Context())
	if err != nil || record.ReasonOf(results[0].Err) != record.ReasonPermission {
		t.Errorf("no product is seen: %+v, %v", results[0], err)
	}
}
