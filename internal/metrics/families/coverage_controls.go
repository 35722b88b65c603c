package families

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// controls lists the families about controls, for the board "Coverage".
var controls = []*Family{
	{Collect: controlServices, Family: frame.Family{
		Name: "prodsec_control_services",
		Help: "Services to which a control applies, by result: pass, fail, unknown (there is no evidence, it is too old, or it could not be read) or " +
			"exempt (the control does not pass, and an exception in force names it). A control that is checked per repository has the result of the " +
			"service's worst repository. Services that are in no catalog are not counted. docs/definitions.md has the rules.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"control", "domain", "business_unit", "team", "trust_tier", "crown_jewel", "internet_facing", "status"},
		Source:  "Service, Repository, Scan, Evidence, Review, Release, Deployment, Pipeline, Exception.Controls",
		Refresh: refreshAll,
		Example: `sum by (control) (prodsec_control_services{status="pass"}) / sum by (control) (prodsec_control_services)`,
	}},
	{Collect: controlGap, Withheld: true, Family: frame.Family{
		Name: "prodsec_control_gap",
		Help: "1 for each control that fails or is unknown for a service that policy.detail selects. Over the series budget, service_name becomes \"other\" " +
			"and the value is the number of gaps.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "control", "domain", "status"),
		Source:  "as prodsec_control_services",
		Refresh: refreshAll,
		Example: `prodsec_control_gap{trust_tier="tier0", status="fail"}`,
	}},
	{Collect: baselineServices, Family: frame.Family{
		Name: "prodsec_baseline_services",
		Help: "Services by whether they have every control that their trust tier requires: fail if one fails, else unknown if one is unknown or the trust " +
			"tier is, else exempt if one is exempt, else pass. Services whose trust tier requires no control are not counted.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "crown_jewel", "internet_facing", "status"},
		Source:  "as prodsec_control_services",
		Refresh: refreshAll,
		Example: `sum(prodsec_baseline_services{crown_jewel="true", status="pass"}) / sum(prodsec_baseline_services{crown_jewel="true"})`,
	}},
	{Collect: productionBasics, Family: frame.Family{
		Name: "prodsec_production_basics_services",
		Help: "Services to which the controls logging and baseline apply (production services), by whether they have these two and owner together: fail if one fails, else " +
			"unknown if one is unknown, else exempt if one is exempt, else pass.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"business_unit", "team", "trust_tier", "status"},
		Source:  "as prodsec_control_services",
		Refresh: refreshAll,
		Example: `sum(prodsec_production_basics_services{status="pass"}) / sum(prodsec_production_basics_services)`,
	}},
	{Collect: areaControls, Family: frame.Family{
		Name: "prodsec_product_area_controls",
		Help: "Controls of services by the product area of the service and result: each pair of a service and a control that applies to it counts once. product_area is none where " +
			"the catalog has none.",
		Type: frame.Gauge, Stability: frame.Experimental,
		Labels:  []string{"product_area", "status"},
		Unbound: []string{"product_area"},
		Source:  "as prodsec_control_services, Service.ProductArea",
		Refresh: refreshAll,
		Example: `sum by (product_area) (prodsec_product_area_controls{status!="pass"}) / sum by (product_area) (prodsec_product_area_controls)`,
	}},
	{Collect: controlEvidenceTimestamp, Family: frame.Family{
		Name: "prodsec_control_evidence_timestamp_seconds",
		Help: "When the evidence behind the result of a control was produced; the oldest where several repositories count. Evidence that is too old to " +
			"count is included. Absent for controls without a maximum age and for results without dated evidence.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  append(owner(), "control"),
		Source:  "Evidence.ProducedAt, Review.ClosedAt, Deployment.FinishedAt, Service.Facts",
		Refresh: refreshAll,
		Example: `time() - prodsec_control_evidence_timestamp_seconds{control="threat_model"} > 335 * 86400`,
		Combine: frame.Least,
	}},
	{Collect: controlFailures, Family: frame.Family{
		Name: "prodsec_control_failures_in_window",
		Help: "Failures in the trailing window, by the control to which policy.control_mapping attributes them: finding is a weakness that opened, repeat " +
			"a weakness whose category had been fixed in the same product area before, regression a reopened weakness, sla_miss a weakness that missed " +
			"its SLA target, exception an approved exception, renewal an exception that was approved again, bypass a bypassed rule. control is none " +
			"where the mapping has no entry. An exception or a bypass that is attributed to several controls counts for each.",
		Type: frame.Gauge, Stability: frame.Stable,
		Labels:  []string{"window", "control", "source"},
		Source:  "Finding.Category, Finding.Class, Exception.Controls, Exception.Categories, Exception.Rules, Bypass.Rules",
		Refresh: refreshFindings,
		Example: `topk(5, sum by (control) (prodsec_control_failures_in_window{window="90d", source=~"repeat|regression|renewal|sla_miss"}))`,
	}},
}

