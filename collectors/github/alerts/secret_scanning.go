package alerts

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// secretScanningAlert has no field for the secret itself, so that it cannot be kept even if a server sends it.
type secretScanningAlert struct {
	alert
	SecretType  string `json:"secret_type"`
	DisplayName string `json:"secret_type_display_name"`
	Validity    string `json:"validity"`
	// Leaked says that the secret was found in public, Bypassed that somebody pushed it past push protection.
	Leaked     bool          `json:"publicly_leaked"`
	Bypassed   bool          `json:"push_protection_bypassed"`
	Resolution string        `json:"resolution"`
	ResolvedAt api.Timestamp `json:"resolved_at"`
	Location   struct {
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
	for _, worse := range []bool{a.Leaked, a.Bypassed} {
		if worse {
			f.Severity = raised(f.Severity)
		}
	}
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

// raised is the severity one step above.
func raised(s record.Severity) record.Severity {
	all := record.Severities()
	return all[max(0, slices.Index(all, s)-1)]
}

// secretQueries are the two lists of alerts: the default one, and that of generic patterns.
func (c *Collector) secretQueries() []url.Values {
	// Without hide_secret the answer holds the secrets themselves.
	queries := []url.Values{{"hide_secret": {"true"}}}
	if len(c.config.GenericSecretTypes) > 0 {
		queries = append(queries, url.Values{"hide_secret": {"true"}, "secret_type": {strings.Join(c.config.GenericSecretTypes, ",")}})
	}
	return queries
}
