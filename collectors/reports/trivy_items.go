package reports

import (
	"cmp"
	"encoding/json"

	"prodsec_exporter/internal/record"
)

type trivyCVSS struct {
	V40Vector text   `json:"V40Vector"`
	V40Score  number `json:"V40Score"`
	V3Vector  text   `json:"V3Vector"`
	V3Score   number `json:"V3Score"`
}

func (c trivyCVSS) severity() record.Severity {
	for _, s := range []record.Severity{
		severityOfScore(float64(c.V40Score)), severityOfVector(string(c.V40Vector)),
		severityOfScore(float64(c.V3Score)), severityOfVector(string(c.V3Vector)),
	} {
		if s != record.SeverityUnknown {
			return s
		}
	}
	return record.SeverityUnknown
}

type trivyVulnerability struct {
	VulnerabilityID  text                 `json:"VulnerabilityID"`
	VendorIDs        textList             `json:"VendorIDs"`
	PkgName          text                 `json:"PkgName"`
	PkgPath          text                 `json:"PkgPath"`
	InstalledVersion text                 `json:"InstalledVersion"`
	FixedVersion     text                 `json:"FixedVersion"`
	Status           text                 `json:"Status"`
	Severity         text                 `json:"Severity"`
	SeveritySource   text                 `json:"SeveritySource"`
	PrimaryURL       text                 `json:"PrimaryURL"`
	Title            text                 `json:"Title"`
	CweIDs           textList             `json:"CweIDs"`
	CVSS             map[string]trivyCVSS `json:"CVSS"`
}

func (v trivyVulnerability) finding() (trivyFinding, string) {
	ids := []string{string(v.VulnerabilityID)}
	for _, id := range v.VendorIDs {
		ids = append(ids, string(id))
	}
	f := record.Finding{
		Rule: record.Text(string(v.VulnerabilityID)), URL: webLink(string(v.PrimaryURL)),
		Title:    record.Text(string(cmp.Or(v.Title, v.VulnerabilityID+" in "+v.PkgName))),
		Severity: trivySeverity(v.Severity, v.SeveritySource, v.CVSS), Aliases: record.Advisories(ids...),
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
	return trivyFinding{Finding: f, identity: []string{string(v.VulnerabilityID), string(v.PkgName), string(v.PkgPath)}, path: string(v.PkgPath)}, ""
}

// fixAvailable: a fixed version is one; none means that there is none, unless the vendor is still looking.
func (v trivyVulnerability) fixAvailable() record.Answer {
	switch {
	case v.FixedVersion != "":
		return record.AnswerYes
	case v.Status == "unknown" || v.Status == "under_investigation":
		return record.AnswerUnknown
	default:
		return record.AnswerNo
	}
}

type trivyMisconfiguration struct {
	ID            text `json:"ID"`
	AVDID         text `json:"AVDID"`
	Title         text `json:"Title"`
	Message       text `json:"Message"`
	Severity      text `json:"Severity"`
	Status        text `json:"Status"`
	PrimaryURL    text `json:"PrimaryURL"`
	CauseMetadata struct {
		Resource  text   `json:"Resource"`
		StartLine number `json:"StartLine"`
	} `json:"CauseMetadata"`
}

// finding: checks that passed or that a policy excepts are no weaknesses.
func (m trivyMisconfiguration) finding() (trivyFinding, string) {
	if m.Status != "" && m.Status != "FAIL" {
		return trivyFinding{}, "misconfiguration of status " + record.Text(string(m.Status))
	}
	id := string(cmp.Or(m.ID, m.AVDID))
	f := record.Finding{
		Class: record.ClassIaC, Rule: record.Text(id), Category: record.Text(id), URL: webLink(string(m.PrimaryURL)),
		Title: record.Text(string(cmp.Or(m.Title, m.Message))), Severity: severityOfWord(string(m.Severity)),
		Line: positive(m.CauseMetadata.StartLine),
	}
	// The message tells two breaches of one rule in one file apart and does not move with the lines above it.
	return trivyFinding{Finding: f, identity: []string{id, string(m.CauseMetadata.Resource), string(m.Message)}}, ""
}

// trivySecret has no field for the matched text: it is never read.
type trivySecret struct {
	RuleID    text   `json:"RuleID"`
	Category  text   `json:"Category"`
	Severity  text   `json:"Severity"`
	Title     text   `json:"Title"`
	StartLine number `json:"StartLine"`
}

func (s trivySecret) finding() (trivyFinding, string) {
	f := record.Finding{
		Class: record.ClassSecret, Rule: record.Text(string(s.RuleID)), Category: record.Text(string(s.RuleID)),
		Title: record.Text(string(cmp.Or(s.Title, s.RuleID))), Severity: severityOfWord(string(s.Severity)), Line: positive(s.StartLine),
	}
	return trivyFinding{Finding: f, identity: []string{string(s.RuleID)}}, ""
}

// trivyModified is a finding that an ignore file or a VEX document took out ("trivy --show-suppressed").
type trivyModified struct {
	Type      text            `json:"Type"`
	Status    text            `json:"Status"`
	Statement text            `json:"Statement"`
	Finding   json.RawMessage `json:"Finding"`
}

func (m trivyModified) finding() (trivyFinding, string) {
	f, ignored := m.original()
	switch m.Status {
	case "not_affected":
		f.Closure = record.ClosureFalsePositive
	case "fixed":
		f.Closure = record.ClosureFixed
	default:
		f.Closure = closureOfWords(string(m.Statement))
	}
	return f, ignored
}

func (m trivyModified) original() (trivyFinding, string) {
	switch m.Type {
	case "vulnerability":
		return decodeFinding(m.Finding, trivyVulnerability.finding)
	case "misconfiguration":
		return decodeFinding(m.Finding, trivyMisconfiguration.finding)
	case "secret":
		return decodeFinding(m.Finding, trivySecret.finding)
	default:
		return trivyFinding{}, "suppressed " + record.Text(string(m.Type))
	}
}

// decodeFinding returns a finding without a rule, which is then rejected, when the text is of the wrong form.
func decodeFinding[T any](data json.RawMessage, finding func(T) (trivyFinding, string)) (trivyFinding, string) {
	var item T
	if err := json.Unmarshal(data, &item); err != nil {
		return trivyFinding{}, ""
	}
	return finding(item)
}
