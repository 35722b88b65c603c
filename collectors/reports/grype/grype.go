// Package grype reads the JSON of Anchore Grype. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
//
// To read one more field of a match: its type and its finding here, with a case in its test.
package grype

import (
	"cmp"
	"encoding/json"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads the JSON of Anchore Grype.
type Format struct{}

const toolName = "grype"

// Name is the format in the words of its documentation.
func (Format) Name() string { return "Grype JSON" }

// Recognises tells the format by its keys.
func (Format) Recognises(s format.Sketch) bool { return s.Form == '{' && s.Has("matches") }

// Read reads the whole report.
func (Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	g := reading{}
	listed := false
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "matches":
			listed, err = s.Array(func() error { return g.match(s, r, false) })
		case "ignoredMatches":
			_, err = s.Array(func() error { return g.match(s, r, true) })
		case "alertsByPackage":
			_, err = s.Array(func() error { return g.alerts(s) })
		case "source":
			_, err = s.Item(&g.source)
		case "descriptor":
			_, err = s.Item(&g.descriptor)
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	g.listed = listed
	g.finish(r)
	return nil
}

type reading struct {
	source struct {
		Type   stream.Text     `json:"type"`
		Target json.RawMessage `json:"target"`
	}
	descriptor struct {
		Timestamp stream.Text `json:"timestamp"`
	}
	matches []matchFinding
	// listed says that there is a list of matches: without one nothing was scanned.
	listed bool
	// unsupported says that the distribution is past its end of life, or that Grype knows no advisories of it.
	unsupported bool
}

// matchFinding is a match as a finding that lacks what the report as a whole says, which comes after the matches. It keeps no more of the match, so
// that a long report is not held in memory.
type matchFinding struct {
	record.Finding
	id, name, path string
}

type vulnerability struct {
	ID             stream.Text       `json:"id"`
	DataSource     stream.Text       `json:"dataSource"`
	Severity       stream.Text       `json:"severity"`
	Description    stream.Text       `json:"description"`
	CVSS           cvss              `json:"cvss"`
	KnownExploited []json.RawMessage `json:"knownExploited"`
	CWEs           []struct {
		CWE stream.Text `json:"cwe"`
	} `json:"cwes"`
	EPSS []struct {
		EPSS stream.Number `json:"epss"`
	} `json:"epss"`
	Fix struct {
		State stream.Text `json:"state"`
	} `json:"fix"`
}

type cvss []struct {
	Vector  stream.Text `json:"vector"`
	Metrics struct {
		BaseScore stream.Number `json:"baseScore"`
	} `json:"metrics"`
}

type match struct {
	Vulnerability vulnerability   `json:"vulnerability"`
	Related       []vulnerability `json:"relatedVulnerabilities"`
	Artifact      struct {
		Name      stream.Text `json:"name"`
		Version   stream.Text `json:"version"`
		Type      stream.Text `json:"type"`
		PURL      stream.Text `json:"purl"`
		Locations []struct {
			Path stream.Text `json:"path"`
		} `json:"locations"`
	} `json:"artifact"`
	Rules []struct {
		Reason    stream.Text `json:"reason"`
		VEXStatus stream.Text `json:"vex-status"`
		FixState  stream.Text `json:"fix-state"`
	} `json:"appliedIgnoreRules"`
	ignored bool
}

func (g *reading) match(s *stream.JSON, r *format.Report, ignored bool) error {
	var m match
	ok, err := s.Item(&m)
	switch {
	case err != nil:
		return err
	case !ok:
		r.Reject(record.RejectDecode)
	case m.Vulnerability.ID == "":
		r.Reject(record.RejectNoID)
	default:
		m.ignored = ignored
		found := matchFinding{Finding: m.finding(), id: string(m.Vulnerability.ID), name: string(m.Artifact.Name)}
		if len(m.Artifact.Locations) > 0 {
			found.path = string(m.Artifact.Locations[0].Path)
		}
		g.matches = append(g.matches, found)
	}
	return nil
}

func (g *reading) finish(r *format.Report) {
	r.Dated(string(g.descriptor.Timestamp))
	image := g.image()
	found := map[record.Class]bool{record.ClassSCA: image == "", record.ClassContainer: image != ""}
	for i := range g.matches {
		m := &g.matches[i]
		m.Place = record.Text(image)
		if m.path != "" && (m.Class == record.ClassSCA || image == "") {
			m.Place = record.Text(m.path)
			if image != "" {
				m.Place = record.Text(format.InImage(image, m.path))
			}
		}
		found[m.Class] = true
		r.Add(m.Finding, m.id, m.name, image, m.path)
	}
	for _, class := range record.Classes() {
		switch {
		case !found[class]:
		case !g.listed, class == record.ClassContainer && g.unsupported:
			r.Scanned(toolName, class, "", format.Failed)
		default:
			r.Scanned(toolName, class, "", format.Succeeded)
		}
	}
	r.Covers(toolName, "")
}

// alerts reads what Grype says about a package besides its vulnerabilities, which since version 0.100 is that its distribution gets no advisories.
func (g *reading) alerts(s *stream.JSON) error {
	var of struct {
		Alerts []struct {
			Type stream.Text `json:"type"`
		} `json:"alerts"`
	}
	_, err := s.Item(&of)
	for _, a := range of.Alerts {
		g.unsupported = g.unsupported || strings.HasPrefix(string(a.Type), "distro-")
	}
	return err
}

// image is the scanned image without tag; empty for a folder or file. One that was read from a file or named by its digest goes by its first tag.
func (g *reading) image() string {
	if g.source.Type != "image" {
		return ""
	}
	var target struct {
		UserInput   stream.Text `json:"userInput"`
		Tags        stream.List `json:"tags"`
		RepoDigests stream.List `json:"repoDigests"`
	}
	if err := json.Unmarshal(g.source.Target, &target); err != nil {
		return ""
	}
	refs := []string{string(target.UserInput)}
	for _, ref := range append(target.Tags, target.RepoDigests...) {
		refs = append(refs, string(ref))
	}
	return format.Image(refs...)
}

func (m *match) finding() record.Finding {
	v := &m.Vulnerability
	ids := []string{string(v.ID)}
	exploited, epss := len(v.KnownExploited) > 0, stream.Number(0)
	category := ""
	all := append([]vulnerability{*v}, m.Related...)
	for i := range all {
		ids = append(ids, string(all[i].ID))
		exploited = exploited || len(all[i].KnownExploited) > 0
		for _, e := range all[i].EPSS {
			epss = max(epss, e.EPSS)
		}
		for _, c := range all[i].CWEs {
			category = cmp.Or(category, record.CWE(string(c.CWE)))
		}
	}
	kind := string(m.Artifact.Type)
	f := record.Finding{
		Tool: toolName, Class: record.ClassOfPackage(kind), Rule: record.Text(string(v.ID)), URL: format.WebLink(string(v.DataSource)),
		Title:    record.Text(string(cmp.Or(v.Description, v.ID+" in "+m.Artifact.Name))),
		Severity: severityOf(all), Category: category, Aliases: record.Advisories(ids...),
		Package: cmp.Or(record.PackageOfURL(string(m.Artifact.PURL)), record.Package(kind, string(m.Artifact.Name))), Version: record.Text(string(m.Artifact.Version)),
		FixAvailable: fixAvailable(v.Fix.State), EPSS: min(1, max(0, float64(epss))),
	}
	f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
	if exploited {
		f.KnownExploited = record.AnswerYes
	}
	if m.ignored {
		f.Closure = m.closure()
	}
	return f
}

// closure says why a match was ignored: a fix state or VEX status, else the reason in words.
func (m *match) closure() record.Closure {
	for _, rule := range m.Rules {
		switch rule.VEXStatus {
		case "not_affected":
			return record.ClosureFalsePositive
		case "fixed":
			return record.ClosureFixed
		}
		if c := format.ClosureOfWords(string(rule.Reason)); c != record.ClosureOther {
			return c
		}
		if rule.FixState == "wont-fix" {
			return record.ClosureWontFix
		}
	}
	return record.ClosureOther
}

// severityOf is Grype's word for the match; where it has none, the first rating among the related advisories and their CVSS.
func severityOf(all []vulnerability) record.Severity {
	for _, v := range all {
		if s := format.SeverityOfWord(string(v.Severity)); s != record.SeverityUnknown {
			return s
		}
	}
	for _, v := range all {
		for _, c := range v.CVSS {
			if s := format.SeverityOfVector(string(c.Vector)); s != record.SeverityUnknown {
				return s
			}
			if s := format.SeverityOfScore(float64(c.Metrics.BaseScore)); s != record.SeverityUnknown {
				return s
			}
		}
	}
	return record.SeverityUnknown
}

func fixAvailable(state stream.Text) record.Answer {
	switch state {
	case "fixed":
		return record.AnswerYes
	case "not-fixed", "wont-fix":
		return record.AnswerNo
	default:
		return record.AnswerUnknown
	}
}
