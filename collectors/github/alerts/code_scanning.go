package alerts

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

type codeScanningAlert struct {
	alert
	Rule struct {
		ID            string   `json:"id"`
		Name          string   `json:"name"`
		Description   string   `json:"description"`
		Severity      string   `json:"severity"`
		SecurityLevel string   `json:"security_severity_level"`
		Tags          []string `json:"tags"`
	} `json:"rule"`
	Tool struct {
		Name string `json:"name"`
	} `json:"tool"`
	Instance struct {
		Location struct {
			Path      string `json:"path"`
			StartLine int    `json:"start_line"`
		} `json:"location"`
	} `json:"most_recent_instance"`
	FixedAt         api.Timestamp `json:"fixed_at"`
	DismissedAt     api.Timestamp `json:"dismissed_at"`
	DismissedReason string        `json:"dismissed_reason"`
}

// codeScanningReasons maps dismissed_reason, which has spaces and an apostrophe.
var codeScanningReasons = map[string]record.Closure{
	"false positive": record.ClosureFalsePositive, "won't fix": record.ClosureWontFix, "used in tests": record.ClosureUsedInTests,
	"mitigated": record.ClosureMitigated,
}

// ruleSeverities maps rule.severity, which grades how sure and how bad a lint is. It is used only where a rule has no security severity.
var ruleSeverities = map[string]record.Severity{
	"error": record.SeverityHigh, "warning": record.SeverityMedium, "note": record.SeverityLow, "none": record.SeverityUnknown, "": record.SeverityUnknown,
}

// toolClasses classifies tools that upload to code scanning what is not source analysis. The longest name that begins
// the tool's wins; everything else is SAST.
var toolClasses = map[string]record.Class{
	"trivy": record.ClassContainer, "grype": record.ClassContainer, "snyk container": record.ClassContainer, "clair": record.ClassContainer,
	"osv-scanner": record.ClassSCA, "dependency-check": record.ClassSCA, "snyk open source": record.ClassSCA,
	"checkov": record.ClassIaC, "tfsec": record.ClassIaC, "kics": record.ClassIaC, "terrascan": record.ClassIaC, "kubescape": record.ClassIaC,
	"hadolint": record.ClassIaC, "snyk iac": record.ClassIaC,
	"zap": record.ClassDAST, "owasp zap": record.ClassDAST, "nuclei": record.ClassDAST, "stackhawk": record.ClassDAST,
	"gitleaks": record.ClassSecret, "trufflehog": record.ClassSecret,
	"scorecard": record.ClassOther,
}

func classOfTool(tool string) record.Class {
	class, longest := record.ClassSAST, 0
	for prefix, c := range toolClasses {
		if strings.HasPrefix(tool, prefix) && len(prefix) > longest {
			class, longest = c, len(prefix)
		}
	}
	return class
}

func (c *Collector) codeScanningFinding(item json.RawMessage) (record.Finding, error) {
	var a codeScanningAlert
	if err := json.Unmarshal(item, &a); err != nil {
		return record.Finding{}, err
	}
	f, err := a.finding(c, CodeScanning)
	if err != nil {
		return f, err
	}
	f.Tool = codeScanningTool(a.Tool.Name)
	f.Class = classOfTool(f.Tool)
	f.Title = record.Text(cmp.Or(a.Rule.Description, a.Rule.Name, a.Rule.ID))
	f.Rule = record.Text(a.Rule.ID)
	if f.Severity = c.severity("code scanning security_severity_level", a.Rule.SecurityLevel); a.Rule.SecurityLevel == "" {
		var known bool
		if f.Severity, known = ruleSeverities[a.Rule.Severity]; !known {
			c.UnknownValue("code scanning rule.severity", a.Rule.Severity)
			f.Severity = record.SeverityUnknown
		}
	}
	if f.Category = category(a.Rule.Tags...); f.Category == "" {
		f.Category = f.Rule
	}
	f.Place, f.Line = place(a.Instance.Location.Path), max(0, a.Instance.Location.StartLine)
	f.Closure, f.ClosedAt = c.codeScanningClosure(&a)
	return f, nil
}

func (c *Collector) codeScanningClosure(a *codeScanningAlert) (record.Closure, time.Time) {
	switch {
	case a.State == "open":
		return record.ClosureNone, time.Time{}
	case a.State == "fixed":
		return record.ClosureFixed, a.FixedAt.Time
	case a.State == "dismissed":
		return c.closure(codeScanningReasons, "code scanning dismissed_reason", a.DismissedReason), a.DismissedAt.Time
	// GitHub allows the state to be null; the dates then decide.
	case a.State == "" && !a.DismissedAt.IsZero():
		return c.closure(codeScanningReasons, "code scanning dismissed_reason", a.DismissedReason), a.DismissedAt.Time
	case a.State == "" && !a.FixedAt.IsZero():
		return record.ClosureFixed, a.FixedAt.Time
	}
	return c.undecided("code scanning state", a.State, a.FixedAt, a.DismissedAt)
}
