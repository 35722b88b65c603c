package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prodsec_exporter/internal/exposition/openmetrics"
	"prodsec_exporter/internal/metrics"
)

// buffer is a writer that can be read meanwhile.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// runCommand runs the program to its end.
func runCommand(args ...string) (stdout, stderr string, err error) {
	var out, log buffer
	err = newProgram(&out, &log).run(context.Background(), args)
	return out.String(), log.String(), err
}

// running is a program that serves.
type running struct {
	t    *testing.T
	url  string
	log  *buffer
	stop context.CancelFunc
	done chan struct{}
	err  error
}

// run serves on a free port of loopback until the test ends.
func run(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, log: &buffer{}, stop: cancel, done: make(chan struct{})}
	address := make(chan string, 1)
	p := newProgram(io.Discard, r.log)
	p.listening = func(a []net.Addr) { address <- a[0].String() }
	go func() {
		defer close(r.done)
		r.err = p.run(ctx, append(args, "--web.listen-address=127.0.0.1:0"))
	}()
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Errorf("the program ended with %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	select {
	case a := <-address:
		r.url = "http://" + a
	case <-r.done:
		t.Fatalf("the program ended: %v\n%s", r.err, r.log)
	}
	return r
}

// end stops the program and returns its error.
func (r *running) end() error {
	r.stop()
	<-r.done
	return r.err
}

