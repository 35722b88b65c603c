package ledger_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// benchSize is the number of findings, 1,000,000 unless LEDGER_BENCH_FINDINGS says otherwise.
func benchSize(b *testing.B) int {
	text := os.Getenv("LEDGER_BENCH_FINDINGS")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("LEDGER_BENCH_FINDINGS: %v", err)
	}
	return n
}

var benchStart = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// sweep makes n findings in 20,000 repositories, a quarter of them open.
func sweep(n int) []record.Finding {
	findings := make([]record.Finding, n)
	classes, severities := record.Classes(), record.Severities()
	for i := range findings {
		f := record.Finding{
			ID: fmt.Sprintf("dependabot:acme/r%d#%d", i%20_000, i), Tool: "dependabot", Class: classes[i%len(classes)],
			Repository: record.RepositoryName(fmt.Sprintf("acme/r%d", i%20_000)), Title: "A weakness of some length in a component",
			URL: "https://github.com/acme/repository/security/dependabot/12", Severity: severities[i%4], Category: fmt.Sprintf("CWE-%d", i%200),
			Rule: "rule", Aliases: []string{fmt.Sprintf("CVE-2026-%d", i%50_000)}, Package: fmt.Sprintf("npm/p%d", i%5_003), Place: "package-lock.json",
			Line: 1 + i, FirstSeen: benchStart.Add(-time.Duration(i%500) * 24 * time.Hour), UpdatedAt: benchStart.Add(-time.Hour),
		}
		if i%4 != 0 {
			f.Closure, f.ClosedAt = record.ClosureFixed, benchStart.Add(-time.Duration(i%200)*time.Hour)
		}
		findings[i] = f
	}
	return findings
}

