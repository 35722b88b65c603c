package reports

import (
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// long is what tools write about a weakness and nobody reads here.
var long = strings.Repeat("lorem ipsum ", 330)

// largeReports are the formats as a beginning, an item of about 4 kB that makes one finding, and an end.
var largeReports = []struct{ name, begin, item, end string }{
	{
		"SARIF", `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [`,
		`{"ruleId": "r", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a.go"}, "region": {"startLine": 7, "snippet": {"text": "` + long + `"}}}}]},`,
		`{"kind": "pass"}]}]}`,
	},
	{
		"Trivy", `{"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [`,
		`{"VulnerabilityID": "CVE-2026-0001", "PkgName": "p", "Title": "t", "Severity": "HIGH", "Description": "` + long + `"},`,
		`{"VulnerabilityID": "CVE-2026-0002"}]}]}`,
	},
	{
		"Grype", `{"matches": [`,
		`{"vulnerability": {"id": "CVE-2026-0001", "severity": "High", "description": "` + long + `"}, "artifact": {"name": "p", "type": "npm"}},`,
		`{"vulnerability": {"id": "CVE-2026-0002"}}], "source": {"type": "image", "target": {"userInput": "a:1"}}}`,
	},
	{
		"Semgrep", `{"errors": [], "results": [`,
		`{"check_id": "r", "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "message": "m", "lines": "` + long + `"}},`,
		`{"check_id": "r", "path": "b.py"}]}`,
	},
	{
		"CycloneDX JSON", `{"bomFormat": "CycloneDX", "vulnerabilities": [`,
		`{"id": "CVE-2026-0001", "description": "` + long + `", "affects": [{"ref": "pkg:npm/x@1"}]},`,
		`{"id": "CVE-2026-0002"}]}`,
	},
	{
		"CycloneDX XML", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><vulnerabilities>`,
		`<vulnerability><id>CVE-2026-0001</id><description>` + long + `</description><affects><target><ref>pkg:npm/x@1</ref></target></affects></vulnerability>`,
		`</vulnerabilities></bom>`,
	},
}

// measured is a report that is made while it is read, and looks at the heap every megabyte.
type measured struct {
	endless
	read, next int
	most       uint64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.endless.Read(p)
	if m.read += n; m.read >= m.next {
		m.look()
		m.next += 1 << 20
	}
	return n, err
}

func (m *measured) Close() error { return nil }

func (m *measured) look() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.most = max(m.most, stats.HeapAlloc)
}

// peak reads a report of a size and returns by how much the heap grew at most, garbage included, and the number of findings.
func peak(tb testing.TB, begin, item, end string, size int) (grown int64, findings int) {
	tb.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // less garbage, so that what is held is seen
	runtime.GC()
	var before measured
	before.look()
	var most uint64
	r, err := readReport(func() (io.ReadCloser, error) {
		m := &measured{endless: endless{left: begin, item: item, items: size / len(item), tail: end}}
		return closing{m, &most}, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return int64(most) - int64(before.most), len(r.Findings)
}

// closing hands over what was measured.
type closing struct {
	*measured
	most *uint64
}

func (c closing) Close() error {
	*c.most = max(*c.most, c.measured.most)
	return nil
}

// TestMemoryIsThatOfTheFindings reads 20 MB of each format: the heap must grow by the findings and by what one item needs, not by the report.
func TestMemoryIsThatOfTheFindings(t *testing.T) {
	const size, most = 20 << 20, 12 << 20
	for _, tt := range largeReports {
		t.Run(tt.name, func(t *testing.T) {
			grown, findings := peak(t, tt.begin, tt.item, tt.end, size)
			if want := size / len(tt.item); findings < want {
				t.Fatalf("got %d findings, want at least %d", findings, want)
			}
			if grown > most {
				t.Errorf("reading %d MB made the heap grow by %d MB, want at most %d", size>>20, grown>>20, most>>20)
			}
			t.Logf("%d findings, heap grew by %.1f MB", findings, float64(grown)/(1<<20))
		})
	}
}

// BenchmarkLargeReport reads 200 MB of each format and says by how much the heap grew at most.
func BenchmarkLargeReport(b *testing.B) {
	const size = 200 << 20
	for _, tt := range largeReports {
		b.Run(strings.ReplaceAll(tt.name, " ", ""), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				grown, findings := peak(b, tt.begin, tt.item, tt.end, size)
				b.ReportMetric(float64(grown)/(1<<20), "heap-MB")
				b.ReportMetric(float64(findings), "findings")
			}
		})
	}
}
