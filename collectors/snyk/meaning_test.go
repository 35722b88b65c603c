package snyk

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

func TestClosureOfIgnores(t *testing.T) {
	c, _ := bench(t, Config{}, &bytes.Buffer{})
	now := day(2026, 6, 1)
	at := func(d time.Time) translate.Time { return translate.Time{Time: d} }
	for name, tt := range map[string]struct {
		ignore    ignore
		unknown   bool
		want      record.Closure
		exception bool
	}{
		"temporary":                {ignore: ignore{ReasonType: "temporary-ignore", Expires: at(day(2027, 1, 1))}, want: record.ClosureNone, exception: true},
		"temporary, expired":       {ignore: ignore{ReasonType: "temporary-ignore", Expires: at(day(2026, 1, 1))}, want: record.ClosureNone, exception: true},
		"temporary without end":    {ignore: ignore{ReasonType: "temporary-ignore"}, want: record.ClosureRiskAccepted},
		"won't fix":                {ignore: ignore{ReasonType: "wont-fix"}, want: record.ClosureWontFix},
		"won't fix for a time":     {ignore: ignore{ReasonType: "wont-fix", Expires: at(day(2027, 1, 1))}, want: record.ClosureNone, exception: true},
		"not vulnerable":           {ignore: ignore{ReasonType: "not-vulnerable"}, want: record.ClosureFalsePositive},
		"not vulnerable, for now":  {ignore: ignore{ReasonType: "not-vulnerable", Expires: at(day(2027, 1, 1))}, want: record.ClosureFalsePositive},
		"not vulnerable, expired":  {ignore: ignore{ReasonType: "not-vulnerable", Expires: at(day(2026, 1, 1))}, want: record.ClosureNone},
		"no type":                  {ignore: ignore{}, want: record.ClosureOther},
		"unknown type":             {ignore: ignore{ReasonType: "full-moon"}, want: record.ClosureNone},
		"nobody knows why":         {unknown: true, want: record.ClosureNone},
		"unknown type with an end": {ignore: ignore{ReasonType: "full-moon", Expires: at(day(2027, 1, 1))}, want: record.ClosureNone, exception: true},
	} {
		if got := c.closure(tt.ignore, !tt.unknown, now); got != tt.want || tt.ignore.temporary() != tt.exception {
			t.Errorf("%s: closure %q, exception %t; want %q, %t", name, got, tt.ignore.temporary(), tt.want, tt.exception)
		}
	}
	early, late := ignore{Reason: "early", Expires: at(day(2026, 1, 1))}, ignore{Reason: "late", Expires: at(day(2027, 1, 1))}
	got, ok := firstToEnd([]map[string]ignore{{"*": {Reason: "endless"}}, {"a > b": late, "c": early}})
	if !ok || got.Reason != "early" {
		t.Errorf("firstToEnd() = %+v, want the one that expires first", got)
	}
	if _, ok := firstToEnd(nil); ok {
		t.Error("no ignore was found to be one")
	}
}

func TestOwners(t *testing.T) {
	c, _ := bench(t, Config{
		Hosts:    map[string]string{"github-enterprise": "git.example.com"},
		Projects: []translate.Project{{Name: "checkout", Repository: "acme/checkout"}, {Match: "team-(.+)/.*", Service: "$1"}},
	}, &bytes.Buffer{})
	for _, tt := range []struct {
		name, origin, url string
		want              translate.Owner
	}{
		{"acme/api:package.json", "github", "", translate.Owner{Repository: "acme/api"}},
		{"acme/api(main):package.json", "github", "", translate.Owner{Repository: "acme/api"}},
		{"acme/api:x", "github-enterprise", "", translate.Owner{Repository: "git.example.com/acme/api"}},
		{"acme/api:x", "gitlab", "https://gitlab.example.com/acme/api", translate.Owner{Repository: "gitlab.example.com/acme/api"}},
		{"acme/api:x", "azure-repos", "", translate.Owner{}},
		{"api", "cli", "", translate.Owner{}},
		{"checkout:latest", "docker-hub", "", translate.Owner{Repository: "acme/checkout"}},
		{"team-blue/x", "cli", "", translate.Owner{Service: "blue"}},
	} {
		w := &wireProject{}
		w.Attributes.Name, w.Attributes.Origin, w.Relationships.Target.Data.Attributes.URL = tt.name, tt.origin, tt.url
		if got := c.ownerOf(w); got != tt.want {
			t.Errorf("ownerOf(%s from %s at %q) = %+v, want %+v", tt.name, tt.origin, tt.url, got, tt.want)
		}
	}
}

func TestScansOfSeveralProjects(t *testing.T) {
	p := func(d int, active record.Answer) *project {
		return &project{owner: translate.Owner{Repository: "acme/api"}, class: record.ClassSCA, tested: translate.Time{Time: day(2026, 1, d)}, active: active}
	}
	got := projectList{"a": p(1, record.AnswerYes), "b": p(3, record.AnswerNo), "c": p(2, record.AnswerNo), "d": {class: record.ClassSCA}}.scans()
	want := []record.Scan{{Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Enabled: record.AnswerYes, SucceededAt: day(2026, 1, 3), AttemptedAt: day(2026, 1, 3)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scans (-want +got):\n%s", diff)
	}
}

func TestContainersAndCode(t *testing.T) {
	c, _ := bench(t, Config{}, &bytes.Buffer{})
	image := projectList{"p1": {name: "registry.example.com:5000/acme/shop:1.2@sha256:00", kind: projectKind{ecosystem: "deb", image: true}}}
	f, err := c.issue(json.RawMessage(open1.String()), &translation{projects: image})
	if err != nil || f.Class != record.ClassContainer || f.Place != "registry.example.com:5000/acme/shop" || f.Package != "deb/qs" {
		t.Errorf("a package of an image became %+v, %v", f, err)
	}
	code := issue{id: "i9", project: "p1", kind: "code", status: "open", more: `,"exploit_details":{"sources":["CISA"]}`}.String()
	code = strings.Replace(code, `{"dependency":{"package_name":"qs","package_version":"1.0.0"}}`, `{"sourceLocation":{"file":"src/a.js","region":{"start":{"line":65}}}}`, 1)
	f, err = c.issue(json.RawMessage(code), &translation{})
	if err != nil || f.Place != "src/a.js" || f.Line != 65 || f.Rule != "Prototype pollution" || f.Aliases != nil || f.KnownExploited != record.AnswerYes {
		t.Errorf("an issue in code became %+v, %v", f, err)
	}
}

func TestAnswersAboutFixesAndExploits(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		in   []coordinate
		want record.Answer
	}{{nil, record.AnswerUnknown}, {[]coordinate{{}}, record.AnswerUnknown}, {[]coordinate{{Upstream: &no}}, record.AnswerNo}, {[]coordinate{{Upstream: &no}, {Pinnable: &yes}}, record.AnswerYes}} {
		if got := fixable(tt.in); got != tt.want {
			t.Errorf("fixable(%+v) = %q, want %q", tt.in, got, tt.want)
		}
	}
	attacked := &exploit{}
	if err := json.Unmarshal([]byte(`{"sources":["Snyk"],"maturity_levels":[{"format":"CVSSv4","level":"Attacked"}]}`), attacked); err != nil {
		t.Fatal(err)
	}
	if exploited(nil) != record.AnswerUnknown || exploited(&exploit{}) != record.AnswerNo || exploited(attacked) != record.AnswerYes {
		t.Error("exploited() does not tell unknown, no and yes apart")
	}
}