func benchOpen(b *testing.B, path string) *ledger.Ledger {
	l, err := ledger.Open(b.Context(), ledger.Options{Path: path, Policy: policy.Default()})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func apply(b *testing.B, l *ledger.Ledger, mode record.Mode, findings []record.Finding, at time.Time) {
	if err := l.Apply(b.Context(), "github", "acme", record.Batch{Scope: "dependabot:acme", Mode: mode, Findings: findings}, at); err != nil {
		b.Fatal(err)
	}
}

func rate(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rec/s")
}

// BenchmarkIngest1M is the first full sweep into an empty ledger.
func BenchmarkIngest1M(b *testing.B) {
	findings := sweep(benchSize(b))
	for b.Loop() {
		b.StopTimer()
		l := benchOpen(b, filepath.Join(b.TempDir(), "ledger.db"))
		b.StartTimer()
		apply(b, l, record.Full, findings, benchStart)
		b.StopTimer()
		_ = l.Close()
		b.StartTimer()
	}
	rate(b, len(findings))
}

// founded is a ledger that holds a sweep and was founded, and the bytes of heap for each finding.
func founded(b *testing.B, findings []record.Finding) (path string, l *ledger.Ledger, perFinding float64) {
	path = filepath.Join(b.TempDir(), "ledger.db")
	before := heap()
	l = benchOpen(b, path)
	apply(b, l, record.Full, findings, benchStart)
	if err := l.MarkFounded(b.Context(), benchStart); err != nil {
		b.Fatal(err)
	}
	return path, l, float64(heap()-before) / float64(len(findings))
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkSweepUnchanged1M is a full sweep that says what the one before said.
func BenchmarkSweepUnchanged1M(b *testing.B) {
	findings := sweep(benchSize(b))
	_, l, _ := founded(b, findings)
	at := benchStart
	for b.Loop() {
		at = at.Add(time.Minute)
		apply(b, l, record.Full, findings, at)
	}
	rate(b, len(findings))
	_ = l.Close()
}

// BenchmarkDelta1000 is a delta of 1,000 changed findings into a ledger of 1,000,000.
func BenchmarkDelta1000(b *testing.B) {
	findings := sweep(benchSize(b))
	path, l, perFinding := founded(b, findings)
	at, delta := benchStart, make([]record.Finding, 1000)
	for b.Loop() {
		at = at.Add(time.Minute)
		for i := range delta {
			f := &findings[(i*997+at.Minute()*31)%len(findings)]
			f.UpdatedAt = at
			if f.Closure == record.ClosureNone {
				f.Closure, f.ClosedAt = record.ClosureFixed, at
			} else {
				f.Closure, f.ClosedAt = record.ClosureNone, time.Time{}
			}
			delta[i] = *f
		}
		apply(b, l, record.Delta, delta, at)
	}
	b.ReportMetric(perFinding, "B/finding")
	b.ReportMetric(historyBytes(b, path)/float64(1000*b.N), "historyB/change")
	_ = l.Close()
}

// historyBytes are those of the stored past.
func historyBytes(b *testing.B, path string) float64 {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var bytes float64
	if err := db.QueryRowContext(b.Context(), "SELECT coalesce(sum(length(undo)), 0) FROM history").Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	return bytes
}

// BenchmarkPoll is a poll that brings nothing new, and what the past of it takes.
func BenchmarkPoll(b *testing.B) {
	path, l, _ := founded(b, sweep(1000))
	at := benchStart
	for b.Loop() {
		at = at.Add(5 * time.Minute)
		apply(b, l, record.Delta, []record.Finding{}, at)
	}
	b.ReportMetric(historyBytes(b, path)/float64(b.N), "historyB/poll")
	_ = l.Close()
}

// BenchmarkAsOf1M reads a ledger of 1,000,000 findings as it was before 100 deltas of 1,000.
func BenchmarkAsOf1M(b *testing.B) {
	findings := sweep(benchSize(b))
	path, l, _ := founded(b, findings)
	at, delta := benchStart, make([]record.Finding, 1000)
	for n := range 100 {
		at = at.Add(time.Minute)
		for i := range delta {
			f := &findings[(i*997+n*31)%len(findings)]
			f.UpdatedAt, f.Severity = at, record.Severities()[n%4]
			delta[i] = *f
		}
		apply(b, l, record.Delta, delta, at)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	h, err := ledger.OpenHistory(b.Context(), path, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	for b.Loop() {
		if _, _, err := h.AsOf(b.Context(), benchStart); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRestart1M opens a ledger of 1,000,000 findings until its first snapshot.
func BenchmarkRestart1M(b *testing.B) {
	path, l, _ := founded(b, sweep(benchSize(b)))
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	perFinding := 0.0
	for b.Loop() {
		b.StopTimer()
		before := heap()
		b.StartTimer()
		l := benchOpen(b, path)
		_ = l.Snapshot()
		b.StopTimer()
		perFinding = float64(heap()-before) / float64(l.Snapshot().Weaknesses.Len())
		_ = l.Close()
		b.StartTimer()
	}
	b.ReportMetric(perFinding, "B/finding")
}

// BenchmarkExploitedList is a list of 13,000 advisories, of which 500 say something new, over a ledger of 1,000,000.
func BenchmarkExploitedList(b *testing.B) {
	_, l, _ := founded(b, sweep(benchSize(b)))
	const known, changed = 13_000, 500
	list := make([]record.Exploitation, known)
	for i := range list {
		list[i] = record.Exploitation{Advisory: fmt.Sprintf("CVE-2026-%d", i*3), EPSS: 0.5}
	}
	at := benchStart
	for n := 0; b.Loop(); n++ {
		at = at.Add(time.Minute)
		for i := range changed {
			list[i].EPSS = 0.2 + float64(n%2)/2
		}
		batch := record.Batch{Scope: "epss:list", Mode: record.Full, Exploitations: list}
		if err := l.Apply(b.Context(), "exploited", "lists", batch, at); err != nil {
			b.Fatal(err)
		}
	}
	_ = l.Close()
}
