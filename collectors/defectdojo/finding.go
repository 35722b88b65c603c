package defectdojo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// finding is a finding as far as it is read. Every field may be null.
type finding struct {
	ID               int64    `json:"id"`
	Title            string   `json:"title"`
	Severity         string   `json:"severity"`
	Date             moment   `json:"date"`
	Created          moment   `json:"created"`
	LastStatusUpdate moment   `json:"last_status_update"`
	Mitigated        moment   `json:"mitigated"`
	Active           bool     `json:"active"`
	Verified         bool     `json:"verified"`
	FalsePositive    bool     `json:"false_p"`
	Duplicate        bool     `json:"duplicate"`
	OutOfScope       bool     `json:"out_of_scope"`
	RiskAccepted     bool     `json:"risk_accepted"`
	IsMitigated      bool     `json:"is_mitigated"`
	UnderReview      bool     `json:"under_review"`
	DefectReview     bool     `json:"under_defect_review"`
	Static           bool     `json:"static_finding"`
	Dynamic          bool     `json:"dynamic_finding"`
	CWE              int      `json:"cwe"`
	CVE              string   `json:"cve"`
	EPSS             float64  `json:"epss_score"`
	KnownExploited   *bool    `json:"known_exploited"`
	FixAvailable     *bool    `json:"fix_available"`
	Component        string   `json:"component_name"`
	ComponentVersion string   `json:"component_version"`
	File             string   `json:"file_path"`
	Line             int      `json:"line"`
	RuleFromTool     string   `json:"vuln_id_from_tool"`
	Service          string   `json:"service"`
	Tags             []string `json:"tags"`
	// Endpoints are numbers of what is in the list "prefetch" of the page.
	Endpoints       json.RawMessage `json:"endpoints"`
	Vulnerabilities []struct {
		ID string `json:"vulnerability_id"`
	} `json:"vulnerability_ids"`
	Related struct {
		Test struct {
			Type struct {
				Name string `json:"name"`
			} `json:"test_type"`
			ScanType   string `json:"scan_type"`
			Branch     string `json:"branch_tag"`
			Engagement struct {
				SourceURL string  `json:"source_code_management_uri"`
				Branch    string  `json:"branch_tag"`
				Product   product `json:"product"`
			} `json:"engagement"`
		} `json:"test"`
	} `json:"related_fields"`

	// endpoint is the place of a finding in something that runs.
	endpoint string
}

// moment is a date, or a date and time; null and "" are none. Anything else is marked as wrong instead of failing the item, so that it
// is counted for what it is.
type moment struct {
	time.Time
	// day says that it is a date without a time: a day somewhere, and no instant.
	day   bool
	wrong bool
}

// UnmarshalJSON never fails on valid JSON.
func (m *moment) UnmarshalJSON(data []byte) error {
	*m = moment{}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		m.wrong = true
		return nil //nolint:nilerr // Told by the mark.
	}
	if s == nil || *s == "" {
		return nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(form, *s); err == nil {
			m.Time, m.day = at.UTC(), form == time.DateOnly
			return nil
		}
	}
	m.wrong = true
	return nil
}

// idOf is the id of a finding's record, which risk acceptances refer to.
func idOf(number int64) string { return kindName + "#" + strconv.FormatInt(number, 10) }

// start is the instant, or the first one of the day in a zone.
func (m moment) start(zone *time.Location) time.Time {
	if m.day {
		return record.DayStart(m.Time, zone).UTC()
	}
	return m.Time
}

// end is the instant, or the first one after the day in a zone.
func (m moment) end(zone *time.Location) time.Time {
	if m.day {
		return record.DayEnd(m.Time, zone).UTC()
	}
	return m.Time
}

// record turns a finding of a product into a record; it reports false when a date cannot be read. Plain dates are days in the zone.
func (f *finding) record(site string, t target, zone *time.Location) (record.Finding, bool) {
	for _, m := range []moment{f.Date, f.Created, f.LastStatusUpdate, f.Mitigated} {
		if m.wrong {
			return record.Finding{}, false
		}
	}
	tool := toolOf(f.Related.Test.Type.Name, f.Related.Test.ScanType)
	r := record.Finding{
		ID: idOf(f.ID), Tool: tool.Name, Repository: t.repository, Service: t.service,
		Title: record.Text(cmp.Or(f.Title, "Finding "+strconv.FormatInt(f.ID, 10))), URL: fmt.Sprintf("%s/finding/%d", site, f.ID),
		Severity: severityOf(f.Severity), Rule: record.Text(f.RuleFromTool), Aliases: f.aliases(),
		Package: packageOf(f.Component, tool.Name), Version: record.Text(f.ComponentVersion),
		Place: record.Text(f.File), Line: max(0, f.Line), Closure: f.closure(),
		FirstSeen: f.firstSeen(zone), UpdatedAt: f.LastStatusUpdate.Time,
		FixAvailable: answer(f.FixAvailable), KnownExploited: answer(f.KnownExploited), EPSS: min(1, max(0, f.EPSS)),
	}
	if r.Place == "" && f.Component == "" {
		r.Place = f.endpoint
	}
	r.Class = f.class(tool)
	r.Category = f.category(&r)
	if r.Repository == "" {
		if name, err := record.ParseRepository(f.Related.Test.Engagement.SourceURL); err == nil {
			r.Repository = name
		}
	}
	if r.Closure != record.ClosureNone {
		r.ClosedAt = f.LastStatusUpdate.Time
		if !f.Mitigated.IsZero() {
			r.ClosedAt = f.Mitigated.start(zone)
		}
	}
	return r, true
}