// answers are the facts that catalogs state or leave open, in the order of their dimensions.
var answers = []record.Answer{record.AnswerYes, record.AnswerNo, record.AnswerUnknown}

func answerIndex(a record.Answer) int { return max(0, slices.Index(answers, a)) }

// exposures are the dimensions of crown_jewel and internet_facing together; at is where those of a service are.
func exposures() (values [][2]string, at func(s *record.Service) int) {
	for _, jewel := range answers {
		for _, facing := range answers {
			values = append(values, [2]string{boolean(jewel), boolean(facing)})
		}
	}
	return values, func(s *record.Service) int {
		return answerIndex(s.CrownJewel)*len(answers) + answerIndex(s.InternetFacing)
	}
}

func statusIndex(s policy.Status) int { return slices.Index(tallies.ControlStatuses, s) }

func controlServices(in *tallies.Tallies, out *frame.Sink) {
	results, own := in.Controls, in.Owners
	facts, exposure := exposures()
	for i := range results.All {
		for _, fact := range facts {
			for _, status := range tallies.ControlStatuses {
				out.NewDim(results.All[i].Name, string(results.All[i].Domain), fact[0], fact[1], string(status))
			}
		}
	}
	width := len(results.All) * len(facts) * len(tallies.ControlStatuses)
	seen := make([]bool, len(own.Groups.Labels)*width)
	for _, i := range in.Services {
		service := &in.Snapshot.Services[i]
		group, fact := own.GroupOf[service.Owner], exposure(&service.Service)
		for control, verdict := range results.Of(i) {
			if verdict.Status == "" {
				continue
			}
			first := (control*len(facts) + fact) * len(tallies.ControlStatuses)
			out.Add(group, first+statusIndex(verdict.Status), 1)
			if at := int(group)*width + first; !seen[at] {
				seen[at] = true
				for status := range tallies.ControlStatuses {
					out.Zero(group, first+status)
				}
			}
		}
	}
}

func controlGap(in *tallies.Tallies, out *frame.Sink) {
	results := in.Controls
	gaps := []policy.Status{policy.StatusFail, policy.StatusUnknown}
	for i := range results.All {
		for _, status := range gaps {
			out.NewDim(results.All[i].Name, string(results.All[i].Domain), string(status))
		}
	}
	for _, i := range in.Services {
		service := &in.Snapshot.Services[i]
		if !in.Policy.Detailed(service.Facts) {
			continue
		}
		for control, verdict := range results.Of(i) {
			if gap := slices.Index(gaps, verdict.Status); gap >= 0 {
				out.Add(service.Owner, control*len(gaps)+gap, 1)
			}
		}
	}
}

func baselineServices(in *tallies.Tallies, out *frame.Sink) {
	facts, exposure := exposures()
	for _, fact := range facts {
		for _, status := range tallies.ControlStatuses {
			out.NewDim(fact[0], fact[1], string(status))
		}
	}
	for _, i := range in.Services {
		service := &in.Snapshot.Services[i]
		result := in.Controls.Baseline[i]
		if result == "" {
			continue
		}
		group, first := in.Owners.GroupOf[service.Owner], exposure(&service.Service)*len(tallies.ControlStatuses)
		out.Add(group, first+statusIndex(result), 1)
		for status := range tallies.ControlStatuses {
			out.Zero(group, first+status)
		}
	}
}

// basics are the controls that every production service ought to have; the first is asked of all services.
var basics = []string{policy.ControlOwner, policy.ControlLogging, policy.ControlBaseline}

