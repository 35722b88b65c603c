package reports

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

func collect(t *testing.T, config Config) map[string]record.Batch {
	t.Helper()
	c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return batches
}

const oneTrivy = `[{"Target": "go.mod", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]`

func TestCollectFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "acme/api/a.sarif", sarifReport)
	write(t, dir, "acme/api/b.txt", oneTrivy)
	write(t, dir, "acme/api/.hidden", "x")
	write(t, dir, ".git/config", "x")
	write(t, dir, "acme/api/b.txt.meta.json", `{"repository": "x/y"}`)
	write(t, dir, "bad.json", `{"runs": [`)
	if err := os.Symlink(filepath.Join(dir, "bad.json"), filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	got := collect(t, Config{Paths: []string{dir}})
	want := map[string]int{"report:acme/api/a.sarif#codeql/sast": 2, "report:acme/api/b.txt#trivy/sca": 1, "report:bad.json": -1, "report:link.json": -1}
	if len(got) != len(want) {
		t.Errorf("got %d scopes, want %d", len(got), len(want))
	}
	for scope, n := range want {
		b, ok := got[scope]
		switch {
		case !ok:
			t.Errorf("scope %s is missing", scope)
		case n < 0 && (b.Err == nil || !strings.Contains(b.Err.Error(), filepath.Join(dir, strings.TrimPrefix(scope, "report:")))):
			t.Errorf("%s: got %v, want an error that names the file", scope, b.Err)
		case n >= 0 && (b.Err != nil || len(b.Findings) != n || b.Mode != record.Full || b.Absence != record.ClosureFixed):
			t.Errorf("%s: got %d findings, mode %s, absence %s, error %v", scope, len(b.Findings), b.Mode, b.Absence, b.Err)
		}
	}
	for _, f := range got["report:acme/api/a.sarif#codeql/sast"].Findings {
		if !strings.HasPrefix(f.ID, "acme/api/a.sarif#") || f.Repository != "acme/api" || !f.FirstSeen.IsZero() {
			t.Errorf("got %+v", f)
		}
	}
	if at := got["report:acme/api/a.sarif#codeql/sast"].AsOf; !at.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("AsOf %v, want the report's own date", at)
	}
	if at := got["report:acme/api/b.txt#trivy/sca"].AsOf; !at.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("AsOf %v, want the file's date", at)
	}
}

func TestCollectMissing(t *testing.T) {
	c, err := New(Config{Paths: []string{filepath.Join(t.TempDir(), "none")}}, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonNotFound {
		t.Errorf("a missing folder must not look like one without reports: got %v", err)
	}
}

func TestIncompleteReportClosesNothing(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "r.sarif", strings.Replace(sarifReport, "true", "false", 1))
	b := collect(t, Config{Paths: []string{path}})["report:r.sarif#codeql/sast"]
	if b.Mode != record.Delta || b.Absence != record.ClosureNone || len(b.Findings) != 2 || !b.Scans[0].SucceededAt.IsZero() || b.Scans[0].AttemptedAt.IsZero() {
		t.Errorf("got mode %s, absence %q, %d findings, scans %+v", b.Mode, b.Absence, len(b.Findings), b.Scans)
	}
}

func TestAttribution(t *testing.T) {
	off := false
	for name, tt := range map[string]struct {
		config  RepositoryConfig
		sidecar string
		want    record.RepositoryName // of the SARIF report, which names acme/api
		plain   record.RepositoryName // of the Trivy report, which names none
	}{
		"field":            {RepositoryConfig{}, "", "acme/api", ""},
		"field off":        {RepositoryConfig{Field: &off}, "", "", ""},
		"default":          {RepositoryConfig{Default: "Acme/Else"}, "", "acme/api", "acme/else"},
		"path":             {RepositoryConfig{Path: "{owner}/{repo}/*", Default: "acme/else"}, "", "org/repo", "org/repo"},
		"path, no match":   {RepositoryConfig{Path: "reports/{owner}/{repo}/*", Default: "acme/else"}, "", "acme/api", "acme/else"},
		"path, host":       {RepositoryConfig{Path: "top/{host}/**/{owner}/{repo}/*.*"}, "", "acme/api", ""},
		"sidecar":          {RepositoryConfig{Sidecar: true, Path: "{owner}/{repo}/*"}, `{"repository": "https://git.example.com/x/y"}`, "git.example.com/x/y", "git.example.com/x/y"},
		"sidecar, missing": {RepositoryConfig{Sidecar: true, Path: "{owner}/{repo}/*"}, "", "org/repo", "org/repo"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range map[string]string{"top/org/repo/a.sarif": sarifReport, "top/org/repo/b.json": oneTrivy} {
				write(t, dir, name, content)
				if tt.sidecar != "" {
					write(t, dir, name+sidecarSuffix, tt.sidecar)
				}
			}
			got := collect(t, Config{Paths: []string{dir}, Repository: tt.config})
			for scope, want := range map[string]record.RepositoryName{"report:top/org/repo/a.sarif#codeql/sast": tt.want, "report:top/org/repo/b.json#trivy/sca": tt.plain} {
				b := got[scope]
				if b.Err != nil || len(b.Findings) == 0 {
					t.Fatalf("%s: %d findings, %v", scope, len(b.Findings), b.Err)
				}
				for _, f := range b.Findings {
					if f.Repository != want {
						t.Errorf("%s: repository %q, want %q", scope, f.Repository, want)
					}
				}
				if want != "" && (len(b.Scans) != 1 || b.Scans[0].Repository != want) || want == "" && len(b.Scans) != 0 {
					t.Errorf("%s: scans %+v", scope, b.Scans)
				}
			}
		})
	}
}

