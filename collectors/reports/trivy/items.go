package trivy

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

type cvss struct {
	V40Vector stream.Text   `json:"V40Vector"`
	V40Score  stream.Number `json:"V40Score"`
	V3Vector  stream.Text   `json:"V3Vector"`
	V3Score   stream.Number `json:"V3Score"`
	V2Vector  stream.Text   `json:"V2Vector"`
	V2Score   stream.Number `json:"V2Score"`
}

func (c cvss) severity() record.Severity {
	for _, s := range []record.Severity{
		format.SeverityOfScore(float64(c.V40Score)), format.SeverityOfVector(string(c.V40Vector)),
		format.SeverityOfScore(float64(c.V3Score)), format.SeverityOfVector(string(c.V3Vector)),
		format.SeverityOfScoreV2(float64(c.V2Score)), format.SeverityOfVector(string(c.V2Vector)),
	} {
		if s != record.SeverityUnknown {
			return s
		}
	}
	return record.SeverityUnknown
}

type vulnerability struct {
	VulnerabilityID  stream.Text     `json:"VulnerabilityID"`
	VendorIDs        stream.List     `json:"VendorIDs"`
	PkgName          stream.Text     `json:"PkgName"`
	PkgPath          stream.Text     `json:"PkgPath"`
	InstalledVersion stream.Text     `json:"InstalledVersion"`
	FixedVersion     stream.Text     `json:"FixedVersion"`
	Status           stream.Text     `json:"Status"`
	Severity         stream.Text     `json:"Severity"`
	SeveritySource   stream.Text     `json:"SeveritySource"`
	PrimaryURL       stream.Text     `json:"PrimaryURL"`
	Title            stream.Text     `json:"Title"`
	CweIDs           stream.List     `json:"CweIDs"`
	CVSS             map[string]cvss `json:"CVSS"`
}

func (v vulnerability) finding() (foundItem, string) {
	ids := []string{string(v.VulnerabilityID)}
	for _, id := range v.VendorIDs {
		ids = append(ids, string(id))
	}
	f := record.Finding{
		Rule: record.Text(string(v.VulnerabilityID)), URL: format.WebLink(string(v.PrimaryURL)),
		Title:    record.Text(string(cmp.Or(v.Title, v.VulnerabilityID+" in "+v.PkgName))),
		Severity: severityOf(v.Severity, v.SeveritySource, v.CVSS), Aliases: record.Advisories(ids...),
		Package: record.Text(string(v.PkgName)), Version: record.Text(string(v.InstalledVersion)),
		FixAvailable: v.fixAvailable(),
	}
	for _, id := range v.CweIDs {
		if f.Category = record.CWE(string(id)); f.Category != "" {
			break
		}
	}
	if v.Status == "not_affected" {
		f.Closure = record.ClosureFalsePositive
	}
	return foundItem{Finding: f, identity: []string{string(v.VulnerabilityID), string(v.PkgName), string(v.PkgPath)}, path: string(v.PkgPath)}, ""
}

// fixAvailable: a fixed version is one, and so is the status that says so; none means that there is none, unless the vendor is still looking.
func (v vulnerability) fixAvailable() record.Answer {
	switch {
	case v.FixedVersion != "" || v.Status == "fixed":
		return record.AnswerYes
	case v.Status == "unknown" || v.Status == "under_investigation":
		return record.AnswerUnknown
	default:
		return record.AnswerNo
	}
}

type misconfiguration struct {
	ID            stream.Text `json:"ID"`
	AVDID         stream.Text `json:"AVDID"`
	Title         stream.Text `json:"Title"`
	Message       stream.Text `json:"Message"`
	Severity      stream.Text `json:"Severity"`
	Status        stream.Text `json:"Status"`
	PrimaryURL    stream.Text `json:"PrimaryURL"`
	CauseMetadata struct {
		Resource  stream.Text   `json:"Resource"`
		StartLine stream.Number `json:"StartLine"`
	} `json:"CauseMetadata"`
}

