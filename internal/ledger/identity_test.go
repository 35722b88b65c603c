package ledger_test

import (
	"testing"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// sca is a report of a vulnerable package.
func sca(id, place string, aliases ...string) record.Finding {
	return record.Finding{
		ID: id, Tool: "scan", Class: record.ClassSCA, Repository: "acme/api", Severity: record.SeverityHigh, Category: "npm",
		Package: "npm/lodash", Aliases: aliases, Place: place, FirstSeen: day(2),
	}
}

// sast is a report of weak code.
func sast(id, tool string, line int) record.Finding {
	return record.Finding{
		ID: id, Tool: tool, Class: record.ClassSAST, Repository: "acme/api", Severity: record.SeverityHigh, Category: "CWE-79", Place: "a.go",
		Line: line, FirstSeen: day(2),
	}
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// TestFolding says how many weaknesses reports of two scanners are.
func TestFolding(t *testing.T) {
	for name, c := range map[string]struct {
		one, two []record.Finding
		want     int
	}{
		"same advisory and package":           {[]record.Finding{sca("1", "go.mod", "CVE-1")}, []record.Finding{sca("2", "go.mod", "CVE-1")}, 1},
		"connected through a third":           {[]record.Finding{sca("1", "", "CVE-1"), sca("3", "", "GHSA-1")}, []record.Finding{sca("2", "", "CVE-1", "GHSA-1")}, 1},
		"other advisory":                      {[]record.Finding{sca("1", "", "CVE-1")}, []record.Finding{sca("2", "", "CVE-2")}, 2},
		"other package":                       {[]record.Finding{sca("1", "", "CVE-1")}, []record.Finding{with(sca("2", "", "CVE-1"), func(f *record.Finding) { f.Package = "npm/x" })}, 2},
		"other repository":                    {[]record.Finding{sca("1", "", "CVE-1")}, []record.Finding{with(sca("2", "", "CVE-1"), func(f *record.Finding) { f.Repository = "acme/web" })}, 2},
		"no repository":                       {[]record.Finding{with(sca("1", "", "CVE-1"), func(f *record.Finding) { f.Repository = "" })}, []record.Finding{with(sca("2", "", "CVE-1"), func(f *record.Finding) { f.Repository = "" })}, 2},
		"manifests in one directory":          {[]record.Finding{sca("1", "app/package.json", "CVE-1")}, []record.Finding{sca("2", "app/package-lock.json", "CVE-1")}, 1},
		"manifests in two directories":        {[]record.Finding{sca("1", "a/go.mod", "CVE-1"), sca("3", "b/go.mod", "CVE-1")}, []record.Finding{sca("2", "", "CVE-1")}, 2},
		"no advisory":                         {[]record.Finding{sca("1", "go.mod")}, []record.Finding{sca("2", "go.mod")}, 2},
		"same line":                           {[]record.Finding{sast("1", "a", 7)}, []record.Finding{sast("2", "b", 7)}, 1},
		"same line, same tool, two instances": {[]record.Finding{sast("1", "a", 7)}, []record.Finding{sast("2", "a", 7)}, 1},
		"same line, same tool, one instance":  {[]record.Finding{sast("1", "a", 7), sast("2", "a", 7)}, nil, 2},
		"other line":                          {[]record.Finding{sast("1", "a", 7)}, []record.Finding{sast("2", "b", 8)}, 2},
		"unknown line":                        {[]record.Finding{sast("1", "a", 0)}, []record.Finding{sast("2", "b", 0)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begun(t, nil)
			s.apply(2, "two", record.Batch{Scope: "alerts:two", Mode: record.Full, Findings: append([]record.Finding{}, c.two...)})
			s.says(2, c.one...)
			got := 0
			for _, w := range s.Snapshot().Weaknesses.All() {
				if w.Reports > 0 {
					got++
				}
			}
			if got != c.want {
				t.Errorf("%d weaknesses, want %d", got, c.want)
			}
		})
	}
}

// TestSecondReport shows what a second tool changes: nothing while both say open, worst severity first, and the last to close closes.
func TestSecondReport(t *testing.T) {
	s := begun(t, nil)
	s.says(2, sca("1", "", "CVE-1"))
	s.apply(2, "two", record.Batch{Scope: "alerts:two", Mode: record.Full, Findings: []record.Finding{}})
	s.next()
	second := func(n int, f record.Finding) {
		s.apply(n, "two", record.Batch{Scope: "alerts:two", Mode: record.Full, Findings: []record.Finding{f}})
	}
	low := with(sca("2", "", "CVE-1"), func(f *record.Finding) { f.Severity = record.SeverityLow })
	second(3, low)
	s.expect("")
	s.says(4, closed(sca("1", "", "CVE-1"), record.ClosureFalsePositive, 4))
	s.expect("severity_left high 4/4, severity_lowered low 4/4")
	second(5, closed(low, record.ClosureFixed, 5))
	s.expect("fixed low 5/5")
	w := s.Snapshot().Weaknesses.At(0)
	if w.Reports != 2 || w.OpenReports != 0 || w.Severity.Severity() != record.SeverityHigh {
		t.Errorf("%+v, want two closed reports and the worst severity of all", *w)
	}
}

// TestMergeAndSplit shows that two open weaknesses that turn out to be one end as one, by event, and part again by event.
func TestMergeAndSplit(t *testing.T) {
	s := begun(t, nil)
	first := with(sca("1", "", "CVE-1"), func(f *record.Finding) { f.FirstSeen = day(1) })
	s.says(2, first, sca("2", "", "GHSA-1"))
	s.expect("opened high 1/2, opened high 2/2")
	s.says(3, first, sca("2", "", "GHSA-1", "CVE-1"))
	s.expect("duplicate high 3/3, void high 3/3")
	s.says(4, first, sca("2", "", "GHSA-1"))
	s.expect("scope_gained high 2/4")
	known := s.Snapshot()
	if known.Weaknesses.Len() != 3 || !known.Weaknesses.At(0).Open() || known.Weaknesses.At(1).Reports != 0 || !known.Weaknesses.At(2).Open() {
		t.Errorf("weaknesses %+v, %+v", *known.Weaknesses.At(0), *known.Weaknesses.At(1))
	}
	if n := len(known.CountingChanges); n != 2 || known.CountingChanges[0].Kind != snapshot.CountingDeduplication || known.CountingChanges[1].Kind != snapshot.CountingDeduplication {
		t.Errorf("counting changes %v, want two of de-duplication", known.CountingChanges)
	}
}
