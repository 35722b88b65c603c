package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

var judged = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return judged.AddDate(0, 0, -n) }

// controlled is a policy with one control beside the built-in ones.
func controlled(t *testing.T, c ControlConfig) *Control {
	t.Helper()
	config := DefaultConfig()
	c.Domain = DomainAppSec
	if c.Evidence == nil {
		c.Evidence = []SourceConfig{{From: FromEvidence}}
	}
	config.Controls = ControlsConfig{"mine": c}
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &p.Controls()[p.Control("mine")]
}

func TestBuiltinControls(t *testing.T) {
	var names []string
	for _, c := range Default().Controls() {
		names = append(names, c.Name)
		if len(c.Sources) == 0 {
			t.Errorf("%s has no source", c.Name)
		}
	}
	want := []string{
		"baseline", "branch_protection", "cloud_baseline", "cloud_identity", "runner_tier", "design_review", "golden_path", "kubernetes_baseline", "logging", "owner",
		"provenance", "push_protection", "rollback", "sast", "sca", "secret_scanning", "threat_model",
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not built in", name)
		}
	}
}

// TestControlsFitAnyTiers: an organisation with other words for its tiers need not repeat the built-in controls.
func TestControlsFitAnyTiers(t *testing.T) {
	c := DefaultConfig()
	c.TrustTiers = []string{"gold", "silver", "tin"}
	c.SLA.Targets, c.Protection.Privileged.TrustTiers, c.Detail.TrustTiers = c.SLA.Targets[:1], nil, nil
	c.Risk.Criticality.TrustTiers = nil
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	model := &p.Controls()[p.Control("threat_model")]
	for tier, want := range map[string]bool{"gold": true, "silver": true, "tin": false, "tier0": false} {
		if got := model.Applies(&record.Service{TrustTier: tier}, true); got != want {
			t.Errorf("a service in %s: a threat model applies %v, want %v", tier, got, want)
		}
		if got := model.Required(p.Tier(tier)); got != want {
			t.Errorf("a service in %s: a threat model is required %v, want %v", tier, got, want)
		}
	}
}

// TestControlsOverPart: what is not said of a built-in control stays.
func TestControlsOverPart(t *testing.T) {
	c := DefaultConfig()
	c.Controls = ControlsConfig{"threat_model": {MaxAge: age(Duration(Day))}, "logging": {Disabled: true}, "sast": {AppliesTo: []SelectorConfig{}}}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	model, builtin := p.Config().Controls["threat_model"], Default().Config().Controls["threat_model"]
	builtin.MaxAge = age(Duration(Day))
	if diff := cmp.Diff(builtin, model); diff != "" {
		t.Errorf("more than the age changed:\n%s", diff)
	}
	if p.Control("logging") >= 0 {
		t.Error("logging is in force although it is disabled")
	}
	if !p.Controls()[p.Control("sast")].Applies(&record.Service{}, false) {
		t.Error("an empty list of selectors does not mean all services")
	}
	if p.Version() == Default().Version() {
		t.Error("other controls have the same version")
	}
	again, err := New(p.Config())
	if err != nil || again.Version() != p.Version() {
		t.Errorf("a policy made of a policy's configuration is another one: %v", err)
	}
	written, err := json.Marshal(p.Config())
	if err != nil {
		t.Fatal(err)
	}
	var read Config
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	if again, err = New(read); err != nil || again.Version() != p.Version() {
		t.Errorf("a policy that was stored and read is another one: %v", err)
	}
}

