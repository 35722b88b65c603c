package github

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// severities maps the words of advisories and of security_severity_level.
var severities = map[string]record.Severity{
	"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "moderate": record.SeverityMedium,
	"low": record.SeverityLow,
}

func (c *Collector) severity(field string, values ...string) record.Severity {
	for _, value := range values {
		if value == "" {
			continue
		}
		if s, ok := severities[strings.ToLower(value)]; ok {
			return s
		}
		c.unknownValue(field, value)
	}
	return record.SeverityUnknown
}

// closure looks a vendor's reason up; one that is not known closes for ClosureOther.
func (c *Collector) closure(known map[string]record.Closure, field, reason string) record.Closure {
	if closure, ok := known[strings.ToLower(reason)]; ok {
		return closure
	}
	if reason != "" {
		c.unknownValue(field, reason)
	}
	return record.ClosureOther
}

var weakness = regexp.MustCompile(`(?i)cwe-0*([0-9]+)$`)

// category is the first CWE in a list, in canonical form; empty if there is none.
func category(names ...string) string {
	for _, name := range names {
		if m := weakness.FindStringSubmatch(name); m != nil {
			return "CWE-" + m[1]
		}
	}
	return ""
}

type dependabotAlert struct {
	alert
	Dependency struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		ManifestPath string `json:"manifest_path"`
	} `json:"dependency"`
	Advisory struct {
		GHSA     string `json:"ghsa_id"`
		CVE      string `json:"cve_id"`
		Summary  string `json:"summary"`
		Severity string `json:"severity"`
		EPSS     struct {
			Percentage number `json:"percentage"`
		} `json:"epss"`
		CWEs []struct {
			ID string `json:"cwe_id"`
		} `json:"cwes"`
	} `json:"security_advisory"`
	Vulnerability struct {
		Severity     string `json:"severity"`
		Range        string `json:"vulnerable_version_range"`
		FirstPatched *struct {
			Identifier string `json:"identifier"`
		} `json:"first_patched_version"`
	} `json:"security_vulnerability"`
	FixedAt         timestamp `json:"fixed_at"`
	DismissedAt     timestamp `json:"dismissed_at"`
	AutoDismissedAt timestamp `json:"auto_dismissed_at"`
	DismissedReason string    `json:"dismissed_reason"`
}

// dependabotReasons maps dismissed_reason. A started fix is no fix, and lack of time is a decision not to fix.
var dependabotReasons = map[string]record.Closure{
	"fix_started": record.ClosureOther, "inaccurate": record.ClosureFalsePositive, "no_bandwidth": record.ClosureWontFix,
	"not_used": record.ClosureOutOfScope, "tolerable_risk": record.ClosureRiskAccepted,
}

func (c *Collector) dependabotFinding(item json.RawMessage) (record.Finding, error) {
	var a dependabotAlert
	if err := json.Unmarshal(item, &a); err != nil {
		return record.Finding{}, err
	}
	f, err := a.finding(c, Dependabot)
	if err != nil {
		return f, err
	}
	f.Tool, f.Class = "dependabot", record.ClassSCA
	f.Title = record.Text(a.Advisory.Summary)
	f.Severity = c.severity("dependabot severity", a.Vulnerability.Severity, a.Advisory.Severity)
	f.Rule = record.Text(a.Advisory.GHSA)
	f.Aliases = upper(a.Advisory.GHSA, a.Advisory.CVE)
	ecosystem := record.Text(strings.ToLower(a.Dependency.Package.Ecosystem))
	f.Package = record.Package(ecosystem, a.Dependency.Package.Name)
	var cwes []string
	for _, cwe := range a.Advisory.CWEs {
		cwes = append(cwes, cwe.ID)
	}
	if f.Category = category(cwes...); f.Category == "" {
		f.Category = ecosystem
	}
	f.Version = record.Text(a.Vulnerability.Range)
	f.Place = place(a.Dependency.ManifestPath)
	f.FixAvailable = record.AnswerOf(a.Vulnerability.FirstPatched != nil)
	if p := float64(a.Advisory.EPSS.Percentage); p >= 0 && p <= 1 {
		f.EPSS = p
	}
	f.Closure, f.ClosedAt = c.dependabotClosure(&a)
	return f, nil
}

func (c *Collector) dependabotClosure(a *dependabotAlert) (record.Closure, time.Time) {
	switch a.State {
	case "open":
		return record.ClosureNone, time.Time{}
	case "fixed":
		return record.ClosureFixed, a.FixedAt.Time
	case "auto_dismissed":
		return record.ClosureAutoDismissed, a.AutoDismissedAt.Time
	case "dismissed":
		return c.closure(dependabotReasons, "dependabot dismissed_reason", a.DismissedReason), a.DismissedAt.Time
	}
	return c.undecided("dependabot state", a.State, a.FixedAt, a.DismissedAt, a.AutoDismissedAt)
}

