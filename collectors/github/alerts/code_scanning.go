package alerts

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

type codeScanningAlert struct {
	alert
	Rule struct {
		ID              string   `json:"id"`
		Name            string   `json:"name"`
		Description     string   `json:"description"`
		FullDescription string   `json:"full_description"`
		Severity        string   `json:"severity"`
		SecurityLevel   string   `json:"security_severity_level"`
		Tags            []string `json:"tags"`
	} `json:"rule"`
	Tool struct {
		Name string `json:"name"`
	} `json:"tool"`
	Instance struct {
		Classifications []string `json:"classifications"`
		Location        struct {
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

func (c *Collector) codeScanningFinding(item json.RawMessage) (record.Finding, error) {
	var a codeScanningAlert
	if err := json.Unmarshal(item, &a); err != nil {
		return record.Finding{}, err
	}
	f, err := a.finding(c, CodeScanning)
	if err != nil {
		return f, err
	}
	tool, rule := record.ToolNamed(cmp.Or(a.Tool.Name, unnamedTool)), a.rule()
	class, subject := tool.Classify(&rule)
	if err := c.left(&a, subject); err != nil {
		return f, err
	}
	f.Tool, f.Class = tool.Name, class
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
	f.Aliases = advisories(class, &rule)
	f.Place, f.Line = place(a.Instance.Location.Path), max(0, a.Instance.Location.StartLine)
	for _, classification := range a.Instance.Classifications {
		f.Classifications = append(f.Classifications, record.Text(classification))
	}
	f.Closure, f.ClosedAt = c.codeScanningClosure(&a)
	return f, nil
}

// rule is what the alert says about the rule that found it.
func (a *codeScanningAlert) rule() record.Rule {
	return record.Rule{
		ID: a.Rule.ID, Name: a.Rule.Name, Description: strings.TrimSpace(a.Rule.FullDescription + " " + a.Rule.Description), Tags: a.Rule.Tags, Rated: a.Rule.SecurityLevel != "",
	}
}

// unnamedTool stands for a tool that an alert does not name.
const unnamedTool = "code-scanning"

// advisories are the ids of the weakness that a rule is about. What the rules of source analysis mention in their descriptions are examples.
func advisories(class record.Class, rule *record.Rule) []string {
	if class == record.ClassSCA || class == record.ClassContainer {
		return rule.Advisories()
	}
	return record.Advisories(rule.ID, rule.Name)
}

// left is why an alert is left out, nil if it is not: its rule is not about security, or it is in code that the configuration excludes.
func (c *Collector) left(a *codeScanningAlert, subject record.Subject) error {
	switch {
	case subject == record.SubjectLicense, subject == record.SubjectQuality && !c.config.CodeQuality:
		return api.Reject(record.RejectNotSecurity, fmt.Errorf("the rule %s is about %s", record.Text(a.Rule.ID), subject))
	case slices.ContainsFunc(a.Instance.Classifications, func(name string) bool { return slices.Contains(c.config.ExcludeClassifications, name) }):
		return api.Reject(record.RejectExcluded, errors.New("the code is of a kind that exclude_classifications names"))
	default:
		return nil
	}
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
