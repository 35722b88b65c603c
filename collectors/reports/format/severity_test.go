package format

import (
	"prodsec_exporter/internal/record"
	"testing"
)

func TestSeverityOfVector(t *testing.T) {
	for vector, want := range map[string]record.Severity{
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    record.SeverityCritical,
		"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N":                    record.SeverityLow,
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": record.SeverityCritical,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    record.SeverityUnknown,
		"AV:N/AC:L/Au:N/C:P/I:P/A:P":                                      record.SeverityHigh,
		"AV:N/AC:L/Au:N/C:C/I:C/A:C":                                      record.SeverityHigh, // 10.0: version 2 has no critical
		"AV:L/AC:H/Au:M/C:N/I:N/A:P":                                      record.SeverityLow,
		"AV:N/nonsense":                                                   record.SeverityUnknown,
		"CVSS:3.1/nonsense":                                               record.SeverityUnknown,
		"":                                                                record.SeverityUnknown,
	} {
		if got := SeverityOfVector(vector); got != want {
			t.Errorf("%q: got %s, want %s", vector, got, want)
		}
	}
}

// TestClosureOfWords reads what people write when they dismiss something.
func TestClosureOfWords(t *testing.T) {
	for words, want := range map[string]record.Closure{
		"False positive": record.ClosureFalsePositive, "this is a false-positive": record.ClosureFalsePositive, "won't fix": record.ClosureWontFix,
		"wont_fix": record.ClosureWontFix, "used in tests": record.ClosureUsedInTests, "Risk accepted by CISO": record.ClosureRiskAccepted,
		"mitigated by WAF": record.ClosureMitigated, "out of scope": record.ClosureOutOfScope, "because": record.ClosureOther, "": record.ClosureOther,
	} {
		if got := ClosureOfWords(words); got != want {
			t.Errorf("%q: got %q, want %q", words, got, want)
		}
	}
}
