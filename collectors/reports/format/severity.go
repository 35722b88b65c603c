package format

import (
	"math"
	"strconv"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"prodsec_exporter/internal/record"
)

// SeverityOfScore rates a CVSS score as CVSS itself and GitHub do: from 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low.
func SeverityOfScore(score float64) record.Severity {
	switch {
	case math.IsNaN(score) || score <= 0 || score > 10:
		return record.SeverityUnknown
	case score >= 9:
		return record.SeverityCritical
	case score >= 7:
		return record.SeverityHigh
	case score >= 4:
		return record.SeverityMedium
	default:
		return record.SeverityLow
	}
}

// SeverityOfScoreV2 rates a CVSS 2.0 score as the National Vulnerability Database does: version 2 has no critical.
func SeverityOfScoreV2(score float64) record.Severity {
	if s := SeverityOfScore(score); s != record.SeverityCritical {
		return s
	}
	return record.SeverityHigh
}

// SeverityOfWord reads the words that tools use for severities. Informational findings are low: they were reported as
// weaknesses, and "unknown" is for what nobody rated.
func SeverityOfWord(word string) record.Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return record.SeverityCritical
	case "high", "error", "important":
		return record.SeverityHigh
	case "medium", "moderate", "warning":
		return record.SeverityMedium
	case "low", "note", "minor", "negligible", "info", "informational", "inventory", "experiment":
		return record.SeverityLow
	default:
		return record.SeverityUnknown
	}
}

// SeverityOfProperty reads a "security-severity", which is a score as text in most tools and a word in some.
func SeverityOfProperty(s string) record.Severity {
	if score, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		return SeverityOfScore(score)
	}
	return SeverityOfWord(s)
}

// SeverityOfVector scores a CVSS 2.0, 3.0, 3.1 or 4.0 vector; anything else is unknown.
func SeverityOfVector(vector string) record.Severity {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := gocvss40.ParseVector(vector); err == nil {
			return SeverityOfScore(v.Score())
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := gocvss31.ParseVector(vector); err == nil {
			return SeverityOfScore(v.BaseScore())
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := gocvss30.ParseVector(vector); err == nil {
			return SeverityOfScore(v.BaseScore())
		}
	case strings.HasPrefix(vector, "AV:"):
		if v, err := gocvss20.ParseVector(vector); err == nil {
			return SeverityOfScoreV2(v.BaseScore())
		}
	}
	return record.SeverityUnknown
}

// ClosureOfWords reads why something was dismissed out of what people and tools write.
func ClosureOfWords(words string) record.Closure {
	folded := strings.NewReplacer("_", " ", "-", " ", "'", "", "’", "").Replace(strings.ToLower(words))
	for _, m := range []struct {
		part string
		is   record.Closure
	}{
		{"false positive", record.ClosureFalsePositive}, {"falsepositive", record.ClosureFalsePositive},
		{"not affected", record.ClosureFalsePositive}, {"not exploitable", record.ClosureFalsePositive},
		{"not in execute path", record.ClosureFalsePositive}, {"not present", record.ClosureFalsePositive},
		{"used in test", record.ClosureUsedInTests}, {"test code", record.ClosureUsedInTests}, {"only in test", record.ClosureUsedInTests},
		{"duplicate", record.ClosureDuplicate},
		{"wont fix", record.ClosureWontFix}, {"wontfix", record.ClosureWontFix}, {"will not fix", record.ClosureWontFix},
		{"risk accept", record.ClosureRiskAccepted}, {"accepted risk", record.ClosureRiskAccepted}, {"accept risk", record.ClosureRiskAccepted},
		{"acceptable risk", record.ClosureRiskAccepted}, {"tolerable risk", record.ClosureRiskAccepted},
		{"mitigat", record.ClosureMitigated}, {"out of scope", record.ClosureOutOfScope},
	} {
		if strings.Contains(folded, m.part) {
			return m.is
		}
	}
	return record.ClosureOther
}
