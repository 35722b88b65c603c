package definitions_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// controlsAt is the instant of the example of controls.
var controlsAt = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

// TestBuiltinControls holds the table of built-in controls against the policy.
func TestBuiltinControls(t *testing.T) {
	controls := policy.Default().Config().Controls
	rows := table(t, "built-in controls")
	if len(rows) != len(controls) {
		t.Errorf("the table has %d controls, the policy %d", len(rows), len(controls))
	}
	for _, r := range rows {
		c, known := controls[r["Control"]]
		if !known {
			t.Errorf("%s is not built in", r["Control"])
			continue
		}
		got := row{
			"Control": r["Control"], "Domain": string(c.Domain), "Applies to": appliesTo(c.AppliesTo), "Evidence, in order": evidenceOf(r["Control"], c.Evidence),
			"Combined": string(c.Combine), "Maximum age": "", "In the baseline of": strings.Join(c.Baseline, ", "),
		}
		if *c.MaxAge != 0 {
			got["Maximum age"] = c.MaxAge.String()
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("%s (-document +policy):\n%s", r["Control"], diff)
		}
	}
}

// appliesTo writes selectors in the words of the document.
func appliesTo(selectors []policy.SelectorConfig) string {
	hosted := len(selectors) > 0 && selectors[0].HasRepository != nil
	text := "all"
	switch {
	case len(selectors) == 2 && hosted:
		return "top tiers and crown jewels, has a repository"
	case len(selectors) == 2:
		return "top tiers, crown jewels"
	case len(selectors) == 0:
		return text
	case len(selectors[0].Lifecycles) == 0:
		return "has a repository"
	case hosted:
		return "production, has a repository"
	case len(selectors[0].Facts) > 0:
		return "production, and the fact platform is " + strings.Replace(strings.Join(selectors[0].Facts["platform"], " or "), "none", "not stated", 1)
	default:
		return "production"
	}
}

