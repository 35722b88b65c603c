package semgrep

import (
	"testing"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate/translatetest"
)

func TestVocabularies(t *testing.T) {
	translatetest.Vocabulary(t, severities, map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
		"error": record.SeverityHigh, "warning": record.SeverityMedium, "info": record.SeverityLow,
		"": record.SeverityUnknown, "unspecified": record.SeverityUnknown, "unknown": record.SeverityUnknown,
	}, record.SeverityUnknown)
	translatetest.Vocabulary(t, standings, map[string]standing{
		"open": isOpen, "reviewing": isOpen, "fixing": isOpen, "reopened": isOpen, "untriaged": isOpen, "unresolved": isOpen, "provisionally_ignored": isOpen,
		"": isOpen, "unspecified": isOpen, "unknown": isOpen, "ignored": isIgnored, "muted": isIgnored, "fixed": isFixed, "removed": isRemoved,
	}, isOpen)
	translatetest.Vocabulary(t, reasons, map[string]record.Closure{
		"false_positive": record.ClosureFalsePositive, "acceptable_risk": record.ClosureRiskAccepted, "no_time": record.ClosureWontFix,
		"no_triage_reason": record.ClosureOther, "": record.ClosureOther,
	}, record.ClosureNone)
	translatetest.Vocabulary(t, validations, map[string]record.Answer{
		"confirmed_valid": record.AnswerYes, "confirmed_invalid": record.AnswerNo, "validation_error": record.AnswerUnknown,
		"no_validator": record.AnswerUnknown, "unspecified": record.AnswerUnknown, "": record.AnswerUnknown,
	}, record.AnswerUnknown)
	translatetest.Vocabulary(t, reachabilities, map[string]string{
		"reachable": "reachable", "always reachable": "reachable", "always_reachable": "reachable",
		"conditionally reachable": "conditionally reachable", "conditionally_reachable": "conditionally reachable", "unreachable": "unreachable",
		"unknown": "", "undetermined": "", "no_reachability_analysis": "", "no reachability analysis": "", "": "",
	}, "")
}