// toolOf is the scanner: test types are named after it, e.g. "Trivy Scan".
func toolOf(testType, scanType string) record.Tool {
	name := strings.ToLower(cmp.Or(testType, scanType))
	for _, suffix := range []string{" json report", " xml report", " report", " scan"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return record.ToolNamed(cmp.Or(name, kindName))
}

// severityOf reads DefectDojo's words. Info is unknown: DefectDojo stores under it what a scanner did not rate, too, and no deadline follows
// from it.
func severityOf(word string) record.Severity {
	switch strings.ToLower(word) {
	case "critical":
		return record.SeverityCritical
	case "high":
		return record.SeverityHigh
	case "medium":
		return record.SeverityMedium
	case "low":
		return record.SeverityLow
	default:
		return record.SeverityUnknown
	}
}

// closure reads the flags. The order matters, because DefectDojo sets several at once: a false positive is marked as mitigated, too. A
// finding under review that is inactive is still open: nobody has said that it is gone.
func (f *finding) closure() record.Closure {
	switch {
	case f.Duplicate:
		return record.ClosureDuplicate
	case f.FalsePositive:
		return record.ClosureFalsePositive
	case f.OutOfScope:
		return record.ClosureOutOfScope
	case f.IsMitigated:
		return record.ClosureFixed
	case f.RiskAccepted:
		return record.ClosureRiskAccepted
	case f.Active, f.UnderReview, f.DefectReview:
		return record.ClosureNone
	default:
		return record.ClosureOther
	}
}

// firstSeen is the date of discovery; where the finding was created on that day, the exact time.
func (f *finding) firstSeen(zone *time.Location) time.Time {
	start := f.Date.start(zone)
	switch {
	case f.Date.IsZero(), f.Date.day && !f.Created.Before(start) && f.Created.Before(f.Date.end(zone)):
		return f.Created.start(zone)
	default:
		return start
	}
}

func (f *finding) aliases() []string {
	ids := []string{f.CVE}
	for _, v := range f.Vulnerabilities {
		ids = append(ids, v.ID)
	}
	return record.Advisories(ids...)
}

// class: a known tool's, corrected by what the finding is about; else a component is a dependency, and the flags tell the rest.
func (f *finding) class(tool record.Tool) record.Class {
	dependency := f.Component != "" || len(f.aliases()) > 0
	switch {
	case tool.Class == record.ClassSCA && !dependency:
		return record.ClassIaC // scanners of images and folders report misconfigurations besides vulnerable packages
	case tool.Class != "":
		return tool.Class
	case f.Component != "":
		return record.ClassSCA
	case f.Dynamic && !f.Static:
		return record.ClassDAST
	case f.Static:
		return record.ClassSAST
	default:
		return record.ClassOther
	}
}

// category is the CWE; else the rule, unless it is an advisory, which does not recur; else the ecosystem.
func (f *finding) category(r *record.Finding) string {
	switch {
	case f.CWE > 0:
		return "CWE-" + strconv.Itoa(f.CWE)
	case r.Package == "" && len(r.Aliases) == 0:
		return r.Rule
	default:
		return record.CategoryOfPackage(r.Package)
	}
}

// packageOf names a component. DefectDojo does not say of which ecosystem it is; the shape of a name or a scanner of one ecosystem does. What
// remains is "generic/name": it is not folded with other tools' reports, because equal names in two ecosystems are different packages.
func packageOf(name, tool string) string {
	ecosystem := ""
	host, _, hasPath := strings.Cut(name, "/")
	switch {
	case strings.HasPrefix(name, "pkg:"):
		return record.PackageOfURL(name)
	case strings.HasPrefix(name, "@") && hasPath:
		ecosystem = "npm"
	case hasPath && strings.Contains(host, "."):
		ecosystem = "go"
	case strings.Count(name, ":") == 1:
		ecosystem = "maven"
	default:
		ecosystem = map[string]string{
			"npm audit": "npm", "yarn audit": "npm", "retire.js": "npm", "pip-audit": "pip", "govulncheck": "go", "bundler-audit": "rubygems", "cargoaudit": "rust",
		}[tool]
	}
	return record.Package(ecosystem, name)
}

func answer(b *bool) record.Answer {
	if b == nil {
		return record.AnswerUnknown
	}
	return record.AnswerOf(*b)
}
