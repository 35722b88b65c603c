package alerts

import (
	"cmp"
	"encoding/json"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// secretScanningAlert has no field for the secret itself, so that it cannot be kept even if a server sends it.
type secretScanningAlert struct {
	alert
	SecretType  string        `json:"secret_type"`
	DisplayName string        `json:"secret_type_display_name"`
	Validity    string        `json:"validity"`
	Resolution  string        `json:"resolution"`
	ResolvedAt  api.Timestamp `json:"resolved_at"`
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
	f.Tool, f.Class, f.Category = inventory.ToolSecretScanning, record.ClassSecret, leakedCredential
	f.Title = record.Text(cmp.Or(a.DisplayName, a.SecretType))
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
		c.UnknownValue("secret scanning validity", validity)
	}
	return record.SeverityHigh, record.AnswerUnknown
}
