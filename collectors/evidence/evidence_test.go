package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// renamed gives the scope of an address, which carries the test server's port, a fixed name.
type renamed struct{ collectors.Collector }

func (r renamed) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	return r.Collector.Collect(ctx, cursors, func(b record.Batch) error {
		if at := strings.LastIndex(b.Scope, "/"); strings.HasPrefix(b.Scope, "url:") {
			b.Scope = "url:" + b.Scope[at+1:]
		}
		return emit(b)
	})
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestConformance(t *testing.T) {
	at := func(path string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Path == path }
	}
	swap := func(route, answer string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON(route, answer) }
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			c, err := New(Config{URLs: []string{baseURL + "/document.json", baseURL + "/reports.json"}, Token: token}, env)
			return renamed{c}, err
		},
		Serve: func(s *collectorstest.Server) {
			s.JSON("GET /document.json", fixture(t, "document.json"))
			s.JSON("GET /reports.json", fixture(t, "kyverno.json"))
		},
		Scopes: []collectorstest.Scope{
			{Name: "url:document.json", Records: 3, Requests: at("/document.json"), Pages: 1},
			{Name: "url:reports.json", Records: 2, Requests: at("/reports.json"), Pages: 1},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "a word that nobody knows", Scope: "url:reports.json", Records: 1,
				Serve: swap("GET /reports.json", `{"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport","metadata":{"namespace":"a"},"results":[{"policy":"x","result":"excellent"}]}`),
				Check: func(b record.Batch) error {
					if b.Evidence[0].Holds != record.AnswerUnknown {
						return errors.New("a word that nobody knows became an answer")
					}
					return nil
				},
			},
			{
				Name: "statements that cannot be read", Scope: "url:document.json", Records: 1, Rejected: 11,
				Serve: swap("GET /document.json", `{"version":1,"source":"x","produced_at":"2026-01-01","statements":[
 {"control":"sast","service":"a","holds":true},
 7, null, {"control":"sast","service":"a"}, {"control":"SAST","service":"a","holds":true}, {"control":"sast","holds":true},
 {"control":"sast","service":"a","repository":"a/b","holds":true}, {"control":"sast","service":"a","holds":"yes"},
 {"control":"sast","repository":"nowhere","holds":true}, {"control":"sast","service":"a","holds":true,"produced_at":"soon"},
 {"control":"sast","service":"a","holds":true,"produced_at":"2099-01-01"}, {"control":"sast","service":"a","holds":true,"note":"x"}]}`),
			},
		},
		Fixed: "the configuration names the addresses", Readme: "README.md",
	})
}

func gather(t *testing.T, config Config) (map[string]record.Batch, string, error) {
	t.Helper()
	var logged bytes.Buffer
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	return batches, logged.String(), err
}

// of reads one text as a file.
func of(t *testing.T, rules PolicyReports, text string) (record.Batch, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evidence")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	batches, logged, err := gather(t, Config{Paths: []string{path}, PolicyReports: rules})
	if err != nil {
		t.Fatal(err)
	}
	return batches["file:evidence"], logged
}

