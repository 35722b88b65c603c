package monitoring

// The recording rules about controls.
const (
	recControls        = "group:prodsec_control_services:sum"
	recControlRatio    = "trust_tier:prodsec_control_services:pass_ratio"
	recBaselines       = "group:prodsec_baseline_services:sum"
	recBaselineRatio   = "programme:prodsec_baseline_services:pass_ratio"
	recControlFailures = "control:prodsec_control_failures_in_window:sum"
	recMissing         = "business_unit:prodsec_control_services:missing_ratio"
	recUnderProtected  = "business_unit:prodsec_risk_score:under_protected"
)

// controlShapes are the labels of the rules about controls.
var controlShapes = []recordingShape{
	{recControls, "control, domain, " + groupLabels + ", crown_jewel, internet_facing, status"},
	{recControlRatio, "control, domain, trust_tier"},
	{recBaselines, groupLabels + ", crown_jewel, internet_facing, status"},
	{recBaselineRatio, "crown_jewel, internet_facing"},
	{recControlFailures, "window, control, source"},
	{recMissing, "business_unit"},
	{recUnderProtected, "business_unit"},
}

func controlRecords() Group {
	return Group{Name: "prodsec-controls", Rules: []Rule{
		foldedRule("Services by control and result, replicas folded.", recControls, controlServices),
		shareRule("Share of services that pass a control, by trust tier; unknown counts against it, an exemption does not.", recControlRatio, recControls,
			[]string{is("status", "pass")}, isNot("status", "exempt")),
		foldedRule("Services by whether they have every control that their tier requires, replicas folded.", recBaselines, baselineServices),
		shareRule("Share of services with every required control, by what they could hurt; unknown counts against it.", recBaselineRatio, recBaselines,
			[]string{is("status", "pass")}, isNot("status", "exempt")),
		foldedRule("Failures of the window by the control at whose door they are laid, replicas folded.", recControlFailures, controlFailures),
		shareRule("Share of a business unit's controls that fail or are not known.", recMissing, recControls, []string{in("status", "fail", "unknown")}, isNot("status", "exempt")),
		{
			Why:    "Where protection is weakest relative to exposure: the risk score of a business unit times the share of its controls that fail or are not known.",
			Record: recUnderProtected,
			Expr:   sumBy("business_unit", series(recRisk)) + "\n* " + sumBy("business_unit", series(recMissing)),
		},
	}}
}
