package scorecard

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// renamed gives the scope of an address, which carries the test server's port, a fixed name.
type renamed struct{ collectors.Collector }

func (r renamed) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	return r.Collector.Collect(ctx, cursors, func(b record.Batch) error {
		if strings.HasPrefix(b.Scope, "url:") {
			b.Scope = "url:host"
		}
		return emit(b)
	})
}

const small = `{"date":"2026-11-16","repo":{"name":"github.com/acme/web"},"score":10,"checks":[{"name":"SAST","score":10,"details":null},{"name":"Code-Review","score":0}]}`

const (
	apiRoute = "GET /projects/github.com/acme/api"
	urlRoute = "GET /ci/web.json"
)

func recorded(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestConformance(t *testing.T) {
	healthy := recorded(t)
	at := func(path string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Path == path }
	}
	swap := func(answer string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON(urlRoute, answer) }
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			c, err := New(Config{Repositories: []string{"acme/api"}, API: baseURL, URLs: []string{baseURL + "/ci/web.json"}, Token: token}, env)
			return renamed{c}, err
		},
		Serve: func(s *collectorstest.Server) {
			s.JSON(apiRoute, healthy)
			s.JSON(urlRoute, small)
		},
		Scopes: []collectorstest.Scope{
			{Name: "repository:acme/api", Records: 6, Requests: at("/projects/github.com/acme/api"), Pages: 1},
			{Name: "url:host", Records: 2, Requests: at("/ci/web.json"), Pages: 1},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "inconclusive, and a check that nobody knows", Scope: "url:host", Records: 1,
				Serve: swap(`{"date":"2026-11-16","repo":{"name":"acme/web"},"checks":[{"name":"SAST","score":-1},{"name":"Telepathy","score":10}]}`),
				Check: func(b record.Batch) error {
					if b.Evidence[0].Holds != record.AnswerUnknown {
						return errors.New("an inconclusive check became an answer")
					}
					return nil
				},
			},
			{
				Name: "checks that cannot be read", Scope: "url:host", Records: 1, Rejected: 7,
				Serve: swap(`{"date":"2026-11-16","repo":{"name":"acme/web"},"checks":[{"name":"SAST","score":10},7,null,{"score":3},{"name":"Webhooks"},{"name":"Code-Review","score":11},
 {"name":"Security-Policy","score":10},{"name":"security-policy","score":0},{"name":"Maintained","score":"good"}]}`),
			},
		},
		Fixed: "the configuration names the repositories and addresses", Readme: "README.md",
	})
}

func testEnv() collectors.Env {
	return collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
}