func TestEvidence(t *testing.T) {
	utc := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	unix := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	batches, _, err := gather(t, Config{Paths: []string{"testdata/*.json", "testdata/openreports.yaml"}, PolicyReports: PolicyReports{
		Controls: []ControlRule{{Policy: "*signature*", Control: "provenance"}},
		Services: []ServiceRule{{Service: "{label:team.acme.example/service}"}, {Service: "{namespace}"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]record.Batch{
		"file:document.json": {Scope: "file:document.json", Mode: record.Full, Rejected: map[record.RejectReason]int{}, Evidence: []record.Evidence{
			{ID: "cloud_baseline/checkout", Control: "cloud_baseline", Service: "checkout", Holds: record.AnswerNo, ProducedAt: utc(11, 19, 0), Source: "posture scanner", URL: "https://posture.example.com/checkout/bucket"},
			{ID: "cloud_baseline/ledger", Control: "cloud_baseline", Service: "ledger", ProducedAt: utc(11, 20, 6), Source: "posture scanner"},
			{ID: "logging//acme/ledger", Control: "logging", Repository: "acme/ledger", Holds: record.AnswerYes, ProducedAt: utc(11, 1, 10), Source: "posture scanner"},
		}},
		"file:kyverno.json": {Scope: "file:kyverno.json", Mode: record.Full, Rejected: map[record.RejectReason]int{}, Evidence: []record.Evidence{
			{ID: "kubernetes_baseline/checkout", Control: "kubernetes_baseline", Service: "checkout", Holds: record.AnswerYes, ProducedAt: unix(1764000000), Source: "kyverno"},
			{ID: "kubernetes_baseline/ledger", Control: "kubernetes_baseline", Service: "ledger", Holds: record.AnswerNo, ProducedAt: unix(1763800000), Source: "kyverno"},
		}},
		"file:openreports.yaml": {Scope: "file:openreports.yaml", Mode: record.Full, Rejected: map[record.RejectReason]int{record.RejectNoTarget: 1}, Evidence: []record.Evidence{
			{ID: "kubernetes_baseline/ledger", Control: "kubernetes_baseline", Service: "ledger", Holds: record.AnswerYes, ProducedAt: unix(1764000000), Source: "kube-bench"},
			{ID: "provenance/checkout", Control: "provenance", Service: "checkout", ProducedAt: unix(1764000000), Source: "kyverno"},
		}},
	}
	if diff := cmp.Diff(want, batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

// TestSchema: what the published schema accepts is read whole, and what it refuses is refused or left out.
func TestSchema(t *testing.T) {
	file, err := os.Open("../../docs/evidence.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // Opened for reading only.
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("evidence.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("evidence.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	healthy := fixture(t, "document.json")
	for _, c := range []struct {
		name, from, to string
		valid          bool
	}{
		{"as it is", "", "", true},
		{"no schema named", `"$schema": "https://example.com/docs/evidence.schema.json",`, "", true},
		{"a clone URL over SSH", "https://github.com/Acme/Ledger", "git@github.com:acme/ledger.git", true},
		{"fractions of a second", "06:00:00Z", "06:00:00.123Z", true},
		{"another version", `"version": 1`, `"version": 2`, false},
		{"no version", `"version": 1,`, "", false},
		{"no source", `"source": "posture scanner"`, `"source": ""`, false},
		{"an unknown field", `"source"`, `"tool": "x", "source"`, false},
		{"statements that are no list", `"statements": [`, `"statements": null, "x": [`, false},
		{"a date that is none", `"2026-11-20T06:00:00Z"`, `"20 November"`, false},
		{"an unknown field of a statement", `"holds": "unknown"`, `"holds": "unknown", "severity": "high"`, false},
		{"neither service nor repository", `"service": "ledger", `, "", false},
		{"both", `"service": "ledger"`, `"service": "ledger", "repository": "acme/ledger"`, false},
		{"a word for yes", `"holds": "unknown"`, `"holds": "yes"`, false},
		{"no answer", `, "holds": "unknown"`, "", false},
		{"a control in capitals", `"control": "logging"`, `"control": "Logging"`, false},
		{"a control that is a number", `"control": "logging"`, `"control": 7`, false},
	} {
		text := strings.Replace(healthy, c.from, c.to, 1)
		if c.from != "" && text == healthy {
			t.Fatalf("%s: the document does not hold %q", c.name, c.from)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := schema.Validate(value); (err == nil) != c.valid {
			t.Errorf("%s: the schema says %v, want valid %v", c.name, err, c.valid)
		}
		b, _ := of(t, PolicyReports{}, text)
		if whole := b.Err == nil && b.LeftOut() == 0; whole != c.valid {
			t.Errorf("%s: the decoder says %v and leaves out %d, want whole %v", c.name, b.Err, b.LeftOut(), c.valid)
		}
	}
}

// TestForms: the same report as JSON and YAML, alone, in lists and one after the other.
func TestForms(t *testing.T) {
	const report = `{"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport","metadata":{"namespace":"shop"},"results":[{"policy":"p","result":"pass","timestamp":{"seconds":1764000000}}]}`
	const bare = `{"metadata":{"namespace":"shop"},"results":[{"policy":"p","result":"pass","timestamp":{"seconds":1764000000}}]}`
	for name, text := range map[string]string{
		"alone":                        report,
		"two, one after another":       report + "\n" + report,
		"a list":                       `{"apiVersion":"v1","kind":"List","items":[` + report + `]}`,
		"an API server's list":         `{"kind":"PolicyReportList","apiVersion":"wgpolicyk8s.io/v1alpha2","metadata":{},"items":[` + bare + `]}`,
		"a byte order mark":            "\uFEFF" + report,
		"YAML":                         "# comment\n---\napiVersion: openreports.io/v1alpha1\nkind: Report\nmetadata: {namespace: shop}\nresults:\n- {policy: p, result: pass, timestamp: {seconds: 1764000000}}\n",
		"YAML with Windows' line ends": "apiVersion: openreports.io/v1alpha1\r\nkind: Report\r\nmetadata: {namespace: shop}\r\nresults:\r\n- {policy: p, result: pass}\r\n---\r\n",
		"a document in YAML":           "version: 1\nsource: us\nproduced_at: 2026-11-01\nstatements:\n- {control: kubernetes_baseline, service: shop, holds: true}\n",
		"statements before the rest":   `{"statements":[{"control":"kubernetes_baseline","service":"shop","holds":true}],"produced_at":"2026-11-01","source":"us","version":1}`,
	} {
		b, _ := of(t, PolicyReports{}, text)
		if b.Err != nil || len(b.Evidence) != 1 || b.LeftOut() != 0 || b.Evidence[0].Service != "shop" || b.Evidence[0].Holds != record.AnswerYes {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// TestNotEvidence: what is no evidence fails whole, and names why.
func TestNotEvidence(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "it is empty",
		"  \n":                       "it is empty",
		"null":                       "neither an evidence document nor a policy report",
		"{}":                         "neither an evidence document",
		"[]":                         "neither an evidence document",
		`"text"`:                     "neither an evidence document",
		"<html><body>Sign in</body>": "neither",
		"a: [":                       "neither JSON nor YAML",
		"? [a]\n: b":                 "neither JSON nor YAML",
		`{"items":null}`:             "items is not a list",
		`{"items":{}}`:               "items is not a list",
		`{"items":[]}`:               "neither an evidence document nor a policy report",
		`{"statements":{}}`:          "statements is not a list",
		`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}`: "neither an evidence document nor a policy report",
		`{"apiVersion":"v1","kind":"Pod"}`:                                             "neither an evidence document nor a policy report",
		`{"version":1,"source":"x","statements":[]`:                                    "it ends early",
		`{"version":1,"source":"x","statements":[]} tail`:                              "it is no JSON",
		`{"version":1,"source":"x","statements":[]}[1]`:                                "begins with",
	} {
		b, _ := of(t, PolicyReports{}, text)
		if b.Err == nil || !strings.Contains(b.Err.Error(), want) {
			t.Errorf("%q: %v, want an error about %q", text, b.Err, want)
		}
	}
	for _, text := range []string{`{"version":1,"source":"x","statements":[]}`, `{"apiVersion":"v1","kind":"List","items":[]}`, `{"apiVersion":"openreports.io/v1alpha1","kind":"Report"}`} {
		if b, _ := of(t, PolicyReports{}, text); b.Err != nil || b.Evidence == nil || len(b.Evidence) != 0 {
			t.Errorf("%s: %+v, want a whole scope without evidence", text, b)
		}
	}
}

// TestLeftOut: an item that cannot be understood is left out alone, and the log says where it stands and why.
func TestLeftOut(t *testing.T) {
	b, logged := of(t, PolicyReports{}, `{"apiVersion":"v1","kind":"List","items":[
 {"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport","metadata":{"name":"a","namespace":"shop"},"results":[
  {"policy":"p","result":"pass"}, {"result":"pass"}, {"policy":7}, {"policy":"p","result":"fail","timestamp":{"seconds":99999999999}}]},
 {"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"PolicyReport","results":"none"}, 7, {"metadata":{}},
 {"apiVersion":"wgpolicyk8s.io/v1alpha2","kind":"ClusterPolicyReport","metadata":{"name":"c"},"results":[{"policy":"p","result":"fail","resources":[{"kind":"Node","name":"n"}]}]}]}`)
	want := map[record.RejectReason]int{record.RejectNoID: 1, record.RejectDecode: 4, record.RejectTimestamp: 1, record.RejectNoTarget: 1}
	if diff := cmp.Diff(want, b.Rejected); b.Err != nil || diff != "" || len(b.Evidence) != 1 {
		t.Errorf("%v, %d pieces of evidence, rejected (-want +got):\n%s", b.Err, len(b.Evidence), diff)
	}
	for _, part := range []string{
		`item="PolicyReport shop/a results[1]" reason=no_id`, `item="PolicyReport shop/a results[3]" reason=timestamp`, "item=items[2] reason=decode",
		`item="ClusterPolicyReport /c results[0]" reason=no_target`, "whose Node /n is",
	} {
		if !strings.Contains(logged, part) {
			t.Errorf("the log lacks %q:\n%s", part, logged)
		}
	}
}

func TestMeanings(t *testing.T) {
	report := func(results ...string) string {
		return `{"apiVersion":"openreports.io/v1alpha1","kind":"Report","metadata":{"namespace":"shop"},"results":[` + strings.Join(results, ",") + `]}`
	}
	word := func(w string) string { return `{"policy":"p","result":"` + w + `"}` }
	for _, c := range []struct {
		rules   map[string]Meaning
		results []string
		want    string
	}{
		{nil, []string{word("pass"), word("pass")}, "yes"},
		{nil, []string{word("pass"), word("fail"), word("error")}, "no"},
		{nil, []string{word("pass"), word("error")}, ""},
		{nil, []string{word("pass"), word("warn"), word("skip")}, "yes"},
		{nil, []string{word("warn"), word("skip")}, "none"},
		{map[string]Meaning{"warn": MeaningFail}, []string{word("pass"), word("warn")}, "no"},
		{map[string]Meaning{"error": MeaningIgnore}, []string{word("pass"), word("error")}, "yes"},
	} {
		b, _ := of(t, PolicyReports{Results: c.rules}, report(c.results...))
		got := "none"
		if len(b.Evidence) > 0 {
			got = string(b.Evidence[0].Holds)
		}
		if got != c.want {
			t.Errorf("%v with %v: got %q, want %q", c.results, c.rules, got, c.want)
		}
	}
}

func TestRules(t *testing.T) {
	const text = `{"apiVersion":"openreports.io/v1alpha1","kind":"Report","metadata":{"namespace":"shop-prod","labels":{"app.kubernetes.io/part-of":"cart"},"annotations":{"owner":"team"}},
 "source":"engine","results":[{"policy":"a-policy","rule":"r","category":"Pod Security","result":"pass","properties":{"app":"basket"},"resources":[{"kind":"Deployment","name":"cart-api"}]}]}`
	for _, c := range []struct {
		name  string
		rules PolicyReports
		want  string
	}{
		{"by default", PolicyReports{}, "kubernetes_baseline of shop-prod"},
		{"a label", PolicyReports{Services: []ServiceRule{{Service: "{label:app.kubernetes.io/part-of}"}}}, "kubernetes_baseline of cart"},
		{"an annotation and a property", PolicyReports{Services: []ServiceRule{{Service: "{annotation:owner}-{property:app}"}}}, "kubernetes_baseline of team-basket"},
		{"what nobody says", PolicyReports{Services: []ServiceRule{{Service: "{label:no}"}, {Service: "x", Namespace: "shop-*", Kind: "Deployment", Name: "cart-*"}}}, "kubernetes_baseline of x"},
		{"kind and name", PolicyReports{Services: []ServiceRule{{Service: "{kind}/{name}"}}}, "kubernetes_baseline of Deployment/cart-api"},
		{"another namespace", PolicyReports{Services: []ServiceRule{{Service: "x", Namespace: "bank-*"}}}, ""},
		{"everything about the result", PolicyReports{Controls: []ControlRule{{Control: "mine", Policy: "a-*", Rule: "r", Category: "Pod*", Source: "engine"}}}, "mine of shop-prod"},
		{"another category", PolicyReports{Controls: []ControlRule{{Control: "mine", Category: "Best*"}}}, "kubernetes_baseline of shop-prod"},
		{"not to count", PolicyReports{Controls: []ControlRule{{Control: "none", Policy: "a-*"}}}, ""},
	} {
		b, _ := of(t, c.rules, text)
		got := ""
		if len(b.Evidence) > 0 {
			got = b.Evidence[0].Control + " of " + b.Evidence[0].Service
		}
		if b.Err != nil || got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, b.Err, c.want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	token := collectorstest.Secret(t, "x")
	urls := []string{"https://posture.example.com/e.json"}
	reports := func(p PolicyReports) Config { return Config{URLs: urls, PolicyReports: p} }
	for want, config := range map[string]Config{
		"name at least one of paths and urls":                  {},
		"paths: \"[\" is neither":                              {Paths: []string{"["}},
		"urls: an address is not a full one":                   {URLs: []string{"posture/e.json"}},
		"urls: the address at h holds a user":                  {URLs: []string{"https://u:p@h/e.json"}},
		"urls: two addresses have host and path":               {URLs: append(urls, urls[0]+"?x=1")},
		"token: goes with urls":                                {Paths: []string{"x"}, Token: token},
		"header: goes with token":                              {URLs: urls, Header: "X-Key"},
		"user: goes with token":                                {URLs: urls, User: "u"},
		"user: goes without header":                            {URLs: urls, Token: token, User: "u", Header: "X-Key"},
		"policy_reports.controls[0].control: \"\" is not":      reports(PolicyReports{Controls: []ControlRule{{}}}),
		"policy_reports.controls[0]: \"[\" is not a glob":      reports(PolicyReports{Controls: []ControlRule{{Control: "x", Policy: "["}}}),
		"policy_reports.services[0].service: name a service":   reports(PolicyReports{Services: []ServiceRule{{}}}),
		"policy_reports.services[0].service: {label:} is none": reports(PolicyReports{Services: []ServiceRule{{Service: "{label:}"}}}),
		"policy_reports.services[0].service: a brace has no":   reports(PolicyReports{Services: []ServiceRule{{Service: "{name"}}}),
		"policy_reports.results: \"good\" is not a word":       reports(PolicyReports{Results: map[string]Meaning{"good": MeaningPass}}),
		"policy_reports.results.warn: \"bad\" is not one of":   reports(PolicyReports{Results: map[string]Meaning{"warn": "bad"}}),
	} {
		if _, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))); err == nil || !strings.HasPrefix(err.Error(), "evidence: "+want) {
			t.Errorf("got %v, want an error that begins with %q", err, want)
		}
	}
}

// TestCredentials: each way to send the token.
func TestCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		config       Config
		header, want string
	}{
		"bearer": {Config{}, "Authorization", "Bearer s3cr3t"},
		"header": {Config{Header: "X-Key"}, "X-Key", "s3cr3t"},
		"basic":  {Config{User: "reader"}, "Authorization", "Basic cmVhZGVyOnMzY3IzdA=="},
	} {
		server := collectorstest.NewServer(t)
		server.JSON("GET /e.json", fixture(t, "document.json"))
		c.config.URLs, c.config.Token = []string{server.URL() + "/e.json"}, collectorstest.Secret(t, "s3cr3t")
		if _, _, err := gather(t, c.config); err != nil {
			t.Fatal(err)
		}
		if got := server.Requests()[0].Header.Get(c.header); got != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.header, got, c.want)
		}
	}
}

func TestFiles(t *testing.T) {
	if _, _, err := gather(t, Config{Paths: []string{"testdata/nothing-*.json"}}); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
	batches, _, err := gather(t, Config{Paths: []string{"testdata/missing.json", "testdata/document.json"}})
	if err != nil || record.ReasonOf(batches["file:missing.json"].Err) != record.ReasonNotFound || batches["file:document.json"].Err != nil {
		t.Errorf("a missing file beside another: %v, %+v", err, batches)
	}
	c, err := New(Config{Paths: []string{"testdata/*.json", "testdata/missing.json"}, URLs: []string{"https://posture.example.com/x"}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	c.remotes = nil
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 3 || results[0].Subject != "file testdata/document.json: 3 statements" || results[2].Err == nil {
		t.Errorf("check: %v, %+v", err, results)
	}
}

// reports is an endless list of policy reports as a stream.
type reports struct {
	left    int
	pending []byte
}

func (r *reports) Read(p []byte) (int, error) {
	if len(r.pending) == 0 {
		switch {
		case r.left < 0:
			return 0, io.EOF
		case r.left == 0:
			r.pending = []byte(`{"metadata":{"namespace":"last"}}]}`)
		default:
			r.pending = fmt.Appendf(nil, `{"metadata":{"namespace":"shop-%d"},"results":[{"policy":"p","message":%q,"result":"pass"}]},`, r.left%100, strings.Repeat("m", 4000))
		}
		r.left--
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// TestMemory: 60 MB of reports take the memory of what they are about.
func TestMemory(t *testing.T) {
	c, err := New(Config{Paths: []string{"x"}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	content := io.MultiReader(strings.NewReader(`{"kind":"PolicyReportList","apiVersion":"wgpolicyk8s.io/v1alpha2","items":[`), &reports{left: 15_000})
	r := &reading{collector: c, scope: "file:x", statements: statementSet{}, rejected: map[record.RejectReason]int{}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if err := r.stream(t.Context(), content); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(r.statements) != 100 || r.items != 15_001 {
		t.Errorf("%d items about %d services, want 15001 about 100", r.items, len(r.statements))
	}
	if after.HeapAlloc > before.HeapAlloc+8<<20 {
		t.Errorf("%d bytes are kept of the stream", after.HeapAlloc-before.HeapAlloc)
	}
	huge := io.MultiReader(strings.NewReader(`{"apiVersion":"v1","kind":"`), endless{})
	if err := (&reading{collector: c, statements: statementSet{}, rejected: map[record.RejectReason]int{}}).stream(t.Context(), huge); record.ReasonOf(err) != record.ReasonDecode {
		t.Errorf("an endless item: %v", err)
	}
	if err := (&reading{collector: c, statements: statementSet{}, rejected: map[record.RejectReason]int{}}).stream(t.Context(), io.MultiReader(strings.NewReader("a: "), endless{})); record.ReasonOf(err) != record.ReasonDecode {
		t.Errorf("an endless YAML document: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// FuzzStream: whatever a source holds, it is evidence with names and dates, or an error, and nothing else.
func FuzzStream(f *testing.F) {
	for _, name := range []string{"document.json", "kyverno.json", "openreports.yaml"} {
		f.Add([]byte(fixture(f, name)))
	}
	f.Add([]byte(`{"items":[{"kind":"Report"}],"kind":"List"}`))
	f.Add([]byte("a: &a [*a]\n---\nb: !!binary x\n"))
	c, err := New(Config{Paths: []string{"x"}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reading{collector: c, scope: "file:x", now: c.env.Now(), statements: statementSet{}, rejected: map[record.RejectReason]int{}}
		if err := r.stream(t.Context(), bytes.NewReader(data)); err != nil {
			if _, classified := errors.AsType[*record.Error](err); !classified {
				t.Errorf("an error without a reason: %v", err)
			}
			return
		}
		for _, e := range r.statements.evidence() {
			if e.ID == "" || e.Control == "" || (e.Service == "") == (e.Repository == "") || e.ProducedAt.After(r.now.AddDate(0, 0, 1)) || len(e.Service) > record.MaxText {
				t.Errorf("evidence %+v", e)
			}
		}
	})
}
