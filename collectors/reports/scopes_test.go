package reports

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

func TestScopeNames(t *testing.T) {
	for _, subject := range []format.Subject{{}, {Tool: "trivy", Class: record.ClassSCA}, {Tool: "c/c++test", Class: record.ClassSAST}} {
		for _, path := range []string{"a.json", "acme/api/a.json", "a#b.json"} {
			scope := plainScope(path)
			if subject.Tool != "" {
				scope = subjectScope(path, subject)
			}
			if gotPath, got := parseScope(scope); gotPath != path || got != subject {
				t.Errorf("%s: got %q and %v, want %q and %v", scope, gotPath, got, path, subject)
			}
		}
	}
}

// TestSilentScopesAreRetired: what a deleted report or a replaced tool found is shown for stale_after, and vanishes then.
func TestSilentScopesAreRetired(t *testing.T) {
	h := newHistory(t, Config{})
	h.write("a.json", trivyFull)
	h.write("b.json", semgrepTwo)
	h.collect()
	h.write("a.json", semgrepClean)
	h.write("b.json", "")
	for range 14 {
		h.collect()
	}
	if got, want := h.weaknesses(), "iac 1 open, sast 2 open, sca 1 open, secret 1 open"; got != want {
		t.Errorf("within stale_after: got %q, want %q", got, want)
	}
	h.collect()
	if got, want := h.weaknesses(), "iac 1 vanished, sast 2 vanished, sca 1 vanished, secret 1 vanished"; got != want {
		t.Errorf("after it: got %q, want %q", got, want)
	}
	if n := len(h.ledger.Snapshot().Scopes); n != 1 {
		t.Errorf("%d scopes are left, want that of Semgrep in a.json", n)
	}
}

// TestScopeOfABrokenReport: a report that could never be read is a scope that ends when it can.
func TestScopeOfABrokenReport(t *testing.T) {
	h := newHistory(t, Config{})
	h.write("a.json", "{")
	h.collect()
	if scopes := h.ledger.Snapshot().Scopes; len(scopes) != 1 || scopes[0].Name != "report:a.json" || scopes[0].LastError == "" {
		t.Errorf("got %+v, want a scope that fails", scopes)
	}
	h.write("a.json", trivyPackages)
	h.collect()
	if scopes := h.ledger.Snapshot().Scopes; len(scopes) != 1 || scopes[0].Name != "report:a.json#trivy/sca" || scopes[0].LastError != "" {
		t.Errorf("got %+v, want that of Trivy alone", scopes)
	}
	h.write("a.json", "{")
	h.collect()
	if scopes := h.ledger.Snapshot().Scopes; len(scopes) != 1 || scopes[0].LastError != record.ReasonTruncated {
		t.Errorf("got %+v, want it to fail under its name", scopes)
	}
}

// TestDeclaredClasses: the configuration says what reports look for that do not show it.
func TestDeclaredClasses(t *testing.T) {
	h := newHistory(t, Config{Classes: []record.Class{record.ClassSCA, record.ClassSecret}})
	h.write("a.json", trivyFull)
	h.collect()
	h.write("a.json", trivyConfiguration)
	h.collect()
	if got, want := h.weaknesses(), "iac 1 fixed, sca 1 fixed, secret 1 fixed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := h.scans(), "iac 1, sca 1, secret 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncludeQuality(t *testing.T) {
	text := sarifText("ESLint", `{"id": "no-unused-vars"}`, `{"ruleId": "no-unused-vars"}`, "")
	for include, want := range map[bool]int{false: 0, true: 1} {
		dir := t.TempDir()
		write(t, dir, "a.sarif", text)
		findings, rejected := 0, 0
		for _, b := range collect(t, Config{Paths: []string{dir}, IncludeQuality: include}) {
			findings += len(b.Findings)
			rejected += b.Rejected[record.RejectNotSecurity]
		}
		if findings != want || rejected != 1-want {
			t.Errorf("included %t: %d findings and %d left out", include, findings, rejected)
		}
	}
}

// TestBombAmongReports: it is refused alone.
func TestBombAmongReports(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, io.MultiReader(strings.NewReader(`{"runs": [`), &endless{item: strings.Repeat("0,", 1<<15), items: 1 << 10})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "bomb.sarif.gz", b.String())
	write(t, dir, "deep.json", strings.Repeat(`{"a":[`, 1<<20))
	write(t, dir, "good.json", oneTrivy)
	got := collect(t, Config{Paths: []string{dir}})
	if err := got["report:bomb.sarif.gz"].Err; record.ReasonOf(err) != record.ReasonDecode || !strings.Contains(err.Error(), "bomb.sarif.gz") {
		t.Errorf("the bomb: got %v, want it refused by name", err)
	}
	if err := got["report:deep.json"].Err; record.ReasonOf(err) != record.ReasonDecode || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("the deep one: got %v, want it refused", err)
	}
	if b := got["report:good.json#trivy/sca"]; b.Err != nil || len(b.Findings) != 1 {
		t.Errorf("the good one: got %+v", b)
	}
}

// TestPathTemplates: a template that cannot be right is refused or told, and one that names folders above the configured one is found.
func TestPathTemplates(t *testing.T) {
	for template, want := range map[string]string{"{owner}/{repo}": "{owner}/{repo}/*", "reports/{owner}/{repo}": "{owner}/{repo}.json", "{repository}/*": "unknown placeholder", "acme/api/*": "want {owner} and {repo}"} {
		_, err := New(Config{Paths: []string{"a"}, Repository: RepositoryConfig{Path: template}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it refused with %q", template, err, want)
		}
	}
	root := t.TempDir()
	dir := filepath.Join(root, "scans")
	write(t, dir, "acme/api/a.json", oneTrivy)
	for template, want := range map[string]record.RepositoryName{
		"{owner}/{repo}/*": "acme/api", "scans/{owner}/{repo}/*.json": "acme/api", filepath.ToSlash(dir) + "/{owner}/{repo}/*": "acme/api", "elsewhere/{owner}/{repo}/*": "",
	} {
		var logged bytes.Buffer
		c, err := New(Config{Paths: []string{dir}, Repository: RepositoryConfig{Path: template}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(&logged, nil))))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := batches["report:acme/api/a.json#trivy/sca"].Findings[0].Repository; got != want {
			t.Errorf("%s: got %q, want %q", template, got, want)
		}
		if warned := strings.Contains(logged.String(), "No report has a repository by its path"); warned != (want == "") {
			t.Errorf("%s: warned %t: %s", template, warned, &logged)
		}
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if failed := results[len(results)-1].Err != nil; failed != (want == "") {
			t.Errorf("%s: check %+v", template, results)
		}
	}
}
