package jira

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestServices: whatever form a field has, the services in it are found, and what cannot be is named.
func TestServices(t *testing.T) {
	for raw, want := range map[string]struct {
		services []string
		level    Level
		warnings int
	}{
		`null`:                          {},
		`"api"`:                         {services: []string{"api"}},
		`"api, web; api"`:               {services: []string{"api", "web"}},
		`{"value": "Payments, Europe"}`: {services: []string{"Payments, Europe"}},
		`{"value": "Payments", "child": {"value": "api"}}`:              {services: []string{"api"}},
		`{"value": "api", "child": {"value": "login page"}}`:            {services: []string{"api"}, level: LevelParent},
		`{"value": "Payments"}`:                                         {services: []string{"Payments"}},
		`[{"value": "api"}, {"value": "web"}]`:                          {services: []string{"api", "web"}},
		`[{"value": "P", "child": {"value": "api"}}, {"value": "web"}]`: {services: []string{"api", "web"}},
		`["api", "web"]`:            {services: []string{"api", "web"}},
		`["Payments API (SVC-88)"]`: {services: []string{"Payments API"}},
		`[{"name": "component"}]`:   {services: []string{"component"}},
		`{"type": "doc", "content": [{"type": "text", "text": "api, web"}]}`:           {services: []string{"api", "web"}},
		`{"key": "SVC-1", "fields": {"summary": "api"}}`:                               {services: []string{"api"}},
		`[{"workspaceId": "w", "id": "w:88", "objectId": "88", "label": "api"}]`:       {services: []string{"api"}},
		`[{"workspaceId": "w", "id": "w:88", "objectId": "88"}]`:                       {services: []string{"w:88"}, warnings: 1},
		`[{"id": "ari:cloud:graph::service/1"}, {"id": "ari:cloud:graph::service/2"}]`: {services: []string{"ari:cloud:graph::service/1", "ari:cloud:graph::service/2"}, warnings: 1},
	} {
		p, err := newPlace(PlaceFields{Service: "customfield_1", ServiceLevel: want.level})
		if err != nil {
			t.Fatal(err)
		}
		i := &issue{raw: map[string]json.RawMessage{"customfield_1": json.RawMessage(raw)}, fields: resolved{p.service: "customfield_1"}}
		if got := p.services(i); gocmp.Diff(want.services, got) != "" || len(i.warnings) != want.warnings {
			t.Errorf("%s: got %q and %v, want %q and %d warnings", raw, got, i.warnings, want.services, want.warnings)
		}
	}
	if _, err := newPlace(PlaceFields{ServiceLevel: "grandchild"}); err == nil {
		t.Error("a level that there is not was accepted")
	}
}

// TestExceptionForSeveral: an exception for several services or repositories covers each of them.
func TestExceptionForSeveral(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, strings.Replace(ticket(1, `"customfield_3": "acme/API\nacme/web"`), `{"value": "payments"}`, `[{"value": "payments"}, {"value": "billing"}]`, 1))
	b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Repository: "customfield_3"}}, nil)
	var got []string
	for _, x := range b.Exceptions {
		got = append(got, fmt.Sprintf("%s: %s in %s until %s", x.ID, x.Service, x.Repository, x.ExpiresAt.Format("2006-01-02")))
	}
	want := []string{
		"PSEC-1: payments in acme/api until 2027-01-01", "PSEC-1/payments/acme/web: payments in acme/web until 2027-01-01",
		"PSEC-1/billing/acme/api: billing in acme/api until 2027-01-01", "PSEC-1/billing/acme/web: billing in acme/web until 2027-01-01",
	}
	if d := gocmp.Diff(want, got); d != "" || b.Err != nil {
		t.Errorf("%v, (-want +got):\n%s", b.Err, d)
	}
	var many []string
	for n := range 150 {
		many = append(many, fmt.Sprintf(`{"value": "s%d"}`, n))
	}
	cloud(s, strings.Replace(ticket(1, ""), `{"value": "payments"}`, "["+strings.Join(many, ",")+"]", 1))
	if b := gather(t, s, ExceptionsConfig{JQL: query}, nil); len(b.Exceptions) != mostPlaces {
		t.Errorf("an exception for 150 services makes %d records, want %d", len(b.Exceptions), mostPlaces)
	}
}

func logged(t *testing.T, s *collectorstest.Server, config Config) (*Collector, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	config.URL, config.Auth = s.URL(), AuthConfig{Email: "e@example.com", Token: collectorstest.Secret(t, "t0ken-for-jira")}
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	return c, log
}