func evidenceOf(control string, sources []policy.SourceConfig) string {
	var all []string
	for _, s := range sources {
		text := string(s.From)
		switch s.From {
		case policy.FromCatalogFact, policy.FromSetting, policy.FromProperty:
			if s.Name == "" {
				s.Name = control
			}
		default: // the others have no name of their own
		}
		if s.Name != "" {
			text += " " + s.Name
		}
		if s.Absent == policy.AbsenceFail {
			text += " (absent: fail)"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// controlsSnapshot is what the ledger knows in the example of controls.
func controlsSnapshot(t *testing.T, p *policy.Policy) *snapshot.Snapshot {
	t.Helper()
	s := &snapshot.Snapshot{
		At: controlsAt, Strings: []string{""},
		Scopes: []snapshot.Scope{{
			Collector: "sources", Instance: "all", Name: "all:everything", Kind: "all", LastSuccess: controlsAt.Add(-time.Hour),
			Kinds: []record.Kind{record.KindService, record.KindRepository, record.KindEvidence, record.KindReview, record.KindScan, record.KindException},
		}},
		Owners:   []snapshot.Owner{snapshot.UnattributedOwner},
		Services: []snapshot.Service{{Service: record.Service{Name: record.Unattributed}}},
	}
	for _, r := range table(t, "controls services") {
		service := record.Service{
			Name: r["Service"], Team: r["Team"], TrustTier: r["Tier"], Lifecycle: r["Lifecycle"], CrownJewel: record.Answer(r["Crown jewel"]),
		}
		at := int32(len(s.Services))
		for name := range strings.SplitSeq(r["Repositories"], ", ") {
			service.Repositories = append(service.Repositories, record.RepositoryPath{Repository: record.RepositoryName(name)})
			s.Repositories = append(s.Repositories, snapshot.Repository{
				Repository: record.Repository{Name: record.RepositoryName(name), Settings: map[string]record.Answer{}}, Service: at,
			})
		}
		s.Owners = append(s.Owners, snapshot.Owner{Team: service.Team, Service: service.Name, TrustTier: service.TrustTier})
		s.Services = append(s.Services, snapshot.Service{Service: service, Owner: at, Facts: p.FactsOf(service)})
	}
	for i, r := range table(t, "controls facts") {
		addFact(t, s, strconv.Itoa(i), r)
	}
	return s
}

// addFact adds a row of the table of facts.
func addFact(t *testing.T, s *snapshot.Snapshot, id string, r row) {
	t.Helper()
	service, serviceAt, repository, repositoryAt := "", int32(0), record.RepositoryName(""), -1
	if strings.Contains(r["About"], "/") {
		repository = record.RepositoryName(r["About"])
		for i := range s.Repositories {
			if s.Repositories[i].Name == repository {
				repositoryAt, serviceAt = i, s.Repositories[i].Service
			}
		}
	} else {
		service = r["About"]
		for i := range s.Services {
			if s.Services[i].Name == service {
				serviceAt = int32(i)
			}
		}
	}
	if serviceAt == 0 {
		t.Fatalf("the example says something about %q, which is in none of its services", r["About"])
	}
	answer := map[string]record.Answer{"yes": record.AnswerYes, "no": record.AnswerNo, "unknown": record.AnswerUnknown}[r["Says"]]
	switch r["From"] {
	case "evidence":
		s.Evidence = append(s.Evidence, snapshot.Held[record.Evidence]{Service: serviceAt, Record: record.Evidence{
			ID: id, Control: r["What"], Service: service, Repository: repository, Holds: answer, ProducedAt: midnight(t, r["As of"]),
		}})
	case "review":
		s.Reviews = append(s.Reviews, snapshot.Held[record.Review]{Service: serviceAt, Record: record.Review{
			ID: id, Kind: record.ReviewKind(r["What"]), State: record.ReviewDone, Service: service, ClosedAt: midnight(t, r["As of"]),
		}})
	case "scan":
		s.Scans = append(s.Scans, snapshot.Held[record.Scan]{Record: record.Scan{
			Tool: "codeql", Class: record.Class(r["What"]), Repository: repository, SucceededAt: midnight(t, r["As of"]),
		}})
	case "setting":
		s.Repositories[repositoryAt].Settings[r["What"]] = answer
	case "exception":
		s.Exceptions = append(s.Exceptions, snapshot.Held[record.Exception]{Service: serviceAt, Record: record.Exception{
			ID: id, State: record.ExceptionApproved, Controls: []string{r["What"]}, Service: service, Repository: repository,
			DecidedAt: controlsAt.AddDate(0, -1, 0), ExpiresAt: midnight(t, strings.TrimPrefix(r["As of"], "until ")),
		}})
	default:
		t.Fatalf("the example has a source %q", r["From"])
	}
}

func TestControls(t *testing.T) {
	p := policyOf(t, "controls policy")
	e := metrics.Evaluate(controlsSnapshot(t, p), p, controlsAt)
	for _, r := range table(t, "controls results") {
		for control, want := range r {
			if control == "Service" || control == "Baseline" {
				continue
			}
			if want != "fail" && want != "unknown" || r["Service"] == "wiki" {
				want = "" // no gap, or not in policy.detail
			}
			if got := gapOf(e, r["Service"], control); got != want {
				t.Errorf("the gap in %s of %s: got %q, want %q", control, r["Service"], got, want)
			}
		}
	}
	for _, r := range table(t, "controls counts") {
		compare(t, "prodsec_control_services of "+r["Control"], r, sums(e, "prodsec_control_services", "status", "control="+r["Control"]))
	}
	for _, r := range table(t, "controls baselines") {
		compare(t, "prodsec_baseline_services", r, sums(e, "prodsec_baseline_services", "status"))
	}
	gaps := sums(e, "prodsec_control_gap", "status")
	for _, r := range table(t, "controls gaps") {
		if got := fmt.Sprint(gaps[r["Status"]]); got != r["Gaps"] {
			t.Errorf("gaps that are %s: got %s, want %s", r["Status"], got, r["Gaps"])
		}
	}
}

// gapOf is the status of a control in prodsec_control_gap, empty if it has none there.
func gapOf(e *metrics.Evaluation, service, control string) string {
	for status := range sums(e, "prodsec_control_gap", "status", "service_name="+service, "control="+control) {
		return status
	}
	return ""
}

// compare compares the numbers of a row with sums by the heading of their column.
func compare(t *testing.T, what string, want row, got map[string]float64) {
	t.Helper()
	for heading, text := range want {
		number, err := strconv.ParseFloat(text, 64)
		if err == nil && got[heading] != number {
			t.Errorf("%s: %s is %v, want %v", what, heading, got[heading], number)
		}
	}
}

// TestControlResults compares the result of every control for every service alone: an evaluation of a catalog with that service only.
func TestControlResults(t *testing.T) {
	p := policyOf(t, "controls policy")
	for _, r := range table(t, "controls results") {
		s := controlsSnapshot(t, p)
		for i := range s.Services {
			if s.Services[i].Name != r["Service"] {
				s.Services[i].Lifecycle, s.Services[i].Repositories = "retired", nil
				s.Services[i].TrustTier, s.Services[i].CrownJewel = "", record.AnswerUnknown
				s.Services[i].Facts = p.FactsOf(s.Services[i].Service)
				s.Services[i].BusinessUnit = "others"
				s.Owners[s.Services[i].Owner].BusinessUnit = "others"
			}
		}
		e := metrics.Evaluate(s, p, controlsAt)
		for control, want := range r {
			var got map[string]float64
			switch control {
			case "Service":
				continue
			case "Baseline":
				got = sums(e, "prodsec_baseline_services", "status", "business_unit=unattributed")
			default:
				got = sums(e, "prodsec_control_services", "status", "business_unit=unattributed", "control="+control)
			}
			only := ""
			for status, n := range got {
				if n > 0 {
					only += status
				}
			}
			if only != want {
				t.Errorf("%s of %s: got %q, want %q", control, r["Service"], only, want)
			}
		}
	}
}

func TestControlDates(t *testing.T) {
	p := policyOf(t, "controls policy")
	e := metrics.Evaluate(controlsSnapshot(t, p), p, controlsAt)
	rows := table(t, "controls dates")
	series := 0
	for _, r := range e.Results {
		if r.Family.Name == "prodsec_control_evidence_timestamp_seconds" {
			series = len(r.Series)
		}
	}
	if series != len(rows) {
		t.Errorf("%d results are dated, want %d", series, len(rows))
	}
	for _, r := range rows {
		got := sums(e, "prodsec_control_evidence_timestamp_seconds", "control", "service_name="+r["Service"])[r["Control"]]
		if want := float64(midnight(t, r["Date"]).Unix()); got != want {
			t.Errorf("%s of %s: got %v, want %v", r["Control"], r["Service"], got, want)
		}
	}
}

func TestControlMapping(t *testing.T) {
	p := policy.Default()
	for _, r := range table(t, "control mapping") {
		var found []int
		switch r["Source"] {
		case "finding":
			found = append(found, p.ControlOfFinding(r["Category"], record.Class(r["Class"])))
		case "exception":
			found = p.ControlsOfException(&record.Exception{Category: r["Category"]})
		case "bypass":
			found = p.ControlsOfBypass(&record.Bypass{Rules: []string{r["Category"]}})
		}
		got := "none"
		if len(found) > 0 && found[0] >= 0 {
			got = p.Controls()[found[0]].Name
		}
		if got != r["Control"] {
			t.Errorf("%s %q %s: got %s, want %s", r["Source"], r["Category"], r["Class"], got, r["Control"])
		}
	}
}