func TestControlErrors(t *testing.T) {
	c := DefaultConfig()
	c.Controls = ControlsConfig{
		"Not A Name": {},
		"mine": {
			Domain: "legal", WithoutRepositories: []string{"[x"}, Combine: "most", MaxAge: age(-1), Baseline: []string{"gold"},
			AppliesTo: []SelectorConfig{{TrustTiers: []string{"gold"}, Facts: map[string][]string{"platform": nil}}},
			Evidence: []SourceConfig{
				{From: "rumour"}, {From: FromScan, Name: "smell"}, {From: FromReview, Accept: []string{"x"}, Absent: "maybe"}, {From: FromCatalogField},
			},
		},
		"empty": {Domain: DomainCloud},
	}
	c.ControlMapping = []MappingConfig{{Control: "nobody", Classes: []record.Class{"smell"}}, {Control: "sast"}, {Control: "none", Categories: []string{"[x"}}}
	_, err := New(c)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`policy.controls: "Not A Name" is not the name of a control`,
		`policy.controls.mine.domain: "legal" is not one of appsec, cloud, kubernetes, delivery, governance`,
		`policy.controls.mine.combine: "most" is not one of any, all, first`,
		`policy.controls.mine.max_age: must not be negative`,
		`policy.controls.mine.baseline: "gold" is not listed in policy.trust_tiers`,
		`policy.controls.mine.applies_to[0].trust_tiers: "gold" is not listed`,
		`policy.controls.mine.applies_to[0].facts: "platform" names no values`,
		`policy.controls.mine.without_repositories: "[x" is not a glob`,
		`policy.controls.mine.evidence[0].from: "rumour" is not one of catalog_field`,
		`policy.controls.mine.evidence[1].name: "smell" is not one of sast, sca`,
		`policy.controls.mine.evidence[2].name: "" is not one of threat_model`,
		`policy.controls.mine.evidence[2].accept: goes with catalog_fact, repository_property and runner`,
		`policy.controls.mine.evidence[2].absent: "maybe" is not one of unknown, fail`,
		`policy.controls.mine.evidence[3].name: "" is not one of team`,
		`policy.controls.empty.evidence: name at least one source`,
		`policy.control_mapping[0].control: "nobody" is not the name of a control`,
		`policy.control_mapping[0].classes[0]: "smell" is not one of`,
		`policy.control_mapping[1]: matches nothing`,
		`policy.control_mapping[2].categories: "[x" is not a glob pattern`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	many := DefaultConfig()
	many.Controls = ControlsConfig{}
	for i := range MaxControls {
		many.Controls[fmt.Sprintf("c%d", i)] = ControlConfig{Domain: DomainCloud, Evidence: []SourceConfig{{From: FromEvidence}}}
	}
	if _, err := New(many); err == nil || !strings.Contains(err.Error(), "at most 64 can be told apart") {
		t.Errorf("too many controls: %v", err)
	}
}

func TestSelectors(t *testing.T) {
	yes, no := true, false
	shop := record.Service{
		TrustTier: "tier1", CrownJewel: record.AnswerYes, Lifecycle: "Production", ProductArea: "shop", BusinessUnit: "retail",
		Facts: map[string]string{"platform": "kubernetes"},
	}
	bare := record.Service{}
	for _, c := range []struct {
		name       string
		selector   SelectorConfig
		shop, bare bool
	}{
		{"nothing asked", SelectorConfig{}, true, true},
		{"tier", SelectorConfig{TrustTiers: []string{"tier0", "tier1"}}, true, false},
		{"unknown tier", SelectorConfig{TrustTiers: []string{"unknown"}}, false, true},
		{"crown jewel", SelectorConfig{CrownJewel: &yes}, true, false},
		{"not a crown jewel, or not said to be one", SelectorConfig{CrownJewel: &no}, false, true},
		{"internet facing", SelectorConfig{InternetFacing: &yes}, false, false},
		{"lifecycle in any case", SelectorConfig{Lifecycles: []string{"production"}}, true, false},
		{"no lifecycle", SelectorConfig{Lifecycles: []string{"none"}}, false, true},
		{"area and unit", SelectorConfig{ProductAreas: []string{"shop"}, BusinessUnits: []string{"retail"}}, true, false},
		{"area and another unit", SelectorConfig{ProductAreas: []string{"shop"}, BusinessUnits: []string{"bank"}}, false, false},
		{"fact", SelectorConfig{Facts: map[string][]string{"platform": {"kubernetes"}}}, true, false},
		{"fact or none", SelectorConfig{Facts: map[string][]string{"platform": {"vm", "none"}}}, false, true},
		{"has a repository", SelectorConfig{HasRepository: &yes}, true, false},
	} {
		control := controlled(t, ControlConfig{AppliesTo: []SelectorConfig{c.selector}})
		if got := control.Applies(&shop, true); got != c.shop {
			t.Errorf("%s: applies to shop %v, want %v", c.name, got, c.shop)
		}
		if got := control.Applies(&bare, false); got != c.bare {
			t.Errorf("%s: applies to a bare service %v, want %v", c.name, got, c.bare)
		}
	}
	either := controlled(t, ControlConfig{AppliesTo: []SelectorConfig{{TrustTiers: []string{"tier0"}}, {CrownJewel: &yes}}})
	if !either.Applies(&shop, true) || either.Applies(&bare, true) {
		t.Error("one of several selectors suffices, and one is needed")
	}
}

