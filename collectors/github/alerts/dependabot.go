package alerts

import (
	"encoding/json"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

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
			Percentage api.Number `json:"percentage"`
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
	FixedAt         api.Timestamp `json:"fixed_at"`
	DismissedAt     api.Timestamp `json:"dismissed_at"`
	AutoDismissedAt api.Timestamp `json:"auto_dismissed_at"`
	DismissedReason string        `json:"dismissed_reason"`
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
	f.Tool, f.Class = inventory.ToolDependabot, record.ClassSCA
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