// finding: checks that passed or that a policy excepts are no weaknesses.
func (m misconfiguration) finding() (foundItem, string) {
	if m.Status != "" && m.Status != "FAIL" {
		return foundItem{}, "misconfiguration of status " + record.Text(string(m.Status))
	}
	id := string(cmp.Or(m.ID, m.AVDID))
	f := record.Finding{
		Class: record.ClassIaC, Rule: record.Text(id), Category: record.Text(id), URL: format.WebLink(string(m.PrimaryURL)),
		Title: record.Text(string(cmp.Or(m.Title, m.Message))), Severity: format.SeverityOfWord(string(m.Severity)),
		Line: format.Line(m.CauseMetadata.StartLine),
	}
	// The message tells two breaches of one rule in one file apart and does not move with the lines above it.
	return foundItem{Finding: f, identity: []string{id, string(m.CauseMetadata.Resource), string(m.Message)}}, ""
}

// secret has no field for the matched text: it is never read.
type secret struct {
	RuleID    stream.Text   `json:"RuleID"`
	Category  stream.Text   `json:"Category"`
	Severity  stream.Text   `json:"Severity"`
	Title     stream.Text   `json:"Title"`
	StartLine stream.Number `json:"StartLine"`
}

func (s secret) finding() (foundItem, string) {
	f := record.Finding{
		Class: record.ClassSecret, Rule: record.Text(string(s.RuleID)), Category: record.Text(string(s.RuleID)),
		Title: record.Text(string(cmp.Or(s.Title, s.RuleID))), Severity: format.SeverityOfWord(string(s.Severity)), Line: format.Line(s.StartLine),
	}
	return foundItem{Finding: f, identity: []string{string(s.RuleID)}}, ""
}

// modifiedFinding is a finding that an ignore file or a VEX document took out ("trivy --show-suppressed").
type modifiedFinding struct {
	Type      stream.Text     `json:"Type"`
	Status    stream.Text     `json:"Status"`
	Statement stream.Text     `json:"Statement"`
	Finding   json.RawMessage `json:"Finding"`
}

func (m modifiedFinding) finding() (foundItem, string) {
	f, ignored := m.original()
	switch m.Status {
	case "not_affected":
		f.Closure = record.ClosureFalsePositive
	case "fixed":
		f.Closure = record.ClosureFixed
	default:
		f.Closure = format.ClosureOfWords(string(m.Statement))
	}
	return f, ignored
}

func (m modifiedFinding) original() (foundItem, string) {
	switch m.Type {
	case "vulnerability":
		return decodeFinding(m.Finding, vulnerability.finding)
	case "misconfiguration":
		return decodeFinding(m.Finding, misconfiguration.finding)
	case "secret":
		return decodeFinding(m.Finding, secret.finding)
	default:
		return foundItem{}, "suppressed " + record.Text(string(m.Type))
	}
}

// decodeFinding returns a finding without a rule, which is then rejected, when the text is of the wrong form.
func decodeFinding[T any](data json.RawMessage, finding func(T) (foundItem, string)) (foundItem, string) {
	var item T
	if err := json.Unmarshal(data, &item); err != nil {
		return foundItem{}, ""
	}
	return finding(item)
}

type foundItem struct {
	record.Finding
	identity []string
	// path is where the package is in an image, empty where the target says it.
	path string
}

// severityOf is Trivy's word; where it has none, the CVSS scores and vectors of the advisories decide, that of the chosen
// source first.
func severityOf(word stream.Text, source stream.Text, scores map[string]cvss) record.Severity {
	severity := format.SeverityOfWord(string(word))
	if severity != record.SeverityUnknown {
		return severity
	}
	sources := append([]string{string(source), "nvd", "ghsa", "redhat"}, slices.Sorted(maps.Keys(scores))...)
	for _, name := range sources {
		if s := scores[name].severity(); s != record.SeverityUnknown {
			return s
		}
	}
	return record.SeverityUnknown
}
