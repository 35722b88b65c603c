package metrics

import (
	"slices"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// controlFamilies list the families about controls, for the board "Coverage".
var controlFamilies = []*Family{
	{
		Name: "prodsec_control_services",
		Help: "Services to which a control applies, by result: pass, fail, unknown (nobody says, the evidence is too old, or it could not be " +
			"read) or exempt (it does not pass, and an exception in force names it). A control that is about repositories is as good as the " +
			"service's worst repository. docs/definitions.md has the rules. Services that no catalog knows are not in it.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"control", "domain", "business_unit", "team", "trust_tier", "crown_jewel", "internet_facing", "status"},
		Source:  "Service, Repository, Scan, Evidence, Review, Release, Deployment, Pipeline, Exception.Controls",
		Refresh: refreshAll,
		Example: `sum by (control) (prodsec_control_services{status="pass"}) / sum by (control) (prodsec_control_services)`,
		Collect: controlServices,
	},
	{
		Name: "prodsec_control_gap",
		Help: "One for each control that fails or is unknown for a service in policy.detail. Over the series budget service_name becomes " +
			"\"other\" and the value is the number of gaps.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "control", "domain", "status"),
		Source:  "as prodsec_control_services",
		Refresh: refreshAll,
		Example: `prodsec_control_gap{trust_tier="tier0", status="fail"}`,
		Collect: controlGap,
	},
	{
		Name: "prodsec_baseline_services",
		Help: "Services by whether they have every control that their trust tier requires: fail if one fails, else unknown if one is unknown or " +
			"the tier is, else exempt if one is exempt, else pass. Services whose tier requires nothing are not in it.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"business_unit", "team", "trust_tier", "crown_jewel", "internet_facing", "status"},
		Source:  "as prodsec_control_services",
		Refresh: refreshAll,
		Example: `sum(prodsec_baseline_services{crown_jewel="true", status="pass"}) / sum(prodsec_baseline_services{crown_jewel="true"})`,
		Collect: baselineServices,
	},
	{
		Name: "prodsec_control_evidence_timestamp_seconds",
		Help: "When the evidence was produced that the result of a control rests on, the oldest where several repositories count; also where it is " +
			"too old to count. Controls without a maximum age and results without dated evidence have none.",
		Type: Gauge, Stability: Stable,
		Labels:  append(owner(), "control"),
		Source:  "Evidence.ProducedAt, Review.ClosedAt, Deployment.FinishedAt, Service.Facts",
		Refresh: refreshAll,
		Example: `time() - prodsec_control_evidence_timestamp_seconds{control="threat_model"} > 335 * 86400`,
		Combine: Least,
		Collect: controlEvidenceTimestamp,
	},
	{
		Name: "prodsec_control_failures_in_window",
		Help: "Failures in the trailing window by the control at whose door policy.control_mapping lays them: finding is a new weakness, regression a " +
			"reopened one, exception an approved exception, bypass a rule that was passed by. control is none where the table has no row. An " +
			"exception or bypass that concerns several controls counts for each.",
		Type: Gauge, Stability: Stable,
		Labels:  []string{"window", "control", "source"},
		Source:  "Finding.Category, Finding.Class, Exception.Controls, Exception.Categories, Exception.Rules, Bypass.Rules",
		Refresh: refreshFindings,
		Example: `topk(5, sum by (control) (prodsec_control_failures_in_window{window="90d", control!="none"}))`,
		Collect: controlFailures,
	},
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

func statusIndex(s policy.Status) int { return slices.Index(controlStatuses, s) }

func controlServices(in *Input, out *Sink) {
	results, own := in.shared.controls, in.shared.own
	facts, exposure := exposures()
	for i := range results.controls {
		for _, fact := range facts {
			for _, status := range controlStatuses {
				out.NewDim(results.controls[i].Name, string(results.controls[i].Domain), fact[0], fact[1], string(status))
			}
		}
	}
	width := len(results.controls) * len(facts) * len(controlStatuses)
	seen := make([]bool, len(own.groups.labels)*width)
	for _, i := range in.shared.inService {
		service := &in.Snapshot.Services[i]
		group, fact := own.groupOf[service.Owner], exposure(&service.Service)
		for control, verdict := range results.of(i) {
			if verdict.Status == "" {
				continue
			}
			first := (control*len(facts) + fact) * len(controlStatuses)
			out.Add(group, first+statusIndex(verdict.Status), 1)
			if at := int(group)*width + first; !seen[at] {
				seen[at] = true
				for status := range controlStatuses {
					out.Zero(group, first+status)
				}
			}
		}
	}
}

func controlGap(in *Input, out *Sink) {
	results := in.shared.controls
	gaps := []policy.Status{policy.StatusFail, policy.StatusUnknown}
	for i := range results.controls {
		for _, status := range gaps {
			out.NewDim(results.controls[i].Name, string(results.controls[i].Domain), string(status))
		}
	}
	for _, i := range in.shared.inService {
		service := &in.Snapshot.Services[i]
		if !in.Policy.Detailed(service.Facts) {
			continue
		}
		for control, verdict := range results.of(i) {
			if gap := slices.Index(gaps, verdict.Status); gap >= 0 {
				out.Add(service.Owner, control*len(gaps)+gap, 1)
			}
		}
	}
}

func baselineServices(in *Input, out *Sink) {
	facts, exposure := exposures()
	for _, fact := range facts {
		for _, status := range controlStatuses {
			out.NewDim(fact[0], fact[1], string(status))
		}
	}
	for _, i := range in.shared.inService {
		service := &in.Snapshot.Services[i]
		result := in.shared.controls.baseline[i]
		if result == "" {
			continue
		}
		group, first := in.shared.own.groupOf[service.Owner], exposure(&service.Service)*len(controlStatuses)
		out.Add(group, first+statusIndex(result), 1)
		for status := range controlStatuses {
			out.Zero(group, first+status)
		}
	}
}

func controlEvidenceTimestamp(in *Input, out *Sink) {
	results := in.shared.controls
	for i := range results.controls {
		out.NewDim(results.controls[i].Name)
	}
	for _, i := range in.shared.inService {
		for control, verdict := range results.of(i) {
			if verdict.At != 0 && results.controls[control].Dated() {
				out.Add(in.Snapshot.Services[i].Owner, control, float64(verdict.At))
			}
		}
	}
}
