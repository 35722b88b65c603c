package dependencytrack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// severities are the server's severities. UNASSIGNED means that nobody rated it; the CVSS score decides then.
var severities = translate.Vocabulary[record.Severity]{
	Name: "dependencytrack severity",
	Words: map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
		"info": record.SeverityLow, "unassigned": record.SeverityUnknown, "": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

// closures are what an analysis state means for a finding that is still reported.
//
// RESOLVED is a person's word that the weakness is remediated, about a component that the latest bill of materials still holds in
// the vulnerable version: a real fix makes the finding vanish. It is therefore mitigated (a claim) and not fixed.
// A state that we do not know leaves the finding open: what we cannot read is not counted as good.
var closures = translate.Vocabulary[record.Closure]{
	Name: "dependencytrack analysis state",
	Words: map[string]record.Closure{
		"": record.ClosureNone, "not_set": record.ClosureNone, "in_triage": record.ClosureNone, "exploitable": record.ClosureNone,
		"false_positive": record.ClosureFalsePositive, "not_affected": record.ClosureFalsePositive, "resolved": record.ClosureMitigated,
	},
	Other: record.ClosureNone,
}

// suppressions are what a suppression means by the analysis state beside it, where the state alone leaves the finding open.
var suppressions = map[string]record.Closure{
	"exploitable": record.ClosureWontFix, // known to be exploitable, and hidden by choice
}

// alias is one of the ways in which an advisory's other ids are written: by name, or in allBySource.
type alias struct {
	CVE    string            `json:"cveId"`
	GHSA   string            `json:"ghsaId"`
	OSV    string            `json:"osvId"`
	Snyk   string            `json:"snykId"`
	Others map[string]string `json:"allBySource"`
}

func (a alias) ids() []string {
	ids := []string{a.CVE, a.GHSA, a.OSV, a.Snyk}
	for _, source := range []string{"NVD", "GITHUB", "OSV", "SNYK", "GSD", "VULNDB", "SONATYPE", "INTERNAL"} {
		ids = append(ids, a.Others[source])
	}
	return ids
}

type component struct {
	UUID    string `json:"uuid"`
	Group   string `json:"group"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
	Project string `json:"project"`
}

// key identifies the component within its project.
func (c *component) key() string {
	switch {
	case c.UUID != "":
		return strings.ToLower(record.Text(c.UUID))
	case c.PURL != "":
		return record.Text(c.PURL)
	case c.Name != "":
		return record.Text(c.Group + "/" + c.Name + "@" + c.Version)
	default:
		return ""
	}
}

// describe is the package, its version and the class of what is found in it.
func (c *component) describe(p *project) (pkg, version string, class record.Class) {
	class = record.ClassSCA
	if strings.EqualFold(p.Classifier, "CONTAINER") || strings.EqualFold(p.Classifier, "OPERATING_SYSTEM") {
		class = record.ClassContainer
	}
	purl, ok := translate.ParsePURL(c.PURL)
	if !ok {
		name := c.Name
		if c.Group != "" && name != "" {
			name = c.Group + "/" + name
		}
		return record.Package("", name), record.Text(c.Version), class
	}
	if purl.OSPackage() {
		class = record.ClassContainer
	}
	version = c.Version
	if version == "" {
		version = purl.Version
	}
	return purl.Package(), record.Text(version), class
}

type wireFinding struct {
	Component     component `json:"component"`
	Vulnerability struct {
		ID       string           `json:"vulnId"`
		Title    string           `json:"title"`
		Severity string           `json:"severity"`
		CVSSv2   translate.Number `json:"cvssV2BaseScore"`
		CVSSv3   translate.Number `json:"cvssV3BaseScore"`
		CVSSv4   translate.Number `json:"cvssV4Score"`
		EPSS     translate.Number `json:"epssScore"`
		Aliases  []alias          `json:"aliases"`
		KEV      *bool            `json:"isKev"`
		CWEs     []struct {
			ID int `json:"cweId"`
		} `json:"cwes"`
		CWE int `json:"cweId"`
	} `json:"vulnerability"`
	Analysis struct {
		State      string `json:"state"`
		Suppressed bool   `json:"isSuppressed"`
	} `json:"analysis"`
	Attribution struct {
		On translate.Time `json:"attributedOn"`
	} `json:"attribution"`
}

// errUnlisted is the error of an item whose project was not listed.
var errUnlisted = errors.New("the item belongs to a project that was not listed")

func unlisted(err error) bool { return errors.Is(err, errUnlisted) }

// finding translates one finding. projectOf gives its project, nil if that was not listed.
func (c *Collector) finding(raw json.RawMessage, projectOf func(string) *project) (record.Finding, error) {
	w, err := translate.Decode[wireFinding](raw)
	if err != nil {
		return record.Finding{}, err
	}
	p := projectOf(w.Component.Project)
	v := &w.Vulnerability
	switch {
	case p == nil && w.Component.Project == "":
		return record.Finding{}, fmt.Errorf("finding of no project: %w", translate.ErrNoTarget)
	case p == nil:
		return record.Finding{}, errUnlisted
	case v.ID == "" || w.Component.key() == "":
		return record.Finding{}, fmt.Errorf("finding without vulnerability or component: %w", translate.ErrNoID)
	}
	pkg, version, class := w.Component.describe(p)
	title := v.Title
	if title == "" {
		title = v.ID + " in " + w.Component.Name
	}
	f := record.Finding{
		ID:   "finding:" + p.ID + ":" + w.Component.key() + ":" + record.Text(v.ID),
		Tool: tool, Class: class, Repository: p.owner.Repository, Service: p.owner.Service, Title: record.Text(title),
		URL:      record.Text(c.URL + "/projects/" + p.ID + "/findings"),
		Severity: c.severity(w), Category: categoryOf(w, pkg), Rule: record.Text(v.ID), Aliases: aliasesOf(w),
		Package: pkg, Version: version, Closure: c.closure(w.Analysis.State, w.Analysis.Suppressed),
		FirstSeen: w.Attribution.On.Time, EPSS: v.EPSS.Probability(),
	}
	if v.KEV != nil {
		f.KnownExploited = record.AnswerOf(*v.KEV)
	}
	return f, nil
}

// severity is the server's, else that of the newest CVSS score.
func (c *Collector) severity(w *wireFinding) record.Severity {
	v := &w.Vulnerability
	if s := severities.Of(c.Words, v.Severity); s != record.SeverityUnknown {
		return s
	}
	for _, score := range []translate.Number{v.CVSSv4, v.CVSSv3, v.CVSSv2} {
		if s := translate.SeverityOfScore(float64(score)); s != record.SeverityUnknown {
			return s
		}
	}
	return record.SeverityUnknown
}

// closure joins the analysis state with the suppression.
func (c *Collector) closure(state string, suppressed bool) record.Closure {
	closed := closures.Of(c.Words, state)
	if closed != record.ClosureNone || !suppressed {
		return closed
	}
	if why, ok := suppressions[strings.ToLower(state)]; ok {
		return why
	}
	return record.ClosureOther
}

func categoryOf(w *wireFinding, pkg string) string {
	for _, cwe := range w.Vulnerability.CWEs {
		if cwe.ID > 0 {
			return fmt.Sprintf("CWE-%d", cwe.ID)
		}
	}
	if w.Vulnerability.CWE > 0 {
		return fmt.Sprintf("CWE-%d", w.Vulnerability.CWE)
	}
	return record.CategoryOfPackage(pkg)
}

func aliasesOf(w *wireFinding) []string {
	ids := []string{w.Vulnerability.ID}
	for _, a := range w.Vulnerability.Aliases {
		ids = append(ids, a.ids()...)
	}
	return translate.Aliases(ids...)
}