// ask sends a request and returns code and body.
func (r *running) ask(method, path string) (int, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // Read to its end below.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// until asks for a path until its answer holds a text, or does not.
func (r *running) until(path, text string, present bool) string {
	r.t.Helper()
	const most = 2 * time.Minute // the demo takes long under the race detector on a machine that does other things
	deadline := time.Now().Add(most)
	for {
		_, body := r.ask(http.MethodGet, path)
		if strings.Contains(body, text) == present {
			return body
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: %q present is not %t after %s:\n%s", path, text, present, most, body)
		}
		time.Sleep(20 * time.Millisecond) // polling a server that cannot call us
	}
}

const catalogFile = `
services:
  - name: payments
    business_unit: Retail
    team: cards
    trust_tier: tier0
    internet_facing: true
    repositories: [github.com/acme/payments]
`

const sarifFile = `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "semgrep"}}, "results": [
  {"ruleId": "injection", "level": "error", "message": {"text": "Injection"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "main.go"}, "region": {"startLine": 7}}}]}]}]}`

// files are a catalog, a report and a configuration that reads both.
func files(t *testing.T) (dir, configFile string) {
	t.Helper()
	dir = t.TempDir()
	put(t, filepath.Join(dir, "services.yml"), catalogFile)
	put(t, filepath.Join(dir, "reports", "scan.sarif"), sarifFile)
	return dir, put(t, filepath.Join(dir, "prodsec.yml"), fmt.Sprintf(`
collectors:
  catalog:
    - name: services
      path: %[1]s/services.yml
  reports:
    - name: ci
      paths: [%[1]s/reports]
      repository: {default: github.com/acme/payments}
`, dir))
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const openFinding = `prodsec_findings_open{business_unit="Retail",team="cards",service_name="payments",trust_tier="tier0",severity="high",class="sast",sla="within"} 1`

func TestFromFilesToMetricsAndOverARestart(t *testing.T) {
	dir, configFile := files(t)
	args := []string{"--config.file=" + configFile, "--ledger.path=" + filepath.Join(dir, "ledger", "prodsec.db")}
	first := run(t, args...)
	first.until("/-/ready", "is ready", true)
	_, metrics := first.ask(http.MethodGet, "/metrics")
	for _, want := range []string{
		openFinding, `prodsec_collector_up{collector="reports",instance_name="ci"} 1`, "prodsec_exporter_build_info{", "go_goroutines ", "prodsec_leader 1",
		"prodsec_config_last_reload_successful 1", "prodsec_evaluation_timestamp_seconds ", "prodsec_evaluation_duration_seconds ",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s:\n%s", want, metrics)
		}
	}
	if _, page := first.ask(http.MethodGet, "/"); !strings.Contains(page, "<td>reports</td><td>ci</td>") {
		t.Errorf("the landing page lacks the collector:\n%s", page)
	}
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	// The report is gone; what was known is served from the first second.
	if err := os.RemoveAll(filepath.Join(dir, "reports")); err != nil {
		t.Fatal(err)
	}
	run(t, args...).until("/metrics", openFinding, true)
}

func TestReload(t *testing.T) {
	dir, configFile := files(t)
	r := run(t, "--config.file="+configFile, "--ledger.path="+filepath.Join(dir, "prodsec.db"))
	r.until("/-/ready", "is ready", true)
	good := string(readFile(t, configFile))

	put(t, configFile, good+"nonsense: true\n")
	if code, body := r.ask(http.MethodPost, "/-/reload"); code != http.StatusInternalServerError || !strings.Contains(body, "nonsense: unknown key") {
		t.Errorf("a bad file: got %d %s", code, body)
	}
	body := r.until("/metrics", "prodsec_config_last_reload_successful 0", true)
	if !strings.Contains(body, openFinding) {
		t.Error("a bad file took metrics away")
	}

	put(t, configFile, strings.Replace(good, "collectors:", "policy: {sla: {targets: [{severity: high, within: 1s}]}}\ncollectors:", 1))
	if code, body := r.ask(http.MethodPost, "/-/reload"); code != http.StatusOK {
		t.Errorf("a good file: got %d %s", code, body)
	}
	r.until("/metrics", `prodsec_counting_changes_total{kind="policy"} 1`, true)

	// A signal does the same. The collector that is removed takes its records along, the other goes on.
	reports, _, _ := strings.Cut(good, "  reports:")
	put(t, configFile, reports)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	body = r.until("/metrics", `collector="reports"`, false)
	if !strings.Contains(body, `prodsec_collector_up{collector="catalog",instance_name="services"} 1`) {
		t.Errorf("the collector that stayed is gone:\n%s", body)
	}
	if !strings.Contains(body, `prodsec_collection_duration_seconds_count{collector="catalog",instance_name="services"} 1`+"\n") {
		t.Error("the collector whose section did not change was started anew")
	}
	if _, text := r.ask(http.MethodGet, "/config"); strings.Contains(text, "reports") || !strings.Contains(text, "catalog") {
		t.Errorf("/config shows another configuration than the one in force:\n%s", text)
	}
}

// TestReloadThatTheLedgerRefuses leaves everything as it was: numbers, collectors, the configuration that is shown.
func TestReloadThatTheLedgerRefuses(t *testing.T) {
	dir, configFile := files(t)
	path := filepath.Join(dir, "prodsec.db")
	r := run(t, "--config.file="+configFile, "--ledger.path="+path)
	r.until("/-/ready", "is ready", true)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // Nothing depends on it.
	if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER full BEFORE INSERT ON policies BEGIN SELECT RAISE(FAIL, 'disk is full'); END"); err != nil {
		t.Fatal(err)
	}
	reports, _, _ := strings.Cut(string(readFile(t, configFile)), "  reports:")
	put(t, configFile, strings.Replace(reports, "collectors:", "policy: {sla: {targets: [{severity: high, within: 1s}]}}\ncollectors:", 1)+"    - name: another\n      path: "+dir+"/services.yml\n")
	if code, body := r.ask(http.MethodPost, "/-/reload"); code != http.StatusInternalServerError || !strings.Contains(body, "disk is full") {
		t.Errorf("got %d %s, want 500 and the reason", code, body)
	}
	_, metrics := r.ask(http.MethodGet, "/metrics")
	if !strings.Contains(metrics, openFinding) || !strings.Contains(metrics, `collector="reports"`) {
		t.Error("a reload that failed took records away")
	}
	if strings.Contains(metrics, `instance_name="another"`) {
		t.Error("a reload that failed left an instance that does not run")
	}
	if _, text := r.ask(http.MethodGet, "/config"); !strings.Contains(text, "reports") || strings.Contains(text, "another") {
		t.Errorf("/config shows another configuration than the one in force:\n%s", text)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	if code, body := r.ask(http.MethodPost, "/-/reload"); code != http.StatusOK {
		t.Errorf("the same once the ledger works: got %d %s", code, body)
	}
	r.until("/metrics", `instance_name="another"`, true)
}

func TestDemoIsCompleteWithinSeconds(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	r := run(t, "--demo")
	r.until("/-/ready", "is ready", true)
	_, exposed := r.ask(http.MethodGet, "/metrics")
	for _, k := range []string{"catalog", "github", "jira", "defectdojo", "reports"} {
		if !strings.Contains(exposed, `prodsec_collector_up{collector="`+k+`"`) {
			t.Errorf("no %s in the demo", k)
		}
	}
	if strings.Contains(exposed, "prodsec_collector_up{") && !strings.Contains(exposed, "prodsec_findings_open{") {
		t.Error("ready without findings")
	}
	fillsEveryFamily(t, exposed)
	passesStrictParsers(t, r.url+"/metrics")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(tmp, demoLedgerPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// fillsEveryFamily: whoever looks at the demo sees every family that is computed from records at work, and no board is empty.
func fillsEveryFamily(t *testing.T, exposed string) {
	t.Helper()
	shown := map[string]bool{}
	for line := range strings.Lines(exposed) {
		name, _, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		shown[strings.TrimSuffix(name, "_count")] = true
	}
	for _, f := range metrics.All() {
		// No source of the demo is away for so long that anything is withheld.
		if withheld := strings.HasPrefix(f.Name, "prodsec_withheld_"); shown[f.Name] == withheld {
			t.Errorf("%s has a sample in the demo: %v, want %v", f.Name, shown[f.Name], !withheld)
		}
	}
}

// passesStrictParsers: the whole scrape, product families and the exporter's own, is OpenMetrics to the letter.
func passesStrictParsers(t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // Read to its end below.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/openmetrics-text") {
		t.Errorf("the scrape is %s", kind)
	}
	for i, err := range openmetrics.Check(string(body)) {
		if t.Error(err); i == 10 {
			break
		}
	}
	for _, name := range []string{"go_memstats_alloc_bytes ", "go_gc_heap_allocs_bytes_total "} {
		if !strings.Contains(string(body), "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
}

func TestCheck(t *testing.T) {
	dir, configFile := files(t)
	stdout, _, err := runCommand("--config.file="+configFile, "check")
	if err != nil || !strings.Contains(stdout, "is well-formed: 2 collectors") || !strings.Contains(stdout, "reports    ci") {
		t.Errorf("offline: %v\n%s", err, stdout)
	}
	stdout, _, err = runCommand("--config.file="+configFile, "check", "--online")
	if err != nil || !strings.Contains(stdout, "Everything that is configured works.") {
		t.Errorf("online: %v\n%s", err, stdout)
	}
	if err := os.Remove(filepath.Join(dir, "services.yml")); err != nil {
		t.Fatal(err)
	}
	stdout, _, err = runCommand("--config.file="+configFile, "check", "--online")
	if err == nil || !strings.Contains(stdout, "FAILED") || !strings.Contains(stdout, "remains unknown:") {
		t.Errorf("online without the catalog: %v\n%s", err, stdout)
	}
	put(t, configFile, "collectors: {gitbub: []}\n")
	if _, _, err = runCommand("--config.file="+configFile, "check"); err == nil || !strings.Contains(err.Error(), `did you mean "github"?`) {
		t.Errorf("a wrong kind: %v", err)
	}
}

// A secret that is missing where the exporter is about to run is found before the deploy, offline.
func TestCheckReadsTheSecrets(t *testing.T) {
	dir, configFile := files(t)
	token := filepath.Join(dir, "token")
	text := string(readFile(t, configFile)) + `
  github:
    - name: acme
      organizations: [acme]
      token: {file: ` + token + `}
  jira:
    - name: board
      url: https://acme.atlassian.net
      auth: {email: bot@acme.example, token: {env: PRODSEC_TEST_TOKEN}}
      exceptions: {jql: "project = RISK"}
`
	put(t, configFile, text)
	stdout, _, err := runCommand("--config.file="+configFile, "check")
	if err == nil {
		t.Errorf("exit code 0 without secrets:\n%s", stdout)
	}
	for _, want := range []string{
		"collectors.github[0].token: read secret: open " + token + ": no such file or directory: name a file",
		"collectors.jira[0].auth.token: environment variable PRODSEC_TEST_TOKEN is not set or empty: set it to the secret",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing:\n%s", want, stdout)
		}
	}
	put(t, token, "hunter2\n")
	t.Setenv("PRODSEC_TEST_TOKEN", "hunter2")
	if stdout, _, err = runCommand("--config.file="+configFile, "check"); err != nil || strings.Contains(stdout, "FAILED") || strings.Contains(stdout, "hunter2") {
		t.Errorf("with secrets: %v\n%s", err, stdout)
	}
}

// TestCheckKnowsEverySecret holds the search for secrets against the example, which names those of every kind.
func TestCheckKnowsEverySecret(t *testing.T) {
	p, err := planOf(t, examplePath, readFile(t, examplePath))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, b := range p.built {
		found += len(b.UnreadableSecrets())
	}
	named := regexp.MustCompile(`(?m)^[^#\n]*\b((\w+_)?file|env): `).FindAll(readFile(t, examplePath), -1)
	if want := len(named) - len(privateKey.FindAll(readFile(t, examplePath), -1)); found != want || found == 0 {
		t.Errorf("%d secrets found, the example names %d that do not exist", found, want)
	}
}

// Whoever mends a file wants every mistake in one go, wherever it is.
func TestCheckTellsAllMistakesAtOnce(t *testing.T) {
	file := put(t, filepath.Join(t.TempDir(), "prodsec.yml"), `polcy: {}
collectors:
  catalog:
    - name: services
      pth: services.yml
  gitbub: []
`)
	_, _, err := runCommand("--config.file="+file, "check")
	for _, want := range []string{":1:1: polcy: unknown key", ":5:7: collectors.catalog[0].pth: unknown key", ":6:3: collectors.gitbub: unknown key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing:\n%v", want, err)
		}
	}
}

func TestCheckOnlineOfTheDemoNamesWhatIsMissing(t *testing.T) {
	stdout, _, err := runCommand("--demo", "check", "--online")
	if err == nil {
		t.Errorf("the demo has a scope without permission, yet everything works:\n%s", stdout)
	}
	for _, want := range []string{"github/", "forecast", "requests per hour (budget "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing:\n%s", want, stdout)
		}
	}
	// What the demo's credential lacks in the organisation that was bought, and nothing else.
	const labs = "organisation meridian-labs: "
	want := []string{
		"FAILED " + labs + "secret scanning alerts, secret_scanning_alerts=read: findings of secret scanning and all that is computed from them",
		"FAILED " + labs + "branch protection, administration=read: who is bound by classic branch protection and whether it dismisses stale reviews",
		"unknown " + labs + "bypass actors of rulesets, administration=write: whether administrators are bound by rulesets, and whether anybody may pass by them",
		"FAILED " + labs + "attestations, attestations=read: which releases have provenance, and whether an SBOM was attested",
		"FAILED " + labs + "names of secrets, secrets=read: whether pipelines use long-lived keys of clouds",
		"FAILED " + labs + "names of secrets of environments, secrets=read: whether deployments use long-lived keys of clouds",
		"FAILED " + labs + "runner groups, organization_self_hosted_runners=read: which repositories may use a self-hosted runner",
		"FAILED " + labs + "checks of pull requests, checks=read: whether security looked at a change by a scan",
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^  (FAILED|unknown) +(.*)\n.*\n +missing permission: (.*)\n +remains unknown: (.*)$`).FindAllStringSubmatch(stdout, -1) {
		got = append(got, m[1]+" "+m[2]+", "+m[3]+": "+m[4])
	}
	if !slices.Equal(got, want) || strings.Count(stdout, "FAILED") != len(want)-1 {
		t.Errorf("got\n%s\nwant\n%s\nin\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), stdout)
	}
}

// A web server that cannot start ends the program, whatever its collectors are doing.
func TestWebServerThatCannotStart(t *testing.T) {
	dir, configFile := files(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // A listener of the test.
	for _, tt := range []struct{ name, flag, want string }{
		{"address in use", "--web.listen-address=" + taken.Addr().String(), "address already in use"},
		{"address without port", "--web.listen-address=nonsense", "missing port"},
		{"absent web configuration", "--web.config.file=/absent/web.yml", "--web.config.file: open /absent/web.yml"},
		{"unknown key", "--web.config.file=" + put(t, filepath.Join(dir, "web.yml"), "nonsense: 1\n"), "field nonsense"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			args := []string{"--web.listen-address=127.0.0.1:0", "--config.file=" + configFile, "--ledger.path=" + filepath.Join(t.TempDir(), "ledger.db")}
			if strings.HasPrefix(tt.flag, "--web.listen-address") {
				args = args[1:]
			}
			err := newProgram(io.Discard, io.Discard).run(ctx, append(args, tt.flag))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if ctx.Err() != nil {
				t.Error("the program went on for a minute after its web server had failed")
			}
		})
	}
}

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		out  string
		err  string
	}{
		{args: []string{"--help"}, out: "--ledger.path"},
		{args: []string{"--version"}, out: programName},
		{args: []string{"version"}, out: programName},
		{args: []string{"--nonsense"}, err: "try --help"},
		{args: []string{"--log.level=loud"}, err: "loud"},
		{args: []string{"--config.file=/absent/prodsec.yml"}, err: "--config.file"},
		{args: []string{"--config.file=/absent/prodsec.yml", "check"}, err: "/absent/prodsec.yml"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			stdout, _, err := runCommand(tt.args...)
			if !strings.Contains(stdout, tt.out) {
				t.Errorf("output lacks %q:\n%s", tt.out, stdout)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
		})
	}
}