func TestBadSidecar(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.json", oneTrivy)
	write(t, dir, "a.json"+sidecarSuffix, `{"repo": "x/y"}`)
	b := collect(t, Config{Paths: []string{dir}, Repository: RepositoryConfig{Sidecar: true}})["report:a.json"]
	if b.Err == nil || !strings.Contains(b.Err.Error(), "sidecar") || !strings.Contains(b.Err.Error(), "repo") {
		t.Errorf("got %v", b.Err)
	}
}

func TestGlobs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x.sarif", "a/b/c/y.sarif", "a/b/z.json", "d/w.sarif"} {
		write(t, dir, name, "[]")
	}
	for pattern, want := range map[string][]string{
		"a/**/*.sarif": {"report:b/c/y.sarif", "report:x.sarif"},
		"*/*.sarif":    {"report:a/x.sarif", "report:d/w.sarif"},
		"**":           {"report:a/b/c/y.sarif", "report:a/b/z.json", "report:a/x.sarif", "report:d/w.sarif"},
		"a/[b]/*.json": {"report:b/z.json"},
	} {
		var got []string
		for scope := range collect(t, Config{Paths: []string{filepath.Join(dir, filepath.FromSlash(pattern))}}) {
			got = append(got, scope)
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, d)
		}
	}
	both := collect(t, Config{Paths: []string{filepath.Join(dir, "a", "*.sarif"), filepath.Join(dir, "d", "*.sarif"), filepath.Join(dir, "d")}})
	if len(both) != 2 || both["report:a/x.sarif"].Scope == "" || both["report:d/w.sarif"].Scope == "" {
		t.Errorf("paths that overlap: got %v", both)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]Config{
		"nothing":             {},
		"bad glob":            {Paths: []string{"a/[.json"}},
		"relative url":        {URLs: []string{"a.json"}},
		"password":            {URLs: []string{"https://u:hunter2@h/a.json"}},
		"same name twice":     {URLs: []string{"https://h/a?x=1", "https://h/a?x=2"}},
		"template, no repo":   {Paths: []string{"a"}, Repository: RepositoryConfig{Path: "{owner}/*"}},
		"template, unknown":   {Paths: []string{"a"}, Repository: RepositoryConfig{Path: "{owner}/{repo}/{branch}"}},
		"template, twice":     {Paths: []string{"a"}, Repository: RepositoryConfig{Path: "{owner}/{repo}/{repo}"}},
		"default, not a repo": {Paths: []string{"a"}, Repository: RepositoryConfig{Default: "nonsense"}},
	} {
		c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err == nil || c != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
	}
}

func TestGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, oneTrivy); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if r := mustRead(t, b.String()); len(r.Findings) != 1 {
		t.Errorf("got %d findings, want 1", len(r.Findings))
	}
	if _, err := readText(t, b.String()[:b.Len()-9]); record.ReasonOf(err) == record.ReasonOther {
		t.Errorf("a cut gzip must be refused as such, got %v", err)
	}
}

// endless is a report of a given size that is made while it is read, so that only the parser's memory counts.
type endless struct {
	left, item string
	items      int
	tail       string
}

func (e *endless) Read(p []byte) (int, error) {
	for e.left == "" {
		switch {
		case e.items > 0:
			e.items--
			e.left = e.item
		case e.tail != "":
			e.left, e.tail = e.tail, ""
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// TestMemoryIsBoundedByItems reads 40 MB of results that are no findings: what is held must not grow with the file.
func TestMemoryIsBoundedByItems(t *testing.T) {
	item := `{"kind": "pass", "ruleId": "r", "message": {"text": "` + strings.Repeat("x", 4000) + `"}},`
	opened := func() (io.ReadCloser, error) {
		return io.NopCloser(&endless{
			left: `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [`, item: item, items: 10_000,
			tail: `{"kind": "pass"}], "properties": {"big": [` + strings.Repeat("1,", 1<<20) + `1]}}]}`,
		}), nil
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := readReport(opened)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(r.Findings) != 0 || r.Ignored["result of kind pass"] != 10_001 {
		t.Errorf("got %d findings, ignored %v", len(r.Findings), r.Ignored)
	}
	const most = 16 << 20 // 40 MB were read; the buffers of one item are far below this
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > most {
		t.Errorf("reading 40 MB made the heap grow by %d MB, want at most %d", grown>>20, most>>20)
	}
}

func TestItemTooLong(t *testing.T) {
	opened := func() (io.ReadCloser, error) {
		return io.NopCloser(&endless{left: `{"runs": [{"results": [{"ruleId": "`, item: strings.Repeat("x", 1<<20), items: stream.MaxItem>>20 + 2}), nil
	}
	if _, err := readReport(opened); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v, want the item refused as too long", err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "good.json", oneTrivy)
	write(t, dir, "bad.json", "{")
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	c, err := New(Config{Paths: []string{dir}}, env)
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(t.Context())
	if err != nil || len(results) != 2 || results[0].Err == nil || results[1].Err != nil {
		t.Errorf("got %+v, %v; want bad.json refused and good.json read", results, err)
	}
	if c, err = New(Config{Paths: []string{filepath.Join(dir, "none")}}, env); err != nil {
		t.Fatal(err)
	}
	if results, err := c.Check(t.Context()); err != nil || len(results) != 1 || record.ReasonOf(results[0].Err) != record.ReasonNotFound {
		t.Errorf("missing folder: got %+v, %v", results, err)
	}
}
