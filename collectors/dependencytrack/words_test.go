package dependencytrack

import (
	"testing"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate/translatetest"
)

func TestVocabularies(t *testing.T) {
	translatetest.Vocabulary(t, severities, map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "info": record.SeverityLow,
		"unassigned": record.SeverityUnknown, "": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, closures, map[string]record.Closure{
		"": record.ClosureNone, "not_set": record.ClosureNone, "in_triage": record.ClosureNone, "exploitable": record.ClosureNone,
		"false_positive": record.ClosureFalsePositive, "not_affected": record.ClosureFalsePositive, "resolved": record.ClosureMitigated,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, violationSeverities, map[string]record.Severity{
		"fail": record.SeverityHigh, "warn": record.SeverityMedium, "info": record.SeverityLow, "": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, violationCategories, map[string]string{
		"license": "policy-license", "security": "policy-security", "operational": "policy-operational",
	}, "policy-other")
	translatetest.Vocabulary(t, violationClosures, map[string]record.Closure{
		"": record.ClosureNone, "not_set": record.ClosureNone, "rejected": record.ClosureNone, "approved": record.ClosureRiskAccepted,
	}, record.ClosureNone)
}
