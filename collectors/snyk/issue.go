package snyk

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// severities are Snyk's effective severity levels, after the organisation's own policies.
var severities = translate.Vocabulary[record.Severity]{
	Name: "snyk severity",
	Words: map[string]record.Severity{
		"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
		"info": record.SeverityLow, "": record.SeverityUnknown,
	},
	Other: record.SeverityUnknown,
}

// classes are Snyk's issue types. A vulnerable package of an image is one of class container.
var classes = translate.Vocabulary[record.Class]{
	Name: "snyk issue type",
	Words: map[string]record.Class{
		"package_vulnerability": record.ClassSCA, "license": record.ClassOther, "cloud": record.ClassIaC, "config": record.ClassIaC,
		"code": record.ClassSAST, "custom": record.ClassOther,
	},
	Other: record.ClassOther,
}

// openness says whether a status is that of an open issue; one that we do not know is.
var openness = translate.Vocabulary[bool]{Name: "snyk status", Words: map[string]bool{"open": true, "resolved": false}, Other: true}

// resolutions are how an issue was resolved. "disappeared" is Snyk's word for an issue that the latest test of the project no
// longer finds, which is what an upgraded package looks like; when the project itself goes, its issues leave the list instead.
var resolutions = translate.Vocabulary[record.Closure]{
	Name:  "snyk resolution",
	Words: map[string]record.Closure{"fixed": record.ClosureFixed, "disappeared": record.ClosureFixed, "": record.ClosureFixed},
	Other: record.ClosureOther,
}

// reachabilities are shown to people in the title; an issue that cannot be reached stays open.
var reachabilities = translate.Vocabulary[string]{
	Name: "snyk reachability",
	Words: map[string]string{
		"function": "reachable", "package": "package in use", "no-path-found": "no path found", "not-reachable": "not reachable", "reachable": "reachable",
		"potentially-reachable": "potentially reachable", "no-info": "", "not-applicable": "", "": "",
	},
	Other: "",
}

type wireIssue struct {
	ID         string `json:"id"`
	Attributes struct {
		Key        string         `json:"key"`
		Asset      string         `json:"key_asset"` // the finding over all projects and branches
		Title      string         `json:"title"`
		Type       string         `json:"type"`
		Status     string         `json:"status"`
		Ignored    bool           `json:"ignored"`
		Severity   string         `json:"effective_severity_level"`
		CreatedAt  translate.Time `json:"created_at"`
		UpdatedAt  translate.Time `json:"updated_at"`
		Resolution struct {
			Type string         `json:"type"`
			At   translate.Time `json:"resolved_at"`
		} `json:"resolution"`
		Problems []struct {
			ID string `json:"id"`
		} `json:"problems"`
		Classes []struct {
			ID string `json:"id"`
		} `json:"classes"`
		Coordinates []coordinate `json:"coordinates"`
		Exploit     *exploit     `json:"exploit_details"`
	} `json:"attributes"`
	Relationships struct {
		ScanItem struct {
			Data struct {
				ID string `json:"id"`
			} `json:"data"`
		} `json:"scan_item"`
	} `json:"relationships"`
}

// coordinate is a place of an issue. A flag is nil where Snyk does not say.
type coordinate struct {
	Manually     *bool  `json:"is_fixable_manually"`
	BySnyk       *bool  `json:"is_fixable_snyk"`
	Upstream     *bool  `json:"is_fixable_upstream"`
	Patchable    *bool  `json:"is_patchable"`
	Pinnable     *bool  `json:"is_pinnable"`
	Upgradeable  *bool  `json:"is_upgradeable"`
	Reachability string `json:"reachability"`
	At           []struct {
		Dependency struct {
			Name    string `json:"package_name"`
			Version string `json:"package_version"`
		} `json:"dependency"`
		Source struct {
			File   string `json:"file"`
			Region struct {
				Start struct {
					Line int `json:"line"`
				} `json:"start"`
			} `json:"region"`
		} `json:"sourceLocation"`
		Resource string `json:"resourcePath"`
	} `json:"representations"`
}

// exploit is what is known of attacks.
type exploit struct {
	Sources  []string `json:"sources"`
	Maturity []struct {
		Level string `json:"level"`
	} `json:"maturity_levels"`
}

func (w *wireIssue) project() string { return record.Text(w.Relationships.ScanItem.Data.ID) }

func (w *wireIssue) findingID() string { return "issue:" + record.Text(w.ID) }

// errLeftOut says that an issue is not to be read.
var errLeftOut = errors.New("the configuration leaves the issue out")

// translation is what the issues of an organisation are read with.
type translation struct {
	projects projectList
	ignores  *ignoreList
}

