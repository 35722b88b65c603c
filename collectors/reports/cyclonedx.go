package reports

import (
	"cmp"
	"strings"

	"prodsec_exporter/internal/record"
)

// cyclonedxParser reads CycloneDX documents in JSON: the vulnerabilities of a bill of materials, and what a VEX says about them. Those in
// XML are read by cyclonedxMarkup into the same report.
type cyclonedxParser struct{}

func (cyclonedxParser) name() string { return "CycloneDX JSON" }

func (cyclonedxParser) sniff(s sketch) bool {
	return s.form == '{' && s.texts["bomFormat"] == "CycloneDX"
}

// cyclonedxReport is kept until the end, because vulnerabilities refer to components that may come later.
type cyclonedxReport struct {
	metadata struct {
		Timestamp text               `json:"timestamp"`
		Component cyclonedxComponent `json:"component"`
		Tools     cyclonedxTools     `json:"tools"`
	}
	components      map[text]cyclonedxComponent
	vulnerabilities []cyclonedxVulnerability
	listed          bool
}

type cyclonedxComponent struct {
	Ref     text `json:"bom-ref"`
	Type    text `json:"type"`
	Group   text `json:"group"`
	Name    text `json:"name"`
	Version text `json:"version"`
	PURL    text `json:"purl"`
	// Components are the parts of a component, and of these.
	Components []cyclonedxComponent `json:"components"`
}

type cyclonedxVulnerability struct {
	ID          text                 `json:"id"`
	Source      cyclonedxSource      `json:"source"`
	References  []cyclonedxReference `json:"references"`
	Ratings     []cyclonedxRating    `json:"ratings"`
	CWEs        []text               `json:"cwes"`
	Description text                 `json:"description"`
	Analysis    cyclonedxAnalysis    `json:"analysis"`
	Affects     []cyclonedxTarget    `json:"affects"`
}

type cyclonedxSource struct {
	Name text `json:"name"`
	URL  text `json:"url"`
}

type cyclonedxReference struct {
	ID text `json:"id"`
}

type cyclonedxRating struct {
	Source   cyclonedxSource `json:"source"`
	Score    number          `json:"score"`
	Severity text            `json:"severity"`
	Method   text            `json:"method"`
	Vector   text            `json:"vector"`
}

// cyclonedxAnalysis is what a VEX says about a vulnerability.
type cyclonedxAnalysis struct {
	State         text     `json:"state"`
	Justification text     `json:"justification"`
	Detail        text     `json:"detail"`
	Response      textList `json:"response"`
}

type cyclonedxTarget struct {
	Ref text `json:"ref"`
}

