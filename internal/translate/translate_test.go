package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

func TestTimeReadsEveryForm(t *testing.T) {
	want := time.Date(2017, 10, 18, 8, 51, 38, 0, time.UTC)
	for _, in := range []string{
		`"2017-10-18T04:51:38-0400"`, `"2017-10-18T08:51:38Z"`, `"2017-10-18T08:51:38.000+00:00"`, `"2017-10-18 08:51:38.000"`,
		`"2017-10-18T08:51:38"`, `1508316698000`, `1508316698`, `"1508316698000"`, `1.508316698e12`,
	} {
		var got Time
		if err := json.Unmarshal([]byte(in), &got); err != nil || !got.Equal(want) {
			t.Errorf("Time from %s = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{`null`, `""`, `"  "`, `0`} {
		got := Time{Time: want}
		if err := json.Unmarshal([]byte(in), &got); err != nil || !got.IsZero() {
			t.Errorf("Time from %s = %v, %v; want the zero time", in, got, err)
		}
	}
	for _, in := range []string{`"soon"`, `{}`, `-5`, `1e300`, `"0001-01-01T00:00:00Z"`, `true`, `"9999-01-01"`} {
		var got Time
		if err := json.Unmarshal([]byte(in), &got); !errors.Is(err, ErrTimestamp) || Reason(err) != record.RejectTimestamp {
			t.Errorf("Time from %s = %v, %v; want ErrTimestamp", in, got, err)
		}
	}
}

func TestIDAndNumber(t *testing.T) {
	var got struct {
		A, B, C ID
		N, S, X Number
	}
	if err := json.Unmarshal([]byte(`{"A":"x-1","B":73537136,"C":null,"N":0.5,"S":"0.16001e0","X":{"a":1}}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.A != "x-1" || got.B != "73537136" || got.C != "" || got.N != 0.5 || got.S != 0.16001 || got.X != 0 {
		t.Errorf("got %+v", got)
	}
	if err := json.Unmarshal([]byte(`{"A":[]}`), &got); err == nil {
		t.Error("a list was accepted as an identifier")
	}
	if Number(1.5).Probability() != 0 || Number(-1).Probability() != 0 || Number(0.25).Probability() != 0.25 {
		t.Error("Probability() does not keep within 0 and 1")
	}
}

func TestDecodeReasons(t *testing.T) {
	if _, err := Decode[struct{}](json.RawMessage(`null`)); Reason(err) != record.RejectNoID {
		t.Errorf("null is rejected as %q, want no_id", Reason(err))
	}
	if _, err := Decode[struct{ A string }](json.RawMessage(`{"A":1}`)); Reason(err) != record.RejectDecode {
		t.Errorf("a wrong type is rejected as %q, want decode", Reason(err))
	}
	if Reason(fmt.Errorf("x: %w", ErrNoTarget)) != record.RejectNoTarget {
		t.Error("a missing target is not rejected as such")
	}
}

func TestSeverityOfScore(t *testing.T) {
	for score, want := range map[float64]record.Severity{
		10: record.SeverityCritical, 9: record.SeverityCritical, 8.9: record.SeverityHigh, 7: record.SeverityHigh, 6.9: record.SeverityMedium,
		4: record.SeverityMedium, 3.9: record.SeverityLow, 0.1: record.SeverityLow, 0: record.SeverityUnknown, -1: record.SeverityUnknown, 11: record.SeverityUnknown,
	} {
		if got := SeverityOfScore(score); got != want {
			t.Errorf("SeverityOfScore(%v) = %q, want %q", score, got, want)
		}
	}
}

func TestCWEAndAliases(t *testing.T) {
	for in, want := range map[string]string{
		"CWE-79: Cross-site Scripting": "CWE-79", "cwe-079": "CWE-79", "external/cwe/cwe-022": "CWE-22", "CWE_20": "CWE-20", "cwe": "", "acwe-1": "", "CWE-0": "",
	} {
		if got := CWE("", in); got != want {
			t.Errorf("CWE(%q) = %q, want %q", in, got, want)
		}
	}
	got := Aliases("Reference: cve-2024-2529 | x", "GHSA-frr2-c345-p7c2", "CVE-2024-2529", "DSA-5283-1", "SNYK-PYTHON-PILLOW-5918878", "533")
	if want := []string{"CVE-2024-2529", "GHSA-FRR2-C345-P7C2", "SNYK-PYTHON-PILLOW-5918878"}; !cmp.Equal(got, want) {
		t.Errorf("Aliases() = %v, want %v", got, want)
	}
}

func TestVocabularyNoticesStrangersOnce(t *testing.T) {
	var logged bytes.Buffer
	unknown := NewUnknownWords(slog.New(slog.NewTextHandler(&logged, nil)))
	v := Vocabulary[record.Closure]{Name: "state", Words: map[string]record.Closure{"fixed": record.ClosureFixed}, Other: record.ClosureOther}
	for _, word := range []string{"FIXED", " fixed ", "snoozed", "Snoozed"} {
		v.Of(unknown, word)
	}
	if v.Of(unknown, "fixed") != record.ClosureFixed || v.Of(nil, "x") != record.ClosureOther {
		t.Error("Of() does not give the table's meaning, or the other one for an unknown word")
	}
	if got, want := unknown.Counts(), map[UnknownWord]int{{"state", "snoozed"}: 2}; !cmp.Equal(got, want) {
		t.Errorf("Counts() = %v, want %v", got, want)
	}
	if n := strings.Count(logged.String(), "snoozed"); n != 1 {
		t.Errorf("the unknown word was logged %d times, want once:\n%s", n, logged.String())
	}
	for i := range 10 * maxUnknownWords {
		v.Of(unknown, fmt.Sprint("word", i))
	}
	if n := len(unknown.List()); n > maxUnknownWords+1 {
		t.Errorf("%d unknown words are remembered, want at most %d", n, maxUnknownWords+1)
	}
}

func TestFindingSet(t *testing.T) {
	p := NewFindingSet()
	early := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	p.Take(record.Finding{ID: "a", Title: "old", FirstSeen: early}, nil)
	p.Take(record.Finding{ID: "b"}, nil)
	p.Take(record.Finding{ID: "a", Title: "new", FirstSeen: early.Add(time.Hour)}, nil)
	p.Take(record.Finding{}, ErrNoID)
	b := p.Batch("x:y")
	if len(b.Findings) != 2 || b.Findings[0].Title != "new" || !b.Findings[0].FirstSeen.Equal(early) || b.Rejected[record.RejectNoID] != 1 || b.Mode != record.Full {
		t.Errorf("got %+v", b)
	}
	if b := NewFindingSet().Batch("x:y"); b.Findings == nil {
		t.Error("an empty set does not say that there are no findings")
	}
}

func TestProjects(t *testing.T) {
	p, err := NewProjects([]Project{
		{Name: "Payments", Repository: "acme/payments-api", Service: "payments"},
		{Match: "acme_(.+)", Repository: "acme/$1"},
		{Match: "broken-.*", Repository: "no slash"},
		{Match: "svc:(?P<s>.+)", Service: "${s}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Owner{
		"payments": {Repository: "acme/payments-api", Service: "payments"}, "acme_API": {Repository: "acme/api"}, "broken-x": {},
		"svc:shop": {Service: "shop"}, "other": {}, "xacme_api": {}, "": {},
	} {
		if got := p.Of("", name); got != want {
			t.Errorf("Of(%q) = %+v, want %+v", name, got, want)
		}
	}
	for _, bad := range []Project{{}, {Name: "a"}, {Name: "a", Match: "b", Service: "s"}, {Name: "a", Repository: "nope"}, {Match: "(", Service: "s"}} {
		if _, err := NewProjects([]Project{bad}); err == nil || !strings.Contains(err.Error(), "rule 1") {
			t.Errorf("NewProjects(%+v) = %v, want an error that names the rule", bad, err)
		}
	}
	var none *Projects
	if none.Of("x") != (Owner{}) {
		t.Error("no rules know something")
	}
}

func TestPURL(t *testing.T) {
	for in, want := range map[string]struct{ ecosystem, name, version string }{
		"pkg:npm/brace-expansion@2.0.3": {"npm", "brace-expansion", "2.0.3"},
		"pkg:npm/%40angular/core@1.0.0": {"npm", "@angular/core", "1.0.0"},
		"pkg:npm/@angular/core":         {"npm", "@angular/core", ""},
		"pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.13.3?type=jar": {"maven", "com.fasterxml.jackson.core:jackson-databind", "2.13.3"},
		"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64":                  {"deb", "openssl", "1.1.1n-0+deb11u3"},
		"pkg:golang/github.com/acme/x@v1.2.3#sub":                               {"golang", "github.com/acme/x", "v1.2.3"},
		"pkg:pypi/Ruamel.YAML@0.1":                                              {"pypi", "ruamel-yaml", "0.1"},
	} {
		got, ok := ParsePURL(in)
		if pkg := record.Package(want.ecosystem, want.name); !ok || got.Package() != pkg || got.Version != want.version {
			t.Errorf("ParsePURL(%q) = %q %q %v, want %q %q", in, got.Package(), got.Version, ok, pkg, want.version)
		}
	}
	for _, in := range []string{"", "npm/x", "pkg:npm", "pkg:/x", "pkg:npm/"} {
		if got, ok := ParsePURL(in); ok {
			t.Errorf("ParsePURL(%q) = %+v, want nothing", in, got)
		}
	}
}

func FuzzPURL(f *testing.F) {
	f.Add("pkg:npm/%40angular/core@1.0.0?x=y#z")
	f.Add("pkg:deb/debian/x@1%")
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := ParsePURL(s); ok && (p.Type == "" || p.Name == "") {
			t.Errorf("ParsePURL(%q) = %+v claims to be one", s, p)
		}
	})
}

func FuzzTime(f *testing.F) {
	f.Add("2017-10-18T04:51:38-0400")
	f.Add("1508316698000")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err == nil && !at.IsZero() && (at.Year() < 1970 || at.Year() > 2200) {
			t.Errorf("ParseTime(%q) = %v", s, at)
		}
		if err != nil && !errors.Is(err, ErrTimestamp) {
			t.Errorf("ParseTime(%q): %v does not wrap ErrTimestamp", s, err)
		}
	})
}
