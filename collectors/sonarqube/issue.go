package sonarqube

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// severities are the severities of issues by type, and those of impacts: CRITICAL is the second of five by type.
var severities = translate.Vocabulary[record.Severity]{
	Name: "sonarqube severity",
	Words: map[string]record.Severity{
		"blocker": record.SeverityCritical, "critical": record.SeverityHigh, "major": record.SeverityMedium, "minor": record.SeverityLow,
		"info": record.SeverityLow, "": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

var impactSeverities = translate.Vocabulary[record.Severity]{
	Name: "sonarqube impact severity",
	Words: map[string]record.Severity{
		"blocker": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "info": record.SeverityLow,
	},
	Other: record.SeverityUnknown,
}

// issueStatuses are the statuses of newer servers. A status that we do not know is open; so is one in the sandbox of new rules.
var issueStatuses = translate.Vocabulary[record.Closure]{
	Name: "sonarqube issue status",
	Words: map[string]record.Closure{
		"open": record.ClosureNone, "confirmed": record.ClosureNone, "in_sandbox": record.ClosureNone, "false_positive": record.ClosureFalsePositive,
		"accepted": record.ClosureRiskAccepted, "fixed": record.ClosureFixed,
	},
	Other: record.ClosureNone,
}

// closedStatuses say whether an older status is that of a closed issue, whose resolution then says why.
var closedStatuses = translate.Vocabulary[bool]{
	Name: "sonarqube status",
	Words: map[string]bool{
		"open": false, "confirmed": false, "reopened": false, "to_review": false, "in_review": false, "": false,
		"resolved": true, "closed": true, "reviewed": true,
	},
}

// resolutions are why an issue is closed. REMOVED means that its rule is no longer there or active, which is not a fix.
var resolutions = translate.Vocabulary[record.Closure]{
	Name: "sonarqube resolution",
	Words: map[string]record.Closure{
		"fixed": record.ClosureFixed, "false-positive": record.ClosureFalsePositive, "wontfix": record.ClosureWontFix, "removed": record.ClosureOutOfScope,
		"safe": record.ClosureFalsePositive, "": record.ClosureOther,
	},
	Other: record.ClosureOther,
}

// repositoryClasses are the rule repositories that find something else than weak code of the project's own.
var repositoryClasses = map[string]record.Class{
	"secrets": record.ClassSecret, "external_gitleaks": record.ClassSecret,
	"owasp": record.ClassSCA, "dependency-check": record.ClassSCA, "sca": record.ClassSCA,
	"docker": record.ClassIaC, "terraform": record.ClassIaC, "cloudformation": record.ClassIaC, "kubernetes": record.ClassIaC, "helm": record.ClassIaC,
	"azureresourcemanager": record.ClassIaC, "ansible": record.ClassIaC, "githubactions": record.ClassIaC,
}

// classOf is the class of what a rule finds: "repository:key".
func classOf(rule string) record.Class {
	repository, _, _ := strings.Cut(strings.ToLower(rule), ":")
	if class, ok := repositoryClasses[repository]; ok {
		return class
	}
	return record.ClassSAST
}

type wireIssue struct {
	Key         string         `json:"key"`
	Rule        string         `json:"rule"`
	Severity    string         `json:"severity"`
	Component   string         `json:"component"`
	Line        int            `json:"line"`
	IssueStatus string         `json:"issueStatus"`
	Status      string         `json:"status"`
	Resolution  string         `json:"resolution"`
	Message     string         `json:"message"`
	Tags        []string       `json:"tags"`
	CreatedAt   translate.Time `json:"creationDate"`
	UpdatedAt   translate.Time `json:"updateDate"`
	ClosedAt    translate.Time `json:"closeDate"`
	Impacts     []struct {
		Quality  string `json:"softwareQuality"`
		Severity string `json:"severity"`
	} `json:"impacts"`
}

// issue translates one issue. Its CWE is added later, from its rule.
func (c *Collector) issue(raw json.RawMessage, page *answer, p project) (record.Finding, error) {
	w, err := translate.Decode[wireIssue](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.Key == "" {
		return record.Finding{}, fmt.Errorf("issue: %w", translate.ErrNoID)
	}
	f := record.Finding{
		ID: "issue:" + record.Text(w.Key), Tool: tool, Class: classOf(w.Rule), Repository: p.owner.Repository, Service: p.owner.Service,
		Title: record.Text(w.Message), URL: c.address("/project/issues", p.key, "open", w.Key), Severity: c.severity(w, p.by),
		Category: translate.CWE(w.Tags...), Rule: record.Text(w.Rule), Place: placeOf(page, p.key, w.Component), Line: max(0, w.Line),
		FirstSeen: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
	}
	if f.Class == record.ClassSCA {
		f.Aliases = translate.Aliases(w.Message)
	}
	if f.Closure = c.closure(w); f.Closure != record.ClosureNone {
		f.ClosedAt = closedAt(w)
	}
	return f, nil
}

// severity is that of the impact on security where there is one and the instance counts by impacts, else the issue's own, which standard experience shows and quality profiles
// change.
func (c *Collector) severity(w *wireIssue, by SecurityBy) record.Severity {
	for _, impact := range w.Impacts {
		if by == SecurityByImpact && strings.EqualFold(impact.Quality, "SECURITY") {
			return impactSeverities.Of(c.Words, impact.Severity)
		}
	}
	return severities.Of(c.Words, w.Severity)
}

// closure reads the status of newer servers, else status and resolution. FIXED is refined by the resolution, which tells a removed
// rule from a fix.
func (c *Collector) closure(w *wireIssue) record.Closure {
	if w.IssueStatus != "" {
		closed := issueStatuses.Of(c.Words, w.IssueStatus)
		if closed == record.ClosureFixed && strings.EqualFold(w.Resolution, "REMOVED") {
			return record.ClosureOutOfScope
		}
		return closed
	}
	if !closedStatuses.Of(c.Words, w.Status) {
		return record.ClosureNone
	}
	return resolutions.Of(c.Words, w.Resolution)
}

// closedAt is the date of closure, or of the last change where the server names none: issues that people resolve have no close date.
func closedAt(w *wireIssue) time.Time {
	if w.ClosedAt.IsZero() {
		return w.UpdatedAt.Time
	}
	return w.ClosedAt.Time
}

// placeOf is the path of a component: as the page says, else what follows the project in its key.
func placeOf(page *answer, project, component string) string {
	if page != nil && page.components[component].Path != "" {
		return record.Text(page.components[component].Path)
	}
	if path, ok := strings.CutPrefix(component, project+":"); ok {
		return record.Text(path)
	}
	return ""
}

// address is where people see an item.
func (c *Collector) address(path, project, parameter, key string) string {
	return record.Text(c.URL + path + "?id=" + url.QueryEscape(project) + "&" + parameter + "=" + url.QueryEscape(key))
}

// probabilities are how likely a hotspot is a weakness, which is the nearest thing it has to a severity.
var probabilities = translate.Vocabulary[record.Severity]{
	Name:  "sonarqube vulnerability probability",
	Words: map[string]record.Severity{"high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow, "": record.SeverityUnknown},
	Other: record.SeverityUnknown,
}

// hotspotResolutions are what a review found. ACKNOWLEDGED means that there is a risk and that a fix is needed, so it is open; so is
// a resolution that we do not know.
var hotspotResolutions = translate.Vocabulary[record.Closure]{
	Name: "sonarqube hotspot resolution",
	Words: map[string]record.Closure{
		"fixed": record.ClosureFixed, "safe": record.ClosureFalsePositive, "acknowledged": record.ClosureNone, "": record.ClosureNone,
	},
	Other: record.ClosureNone,
}

// hotspotReviewed says whether a hotspot was reviewed.
var hotspotReviewed = translate.Vocabulary[bool]{
	Name: "sonarqube hotspot status", Words: map[string]bool{"to_review": false, "": false, "reviewed": true},
}

type wireHotspot struct {
	Key         string         `json:"key"`
	Component   string         `json:"component"`
	Category    string         `json:"securityCategory"`
	Probability string         `json:"vulnerabilityProbability"`
	Status      string         `json:"status"`
	Resolution  string         `json:"resolution"`
	Line        int            `json:"line"`
	Message     string         `json:"message"`
	Rule        string         `json:"ruleKey"`
	CreatedAt   translate.Time `json:"creationDate"`
	UpdatedAt   translate.Time `json:"updateDate"`
}

// hotspot translates one security hotspot. Its CWE is added later, from its rule; without one the security category recurs.
func (c *Collector) hotspot(raw json.RawMessage, page *answer, p project) (record.Finding, error) {
	w, err := translate.Decode[wireHotspot](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.Key == "" {
		return record.Finding{}, fmt.Errorf("hotspot: %w", translate.ErrNoID)
	}
	f := record.Finding{
		ID: "hotspot:" + record.Text(w.Key), Tool: tool, Class: classOf(w.Rule), Repository: p.owner.Repository, Service: p.owner.Service,
		Title: record.Text(w.Message), URL: c.address("/security_hotspots", p.key, "hotspots", w.Key),
		Severity: probabilities.Of(c.Words, w.Probability), Category: record.Text(w.Category), Rule: record.Text(w.Rule),
		Place: placeOf(page, p.key, w.Component), Line: max(0, w.Line), FirstSeen: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
	}
	if hotspotReviewed.Of(c.Words, w.Status) {
		if f.Closure = hotspotResolutions.Of(c.Words, w.Resolution); f.Closure != record.ClosureNone {
			f.ClosedAt = w.UpdatedAt.Time
		}
	}
	return f, nil
}
