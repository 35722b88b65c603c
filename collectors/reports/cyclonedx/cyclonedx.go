// Package cyclonedx reads CycloneDX documents in JSON and XML. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
package cyclonedx

import (
	"cmp"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// JSON reads CycloneDX documents in JSON: the vulnerabilities of a bill of materials, and what a VEX says about them. Those in
// XML are read by xmlName into the same report.
type JSON struct{}

// Name is the format in the words of its documentation.
func (JSON) Name() string { return "CycloneDX JSON" }

// Recognises tells the format by its keys.
func (JSON) Recognises(s format.Sketch) bool {
	return s.Form == '{' && s.Texts["bomFormat"] == "CycloneDX"
}

// bom is kept until the end, because vulnerabilities refer to components that may come later.
type bom struct {
	metadata struct {
		Timestamp stream.Text `json:"timestamp"`
		Component component   `json:"component"`
		Tools     toolNames   `json:"tools"`
	}
	components      map[stream.Text]component
	vulnerabilities []vulnerability
	listed          bool
}

type component struct {
	Ref     stream.Text `json:"bom-ref"`
	Type    stream.Text `json:"type"`
	Group   stream.Text `json:"group"`
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
	PURL    stream.Text `json:"purl"`
	// Components are the parts of a component, and of these.
	Components []component `json:"components"`
}

type vulnerability struct {
	ID          stream.Text   `json:"id"`
	Source      source        `json:"source"`
	References  []reference   `json:"references"`
	Ratings     []rating      `json:"ratings"`
	CWEs        []stream.Text `json:"cwes"`
	Description stream.Text   `json:"description"`
	Analysis    analysis      `json:"analysis"`
	Affects     []affected    `json:"affects"`
}

type source struct {
	Name stream.Text `json:"name"`
	URL  stream.Text `json:"url"`
}

type reference struct {
	ID stream.Text `json:"id"`
}

type rating struct {
	Source   source        `json:"source"`
	Score    stream.Number `json:"score"`
	Severity stream.Text   `json:"severity"`
	Method   stream.Text   `json:"method"`
	Vector   stream.Text   `json:"vector"`
}

// analysis is what a VEX says about a vulnerability.
type analysis struct {
	State         stream.Text `json:"state"`
	Justification stream.Text `json:"justification"`
	Detail        stream.Text `json:"detail"`
	Response      stream.List `json:"response"`
}

type affected struct {
	Ref stream.Text `json:"ref"`
}

// Read reads the whole report.
func (JSON) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	c := bom{components: map[stream.Text]component{}}
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "metadata":
			_, err = s.Item(&c.metadata)
		case "components":
			_, err = s.Array(func() error {
				var component component
				_, err := s.Item(&component)
				c.index(component)
				return err
			})
		case "vulnerabilities":
			c.listed, err = s.Array(func() error { return c.vulnerability(s, r) })
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	c.finish(r)
	return nil
}

func (c *bom) index(component component) {
	if component.Ref != "" {
		part := component
		part.Components = nil
		c.components[component.Ref] = part
	}
	for _, part := range component.Components {
		c.index(part)
	}
}

func (c *bom) vulnerability(s *stream.JSON, r *format.Report) error {
	var v vulnerability
	ok, err := s.Item(&v)
	switch {
	case err != nil:
		return err
	case !ok:
		r.Reject(record.RejectDecode)
	default:
		c.take(v, r)
	}
	return nil
}

// take keeps a vulnerability that can be told from others.
func (c *bom) take(v vulnerability, r *format.Report) {
	if v.ID == "" {
		r.Reject(record.RejectNoID)
		return
	}
	v.Description, v.Analysis.Detail = stream.Text(record.Text(string(v.Description))), "" // advisories' texts may be long
	c.vulnerabilities = append(c.vulnerabilities, v)
}

// finish makes a finding of each vulnerability and component that it affects. A bill of materials without a list of vulnerabilities
// says nothing about them.
func (c *bom) finish(r *format.Report) {
	r.Dated(string(c.metadata.Timestamp))
	r.Incomplete = !c.listed
	c.index(c.metadata.Component)
	tool := c.metadata.Tools.name()
	classes := map[record.Class]bool{}
	for i := range c.vulnerabilities {
		v := &c.vulnerabilities[i]
		refs := []stream.Text{""}
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
				f.Place = record.Text(format.ImageName(string(c.metadata.Component.Name)))
			}
			classes[f.Class] = true
			r.Add(f, string(v.ID), f.Package, f.Place)
		}
	}
	if len(classes) == 0 {
		classes[record.ClassSCA] = true
	}
	for class := range classes {
		r.Scanned(tool, class, "", c.listed)
	}
}

// component finds what a reference means: a bom-ref, a link to another document that ends in one, or a package URL.
func (c *bom) component(ref stream.Text) component {
	if found, ok := c.components[ref]; ok {
		return found
	}
	if _, fragment, ok := strings.Cut(string(ref), "#"); ok && strings.HasPrefix(string(ref), "urn:cdx:") {
		if found, ok := c.components[stream.Text(fragment)]; ok {
			return found
		}
		ref = stream.Text(fragment)
	}
	return component{PURL: ref}
}

func (v *vulnerability) finding(component component, tool string) record.Finding {
	ids := []string{string(v.ID)}
	for _, reference := range v.References {
		ids = append(ids, string(reference.ID))
	}
	name := string(component.Name)
	if component.Group != "" {
		name = string(component.Group) + "/" + name
	}
	f := record.Finding{
		Tool: tool, Class: record.ClassSCA, Rule: record.Text(string(v.ID)), URL: format.WebLink(string(v.Source.URL)),
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
func (v *vulnerability) severity() record.Severity {
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

func (r *rating) severity() record.Severity {
	if word := strings.ToLower(string(r.Severity)); word != "info" && word != "none" {
		if s := format.SeverityOfWord(word); s != record.SeverityUnknown {
			return s
		}
	}
	if s := format.SeverityOfVector(string(r.Vector)); s != record.SeverityUnknown {
		return s
	}
	switch {
	case r.Method == "CVSSv2":
		return format.SeverityOfScoreV2(float64(r.Score))
	case strings.HasPrefix(string(r.Method), "CVSS"):
		return format.SeverityOfScore(float64(r.Score))
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
func (v *vulnerability) closure() record.Closure {
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