func (cyclonedxParser) parse(s *stream, r *report) error {
	c := cyclonedxReport{components: map[text]cyclonedxComponent{}}
	err := s.object(func(key string) error {
		var err error
		switch key {
		case "metadata":
			_, err = s.item(&c.metadata)
		case "components":
			_, err = s.array(func() error {
				var component cyclonedxComponent
				_, err := s.item(&component)
				c.index(component)
				return err
			})
		case "vulnerabilities":
			c.listed, err = s.array(func() error { return c.vulnerability(s, r) })
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	c.finish(r)
	return nil
}

func (c *cyclonedxReport) index(component cyclonedxComponent) {
	if component.Ref != "" {
		part := component
		part.Components = nil
		c.components[component.Ref] = part
	}
	for _, part := range component.Components {
		c.index(part)
	}
}

func (c *cyclonedxReport) vulnerability(s *stream, r *report) error {
	var v cyclonedxVulnerability
	ok, err := s.item(&v)
	switch {
	case err != nil:
		return err
	case !ok:
		r.reject(record.RejectDecode)
	default:
		c.take(v, r)
	}
	return nil
}

// take keeps a vulnerability that can be told from others.
func (c *cyclonedxReport) take(v cyclonedxVulnerability, r *report) {
	if v.ID == "" {
		r.reject(record.RejectNoID)
		return
	}
	v.Description, v.Analysis.Detail = text(record.Text(string(v.Description))), "" // advisories' texts may be long
	c.vulnerabilities = append(c.vulnerabilities, v)
}

// finish makes a finding of each vulnerability and component that it affects. A bill of materials without a list of vulnerabilities
// says nothing about them.
func (c *cyclonedxReport) finish(r *report) {
	r.dated(string(c.metadata.Timestamp))
	r.incomplete = !c.listed
	c.index(c.metadata.Component)
	tool := c.metadata.Tools.name()
	classes := map[record.Class]bool{}
	for i := range c.vulnerabilities {
		v := &c.vulnerabilities[i]
		refs := []text{""}
		if len(v.Affects) > 0 {
			refs = refs[:0]
			for _, a := range v.Affects {
				refs = append(refs, a.Ref)
			}
		}
		for _, ref := range refs {
			component := c.component(ref)
			f := v.finding(component, tool)
			if c.metadata.Component.Type == "container" {
				f.Place = record.Text(imageName(string(c.metadata.Component.Name)))
			}
			classes[f.Class] = true
			r.add(f, string(v.ID), f.Package, f.Place)
		}
	}
	if len(classes) == 0 {
		classes[record.ClassSCA] = true
	}
	for class := range classes {
		r.scanned(tool, class, "", c.listed)
	}
}

// component finds what a reference means: a bom-ref, a link to another document that ends in one, or a package URL.
func (c *cyclonedxReport) component(ref text) cyclonedxComponent {
	if found, ok := c.components[ref]; ok {
		return found
	}
	if _, fragment, ok := strings.Cut(string(ref), "#"); ok && strings.HasPrefix(string(ref), "urn:cdx:") {
		if found, ok := c.components[text(fragment)]; ok {
			return found
		}
		ref = text(fragment)
	}
	return cyclonedxComponent{PURL: ref}
}

func (v *cyclonedxVulnerability) finding(component cyclonedxComponent, tool string) record.Finding {
	ids := []string{string(v.ID)}
	for _, reference := range v.References {
		ids = append(ids, string(reference.ID))
	}
	name := string(component.Name)
	if component.Group != "" {
		name = string(component.Group) + "/" + name
	}
	f := record.Finding{
		Tool: tool, Class: record.ClassSCA, Rule: record.Text(string(v.ID)), URL: webLink(string(v.Source.URL)),
		Title:    record.Text(string(cmp.Or(v.Description, v.ID))),
		Severity: v.severity(), Aliases: record.Advisories(ids...),
		Package: cmp.Or(record.PackageOfURL(string(component.PURL)), record.Package("", name)), Version: record.Text(string(component.Version)),
		Closure: v.closure(),
	}
	ecosystem, _, _ := strings.Cut(f.Package, "/")
	if ecosystem == "deb" || ecosystem == "rpm" || ecosystem == "apk" {
		f.Class = record.ClassContainer
	}
	for _, n := range v.CWEs {
		f.Category = cmp.Or(f.Category, record.CWE("CWE-"+strings.TrimPrefix(strings.ToUpper(string(n)), "CWE-")))
	}
	if f.Category == "" && ecosystem != record.GenericEcosystem {
		f.Category = ecosystem
	}
	return f
}

// severity is the rating of the vulnerability's own source; else the worst of all. "info" and "none" rate nothing, and CVSS 2 counts only where
// nothing newer rates.
func (v *cyclonedxVulnerability) severity() record.Severity {
	worst, old := record.SeverityUnknown, record.SeverityUnknown
	for _, rating := range v.Ratings {
		s := rating.severity()
		if s != record.SeverityUnknown && v.Source.Name != "" && rating.Source.Name == v.Source.Name {
			return s
		}
		if rating.Method == "CVSSv2" {
			old = worse(old, s)
		} else {
			worst = worse(worst, s)
		}
	}
	if worst == record.SeverityUnknown {
		return old
	}
	return worst
}

func (r *cyclonedxRating) severity() record.Severity {
	if word := strings.ToLower(string(r.Severity)); word != "info" && word != "none" {
		if s := severityOfWord(word); s != record.SeverityUnknown {
			return s
		}
	}
	if s := severityOfVector(string(r.Vector)); s != record.SeverityUnknown {
		return s
	}
	switch {
	case r.Method == "CVSSv2":
		return severityOfScoreV2(float64(r.Score))
	case strings.HasPrefix(string(r.Method), "CVSS"):
		return severityOfScore(float64(r.Score))
	default:
		return record.SeverityUnknown
	}
}

// worse is the more severe of two.
func worse(a, b record.Severity) record.Severity {
	for _, s := range record.Severities() {
		if a == s || b == s {
			return s
		}
	}
	return record.SeverityUnknown
}

// closure reads the VEX state; "exploitable" and "in_triage" are open. What is not affected only because something stands before it is
// mitigated.
func (v *cyclonedxVulnerability) closure() record.Closure {
	switch v.Analysis.State {
	case "not_affected":
		if strings.HasPrefix(string(v.Analysis.Justification), "protected_") {
			return record.ClosureMitigated
		}
		return record.ClosureFalsePositive
	case "false_positive":
		return record.ClosureFalsePositive
	case "resolved", "resolved_with_pedigree":
		return record.ClosureFixed
	}
	for _, reply := range v.Analysis.Response {
		if reply == "will_not_fix" {
			return record.ClosureWontFix
		}
	}
	return record.ClosureNone
}
