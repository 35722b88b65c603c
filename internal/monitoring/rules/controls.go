package rules

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
)

func controlRecords() rulefile.Group {
	return rulefile.Group{Name: "prodsec-controls", Rules: []rulefile.Rule{
		foldedRule("Services by control and result, replicas merged.", names.RecControls, names.ControlServices),
		shareRule("Share of services that pass a control, by trust tier, among all to which it applies: an exemption is no pass, and unknown is none.", names.RecControlRatio, names.RecControls,
			[]string{promql.Is("status", "pass")}),
		foldedRule("Services by whether they pass every control that their tier requires, replicas merged.", names.RecBaselines, names.BaselineServices),
		shareRule("Share of services with every required control, by exposure, among all whose tier requires any: an exemption is no pass, and unknown is none.", names.RecBaselineRatio,
			names.RecBaselines, []string{promql.Is("status", "pass")}),
		foldedRule("Production services by whether they have logging, owner and baseline together, replicas merged.", names.RecBasics, names.BasicsServices),
		foldedRule("Failures of the window by the control they are attributed to, replicas merged.", names.RecControlFailures, names.ControlFailures),
		shareRule("Share of a business unit's controls that do not pass: failed, unknown or exempt. An exception tolerates a gap and does not close it.", names.RecMissing, names.RecControls,
			[]string{promql.IsNot("status", "pass")}),
		{
			Why:    "Under-protection relative to exposure: the risk score of a business unit times the share of its controls that do not pass.",
			Record: names.RecUnderProtected,
			Expr:   promql.SumBy("business_unit", promql.Series(names.RecRisk)) + "\n* " + promql.SumBy("business_unit", promql.Series(names.RecMissing)),
		},
		{
			Why:    "Share of a product area's controls that do not pass: failed, unknown or exempt.",
			Record: names.RecAreaMissing,
			Expr: promql.SumBy("product_area", promql.Once(names.AreaControls, promql.IsNot("status", "pass"))) + "\n/\n(" +
				promql.SumBy("product_area", promql.Once(names.AreaControls)) + " > 0)",
		},
		{
			Why:    "Under-protection relative to exposure: the risk score of a product area times the share of its controls that do not pass.",
			Record: names.RecAreaUnder,
			Expr:   promql.SumBy("product_area", promql.Once(names.AreaRisk)) + "\n* " + promql.SumBy("product_area", promql.Series(names.RecAreaMissing)),
		},
	}}
}
