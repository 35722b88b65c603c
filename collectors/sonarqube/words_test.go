package sonarqube

import (
	"testing"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate/translatetest"
)

func TestVocabularies(t *testing.T) {
	translatetest.Vocabulary(t, dependencyStatuses, map[string]record.Closure{
		"open": record.ClosureNone, "confirm": record.ClosureNone, "confirmed": record.ClosureNone, "reopened": record.ClosureNone, "": record.ClosureNone,
		"accept": record.ClosureRiskAccepted, "accepted": record.ClosureRiskAccepted, "safe": record.ClosureFalsePositive, "false_positive": record.ClosureFalsePositive, "fixed": record.ClosureFixed,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, dependencyClasses, map[string]record.Class{
		"vulnerability": record.ClassSCA, "malware": record.ClassSCA, "prohibited_license": record.ClassOther, "": record.ClassSCA,
	}, record.ClassOther)
	translatetest.Vocabulary(t, dependencySeverities, map[string]record.Severity{
		"blocker": record.SeverityCritical, "critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "info": record.SeverityLow, "": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, severities, map[string]record.Severity{
		"blocker": record.SeverityCritical, "critical": record.SeverityHigh, "major": record.SeverityMedium, "minor": record.SeverityLow, "info": record.SeverityLow,
		"": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, impactSeverities, map[string]record.Severity{
		"blocker": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "info": record.SeverityLow,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, issueStatuses, map[string]record.Closure{
		"open": record.ClosureNone, "confirmed": record.ClosureNone, "in_sandbox": record.ClosureNone, "false_positive": record.ClosureFalsePositive,
		"accepted": record.ClosureRiskAccepted, "fixed": record.ClosureFixed,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, closedStatuses, map[string]bool{
		"open": false, "confirmed": false, "reopened": false, "to_review": false, "in_review": false, "": false, "resolved": true, "closed": true, "reviewed": true,
	}, false)
	translatetest.Vocabulary(t, resolutions, map[string]record.Closure{
		"fixed": record.ClosureFixed, "false-positive": record.ClosureFalsePositive, "wontfix": record.ClosureWontFix, "removed": record.ClosureOutOfScope,
		"safe": record.ClosureFalsePositive, "": record.ClosureOther,
	}, record.ClosureOther)
	translatetest.Vocabulary(t, probabilities, map[string]record.Severity{
		"high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, hotspotResolutions, map[string]record.Closure{
		"fixed": record.ClosureFixed, "safe": record.ClosureFalsePositive, "acknowledged": record.ClosureNone, "": record.ClosureNone,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, hotspotReviewed, map[string]bool{"to_review": false, "": false, "reviewed": true}, false)
}