// undecided is the closure of an alert whose state is not known. A date of an end, which GitHub removes when an alert opens again, says
// that it is closed, so that a new word for a closed state does not reopen years of old alerts; without one it is open.
func (c *Collector) undecided(field, state string, ends ...timestamp) (record.Closure, time.Time) {
	c.unknownValue(field, state)
	var last time.Time
	for _, end := range ends {
		if end.After(last) {
			last = end.Time
		}
	}
	if last.IsZero() {
		return record.ClosureNone, time.Time{}
	}
	return record.ClosureOther, last
}

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
	FixedAt         timestamp `json:"fixed_at"`
	DismissedAt     timestamp `json:"dismissed_at"`
	DismissedReason string    `json:"dismissed_reason"`
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
	f.Title = record.Text(firstOf(a.Rule.Description, a.Rule.Name, a.Rule.ID))
	f.Rule = record.Text(a.Rule.ID)
	if f.Severity = c.severity("code scanning security_severity_level", a.Rule.SecurityLevel); a.Rule.SecurityLevel == "" {
		var known bool
		if f.Severity, known = ruleSeverities[a.Rule.Severity]; !known {
			c.unknownValue("code scanning rule.severity", a.Rule.Severity)
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

// secretScanningAlert has no field for the secret itself, so that it cannot be kept even if a server sends it.
type secretScanningAlert struct {
	alert
	SecretType  string    `json:"secret_type"`
	DisplayName string    `json:"secret_type_display_name"`
	Validity    string    `json:"validity"`
	Resolution  string    `json:"resolution"`
	ResolvedAt  timestamp `json:"resolved_at"`
	Location    struct {
		Path      string `json:"path"`
		StartLine int    `json:"start_line"`
	} `json:"first_location_detected"`
}

// secretResolutions maps resolution. Only a revoked secret is fixed; a pattern that was edited or deleted changes the tool.
var secretResolutions = map[string]record.Closure{
	"false_positive": record.ClosureFalsePositive, "wont_fix": record.ClosureWontFix, "revoked": record.ClosureFixed,
	"used_in_tests": record.ClosureUsedInTests, "pattern_edited": record.ClosureAutoDismissed, "pattern_deleted": record.ClosureAutoDismissed,
}

// leakedCredential is the weakness of every secret in a repository: use of hard-coded credentials.
const leakedCredential = "CWE-798" //nolint:gosec // The name of a weakness.

func (c *Collector) secretScanningFinding(item json.RawMessage) (record.Finding, error) {
	var a secretScanningAlert
	if err := json.Unmarshal(item, &a); err != nil {
		return record.Finding{}, err
	}
	f, err := a.finding(c, SecretScanning)
	if err != nil {
		return f, err
	}
	f.Tool, f.Class, f.Category = secretScanningTool, record.ClassSecret, leakedCredential
	f.Title = record.Text(firstOf(a.DisplayName, a.SecretType))
	f.Rule = record.Text(a.SecretType)
	f.Severity, f.ActiveSecret = c.validity(a.Validity)
	f.Place, f.Line = place(a.Location.Path), max(0, a.Location.StartLine)
	switch a.State {
	case "open":
	case "resolved":
		f.Closure, f.ClosedAt = c.closure(secretResolutions, "secret scanning resolution", a.Resolution), a.ResolvedAt.Time
	default:
		f.Closure, f.ClosedAt = c.undecided("secret scanning state", a.State, a.ResolvedAt)
	}
	return f, nil
}

// validity grades a secret: one that works is critical, one that nobody tested may work, and one that does not work any
// more still shows that a secret got into the code.
func (c *Collector) validity(validity string) (record.Severity, record.Answer) {
	switch validity {
	case "active":
		return record.SeverityCritical, record.AnswerYes
	case "inactive":
		return record.SeverityMedium, record.AnswerNo
	case "unknown", "":
	default:
		c.unknownValue("secret scanning validity", validity)
	}
	return record.SeverityHigh, record.AnswerUnknown
}

// place is a path inside the repository; GitHub begins some with a slash.
func place(path string) string { return record.Text(strings.TrimPrefix(path, "/")) }

func upper(values ...string) []string {
	var list []string
	for _, v := range values {
		if v != "" {
			list = append(list, record.Text(strings.ToUpper(v)))
		}
	}
	return list
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
