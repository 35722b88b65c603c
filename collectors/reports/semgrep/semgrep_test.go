package semgrep

import (
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/formattest"
	"prodsec_exporter/internal/record"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSemgrep(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"errors": [], "version": "1.100.0", "results": [
	 {"check_id": "python.sqli", "path": "./app/db.py", "start": {"line": 7, "col": 3}, "extra": {"message": "m", "severity": "ERROR", "fingerprint": "f_0", "metadata": {"cwe": ["CWE-89: SQL"], "source": "https://semgrep.dev/r/x"}}},
	 {"check_id": "generic.secrets.security.aws", "path": "k", "start": {"line": 1}, "extra": {"message": "AKIAxxx", "severity": "INFO", "is_ignored": true, "validation_state": "CONFIRMED_VALID"}},
	 {"path": "no id"}, "nonsense"]}`)
	want := []record.Finding{
		{
			Tool: "semgrep", Class: record.ClassSAST, Rule: "python.sqli", Title: "m", URL: "https://semgrep.dev/r/x", Severity: record.SeverityHigh, Category: "CWE-89",
			Place: "app/db.py", Line: 7,
		},
		{
			Tool: "semgrep", Class: record.ClassSecret, Rule: "generic.secrets.security.aws", Title: "generic.secrets.security.aws", Severity: record.SeverityLow,
			Category: "generic.secrets.security.aws", Place: "k", Line: 1, Closure: record.ClosureOther, ActiveSecret: record.AnswerYes,
		},
	}
	if d := cmp.Diff(want, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if r.Rejected[record.RejectNoID] != 1 || r.Rejected[record.RejectDecode] != 1 {
		t.Errorf("rejected %v, want one of each", r.Rejected)
	}
}

func TestSupplyChain(t *testing.T) {
	r := formattest.MustRead(t, Format{}, `{"errors": [], "paths": {"scanned": []}, "results": [{"check_id": "ssc-1111", "path": "package-lock.json", "start": {"line": 10}, "extra": {"message": "m", "severity": "ERROR", "fingerprint": "abc_0",
		"metadata": {"cwe": ["CWE-1321: x"], "sca-vuln-database-identifier": "CVE-2026-10005", "sca-severity": "CRITICAL", "sca-fix-versions": [{"left-pad": "1.3"}]},
		"sca_info": {"reachable": false, "dependency_match": {"found_dependency": {"package": "left-pad", "version": "1.2.0", "ecosystem": "npm"}, "lockfile": "web/package-lock.json"}}}}]}`)
	want := []record.Finding{{
		Tool: "semgrep", Class: record.ClassSCA, Rule: "ssc-1111", Title: "m", Severity: record.SeverityCritical, Category: "CWE-1321", Aliases: []string{"CVE-2026-10005"},
		Package: "npm/left-pad", Version: "1.2.0", Place: "web/package-lock.json", Line: 10, FixAvailable: record.AnswerYes,
	}}
	if d := cmp.Diff(want, r.Findings, cmpopts.IgnoreFields(record.Finding{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(r.Scans) != 1 || r.Scans[0].Class != record.ClassSCA || len(r.Covered) > 0 {
		t.Errorf("scans %v, covers %v; want packages alone, since no file was scanned", r.Scans, r.Covered)
	}
}

func TestOutcome(t *testing.T) {
	for name, tt := range map[string]struct {
		text         string
		want         format.Outcome
		unread, read int
	}{
		"clean":                     {`"errors": [], "paths": {"scanned": ["a"]}`, format.Succeeded, 0, 0},
		"before paths were listed":  {`"errors": []`, format.Succeeded, 0, 0},
		"error":                     {`"errors": [{"level": "error", "type": "SemgrepError"}]`, format.Failed, 0, 0},
		"error without level":       {`"errors": [{"type": "SemgrepError"}]`, format.Failed, 0, 0},
		"error of an unknown form":  {`"errors": [7]`, format.Failed, 0, 0},
		"warning":                   {`"errors": [{"level": "warn", "type": "RuleWarning"}]`, format.Succeeded, 0, 0},
		"timeout of a file":         {`"errors": [{"level": "warn", "type": "Timeout", "path": "./a"}], "paths": {"scanned": ["a", "b"]}`, format.Partial, 1, 2},
		"memory, in a list":         {`"errors": [{"level": "warn", "type": ["OutOfMemory", []], "path": "a"}], "paths": {"scanned": ["a"]}`, format.Partial, 1, 1},
		"timeout, of who knows":     {`"errors": [{"level": "warn", "type": "Timeout"}]`, format.Failed, 0, 0},
		"error in a file":           {`"errors": [{"level": "error", "type": "Internal", "path": "a"}], "paths": {"scanned": ["b"]}`, format.Partial, 1, 1},
		"half of a file was parsed": {`"errors": [{"level": "warn", "type": ["PartialParsing", []], "path": "a"}], "paths": {"scanned": ["a"]}`, format.Succeeded, 1, 0},
	} {
		r := formattest.MustRead(t, Format{}, `{`+tt.text+`, "results": []}`)
		if len(r.Scans) != 1 || r.Scans[0].Outcome != tt.want || len(r.Unread) != tt.unread || len(r.Read) != tt.read {
			t.Errorf("%s: scans %v, unread %v, read %v; want %s, %d and %d", name, r.Scans, r.Unread, r.Read, tt.want, tt.unread, tt.read)
		}
	}
}

func TestQuality(t *testing.T) {
	result := func(id, metadata string) string {
		return `{"check_id": "` + id + `", "path": "a", "extra": {"metadata": {` + metadata + `}}}`
	}
	text := `{"errors": [], "results": [` + result("a", `"category": "correctness"`) + "," + result("b", `"category": "security"`) + "," + result("c", `"category": "best-practice", "cwe": "CWE-79"`) + "," + result("d", ``) + `]}`
	for quality, want := range map[bool]int{false: 3, true: 4} {
		r := formattest.MustRead(t, Format{Quality: quality}, text)
		if len(r.Findings) != want || r.Rejected[record.RejectNotSecurity] != 4-want {
			t.Errorf("quality %t: %d findings, rejected %v", quality, len(r.Findings), r.Rejected)
		}
	}
}

func TestIdentityWithoutFingerprint(t *testing.T) {
	id := func(line, extra string) string {
		return formattest.MustRead(t, Format{}, `{"errors": [], "results": [{"check_id": "r", "path": "a", "start": {"line": `+line+`}, "extra": {`+extra+`}}]}`).Findings[0].ID
	}
	if id("1", `"lines": "x = y"`) != id("9", `"lines": "  x = y", "fingerprint": "requires login"`) {
		t.Error("the same lines elsewhere are another finding")
	}
	if id("1", `"lines": "x = y"`) == id("1", `"lines": "x = z"`) {
		t.Error("other lines are the same finding")
	}
	if id("1", `"lines": "requires login", "message": "m"`) != id("2", `"lines": "requires login", "message": "m"`) {
		t.Error("without lines a finding that moved is another one")
	}
}

func FuzzSemgrep(f *testing.F) {
	formattest.Seeds(f, "semgrep")
	formattest.Fuzz(f, Format{}, `{"errors": [], "results": [{"check_id": "r", "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "metadata": {"cwe": "CWE-79: x"}}}]}`)
}