// TestCombinations: P passes, F fails, U is unclear, N is about nothing, - says nothing.
func TestCombinations(t *testing.T) {
	statement := map[rune]Statement{
		'P': Present(record.AnswerYes), 'F': Present(record.AnswerNo), 'U': Present(record.AnswerUnknown), 'N': Inapplicable(), '-': {},
	}
	for _, c := range []struct {
		says            string
		any, all, first Status
	}{
		{"PF", StatusPass, StatusFail, StatusPass},
		{"FP", StatusPass, StatusFail, StatusFail},
		{"UP", StatusPass, StatusUnknown, StatusPass},
		{"UF", StatusUnknown, StatusFail, StatusFail},
		{"-P", StatusPass, StatusUnknown, StatusPass},
		{"-F", StatusFail, StatusFail, StatusFail},
		{"PP", StatusPass, StatusPass, StatusPass},
		{"NP", StatusPass, StatusPass, StatusPass},
		{"NF", StatusFail, StatusFail, StatusFail},
		{"NU", StatusUnknown, StatusUnknown, StatusUnknown},
		{"N-", "", StatusUnknown, ""},
		{"NN", "", "", ""},
		{"--", StatusUnknown, StatusUnknown, StatusUnknown},
	} {
		var statements []Statement
		for _, r := range c.says {
			statements = append(statements, statement[r])
		}
		for combine, want := range map[Combination]Status{CombineAny: c.any, CombineAll: c.all, CombineFirst: c.first} {
			control := controlled(t, ControlConfig{Combine: combine})
			if got := control.Judge(statements, judged).Status; got != want {
				t.Errorf("%s of %s: got %q, want %q", combine, c.says, got, want)
			}
		}
	}
}

// TestAge: stale evidence is not evidence, for or against.
func TestAge(t *testing.T) {
	yearly, ageless := controlled(t, ControlConfig{MaxAge: age(Duration(365 * Day))}), controlled(t, ControlConfig{})
	for _, c := range []struct {
		name            string
		statement       Statement
		yearly, ageless Status
	}{
		{"to the second in time", Produced(record.AnswerYes, daysAgo(365)), StatusPass, StatusPass},
		{"a second too old", Produced(record.AnswerYes, daysAgo(365).Add(-time.Second)), StatusUnknown, StatusPass},
		{"against it, too old", Produced(record.AnswerNo, daysAgo(366)), StatusUnknown, StatusFail},
		{"without a date", Produced(record.AnswerYes, time.Time{}), StatusUnknown, StatusPass},
		{"dated tomorrow", Produced(record.AnswerYes, judged.AddDate(0, 0, 1)), StatusPass, StatusPass},
		{"dated later", Produced(record.AnswerYes, judged.AddDate(0, 0, 2)), StatusUnknown, StatusUnknown},
		{"a present fact", Present(record.AnswerYes), StatusPass, StatusPass},
	} {
		if got := yearly.Judge([]Statement{c.statement}, judged).Status; got != c.yearly {
			t.Errorf("%s, at most a year old: got %s, want %s", c.name, got, c.yearly)
		}
		if got := ageless.Judge([]Statement{c.statement}, judged).Status; got != c.ageless {
			t.Errorf("%s, of any age: got %s, want %s", c.name, got, c.ageless)
		}
	}
}

// TestDates: the date is that of the evidence that decides.
func TestDates(t *testing.T) {
	statements := []Statement{Produced(record.AnswerYes, daysAgo(10)), Produced(record.AnswerYes, daysAgo(20)), Produced(record.AnswerNo, daysAgo(5))}
	for combine, want := range map[Combination]time.Time{CombineAny: daysAgo(10), CombineAll: daysAgo(5), CombineFirst: daysAgo(10)} {
		if got := controlled(t, ControlConfig{Combine: combine}).Judge(statements, judged).At; got != want.Unix() {
			t.Errorf("%s: got %s, want %s", combine, time.Unix(got, 0).UTC(), want)
		}
	}
	if got := controlled(t, ControlConfig{Combine: CombineAll}).Judge(statements[:2], judged).At; got != daysAgo(20).Unix() {
		t.Errorf("where all must, the oldest counts; got %s", time.Unix(got, 0).UTC())
	}
}

