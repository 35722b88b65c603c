package semgrep

import (
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

func FuzzSemgrep(f *testing.F) {
	formattest.Seeds(f, "semgrep")
	formattest.Fuzz(f, Format{}, `{"errors": [], "results": [{"check_id": "r", "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "metadata": {"cwe": "CWE-79: x"}}}]}`)
}
