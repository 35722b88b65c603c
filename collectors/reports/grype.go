package reports

import (
	"cmp"
	"encoding/json"
	"strings"

	"prodsec_exporter/internal/record"
)

// grypeParser reads the JSON of Anchore Grype.
type grypeParser struct{}

const grypeTool = "grype"

func (grypeParser) name() string { return "Grype JSON" }

func (grypeParser) sniff(s sketch) bool { return s.form == '{' && s.has("matches") }

func (grypeParser) parse(s *stream, r *report) error {
	g := grypeReport{}
	listed := false
	err := s.object(func(key string) error {
		var err error
		switch key {
		case "matches":
			listed, err = s.array(func() error { return g.match(s, r, false) })
		case "ignoredMatches":
			_, err = s.array(func() error { return g.match(s, r, true) })
		case "source":
			_, err = s.item(&g.source)
		case "descriptor":
			_, err = s.item(&g.descriptor)
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	r.incomplete = !listed
	g.finish(r)
	return nil
}

type grypeReport struct {
	source struct {
		Type   text            `json:"type"`
		Target json.RawMessage `json:"target"`
	}
	descriptor struct {
		Timestamp text `json:"timestamp"`
	}
	matches []grypeFound
}

// grypeFound is a match as a finding that lacks what the report as a whole says, which comes after the matches. It keeps no more of the match, so
// that a long report is not held in memory.
type grypeFound struct {
	record.Finding
	id, name, path string
}

type grypeVulnerability struct {
	ID             text      `json:"id"`
	DataSource     text      `json:"dataSource"`
	Severity       text      `json:"severity"`
	Description    text      `json:"description"`
	CVSS           grypeCVSS `json:"cvss"`
	KnownExploited []any     `json:"knownExploited"`
	CWEs           []struct {
		CWE text `json:"cwe"`
	} `json:"cwes"`
	EPSS []struct {
		EPSS number `json:"epss"`
	} `json:"epss"`
	Fix struct {
		State text `json:"state"`
	} `json:"fix"`
}

type grypeCVSS []struct {
	Vector  text `json:"vector"`
	Metrics struct {
		BaseScore number `json:"baseScore"`
	} `json:"metrics"`
}

type grypeMatch struct {
	Vulnerability grypeVulnerability   `json:"vulnerability"`
	Related       []grypeVulnerability `json:"relatedVulnerabilities"`
	Artifact      struct {
		Name      text `json:"name"`
		Version   text `json:"version"`
		Type      text `json:"type"`
		PURL      text `json:"purl"`
		Locations []struct {
			Path text `json:"path"`
		} `json:"locations"`
	} `json:"artifact"`
	Rules []struct {
		Reason    text `json:"reason"`
		VEXStatus text `json:"vex-status"`
	} `json:"appliedIgnoreRules"`
	ignored bool
}

func (g *grypeReport) match(s *stream, r *report, ignored bool) error {
	var m grypeMatch
	ok, err := s.item(&m)
	switch {
	case err != nil:
		return err
	case !ok:
		r.reject(record.RejectDecode)
	case m.Vulnerability.ID == "":
		r.reject(record.RejectNoID)
	default:
		m.ignored = ignored
		found := grypeFound{Finding: m.finding(), id: string(m.Vulnerability.ID), name: string(m.Artifact.Name)}
		if len(m.Artifact.Locations) > 0 {
			found.path = string(m.Artifact.Locations[0].Path)
		}
		g.matches = append(g.matches, found)
	}
	return nil
}

func (g *grypeReport) finish(r *report) {
	r.dated(string(g.descriptor.Timestamp))
	image := g.image()
	classes := map[record.Class]bool{record.ClassSCA: true}
	if image != "" {
		classes = map[record.Class]bool{record.ClassContainer: true}
	}
	for i := range g.matches {
		found := &g.matches[i]
		found.Place = record.Text(image)
		if found.path != "" && (found.Class == record.ClassSCA || image == "") {
			found.Place = record.Text(found.path)
			if image != "" {
				found.Place = record.Text(inImageAt(image, found.path))
			}
		}
		classes[found.Class] = true
		r.add(found.Finding, found.id, found.name, image, found.path)
	}
	for class := range classes {
		r.scanned(grypeTool, class, "", !r.incomplete)
	}
}

// image is the scanned image without tag; empty for a folder or file.
func (g *grypeReport) image() string {
	if g.source.Type != "image" {
		return ""
	}
	var target struct {
		UserInput text `json:"userInput"`
	}
	if err := json.Unmarshal(g.source.Target, &target); err != nil {
		return ""
	}
	input := string(target.UserInput)
	for _, scheme := range []string{"docker:", "podman:", "containerd:"} { // where Grype was told to look for the image
		input = strings.TrimPrefix(input, scheme)
	}
	return imageName(input)
}

func (m *grypeMatch) finding() record.Finding {
	v := &m.Vulnerability
	ids := []string{string(v.ID)}
	exploited, epss := len(v.KnownExploited) > 0, number(0)
	category := ""
	all := append([]grypeVulnerability{*v}, m.Related...)
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
		Tool: grypeTool, Class: grypeClass(kind), Rule: record.Text(string(v.ID)), URL: webLink(string(v.DataSource)),
		Title:    record.Text(string(cmp.Or(v.Description, v.ID+" in "+m.Artifact.Name))),
		Severity: grypeSeverity(all), Category: cmp.Or(category, strings.ToLower(record.Text(kind))), Aliases: record.Advisories(ids...),
		Package: cmp.Or(record.PackageOfURL(string(m.Artifact.PURL)), record.Package(kind, string(m.Artifact.Name))), Version: record.Text(string(m.Artifact.Version)),
		FixAvailable: grypeFix(v.Fix.State), EPSS: min(1, max(0, float64(epss))),
	}
	if exploited {
		f.KnownExploited = record.AnswerYes
	}
	if m.ignored {
		f.Closure = m.closure()
	}
	return f
}

// closure says why a match was ignored: a fix state or VEX status, else the reason in words.
func (m *grypeMatch) closure() record.Closure {
	for _, rule := range m.Rules {
		switch rule.VEXStatus {
		case "not_affected":
			return record.ClosureFalsePositive
		case "fixed":
			return record.ClosureFixed
		}
		if c := closureOfWords(string(rule.Reason)); c != record.ClosureOther {
			return c
		}
	}
	return record.ClosureOther
}

// grypeSeverity is Grype's word for the match; where it has none, the first rating among the related advisories and their CVSS.
func grypeSeverity(all []grypeVulnerability) record.Severity {
	for _, v := range all {
		if s := severityOfWord(string(v.Severity)); s != record.SeverityUnknown {
			return s
		}
	}
	for _, v := range all {
		for _, c := range v.CVSS {
			if s := severityOfVector(string(c.Vector)); s != record.SeverityUnknown {
				return s
			}
			if s := severityOfScore(float64(c.Metrics.BaseScore)); s != record.SeverityUnknown {
				return s
			}
		}
	}
	return record.SeverityUnknown
}

func grypeFix(state text) record.Answer {
	switch state {
	case "fixed":
		return record.AnswerYes
	case "not-fixed", "wont-fix":
		return record.AnswerNo
	default:
		return record.AnswerUnknown
	}
}

// grypeClass: packages of a distribution are the image's, everything else is a dependency.
func grypeClass(kind string) record.Class {
	switch kind {
	case "deb", "rpm", "apk", "alpm", "portage", "linux-kernel", "linux-kernel-module":
		return record.ClassContainer
	default:
		return record.ClassSCA
	}
}