func productionBasics(in *tallies.Tallies, out *frame.Sink) {
	for _, status := range tallies.ControlStatuses {
		out.NewDim(string(status))
	}
	for _, i := range in.Services {
		var results []policy.Status
		production := false
		for control, verdict := range in.Controls.Of(i) {
			name := in.Controls.All[control].Name
			if verdict.Status == "" || !slices.Contains(basics, name) {
				continue
			}
			results = append(results, verdict.Status)
			production = production || name != policy.ControlOwner
		}
		if !production {
			continue
		}
		group := in.Owners.GroupOf[in.Snapshot.Services[i].Owner]
		out.Add(group, statusIndex(policy.Together(results...)), 1)
		for status := range tallies.ControlStatuses {
			out.Zero(group, status)
		}
	}
}

func controlEvidenceTimestamp(in *tallies.Tallies, out *frame.Sink) {
	results := in.Controls
	for i := range results.All {
		out.NewDim(results.All[i].Name)
	}
	for _, i := range in.Services {
		for control, verdict := range results.Of(i) {
			if verdict.At != 0 && results.All[control].Dated() {
				out.Add(in.Snapshot.Services[i].Owner, control, float64(verdict.At))
			}
		}
	}
}

// failureSources are the values of the label "source" of prodsec_control_failures_in_window.
var failureSources = [tallies.FailureSources]string{
	tallies.FailureFinding: "finding", tallies.FailureRepeat: "repeat", tallies.FailureRegression: "regression", tallies.FailureException: "exception",
	tallies.FailureRenewal: "renewal", tallies.FailureMiss: "sla_miss", tallies.FailureBypass: "bypass",
}

func controlFailures(in *tallies.Tallies, out *frame.Sink) {
	all, windows := in.Policy.Controls(), windowNames(in.Policy)
	names := make([]string, 0, len(all)+1)
	for i := range all {
		names = append(names, all[i].Name)
	}
	out.Product(windows, append(names, frame.None), failureSources[:])
	dim := func(window, control, source int) int {
		return (window*(len(all)+1)+control)*len(failureSources) + source
	}
	for shortest, counts := range in.Events.Failures.Counts {
		for at, n := range counts {
			for window := shortest; n > 0 && window < len(windows); window++ {
				out.Add(frame.NoEntity, dim(window, at/len(failureSources), at%len(failureSources)), float64(n))
			}
		}
	}
	attribute := func(found []int, source tallies.FailureSource, held []policy.Window) {
		if len(found) == 0 {
			found = []int{len(all)}
		}
		for _, control := range found {
			for window := len(windows) - len(held); window < len(windows); window++ {
				out.Add(frame.NoEntity, dim(window, control, int(source)), 1)
			}
		}
	}
	for _, g := range in.Grants() {
		source := tallies.FailureException
		if g.Renewal {
			source = tallies.FailureRenewal
		}
		attribute(in.Policy.ControlsOfException(g.Exception), source, in.WindowsHolding(g.At))
	}
	tallies.EachCounted(&in.Input, in.Snapshot.Bypassed, func(m *snapshot.Milestone[record.Bypass]) {
		if m.Record.Result == record.BypassBypassed {
			attribute(in.Policy.ControlsOfBypass(&m.Record), tallies.FailureBypass, in.WindowsHolding(m.At))
		}
	})
	zeroFailures(in, out, dim)
}

// zeroFailures shows 0 for the sources that were read.
func zeroFailures(in *tallies.Tallies, out *frame.Sink, dim func(window, control, source int) int) {
	for source, kind := range [tallies.FailureSources]record.Kind{
		tallies.FailureFinding: record.KindFinding, tallies.FailureRepeat: record.KindFinding, tallies.FailureRegression: record.KindFinding,
		tallies.FailureException: record.KindException, tallies.FailureRenewal: record.KindException, tallies.FailureMiss: record.KindFinding,
		tallies.FailureBypass: record.KindBypass,
	} {
		if !in.Sources.Of(kind).Ever {
			continue
		}
		for window := range in.Policy.Windows() {
			for control := range len(in.Policy.Controls()) + 1 {
				out.Zero(frame.NoEntity, dim(window, control, source))
			}
		}
	}
}