// TestAgreed: several statements of one source.
func TestAgreed(t *testing.T) {
	control := controlled(t, ControlConfig{MaxAge: age(Duration(30 * Day))})
	yes := func(days int) Statement { return Produced(record.AnswerYes, daysAgo(days)) }
	no := func(days int) Statement { return Produced(record.AnswerNo, daysAgo(days)) }
	unclear := Produced(record.AnswerUnknown, daysAgo(1))
	for _, c := range []struct {
		name       string
		statements []Statement
		want       Statement
	}{
		{"nothing", nil, Statement{}},
		{"both for it", []Statement{yes(1), yes(3)}, yes(3)},
		{"one against it", []Statement{yes(1), no(3), unclear}, no(3)},
		{"one unclear", []Statement{yes(1), unclear}, unclear},
		{"the one against it is too old", []Statement{no(40), yes(2)}, yes(2)},
		{"all too old", []Statement{no(50), yes(40)}, yes(40)},
	} {
		if got := control.Agreed(c.statements, judged); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFacts(t *testing.T) {
	config := DefaultConfig()
	config.TimeZone = "America/New_York"
	config.Controls = ControlsConfig{
		"plain": {Domain: DomainCloud, Evidence: []SourceConfig{{From: FromCatalogFact}}},
		"words": {Domain: DomainCloud, Evidence: []SourceConfig{{From: FromCatalogFact, Accept: []string{"v2", "V3"}}}},
	}
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		control, value string
		want           Statement
	}{
		{"plain", "", Statement{}},
		{"plain", " Yes ", Produced(record.AnswerYes, time.Time{})},
		{"plain", "false", Produced(record.AnswerNo, time.Time{})},
		{"plain", "2026-03-01", Produced(record.AnswerYes, time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC))},
		{"plain", "2026-03-01T12:00:00Z", Produced(record.AnswerYes, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))},
		{"plain", "n/a", Inapplicable()},
		{"plain", "soon", Produced(record.AnswerUnknown, time.Time{})},
		{"words", "v3", Produced(record.AnswerYes, time.Time{})},
		{"words", "yes", Produced(record.AnswerNo, time.Time{})},
		{"words", "", Statement{}},
	} {
		control := &p.Controls()[p.Control(c.control)]
		if got := control.Fact(&control.Sources[0], c.value); got != c.want {
			t.Errorf("%s: %q is %+v, want %+v", c.control, c.value, got, c.want)
		}
	}
}

func TestWorstAndExcused(t *testing.T) {
	v := func(s Status, days int) Verdict {
		if days == 0 {
			return Verdict{Status: s}
		}
		return Verdict{Status: s, At: daysAgo(days).Unix()}
	}
	for _, c := range []struct {
		of   []Verdict
		want Verdict
	}{
		{nil, Verdict{}},
		{[]Verdict{v(StatusPass, 1), v(StatusPass, 3)}, v(StatusPass, 3)},
		{[]Verdict{v(StatusPass, 0), v(StatusUnknown, 0)}, v(StatusUnknown, 0)},
		{[]Verdict{v(StatusUnknown, 0), v(StatusFail, 0), v(StatusPass, 0)}, v(StatusFail, 0)},
		{[]Verdict{v(StatusPass, 0), v(StatusExempt, 0)}, v(StatusExempt, 0)},
		{[]Verdict{v(StatusExempt, 0), v(StatusUnknown, 0)}, v(StatusUnknown, 0)},
		{[]Verdict{{}, v(StatusPass, 0)}, v(StatusPass, 0)},
	} {
		if got := WorstVerdict(c.of); got != c.want {
			t.Errorf("the worst of %v: got %v, want %v", c.of, got, c.want)
		}
	}
	for _, c := range []struct {
		status            Status
		inForce, doubtful bool
		want              Status
	}{
		{StatusFail, true, false, StatusExempt}, {StatusUnknown, true, true, StatusExempt}, {StatusPass, true, false, StatusPass},
		{StatusFail, false, true, StatusUnknown}, {StatusFail, false, false, StatusFail}, {"", true, false, ""},
	} {
		if got := (Verdict{Status: c.status}).Excused(c.inForce, c.doubtful).Status; got != c.want {
			t.Errorf("%q with an exception %v, a doubtful one %v: got %q, want %q", c.status, c.inForce, c.doubtful, got, c.want)
		}
	}
}

