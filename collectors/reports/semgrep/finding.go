package semgrep

import (
	"cmp"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

type result struct {
	CheckID stream.Text `json:"check_id"`
	Path    stream.Text `json:"path"`
	Start   struct {
		Line stream.Number `json:"line"`
	} `json:"start"`
	Extra struct {
		Message         stream.Text `json:"message"`
		Severity        stream.Text `json:"severity"`
		Fingerprint     stream.Text `json:"fingerprint"`
		Lines           stream.Text `json:"lines"`
		IsIgnored       bool        `json:"is_ignored"`
		Metadata        metadata    `json:"metadata"`
		SCA             *scaInfo    `json:"sca_info"`
		ValidationState stream.Text `json:"validation_state"`
	} `json:"extra"`
}

type metadata struct {
	CWE      stream.List `json:"cwe"`
	OWASP    stream.List `json:"owasp"`
	Source   stream.Text `json:"source"`
	Category stream.Text `json:"category"`
	// Advisory, SCASeverity and SCAFix are those of rules about packages.
	Advisory    stream.Text `json:"sca-vuln-database-identifier"`
	SCASeverity stream.Text `json:"sca-severity"`
	SCAFix      stream.List `json:"sca-fix-versions"`
}

// scaInfo is the package that a result of Semgrep Supply Chain is about.
type scaInfo struct {
	Match struct {
		Found struct {
			Package   stream.Text `json:"package"`
			Version   stream.Text `json:"version"`
			Ecosystem stream.Text `json:"ecosystem"`
		} `json:"found_dependency"`
		Lockfile stream.Text `json:"lockfile"`
	} `json:"dependency_match"`
}

// finding: Semgrep's ERROR, WARNING and INFO are high, medium and low; newer rules say CRITICAL to LOW themselves.
func (i *result) finding() (record.Finding, []string, record.Subject) {
	id := string(i.CheckID)
	m := &i.Extra.Metadata
	f := record.Finding{
		Tool: toolName, Rule: record.Text(id), Title: record.Text(string(cmp.Or(i.Extra.Message, i.CheckID))),
		URL: format.WebLink(string(m.Source)), Severity: format.SeverityOfWord(string(i.Extra.Severity)),
		Place: record.Text(format.CleanPath(string(i.Path))), Line: format.Line(i.Start.Line),
	}
	for _, c := range m.CWE {
		f.Category = cmp.Or(f.Category, record.CWE(string(c)))
	}
	rule := record.Rule{ID: id, Weakness: f.Category != "" || len(m.OWASP) > 0}
	if m.Category != "" {
		rule.Tags = []string{string(m.Category)}
	}
	var subject record.Subject
	f.Class, subject = record.ToolNamed(toolName).Classify(&rule)
	f.Category = cmp.Or(f.Category, f.Rule)
	context := string(i.Extra.Lines)
	switch {
	case i.Extra.SCA != nil:
		subject = record.SubjectSecurity
		i.dependency(&f)
	case f.Class == record.ClassSecret:
		f.Title = f.Rule // a message may quote the secret
		context = ""
		switch i.Extra.ValidationState {
		case "CONFIRMED_VALID":
			f.ActiveSecret = record.AnswerYes
		case "CONFIRMED_INVALID":
			f.ActiveSecret = record.AnswerNo
		}
	}
	if i.Extra.IsIgnored {
		f.Closure = record.ClosureOther
	}
	return f, []string{id, f.Place, i.print(context)}, subject
}

// dependency fills in what a result about a package says.
func (i *result) dependency(f *record.Finding) {
	m, found := &i.Extra.Metadata, &i.Extra.SCA.Match.Found
	f.Class = record.ClassOfPackage(string(found.Ecosystem))
	f.Package, f.Version = record.Package(string(found.Ecosystem), string(found.Package)), record.Text(string(found.Version))
	f.Aliases = record.Advisories(string(m.Advisory), string(i.CheckID))
	if severity := format.SeverityOfWord(string(m.SCASeverity)); severity != record.SeverityUnknown {
		f.Severity = severity
	}
	if len(m.SCAFix) > 0 {
		f.FixAvailable = record.AnswerYes
	}
	if i.Extra.SCA.Match.Lockfile != "" {
		f.Place = record.Text(format.CleanPath(string(i.Extra.SCA.Match.Lockfile)))
	}
}

// print identifies a result of a rule in a file, also when its line has moved: Semgrep's fingerprint, else the lines that it found, else its message. Semgrep
// writes "requires login" where it keeps the first two to its customers.
func (i *result) print(context string) string {
	for _, print := range []string{string(i.Extra.Fingerprint), strings.Join(strings.Fields(context), " ")} {
		if print != "" && !strings.EqualFold(print, "requires login") {
			return print
		}
	}
	return string(i.Extra.Message)
}
