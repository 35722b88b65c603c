package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/files"
	"prodsec_exporter/internal/demo/jira"
)

var testNow = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func start(t *testing.T, seed int64) (*Demo, *clock) {
	t.Helper()
	c := &clock{at: testNow}
	d, err := Start(t.Context(), Options{Seed: seed, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, c
}

// answer is what a request got.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v in %.300s", err, a.body)
	}
}

// ask sends a request; headers are "Name: value".
func ask(t *testing.T, method, url string, body any, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, raw}
}

func (d *Demo) gitHub(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return ask(t, http.MethodGet, d.urls.github+path, nil, append([]string{"Authorization: Bearer " + d.token}, headers...)...)
}

var nextLink = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// walk follows the next links from a path and returns the items of all pages and the number of pages.
func (d *Demo) walk(t *testing.T, path string, each func()) (items []map[string]any, pages int) {
	t.Helper()
	for path != "" {
		a := d.gitHub(t, path)
		if a.code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.code, a.body)
		}
		var page []map[string]any
		a.decode(t, &page)
		items, pages = append(items, page...), pages+1
		path = ""
		if m := nextLink.FindStringSubmatch(a.header.Get("Link")); m != nil {
			path = strings.TrimPrefix(m[1], d.urls.github)
		}
		if each != nil {
			each()
		}
	}
	return items, pages
}

func TestStartIsFast(t *testing.T) {
	began := time.Now()
	d, _ := start(t, 1)
	d.gitHub(t, "/orgs/meridian/dependabot/alerts?per_page=100")
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("start and a first page took %v", took)
	}
}

func TestTokenVariableIsRestored(t *testing.T) {
	t.Setenv(TokenVariable, "mine")
	d, err := Start(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv(TokenVariable); got != d.token {
		t.Errorf("while it runs: %q", got)
	}
	if bytes.Contains(d.Config(), []byte(d.token)) {
		t.Error("the configuration holds the token")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv(TokenVariable); got != "mine" {
		t.Errorf("after Close: %q", got)
	}
}

func TestServersEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	d.running.Wait()
	if response, err := http.Get(d.urls.files + "/catalog.yml"); err == nil {
		_ = response.Body.Close()
		t.Error("a server still answers")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestFilesKeepTheirAddress: scopes are named by it, so a demo that is started again with a kept ledger must find it free.
func TestFilesKeepTheirAddress(t *testing.T) {
	var addresses []string
	for range 2 {
		d, err := Start(t.Context(), Options{Seed: 7777})
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, d.urls.files)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if addresses[0] != addresses[1] {
		t.Errorf("the files moved from %s to %s", addresses[0], addresses[1])
	}
}

// everything lists a request for each list of each fake.
func (d *Demo) everything() map[string]string {
	requests := map[string]string{"catalog": d.urls.files + "/catalog.yml"}
	for _, org := range []string{"meridian", "meridian-labs"} {
		for _, path := range []string{"repos", "dependabot/alerts", "code-scanning/alerts"} {
			requests[org+" "+path] = d.urls.github + "/orgs/" + org + "/" + path + "?per_page=100"
		}
	}
	for _, list := range []string{"deployments", "pulls", "rulesets/rule-suites", "compare/main...main"} {
		requests[list] = d.urls.github + "/repos/meridian/ledger/" + list + "?per_page=100"
	}
	requests["secrets"] = d.urls.github + "/orgs/meridian/secret-scanning/alerts?per_page=100&hide_secret=true"
	requests["jira"] = d.urls.jira + "/rest/api/3/search/jql?fields=*all&maxResults=100&jql=project=PSEC"
	for _, list := range []string{"findings", "products", "engagements", "tests", "risk_acceptance"} {
		requests[list] = d.urls.defectdojo + "/api/v2/" + list + "/?limit=1000&related_fields=true"
	}
	for _, name := range files.ReportNames(d.world) {
		requests[name] = d.urls.files + "/reports/" + name
	}
	return requests
}

// bodies answers every request, with the changing port taken out.
func (d *Demo) bodies(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, url := range d.everything() {
		authorization := "Bearer " + d.token
		if strings.HasPrefix(url, d.urls.defectdojo) {
			authorization = "Token " + d.token
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		if strings.HasPrefix(url, d.urls.jira) {
			request.SetBasicAuth(jira.Email, d.token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v %.200s", name, response.StatusCode, err, body)
		}
		all[name] = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(string(body), "HOST")
	}
	return all
}

func TestEqualSeedsAnswerEqually(t *testing.T) {
	a, _ := start(t, 5)
	b, _ := start(t, 5)
	c, _ := start(t, 6)
	first, second, third := a.bodies(t), b.bodies(t), c.bodies(t)
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if first[name] != second[name] {
			t.Errorf("%s differs under one seed", name)
		}
	}
	if first["findings"] == third["findings"] || first["jira"] == third["jira"] {
		t.Error("another seed tells the same story")
	}
}

func TestTimeMovesTheAnswersOn(t *testing.T) {
	d, c := start(t, 5)
	before := d.bodies(t)
	c.move(26 * time.Hour)
	after := d.bodies(t)
	for _, name := range []string{"meridian dependabot/alerts", "meridian code-scanning/alerts", "findings", "jira"} {
		if before[name] == after[name] {
			t.Errorf("%s did not change in 26 hours", name)
		}
	}
	if before["catalog"] != after["catalog"] {
		t.Error("the catalog changed overnight")
	}
	changed := 0
	for name := range before {
		if strings.Contains(name, ".trivy.json") && before[name] != after[name] {
			changed++
		}
	}
	if changed == 0 {
		t.Error("the nightly scan left every report as it was")
	}
}

func TestEveryFakeWantsItsCredential(t *testing.T) {
	d, _ := start(t, 1)
	for name, url := range d.everything() {
		if strings.HasPrefix(url, d.urls.files) {
			continue
		}
		for _, headers := range [][]string{nil, {"Authorization: Bearer wrong"}, {"Authorization: Token wrong"}, {"Authorization: Basic bm86bm8="}} {
			if a := ask(t, http.MethodGet, url, nil, headers...); a.code != http.StatusUnauthorized {
				t.Errorf("%s with %v: got %d, want 401", name, headers, a.code)
			}
		}
	}
}

func ExampleDemo_Config() {
	d, err := Start(context.Background(), Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = d.Close() }()
	fmt.Println(strings.HasPrefix(string(d.Config()), "evaluation_interval: 15s\n"))
	// Output: true
}