// issue translates one issue.
func (c *Collector) issue(raw json.RawMessage, t *translation) (record.Finding, error) {
	w, err := translate.Decode[wireIssue](raw)
	if err != nil {
		return record.Finding{}, err
	}
	if w.ID == "" {
		return record.Finding{}, fmt.Errorf("issue: %w", translate.ErrNoID)
	}
	a := &w.Attributes
	p := t.projects[w.project()]
	if p == nil {
		p = &project{}
	}
	if p.leftOut || c.config.WithoutLicenses && strings.EqualFold(a.Type, "license") {
		return record.Finding{}, errLeftOut
	}
	f := record.Finding{
		ID: w.findingID(), Tool: tool, Class: classes.Of(c.Words, a.Type), Repository: p.owner.Repository, Service: p.owner.Service,
		Severity: severities.Of(c.Words, a.Severity), Category: categoryOf(w), Rule: record.Text(a.Key), Place: p.target,
		FirstSeen: a.CreatedAt.Time, UpdatedAt: a.UpdatedAt.Time, FixAvailable: fixable(a.Coordinates), KnownExploited: exploited(a.Exploit),
	}
	if f.Class == record.ClassSCA && p.kind.image {
		f.Class = record.ClassContainer
		f.Place = imageOf(p)
	}
	switch f.Class {
	case record.ClassSAST, record.ClassIaC:
		// The key is different for every issue; what recurs is the title.
		f.Rule = record.Text(a.Title)
	default:
		f.Aliases = aliasesOf(w)
	}
	locate(&f, w, p)
	f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
	f.Title = c.title(w)
	c.close(&f, w, t)
	if f.Closure == record.ClosureNone && p.active == record.AnswerNo {
		f.Closure = record.ClosureOutOfScope // nobody tests it any more
	}
	return f, nil
}

// close decides whether the issue is open, and since when it is not.
func (c *Collector) close(f *record.Finding, w *wireIssue, t *translation) {
	a := &w.Attributes
	switch {
	case !openness.Of(c.Words, a.Status):
		f.Closure, f.ClosedAt = resolutions.Of(c.Words, a.Resolution.Type), a.Resolution.At.Time
	case a.Ignored:
		ig, known := t.ignores.find(w)
		if f.Closure = c.closure(ig, known, c.Env.Now()); f.Closure != record.ClosureNone {
			f.ClosedAt = ig.Created.Time
		}
	}
}

// title is the issue's, with what is known about reachability.
func (c *Collector) title(w *wireIssue) string {
	title := w.Attributes.Title
	if title == "" {
		title = w.Attributes.Key
	}
	for _, at := range w.Attributes.Coordinates {
		if reach := reachabilities.Of(c.Words, at.Reachability); reach != "" {
			return record.Text(title + " (" + reach + ")")
		}
	}
	return record.Text(title)
}

// locate takes package, version, file and line from the first coordinates that have them.
func locate(f *record.Finding, w *wireIssue, p *project) {
	for _, c := range w.Attributes.Coordinates {
		for _, at := range c.At {
			if d := at.Dependency; f.Package == "" && d.Name != "" {
				f.Package, f.Version = packageOf(w.Attributes.Key, d.Name, p), record.Text(d.Version)
			}
			if s := at.Source; f.Line == 0 && s.File != "" {
				f.Place, f.Line = record.Text(s.File), max(0, s.Region.Start.Line)
			}
			if f.Place == "" && at.Resource != "" {
				f.Place = record.Text(at.Resource)
			}
		}
	}
}

// keyEcosystems are the ecosystems in keys such as SNYK-PYTHON-PILLOW-5918878, for issues whose project says none.
var keyEcosystems = map[string]string{
	"js": "npm", "python": "pypi", "java": "maven", "golang": "golang", "dotnet": "nuget", "ruby": "gem", "php": "composer", "rust": "cargo",
	"swift": "swift", "cocoapods": "cocoapods", "hex": "hex", "dart": "pub",
}

// packageOf is the record's spelling of a package. Distributions are told by the project, e.g. "deb".
func packageOf(key, name string, p *project) string {
	ecosystem := p.kind.ecosystem
	if parts := strings.Split(strings.ToLower(key), "-"); ecosystem == "" && len(parts) > 1 && parts[0] == "snyk" {
		ecosystem = keyEcosystems[parts[1]]
	}
	return record.Package(ecosystem, name)
}

// imageOf is a project's image without tag and digest: names are "image:tag" or "image:tag:file".
func imageOf(p *project) string {
	name, _, _ := strings.Cut(p.name, "@")
	slash := strings.LastIndexByte(name, '/') + 1
	image, _, _ := strings.Cut(name[slash:], ":")
	return name[:slash] + image
}

// categoryOf is the first CWE, else the issue's type.
func categoryOf(w *wireIssue) string {
	for _, class := range w.Attributes.Classes {
		if cwe := translate.CWE(class.ID); cwe != "" {
			return cwe
		}
	}
	if w.Attributes.Type == "package_vulnerability" {
		return ""
	}
	return record.Text(w.Attributes.Type)
}

func aliasesOf(w *wireIssue) []string {
	ids := []string{w.Attributes.Key}
	for _, p := range w.Attributes.Problems {
		ids = append(ids, p.ID)
	}
	return translate.Aliases(ids...)
}

// fixable is yes if any coordinate says so by any way, no if all that speak say no.
func fixable(coordinates []coordinate) record.Answer {
	answer := record.AnswerUnknown
	for _, c := range coordinates {
		for _, flag := range []*bool{c.Manually, c.BySnyk, c.Upstream, c.Patchable, c.Pinnable, c.Upgradeable} {
			switch {
			case flag == nil:
			case *flag:
				return record.AnswerYes
			default:
				answer = record.AnswerNo
			}
		}
	}
	return answer
}

// exploited is yes if CISA lists the vulnerability as exploited or CVSS 4 says that it was attacked, no if Snyk knows of exploits
// in general and not of that.
func exploited(e *exploit) record.Answer {
	if e == nil {
		return record.AnswerUnknown
	}
	for _, source := range e.Sources {
		if strings.EqualFold(source, "CISA") {
			return record.AnswerYes
		}
	}
	for _, m := range e.Maturity {
		if strings.EqualFold(m.Level, "Attacked") {
			return record.AnswerYes
		}
	}
	return record.AnswerNo
}
