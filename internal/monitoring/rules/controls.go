package rules

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
)

func controlRecords() rulefile.Group {
	return rulefile.Group{Name: "prodsec-controls", Rules: []rulefile.Rule{
		foldedRule("Services by control and result, replicas merged.", names.RecControls, names.ControlServices),
		shareRule("Share of services that pass a control, by trust tier; unknown counts against it, an exemption does not.", names.RecControlRatio, names.RecControls,
			[]string{promql.Is("status", "pass")}, promql.IsNot("status", "exempt")),
		foldedRule("Services by whether they pass every control that their tier requires, replicas merged.", names.RecBaselines, names.BaselineServices),
		shareRule("Share of services with every required control, by exposure; unknown counts against it.", names.RecBaselineRatio, names.RecBaselines,
			[]string{promql.Is("status", "pass")}, promql.IsNot("status", "exempt")),
		foldedRule("Failures of the window by the control they are attributed to, replicas merged.", names.RecControlFailures, names.ControlFailures),
		shareRule("Share of a business unit's controls that fail or are unknown.", names.RecMissing, names.RecControls, []string{promql.In("status", "fail", "unknown")}, promql.IsNot("status", "exempt")),
		{
			Why:    "Under-protection relative to exposure: the risk score of a business unit times the share of its controls that fail or are unknown.",
			Record: names.RecUnderProtected,
			Expr:   promql.SumBy("business_unit", promql.Series(names.RecRisk)) + "\n* " + promql.SumBy("business_unit", promql.Series(names.RecMissing)),
		},
	}}
}