func gather(t *testing.T, config Config) (map[string]record.Batch, error) {
	t.Helper()
	c, err := New(config, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	return collectorstest.Gather(t.Context(), c, nil)
}

func TestEvidence(t *testing.T) {
	batches, err := gather(t, Config{Paths: []string{"testdata/result.json"}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 16, 7, 12, 9, 0, time.UTC)
	const docs = "https://github.com/ossf/scorecard/blob/main/docs/checks.md#"
	of := func(control string, holds record.Answer, anchor string) record.Evidence {
		return record.Evidence{ID: "acme/api/" + control, Control: control, Repository: "acme/api", Holds: holds, ProducedAt: at, Source: "scorecard", URL: docs + anchor}
	}
	want := map[string]record.Batch{"file:result.json": {
		Scope: "file:result.json", Mode: record.Full, AsOf: at, Rejected: map[record.RejectReason]int{},
		Evidence: []record.Evidence{
			of("branch_protection", record.AnswerYes, "branch-protection"),
			of("code_review", record.AnswerNo, "code-review"),
			of("no_binary_artifacts", record.AnswerYes, "binary-artifacts"),
			of("sast", record.AnswerYes, "sast"),
			of("signed_releases", record.AnswerUnknown, "signed-releases"),
			of("workflow_hardening", record.AnswerUnknown, "dangerous-workflow"),
		},
	}}
	if diff := cmp.Diff(want, batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestControls(t *testing.T) {
	of := func(scores map[string]int) map[string]*outcome {
		known := map[string]*outcome{}
		for name, score := range scores {
			known[strings.ToLower(name)] = &outcome{Name: name, Score: &score}
		}
		return known
	}
	two := control{name: "x", checks: []Check{{Name: "SAST", Least: 7}, {Name: "Fuzzing", Least: 10}}}
	for name, tt := range map[string]struct {
		scores map[string]int
		holds  record.Answer
		absent bool
	}{
		"both":                     {map[string]int{"SAST": 7, "Fuzzing": 10}, record.AnswerYes, false},
		"one is below":             {map[string]int{"SAST": 6, "Fuzzing": 10}, record.AnswerNo, false},
		"one is below, one absent": {map[string]int{"Fuzzing": 9}, record.AnswerNo, false},
		"one is inconclusive":      {map[string]int{"SAST": 10, "Fuzzing": -1}, record.AnswerUnknown, false},
		"one is absent":            {map[string]int{"SAST": 10}, record.AnswerUnknown, false},
		"inconclusive and below":   {map[string]int{"SAST": -1, "Fuzzing": 0}, record.AnswerNo, false},
		"neither":                  {map[string]int{"Maintained": 10}, "", true},
	} {
		e, ok := two.evidence(of(tt.scores))
		if ok == tt.absent || ok && e.Holds != tt.holds {
			t.Errorf("%s: %+v, %v; want %q", name, e, ok, tt.holds)
		}
	}
}

func TestRules(t *testing.T) {
	def, err := newRules(nil)
	if err != nil || len(def) != len(defaultControls()) {
		t.Fatalf("default controls: %v, %v", def, err)
	}
	changed, err := newRules(map[string][]Check{"sast": {}, "branch_protection": {{Name: "branch-protection", Least: 3}}, "fuzzing": {{Name: "Fuzzing"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]Check{}
	for _, c := range changed {
		got[c.name] = c.checks
	}
	want := defaultControls()
	delete(want, "sast")
	want["branch_protection"] = []Check{{Name: "branch-protection", Least: 3}}
	want["fuzzing"] = []Check{{Name: "Fuzzing", Least: 10}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("controls (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(changed, func(a, b control) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the order of controls is left to chance")
	}
	off := map[string][]Check{}
	for name := range maps.Keys(defaultControls()) {
		off[name] = nil
	}
	for name, config := range map[string]map[string][]Check{
		"no check of Scorecard":   {"x": {{Name: "Brunch-Protection"}}},
		"between 1 and 10":        {"x": {{Name: "SAST", Least: 11}}},
		"SAST: least":             {"x": {{Name: "SAST", Least: -1}}},
		"the name of a control":   {" x": {{Name: "SAST"}}},
		"all are switched off":    off,
		"\"\" is not the name of": {"": nil},
	} {
		if _, err := newRules(config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("newRules(%v) = %v, want an error about %s", config, err, name)
		}
	}
}

// TestNotScanned: what the API does not know is no evidence, and no error either, as long as it knows anything.
func TestNotScanned(t *testing.T) {
	server := collectorstest.NewServer(t)
	server.JSON(apiRoute, recorded(t))
	config := Config{Repositories: []string{"acme/secret", "acme/api", "gitlab.com/acme/x"}, API: server.URL()}
	batches, err := gather(t, config)
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"repository:acme/secret", "repository:gitlab.com/acme/x"} {
		if b := batches[scope]; b.Err != nil || b.Mode != record.Full || b.Evidence == nil || len(b.Evidence) != 0 {
			t.Errorf("%s: %+v, want a whole scope without evidence", scope, b)
		}
	}
	if b := batches["repository:acme/api"]; b.Err != nil || len(b.Evidence) != 6 {
		t.Errorf("the scanned repository: %+v", b)
	}
	var asked []string
	for _, r := range server.Requests() {
		asked = append(asked, r.Path)
		if r.Header.Get("Authorization") != "" {
			t.Error("the public API got a credential")
		}
	}
	if want := []string{"/projects/github.com/acme/api", "/projects/github.com/acme/secret", "/projects/gitlab.com/acme/x"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	server.Handle(apiRoute, http.NotFound)
	batches, err = gather(t, config)
	if err != nil {
		t.Fatal(err)
	}
	for scope, b := range batches {
		if record.ReasonOf(b.Err) != record.ReasonNotFound || !strings.Contains(b.Err.Error(), "none of the configured") {
			t.Errorf("%s of an API that knows nothing: %v", scope, b.Err)
		}
	}
}

// TestResultsThatAreRefused fail their scope and no other.
func TestResultsThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"folder.json":  `{"date":"2026-11-16","repo":{"name":"file:///src"},"checks":[{"name":"SAST","score":1}]}`,
		"nameless":     `{"date":"2026-11-16","repo":{"name":""},"checks":[{"name":"SAST","score":1}]}`,
		"empty":        `{"date":"2026-11-16","repo":{"name":"acme/x"},"checks":[]}`,
		"undated":      `{"repo":{"name":"acme/x"},"checks":[{"name":"SAST","score":1}]}`,
		"tomorrow":     `{"date":"2126-11-16","repo":{"name":"acme/x"},"checks":[{"name":"SAST","score":1}]}`,
		"someday":      `{"date":"soon","repo":{"name":"acme/x"},"checks":[{"name":"SAST","score":1}]}`,
		"cut":          `{"date":"2026-11-16","repo":`,
		"other format": `# Scorecard`,
		"good":         small,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	batches, err := gather(t, Config{Paths: []string{filepath.Join(dir, "*"), filepath.Join(dir, "missing.json")}})
	if err != nil {
		t.Fatal(err)
	}
	for scope, part := range map[string]string{
		"file:folder.json": "--repo", "file:nameless": "what it is about", "file:empty": "no checks", "file:undated": "no date", "file:tomorrow": "future",
		"file:someday": "soon", "file:cut": "no result", "file:other format": "no result",
	} {
		if b := batches[scope]; record.ReasonOf(b.Err) != record.ReasonDecode || !strings.Contains(b.Err.Error(), part) {
			t.Errorf("%s: %v, want a decode error about %q", scope, b.Err, part)
		}
	}
	if b := batches["file:good"]; b.Err != nil || len(b.Evidence) != 2 || len(batches) != 10 {
		t.Errorf("the good result among %d: %+v", len(batches), b)
	}
	if b := batches["file:missing.json"]; record.ReasonOf(b.Err) != record.ReasonNotFound {
		t.Errorf("a missing file: %v", b.Err)
	}
	if _, err := gather(t, Config{Paths: []string{filepath.Join(dir, "*.xml")}}); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a pattern that matches nothing: %v, want not_found", err)
	}
}

// TestFilesOfOneName keep scopes of their own.
func TestFilesOfOneName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/r.json", "b/r.json"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(small), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for want, paths := range map[string][]string{
		"file:a/r.json": {filepath.Join(dir, "*", "r.json"), filepath.Join(dir, "a", "*.json")},
		"file:r.json":   {filepath.Join(dir, "a", "r.json"), filepath.Join(dir, "b", "r.json")},
	} {
		batches, err := gather(t, Config{Paths: paths})
		if err != nil || len(batches) != 2 || batches[want].Evidence == nil {
			t.Errorf("%v: got %v, %v; want two scopes, one of them %s", paths, slices.Sorted(maps.Keys(batches)), err, want)
		}
	}
}

// TestAnotherRepository: an answer about another repository, as after a renaming, is no statement about the one that was asked about.
func TestAnotherRepository(t *testing.T) {
	server := collectorstest.NewServer(t)
	server.JSON("GET /projects/github.com/acme/old", recorded(t))
	batches, err := gather(t, Config{Repositories: []string{"acme/old"}, API: server.URL()})
	if b := batches["repository:acme/old"]; err != nil || record.ReasonOf(b.Err) != record.ReasonDecode || !strings.Contains(b.Err.Error(), "acme/api") {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestCheckAndForecast(t *testing.T) {
	server := collectorstest.NewServer(t)
	server.JSON(apiRoute, recorded(t))
	server.JSON(urlRoute, small)
	interval := collectors.Common{Interval: collectors.Duration(30 * time.Minute)}
	c, err := New(Config{Common: interval, Repositories: []string{"acme/api", "acme/private"}, API: server.URL(), URLs: []string{server.URL() + "/ci/web.json"}, Paths: []string{"testdata/none*"}}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 4 {
		t.Fatalf("got %+v, %v", results, err)
	}
	for _, r := range results {
		if (r.Subject == "files") != (r.Err != nil) || r.Unknown == "" {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
		if strings.Contains(r.Subject, "acme/private") != strings.Contains(r.Subject, "not scanned") {
			t.Errorf("%s does not say what was scanned", r.Subject)
		}
	}
	if got := c.Forecast()[""]; got != 6 {
		t.Errorf("Forecast() = %v, want three requests twice an hour", got)
	}
	files, err := New(Config{Paths: []string{"x.json"}}, testEnv())
	if err != nil || len(files.Forecast()) != 0 {
		t.Errorf("files cost %v, %v", files.Forecast(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled check = %v", err)
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	for want, config := range map[string]Config{
		"at least one":       {},
		"repositories":       {Repositories: []string{"acme"}},
		"twice":              {Repositories: []string{"acme/x", "https://github.com/Acme/x.git"}},
		"api":                {Repositories: []string{"acme/x"}, API: "scorecard.dev"},
		"paths":              {Paths: []string{"[.json"}},
		"urls: an address":   {URLs: []string{"web.json"}},
		"user or password":   {URLs: []string{"https://u:hunter2@ci.example.com/x"}},
		"told apart":         {URLs: []string{"https://ci.example.com/x?a=1", "https://ci.example.com/x?a=2"}},
		"token goes with":    {Paths: []string{"x"}, Token: apiclient.Secret{Env: "T"}},
		"token: a secret is": {URLs: []string{"https://ci.example.com/x"}, Token: apiclient.Secret{Env: "T", File: "f"}},
		"controls":           {Paths: []string{"x"}, Controls: map[string][]Check{"x": {{Name: "y"}}}},
	} {
		if _, err := New(config, testEnv()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%+v) = %v, want an error about %s", config, err, want)
		}
	}
}

func FuzzResult(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "result.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(small))
	f.Add([]byte(`{"date":1700000000,"repo":{"name":"git@h:a/b.git"},"checks":[{"name":"sast","score":-1,"documentation":{"url":"http://x y"}}]}`))
	all, err := newRules(nil)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := decodeResult(data)
		if err != nil {
			return
		}
		b, err := all.batch("file:x", res, now)
		if err != nil {
			if record.ReasonOf(err) != record.ReasonDecode {
				t.Errorf("%s: %v", data, err)
			}
			return
		}
		ids := map[string]bool{}
		for _, e := range b.Evidence {
			switch {
			case e.ID == "" || ids[e.ID] || e.Control == "" || e.Repository == "" || e.ProducedAt.IsZero() || e.ProducedAt.After(now.AddDate(0, 0, 1)):
				t.Errorf("%s became %+v", data, e)
			case len(e.URL) > record.MaxText || e.URL != "" && !strings.HasPrefix(strings.ToLower(e.URL), "http"):
				t.Errorf("%s has the link %q", data, e.URL)
			}
			ids[e.ID] = true
		}
	})
}