// TestReviewOfSeveral: other records are about one service; that there are more is said, in the log and by the check.
func TestReviewOfSeveral(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, strings.Replace(ticket(1, ""), `{"value": "payments"}`, `[{"value": "payments"}, {"value": "billing"}]`, 1))
	people(s, "3")
	c, log := logged(t, s, Config{Reviews: everyKind().Reviews})
	for range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if b := batches["reviews:default"]; err != nil || b.Err != nil || b.Reviews[0].Service != "payments" {
			t.Fatalf("got %+v, %v", b, err)
		}
	}
	if got := strings.Count(log.String(), "billing"); got != 1 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("said %d times, want once:\n%s", got, log)
	}
	results, err := c.Check(t.Context())
	if err != nil || !checked(results, "reviews:default", "PSEC-1", "billing") {
		t.Errorf("the check does not say so: %+v, %v", results, err)
	}
}

// TestAssets: the names of Assets objects are asked for once each, and those that are hidden are named.
func TestAssets(t *testing.T) {
	object := func(id string) string {
		return fmt.Sprintf(`[{"workspaceId": "w-1", "id": "w-1:%s", "objectId": %q}]`, id, id)
	}
	about := func(n int, id string) string {
		return strings.Replace(ticket(n, ""), `{"value": "payments"}`, object(id), 1)
	}
	s := collectorstest.NewServer(t)
	cloud(s, about(1, "88"), about(2, "89"), about(3, "88"), about(4, "90"))
	asked := map[string]int{}
	s.Handle("GET /gateway/api/jsm/assets/workspace/w-1/v1/object/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if asked[id]++; id == "88" || id == "90" {
			collectorstest.WriteJSON(w, map[string]any{"workspaceId": "w-1", "id": id, "label": "service " + id, "objectKey": "SVC-" + id})
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	c, log := logged(t, s, Config{Exceptions: &ExceptionsConfig{JQL: query}})
	for range 2 {
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		b := batches["exceptions:default"]
		if err != nil || b.Err != nil || len(b.Exceptions) != 4 {
			t.Fatalf("got %+v, %v", b, err)
		}
		var got []string
		for _, x := range b.Exceptions {
			got = append(got, x.Service)
		}
		if d := gocmp.Diff([]string{"service 88", "w-1:89", "service 88", "service 90"}, got); d != "" {
			t.Errorf("services (-want +got):\n%s", d)
		}
	}
	if asked["88"] != 1 || asked["90"] != 1 || asked["89"] != 2 {
		t.Errorf("asked %v, want once for each that was found, and at each sweep for the other", asked)
	}
	if !strings.Contains(log.String(), "PSEC-2") || !strings.Contains(log.String(), "Assets object 89") || !strings.Contains(log.String(), "issues=1") {
		t.Errorf("the log does not name what is not understood:\n%s", log)
	}
	if results, err := c.Check(t.Context()); err != nil || !checked(results, "exceptions:default", "PSEC-2", "Assets object 89") {
		t.Errorf("the check does not, either: %+v, %v", results, err)
	}
}

// TestAssetsRefused: a credential that may not read Assets is refused once a sweep, and the scope goes on; a server that fails fails the scope.
func TestAssetsRefused(t *testing.T) {
	for status, want := range map[int]record.ErrorReason{
		http.StatusForbidden: "", http.StatusUnauthorized: "", http.StatusServiceUnavailable: record.ReasonServer,
	} {
		s := collectorstest.NewServer(t)
		var tickets []string
		for n := range 9 {
			tickets = append(tickets, strings.Replace(ticket(n, ""), `{"value": "payments"}`, fmt.Sprintf(`[{"workspaceId": "w-1", "id": "w-1:%d", "objectId": "%d"}]`, n, n), 1))
		}
		cloud(s, tickets...)
		asked := 0
		s.Handle("GET /gateway/api/jsm/assets/workspace/w-1/v1/object/{id}", func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(status) })
		c, log := logged(t, s, Config{Exceptions: &ExceptionsConfig{JQL: query}})
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		b := batches["exceptions:default"]
		if err != nil || want != "" && record.ReasonOf(b.Err) != want || want == "" && (b.Err != nil || len(b.Exceptions) != 9 || asked != 1) {
			t.Errorf("%d: %d exceptions after %d requests, %v, %v", status, len(b.Exceptions), asked, b.Err, err)
		}
		if want == "" && !strings.Contains(log.String(), "issues=9") {
			t.Errorf("%d: the log does not count them:\n%s", status, log)
		}
	}
}

// TestAssetsByTheGateway: a credential that goes through the gateway asks for Assets there.
func TestAssetsByTheGateway(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s)
	s.JSON("GET /jsm/assets/workspace/w/v1/object/8", `{"label": "api"}`)
	c := collector(t, s, Config{Exceptions: &ExceptionsConfig{JQL: query}})
	c.config.CloudID = "abc" // the base of the client stays that of the fake
	c.assets.forget(c.env.Now())
	if found, err := c.asset(t.Context(), assetRef{"w", "8"}); err != nil || found.name != "api" {
		t.Errorf("got %+v, %v", found, err)
	}
}