// TestBaseline: only what the tier requires counts, an exemption is no pass, and a service without a tier never passes.
func TestBaseline(t *testing.T) {
	p := Default()
	verdicts := func(results map[string]Status) []Verdict {
		all := make([]Verdict, len(p.Controls()))
		for i := range all {
			all[i].Status = StatusPass
		}
		for name, status := range results {
			all[p.Control(name)].Status = status
		}
		return all
	}
	for _, c := range []struct {
		tier    string
		results map[string]Status
		want    Status
	}{
		{"tier0", nil, StatusPass},
		{"tier0", map[string]Status{"rollback": StatusUnknown}, StatusUnknown},
		{"tier1", map[string]Status{"rollback": StatusUnknown}, StatusPass},
		{"tier0", map[string]Status{"rollback": StatusUnknown, "sast": StatusFail}, StatusFail},
		{"tier0", map[string]Status{"sast": StatusExempt}, StatusExempt},
		{"tier0", map[string]Status{"sast": ""}, StatusPass},
		{"tier0", map[string]Status{"golden_path": StatusFail}, StatusPass},
		{"tier3", map[string]Status{"sast": StatusFail}, StatusPass},
		{"tier3", map[string]Status{"owner": StatusFail}, StatusFail},
		{"nobody's", nil, StatusUnknown},
		{"nobody's", map[string]Status{"owner": StatusFail}, StatusFail},
	} {
		if got := p.Baseline(p.Tier(c.tier), verdicts(c.results)); got != c.want {
			t.Errorf("%s with %v: got %q, want %q", c.tier, c.results, got, c.want)
		}
	}
	config := DefaultConfig()
	config.Controls = ControlsConfig{"owner": {Baseline: []string{}}}
	without, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if got := without.Baseline(without.Tier("tier3"), verdicts(nil)); got != "" {
		t.Errorf("a tier that requires nothing has the baseline %q", got)
	}
}

func TestDetailed(t *testing.T) {
	p := Default()
	for facts, want := range map[ServiceFacts]bool{
		{Tier: p.Tier("tier1")}: true, {Tier: p.Tier("tier2")}: false, {Tier: p.Tier("")}: false,
		{Tier: p.Tier("tier3"), CrownJewel: true}: true, {Tier: p.Tier("tier3"), InternetFacing: true}: true,
	} {
		if got := p.Detailed(facts); got != want {
			t.Errorf("%+v: got %v, want %v", facts, got, want)
		}
	}
}

func TestMapping(t *testing.T) {
	c := DefaultConfig()
	c.Controls = ControlsConfig{"logging": {Disabled: true}}
	c.ControlMapping = []MappingConfig{
		{Control: "golden_path", Categories: []string{"java/*", "cwe-79"}, Classes: []record.Class{record.ClassSAST}},
		{Control: "none", Categories: []string{"CWE-80"}},
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	name := func(control int) string {
		if control < 0 {
			return "none"
		}
		return p.Controls()[control].Name
	}
	for _, c := range []struct {
		category string
		class    record.Class
		want     string
	}{
		{"CWE-79", record.ClassSAST, "golden_path"}, {"java/xss/stored", record.ClassSAST, "golden_path"}, {"CWE-79", record.ClassDAST, "none"},
		{"CWE-80", record.ClassSAST, "none"}, {"CWE-89", record.ClassSAST, "sast"}, {"", record.ClassSecret, "push_protection"},
		{"npm", record.ClassSCA, "sca"}, {"KSV012", record.ClassIaC, "kubernetes_baseline"}, {"AVD-AWS-0001", record.ClassIaC, "cloud_baseline"},
		{"CWE-862", record.ClassDAST, "design_review"}, {"CWE-918", record.ClassSAST, "threat_model"}, {"CWE-778", record.ClassSAST, "none"},
	} {
		if got := name(p.ControlOfFinding(c.category, c.class)); got != c.want {
			t.Errorf("a weakness of category %q and class %s is laid at %s, want %s", c.category, c.class, got, c.want)
		}
	}
	names := func(controls []int) (all []string) {
		for _, c := range controls {
			all = append(all, name(c))
		}
		return all
	}
	for _, c := range []struct {
		exception record.Exception
		want      []string
	}{
		{record.Exception{Controls: []string{"SAST", "nobody", "sca"}, Categories: []string{"CWE-862"}}, []string{"sast", "sca"}},
		{record.Exception{Categories: []string{"CWE-862", "CWE-287"}, Rules: []string{"KSV001"}}, []string{"design_review", "kubernetes_baseline"}},
		{record.Exception{Category: "CWE-327"}, []string{"golden_path"}},
		{record.Exception{Category: "legacy"}, nil},
	} {
		if diff := cmp.Diff(c.want, names(p.ControlsOfException(&c.exception))); diff != "" {
			t.Errorf("%+v:\n%s", c.exception, diff)
		}
	}
	bypass := record.Bypass{Rules: []string{"pull_request", "required_signatures", "code_scanning"}}
	if diff := cmp.Diff([]string{"branch_protection", "sast"}, names(p.ControlsOfBypass(&bypass))); diff != "" {
		t.Errorf("a bypass:\n%s", diff)
	}
}
