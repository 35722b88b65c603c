package boards

import (
	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/names"
)

// controlTexts name the built-in controls.
func controlTexts() []panel.Text {
	return []panel.Text{
		{Value: "owner", Text: "named owner"}, {Value: "logging", Text: "logging"}, {Value: "baseline", Text: "security baseline"}, {Value: "golden_path", Text: "golden path"},
		{Value: "threat_model", Text: "threat model"}, {Value: "design_review", Text: "design review"}, {Value: "sast", Text: "SAST"}, {Value: "sca", Text: "SCA"},
		{Value: "secret_scanning", Text: "secret scanning"}, {Value: "push_protection", Text: "push protection"}, {Value: "cloud_baseline", Text: "cloud baseline"},
		{Value: "kubernetes_baseline", Text: "Kubernetes baseline"}, {Value: "branch_protection", Text: "branch protection"}, {Value: "provenance", Text: "provenance"},
		{Value: "runner_tier", Text: "runner trust tier"}, {Value: "cloud_identity", Text: "no long-lived keys"}, {Value: "rollback", Text: "rollback readiness"},
		{Value: "none", Text: "no control mapped"},
	}
}

func domainTexts() []panel.Text {
	return []panel.Text{
		{Value: "appsec", Text: "AppSec"}, {Value: "cloud", Text: "cloud"}, {Value: "kubernetes", Text: "Kubernetes"}, {Value: "delivery", Text: "delivery"},
		{Value: "governance", Text: "governance"},
	}
}

func approvalTexts() []panel.Text {
	return []panel.Text{
		{Value: "approved", Text: "approved", Colour: panel.Good}, {Value: "bypassed", Text: "bypassed", Colour: panel.Bad},
		{Value: "none", Text: "none", Colour: panel.Warning}, {Value: "unknown", Text: "not known", Colour: panel.Unknown},
	}
}

func reviewTexts() []panel.Text {
	return []panel.Text{
		{Value: "early", Text: "early", Colour: panel.Good}, {Value: "late", Text: "late", Colour: panel.Bad},
		{Value: "none", Text: "no review", Colour: panel.Warning}, {Value: "unknown", Text: "not known", Colour: panel.Unknown},
	}
}

func causeTexts() []panel.Text {
	return []panel.Text{
		{Value: "control_gap", Text: "control gap", Colour: panel.Bad}, {Value: "other", Text: "another cause", Colour: panel.Neutral},
		{Value: "unknown", Text: "not known", Colour: panel.Unknown},
	}
}

func impactTexts() []panel.Text {
	return []panel.Text{{Value: names.Affirmative, Text: "yes"}, {Value: names.Negative, Text: "no"}, {Value: "unknown", Text: "not known"}}
}
