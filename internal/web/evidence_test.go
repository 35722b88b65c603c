package web

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/evidence"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

const hostileText = `<script>alert("1")</script>`

// known is a ledger and what its records were judged to be.
type known struct {
	*ledger.Ledger
	records *metrics.Records
	broken  error
}

func (k *known) Records() *metrics.Records { return k.records }

func (k *known) Reports(ctx context.Context, weaknesses ...int32) (map[int32][]ledger.Report, error) {
	if k.broken != nil {
		return nil, k.broken
	}
	return k.Ledger.Reports(ctx, weaknesses...)
}

// learned is a ledger that holds 120 findings and one exception, whose source says what no page must believe.
func learned(t *testing.T) *known {
	t.Helper()
	ctx, at := context.Background(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l, err := ledger.Open(ctx, ledger.Options{Path: filepath.Join(t.TempDir(), "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var findings []record.Finding
	for i := range 120 {
		severity := record.SeverityHigh
		if i == 119 {
			severity = record.SeverityCritical
		}
		findings = append(findings, record.Finding{
			ID: "f" + string(rune('a'+i/26)) + string(rune('a'+i%26)), Tool: "codeql", Class: record.ClassSAST, Repository: "acme/pay", Severity: severity,
			Title: "=HYPERLINK(1) " + hostileText, URL: "javascript:alert(1)", FirstSeen: at.AddDate(0, -2, 0),
		})
	}
	batch := record.Batch{
		Scope: "file:a", Mode: record.Full, Findings: findings,
		Services: []record.Service{{Name: "pay", Team: hostileText, BusinessUnit: "retail", TrustTier: "tier1", Repositories: []record.RepositoryPath{{Repository: "acme/pay"}}}},
		Exceptions: []record.Exception{{
			ID: "PSEC-1", Title: "Later", URL: "https://jira.example.com/browse/PSEC-1", State: record.ExceptionApproved, Category: "legacy", Service: "pay", Rules: []string{"r"},
			DecidedAt: at.AddDate(0, -1, 0), ExpiresAt: at.AddDate(0, 1, 0),
		}},
	}
	if err := l.Apply(ctx, "reports", "a", batch, at); err != nil {
		t.Fatal(err)
	}
	if err := l.MarkFounded(ctx, at); err != nil {
		t.Fatal(err)
	}
	return &known{Ledger: l, records: metrics.NewRecords(l.Snapshot(), policy.Default(), at)}
}

func get(o Options, path string) (int, http.Header, string) {
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Header(), w.Body.String()
}

func TestEvidencePages(t *testing.T) {
	k := learned(t)
	o := options()
	o.Evidence = k
	for _, tt := range []struct {
		path string
		code int
		want []string
	}{
		{"/evidence/", 200, []string{"Open findings", "prodsec_exceptions", `href="controls"`}},
		{"/evidence/findings", 200, []string{"1–100 of 120", "page=2", "&lt;script&gt;", "breached"}},
		{"/evidence/findings?page=2", 200, []string{"101–120 of 120", "page=1"}},
		{"/evidence/findings?page=99", 200, []string{"101–120 of 120"}},
		{"/evidence/findings?severity=critical&team=$__all&var-window=30d", 200, []string{"1–1 of 1", "severity: critical"}},
		{"/evidence/findings?severity={critical,high}&severity=low", 200, []string{"1–100 of 120"}},
		{"/evidence/findings?sevrity=critical", 400, []string{"sevrity", "severity"}},
		{"/evidence/findings/1", 200, []string{"Reports that are counted as this one weakness", "What happened to it", "opened"}},
		{"/evidence/findings/121", 404, nil},
		{"/evidence/findings/-9223372036854775808", 404, nil},
		{"/evidence/findings/one", 404, nil},
		{"/evidence/exceptions?state=active&category=legacy", 200, []string{`href="https://jira.example.com/browse/PSEC-1"`, "rules r", "2026-04-01 12:00"}},
		{"/evidence/exceptions?state=expired", 200, []string{"No record is known that fits"}},
		{"/evidence/scopes", 200, []string{"file:a", "fresh"}},
		{"/evidence/nothing", 404, nil},
	} {
		code, header, body := get(o, tt.path)
		if code != tt.code {
			t.Errorf("%s: %d, want %d\n%s", tt.path, code, tt.code, body)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%.3000s", tt.path, want, body)
			}
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "javascript:") {
			t.Errorf("%s shows what a source made up as it is", tt.path)
		}
		if code == 200 && !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", tt.path, header.Get("Content-Security-Policy"))
		}
	}
	for _, l := range evidence.Lists() {
		if code, _, body := get(o, "/evidence/"+l.Name); code != 200 || strings.Count(body, `<th scope="col">`) != len(l.Columns) {
			t.Errorf("%s: %d with %d columns, want %d", l.Name, code, strings.Count(body, `<th scope="col">`), len(l.Columns))
		}
	}
}

// TestEvidenceIsPrivate: records are not for everybody who can scrape.
func TestEvidenceIsPrivate(t *testing.T) {
	o := options()
	o.Evidence = learned(t)
	o.Private = func(*http.Request) bool { return false }
	for _, path := range []string{"/evidence/", "/evidence/findings", "/evidence/findings/1", "/evidence/scopes?format=csv"} {
		if code, _, body := get(o, path); code != http.StatusForbidden || strings.Contains(body, "codeql") {
			t.Errorf("%s in public: %d %s", path, code, body)
		}
	}
	if _, _, body := get(o, "/"); strings.Contains(body, "evidence/") {
		t.Error("the landing page leads to what is not shown")
	}
	o.ShowEvidence = true
	if code, _, _ := get(o, "/evidence/findings"); code != http.StatusOK {
		t.Errorf("explicitly allowed: %d", code)
	}
	if _, _, body := get(o, "/"); !strings.Contains(body, `href="evidence/"`) {
		t.Error("the landing page does not lead to the evidence")
	}
}

func TestEvidenceAsCSV(t *testing.T) {
	o := options()
	o.Evidence = learned(t)
	code, header, body := get(o, "/evidence/findings?format=csv")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if code != 200 || err != nil || len(rows) != 121 || !strings.Contains(header.Get("Content-Disposition"), "prodsec-findings.csv") {
		t.Fatalf("%d, %d rows, %v, %v", code, len(rows), err, header)
	}
	if title := rows[1][2]; !strings.HasPrefix(title, "'=HYPERLINK") {
		t.Errorf("a spreadsheet would run %q", title)
	}
}

// TestCellsThatASpreadsheetWouldCompute: also behind what is not seen, and in the full-width signs of East Asian locales.
func TestCellsThatASpreadsheetWouldCompute(t *testing.T) {
	for text, formula := range map[string]bool{
		"=1+1": true, "+1": true, "-1": true, "@SUM(A1)": true, "\t=1": true, "\rx": true, "\nx": true, " =1": true, "\ufeff=1": true, "\u200b=1": true,
		"＝1+1": true, "＋1": true, "－1": true, "＠SUM(A1)": true, "": false, "qs 1.0": false, "CVE-2026-1": false, " plain": false, "a=b": false,
	} {
		got := cellText(evidence.Cell{Text: text})
		want := text
		if formula {
			want = "'" + text
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestPagesBehindTheLast: whatever number is asked for, there is a page.
func TestPagesBehindTheLast(t *testing.T) {
	o := options()
	o.Evidence = learned(t)
	for page, want := range map[string]string{
		"9223372036854775807": "101–120", "99999999999999999999999999": "101–120", "3": "101–120", "2": "101–120", "1": "1–100", "0": "1–100",
		"-1": "1–100", "x": "1–100", "": "1–100",
	} {
		code, _, body := get(o, "/evidence/findings?page="+page)
		if code != http.StatusOK || !strings.Contains(strings.ReplaceAll(body, " ", ""), want) {
			t.Errorf("page %q: %d without %q", page, code, want)
		}
	}
	for page, want := range map[string]int{"9223372036854775807": 1, "1": 1, "2": 1} {
		if got := pageNumber(page, 0); got != want {
			t.Errorf("page %q of nothing: %d, want %d", page, got, want)
		}
	}
}

func TestEvidenceThatCannotBeRead(t *testing.T) {
	o := options()
	o.Evidence = &known{}
	if code, _, _ := get(o, "/evidence/findings"); code != http.StatusServiceUnavailable {
		t.Errorf("before the first evaluation: %d", code)
	}
	k := learned(t)
	k.broken = errors.New("disk I/O error")
	o.Evidence = k
	for _, path := range []string{"/evidence/findings", "/evidence/findings/1", "/evidence/findings?format=csv"} {
		if code, _, body := get(o, path); code != http.StatusInternalServerError || strings.Contains(body, "disk") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}
