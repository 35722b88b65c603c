package semgrep

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// severities are the words of findings, and those that older rules use.
var severities = translate.Vocabulary[record.Severity]{
	Name: "semgrep severity",
	Words: map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
		"error": record.SeverityHigh, "warning": record.SeverityMedium, "info": record.SeverityLow,
		"": record.SeverityUnknown, "unspecified": record.SeverityUnknown, "unknown": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

// standing is what a status says before the reason of a dismissal is looked at.
type standing int

const (
	isOpen standing = iota
	isIgnored
	isFixed
	// isRemoved: the rule, the file or the branch is gone, so that nobody looks any longer. That is not a fix.
	isRemoved
)

// standings are the statuses, and the states of findings without a status. A provisional ignore is a guess by the platform that
// nobody has confirmed, so it is open; a status that we do not know is open, too.
var standings = translate.Vocabulary[standing]{
	Name: "semgrep status",
	Words: map[string]standing{
		"open": isOpen, "reviewing": isOpen, "fixing": isOpen, "reopened": isOpen, "untriaged": isOpen, "unresolved": isOpen, "provisionally_ignored": isOpen,
		"ignored": isIgnored, "muted": isIgnored, "fixed": isFixed, "removed": isRemoved,
		"": isOpen, "unspecified": isOpen, "unknown": isOpen,
	},
	Other: isOpen,
}

// reasons are why a finding is ignored. A reason that we do not know closes nothing.
var reasons = translate.Vocabulary[record.Closure]{
	Name: "semgrep triage reason",
	Words: map[string]record.Closure{
		"false_positive": record.ClosureFalsePositive, "acceptable_risk": record.ClosureRiskAccepted, "no_time": record.ClosureWontFix,
		"no_triage_reason": record.ClosureOther, "": record.ClosureOther,
	},
	Other: record.ClosureNone,
}

// validations say whether a leaked secret was tried and works.
var validations = translate.Vocabulary[record.Answer]{
	Name: "semgrep validation state",
	Words: map[string]record.Answer{
		"confirmed_valid": record.AnswerYes, "confirmed_invalid": record.AnswerNo, "validation_error": record.AnswerUnknown,
		"no_validator": record.AnswerUnknown, "unspecified": record.AnswerUnknown, "": record.AnswerUnknown,
	},
	Other: record.AnswerUnknown,
}

// reachabilities are what Supply Chain says about whether the weak code can be reached; it is shown to people in the title.
var reachabilities = translate.Vocabulary[string]{
	Name: "semgrep reachability",
	Words: map[string]string{
		"reachable": "reachable", "always reachable": "reachable", "always_reachable": "reachable", "conditionally reachable": "conditionally reachable",
		"conditionally_reachable": "conditionally reachable", "unreachable": "unreachable", "unknown": "", "undetermined": "", "no_reachability_analysis": "",
		"no reachability analysis": "", "": "",
	},
	Other: "",
}

// repository is how lists name a project.
type repository struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// localPrefix marks the projects of scans on somebody's machine, whose names look like repositories.
const localPrefix = "local_scan/"

// ownerOf is where a project belongs: by a rule, else by its address, else by its name.
func (c *Collector) ownerOf(r repository) translate.Owner {
	if owner := c.Projects.Of(r.Name); owner != (translate.Owner{}) {
		return owner
	}
	for _, text := range []string{r.URL, r.Name} {
		if text == "" || strings.HasPrefix(text, localPrefix) {
			continue
		}
		if name, err := record.ParseRepository(text); err == nil {
			return translate.Owner{Repository: name}
		}
	}
	return translate.Owner{}
}

// epss is the exploit prediction, which the platform writes as a number or as an object with a score.
type epss translate.Number

// UnmarshalJSON reads both forms; anything else is 0, which means unknown.
func (e *epss) UnmarshalJSON(data []byte) error {
	var object struct {
		Score translate.Number `json:"score"`
	}
	if json.Unmarshal(data, &object) == nil {
		*e = epss(object.Score)
		return nil
	}
	return (*translate.Number)(e).UnmarshalJSON(data)
}

type wireFinding struct {
	ID             translate.ID   `json:"id"`
	Repository     repository     `json:"repository"`
	LineURL        string         `json:"line_of_code_url"`
	State          string         `json:"state"`
	Status         string         `json:"status"`
	TriageReason   string         `json:"triage_reason"`
	Severity       string         `json:"severity"`
	CreatedAt      translate.Time `json:"created_at"`
	StateUpdatedAt translate.Time `json:"state_updated_at"`
	TriagedAt      translate.Time `json:"triaged_at"`
	RuleName       string         `json:"rule_name"`
	Location       struct {
		Path string `json:"file_path"`
		Line int    `json:"line"`
	} `json:"location"`
	Rule struct {
		Name    string   `json:"name"`
		Message string   `json:"message"`
		CWEs    []string `json:"cwe_names"`
		Classes []string `json:"vulnerability_classes"`
	} `json:"rule"`

	// Supply Chain.
	Vulnerability string             `json:"vulnerability_identifier"`
	Reachability  string             `json:"reachability"`
	EPSS          epss               `json:"epss_score"`
	Fixes         *[]json.RawMessage `json:"fix_recommendations"`
	Dependency    struct {
		Package   string `json:"package"`
		Version   string `json:"version"`
		Ecosystem string `json:"ecosystem"`
		Lockfile  string `json:"lockfile_line_url"`
	} `json:"found_dependency"`
}

// finding translates one finding of Code or Supply Chain.
func (c *Collector) finding(raw json.RawMessage, p Product) (record.Finding, error) {
	w, err := translate.Decode[wireFinding](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.ID == "" {
		return record.Finding{}, fmt.Errorf("finding: %w", translate.ErrNoID)
	}
	rule := w.Rule.Name
	if rule == "" {
		rule = w.RuleName
	}
	owner := c.ownerOf(w.Repository)
	f := record.Finding{
		ID: string(p) + ":" + record.Text(string(w.ID)), Tool: tool, Class: record.ClassSAST, Repository: owner.Repository, Service: owner.Service,
		Title: record.Text(rule), URL: record.Text(w.LineURL), Severity: severities.Of(c.Words, w.Severity), Category: categoryOf(w),
		Rule: record.Text(rule), Place: record.Text(w.Location.Path), Line: max(0, w.Location.Line), FirstSeen: w.CreatedAt.Time, UpdatedAt: updatedAt(w),
	}
	f.Closure, f.ClosedAt = c.closure(w)
	if p == ProductSCA {
		c.addDependency(&f, w)
	}
	c.retireArchived(&f, w.Repository)
	return f, nil
}

// retireArchived closes what is open in a project that is archived: nobody scans it any more.
func (c *Collector) retireArchived(f *record.Finding, r repository) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Closure == record.ClosureNone && c.archived[projectName{c.deployment, r.Name}] {
		f.Closure = record.ClosureRepositoryArchived
	}
}

// closure is the status, with the reason of a dismissal, and when it came about.
func (c *Collector) closure(w *wireFinding) (record.Closure, time.Time) {
	status := w.Status
	if status == "" {
		status = w.State
	}
	switch standings.Of(c.Words, status) {
	case isFixed:
		return record.ClosureFixed, w.StateUpdatedAt.Time
	case isRemoved:
		return record.ClosureOutOfScope, w.StateUpdatedAt.Time
	case isIgnored:
		if reason := reasons.Of(c.Words, w.TriageReason); reason != record.ClosureNone {
			return reason, w.TriagedAt.Time
		}
		return record.ClosureNone, time.Time{}
	default:
		return record.ClosureNone, time.Time{}
	}
}

// updatedAt is the last change that the finding tells of.
func updatedAt(w *wireFinding) time.Time {
	latest := w.CreatedAt.Time
	for _, at := range []translate.Time{w.StateUpdatedAt, w.TriagedAt} {
		if at.After(latest) {
			latest = at.Time
		}
	}
	return latest
}

// categoryOf is the CWE, else the platform's class of weakness.
func categoryOf(w *wireFinding) string {
	if cwe := translate.CWE(w.Rule.CWEs...); cwe != "" {
		return cwe
	}
	if len(w.Rule.Classes) > 0 {
		return record.Text(strings.ToLower(w.Rule.Classes[0]))
	}
	return ""
}

// addDependency makes a finding one of Supply Chain: it is about a package in a lock file, and not about the line that uses it.
func (c *Collector) addDependency(f *record.Finding, w *wireFinding) {
	d := &w.Dependency
	f.Class = record.ClassSCA
	f.Package, f.Version = record.Package(d.Ecosystem, d.Package), record.Text(d.Version)
	f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
	f.Aliases = translate.Aliases(w.Vulnerability)
	f.EPSS = translate.Number(w.EPSS).Probability()
	f.Place, f.Line = "", 0
	if path := fileOf(d.Lockfile); path != "" {
		f.Place = record.Text(path)
	}
	title := strings.TrimSpace(w.Vulnerability + " in " + d.Package)
	if reach := reachabilities.Of(c.Words, w.Reachability); reach != "" {
		title += " (" + reach + ")"
	}
	f.Title = record.Text(title)
	if w.Fixes != nil {
		f.FixAvailable = record.AnswerOf(len(*w.Fixes) > 0)
	}
}

// fileOf is the path in the address of a line of code: what follows "/blob/<commit>/", without the line.
func fileOf(address string) string {
	_, rest, ok := strings.Cut(address, "/blob/")
	if !ok {
		return ""
	}
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	return path
}

type wireSecret struct {
	ID         translate.ID   `json:"id"`
	Severity   string         `json:"severity"`
	Status     string         `json:"status"`
	Validation string         `json:"validationState"`
	Type       string         `json:"type"`
	Path       string         `json:"findingPath"`
	URL        string         `json:"findingPathUrl"`
	RuleID     string         `json:"ruleHashId"`
	CreatedAt  translate.Time `json:"createdAt"`
	UpdatedAt  translate.Time `json:"updatedAt"`
	Repository repository     `json:"repository"`
}

// secret translates one finding of Secrets. The secret itself is not in the answer, and would not be read.
func (c *Collector) secret(raw json.RawMessage) (record.Finding, error) {
	w, err := translate.Decode[wireSecret](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.ID == "" {
		return record.Finding{}, fmt.Errorf("secret: %w", translate.ErrNoID)
	}
	owner := c.ownerOf(w.Repository)
	f := record.Finding{
		ID: "secrets:" + record.Text(string(w.ID)), Tool: tool, Class: record.ClassSecret, Repository: owner.Repository, Service: owner.Service,
		Title: record.Text("Leaked secret: " + w.Type), URL: record.Text(w.URL), Severity: severities.Of(c.Words, bare(w.Severity, "SEVERITY_")),
		Category: record.Text(strings.ToLower(w.Type)), Rule: record.Text(w.RuleID), FirstSeen: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
		ActiveSecret: validations.Of(c.Words, bare(w.Validation, "VALIDATION_STATE_")),
	}
	f.Place, f.Line = splitLine(w.Path)
	switch standings.Of(c.Words, bare(w.Status, "FINDING_STATUS_")) {
	case isFixed:
		f.Closure, f.ClosedAt = record.ClosureFixed, w.UpdatedAt.Time
	case isRemoved:
		f.Closure, f.ClosedAt = record.ClosureOutOfScope, w.UpdatedAt.Time
	case isIgnored:
		// The list does not give the reason.
		f.Closure, f.ClosedAt = record.ClosureOther, w.UpdatedAt.Time
	default:
	}
	c.retireArchived(&f, w.Repository)
	return f, nil
}

// bare takes the name of the enumeration off one of its values.
func bare(value, prefix string) string { return strings.TrimPrefix(strings.ToUpper(value), prefix) }

// splitLine reads "src/ai.py:232".
func splitLine(s string) (path string, line int) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return record.Text(s), 0
	}
	n, err := strconv.Atoi(s[at+1:])
	if err != nil || n < 0 {
		return record.Text(s), 0
	}
	return record.Text(s[:at]), n
}
