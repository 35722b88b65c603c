package reports

import (
	"cmp"
	"strings"

	"prodsec_exporter/internal/record"
)

// cyclonedxParser reads CycloneDX documents in JSON: the vulnerabilities of a bill of materials, and what a VEX says about them.
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
	ID     text `json:"id"`
	Source struct {
		Name text `json:"name"`
		URL  text `json:"url"`
	} `json:"source"`
	References []struct {
		ID text `json:"id"`
	} `json:"references"`
	Ratings []struct {
		Source struct {
			Name text `json:"name"`
		} `json:"source"`
		Score    number `json:"score"`
		Severity text   `json:"severity"`
		Method   text   `json:"method"`
		Vector   text   `json:"vector"`
	} `json:"ratings"`
	CWEs        []number `json:"cwes"`
	Description text     `json:"description"`
	Analysis    struct {
		State  text     `json:"state"`
		Detail text     `json:"detail"`
		Reply  textList `json:"response"`
	} `json:"analysis"`
	Affects []struct {
		Ref text `json:"ref"`
	} `json:"affects"`
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
	case v.ID == "":
		r.reject(record.RejectNoID)
	default:
		c.vulnerabilities = append(c.vulnerabilities, v)
	}
	return nil
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
		f.Category = cmp.Or(f.Category, record.CWE("CWE-"+formatNumber(n)))
	}
	if f.Category == "" && ecosystem != record.GenericEcosystem {
		f.Category = ecosystem
	}
	return f
}

// severity is the rating of the vulnerability's own source; else the worst of all. "info" and "none" rate nothing.
func (v *cyclonedxVulnerability) severity() record.Severity {
	worst := record.SeverityUnknown
	for _, rating := range v.Ratings {
		s := record.SeverityUnknown
		if rating.Severity != "info" && rating.Severity != "none" {
			s = severityOfWord(string(rating.Severity))
		}
		if s == record.SeverityUnknown {
			s = severityOfVector(string(rating.Vector))
		}
		if s == record.SeverityUnknown && strings.HasPrefix(string(rating.Method), "CVSS") {
			s = severityOfScore(float64(rating.Score))
		}
		if s != record.SeverityUnknown && v.Source.Name != "" && rating.Source.Name == v.Source.Name {
			return s
		}
		worst = worse(worst, s)
	}
	return worst
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

// closure reads the VEX state; "exploitable" and "in_triage" are open.
func (v *cyclonedxVulnerability) closure() record.Closure {
	switch v.Analysis.State {
	case "not_affected", "false_positive":
		return record.ClosureFalsePositive
	case "resolved", "resolved_with_pedigree":
		return record.ClosureFixed
	}
	for _, reply := range v.Analysis.Reply {
		if reply == "will_not_fix" {
			return record.ClosureWontFix
		}
	}
	return record.ClosureNone
}
