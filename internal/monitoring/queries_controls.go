package monitoring

// exposedOnly restricts to services that are crown jewels or that the internet reaches; it is two selectors, because a matcher is a conjunction.
func exposedServices(by, record string, matchers ...string) string {
	jewels := counted(by, record, append(matchers, is("crown_jewel", affirmative))...)
	reached := counted(by, record, append(matchers, is("internet_facing", affirmative), isNot("crown_jewel", affirmative))...)
	return "(" + filled(jewels, "0 * "+counted(by, record)) + ")\n+ (" + filled(reached, "0 * "+counted(by, record)) + ")"
}

// exposedShare is the share of exposed services with a result; an exemption is left out.
func exposedShare(by, record string, matchers ...string) string {
	return "(" + exposedServices(by, record, append(matchers, is("status", "pass"))...) + ")\n/\n((" +
		exposedServices(by, record, append(matchers, isNot("status", "exempt"))...) + ") > 0)"
}

// passShare is the share of services that pass controls.
func passShare(by string, controls ...string) string {
	return share(by, recControls, []string{is("status", "pass")}, in("control", controls...), isNot("status", "exempt"))
}

// controlTexts name the built-in controls.
func controlTexts() []Text {
	return []Text{
		{Value: "owner", Text: "named owner"}, {Value: "logging", Text: "logging"}, {Value: "baseline", Text: "security baseline"}, {Value: "golden_path", Text: "golden path"},
		{Value: "threat_model", Text: "threat model"}, {Value: "design_review", Text: "design review"}, {Value: "sast", Text: "SAST"}, {Value: "sca", Text: "SCA"},
		{Value: "secret_scanning", Text: "secret scanning"}, {Value: "push_protection", Text: "push protection"}, {Value: "cloud_baseline", Text: "cloud baseline"},
		{Value: "kubernetes_baseline", Text: "Kubernetes baseline"}, {Value: "branch_protection", Text: "branch protection"}, {Value: "provenance", Text: "provenance"},
		{Value: "runner_tier", Text: "runner fits tier"}, {Value: "cloud_identity", Text: "no long-lived keys"}, {Value: "rollback", Text: "rollback ready"},
		{Value: "none", Text: "no control mapped"},
	}
}

func domainTexts() []Text {
	return []Text{
		{Value: "appsec", Text: "AppSec"}, {Value: "cloud", Text: "cloud"}, {Value: "kubernetes", Text: "Kubernetes"}, {Value: "delivery", Text: "delivery"},
		{Value: "governance", Text: "governance"},
	}
}
