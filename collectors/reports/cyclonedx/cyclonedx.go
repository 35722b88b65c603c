// Package cyclonedx reads CycloneDX documents: the vulnerabilities of a bill of materials, and what a VEX says about those that other reports list. JSON (cyclonedx.go)
// and XML (xml.go) are read into the same objects, of which findings are made here; rating.go says how severe they are, statement.go what a VEX says. The
// package adds to a format.Report what one report says, and touches neither files nor the collector.
package cyclonedx

import (
	"cmp"
	"strings"
	"time"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// JSON reads CycloneDX documents in JSON.
type JSON struct{}

// Name is the format in the words of its documentation.
func (JSON) Name() string { return "CycloneDX JSON" }

// States marks the format as one whose documents may be a VEX.
func (JSON) States() {}

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
	// listed says that there is a list of vulnerabilities, described that there are components.
	listed, described bool
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
	Rejected    stream.Text   `json:"rejected"`
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
	FirstIssued   stream.Text `json:"firstIssued"`
	LastUpdated   stream.Text `json:"lastUpdated"`
}

type affected struct {
	Ref      stream.Text       `json:"ref"`
	Versions []affectedVersion `json:"versions"`
}

type affectedVersion struct {
	Version stream.Text `json:"version"`
	Range   stream.Text `json:"range"`
	Status  stream.Text `json:"status"`
}

// unaffected reports whether a version is said not to be affected: by its own entry, else by all that there are.
func (a *affected) unaffected(version stream.Text) bool {
	all := len(a.Versions) > 0
	for _, v := range a.Versions {
		if v.Version != "" && v.Version == version {
			return v.Status == "unaffected"
		}
		all = all && v.Status == "unaffected"
	}
	return all
}

// Read reads the whole report.
func (JSON) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	b := bom{components: map[stream.Text]component{}}
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "metadata":
			_, err = s.Item(&b.metadata)
		case "components":
			_, err = s.Array(func() error {
				var component component
				_, err := s.Item(&component)
				b.describe(component)
				return err
			})
		case "vulnerabilities":
			b.listed, err = s.Array(func() error { return b.vulnerability(s, r) })
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	b.finish(r)
	return nil
}

func (b *bom) index(component component) {
	if component.Ref != "" {
		part := component
		part.Components = nil
		b.components[component.Ref] = part
	}
	for _, part := range component.Components {
		b.index(part)
	}
}

func (b *bom) vulnerability(s *stream.JSON, r *format.Report) error {
	var v vulnerability
	ok, err := s.Item(&v)
	switch {
	case err != nil:
		return err
	case !ok:
		r.Reject(record.RejectDecode)
	default:
		b.take(v, r)
	}
	return nil
}

// take keeps a vulnerability that can be told from others.
func (b *bom) take(v vulnerability, r *format.Report) {
	if v.ID == "" {
		r.Reject(record.RejectNoID)
		return
	}
	v.Description, v.Analysis.Detail = stream.Text(record.Text(string(v.Description))), "" // advisories' texts may be long
	b.vulnerabilities = append(b.vulnerabilities, v)
}

// finish makes a finding of each vulnerability and component that it affects. A bill of materials without a list of vulnerabilities is no scan and says
// nothing about them; a document that lists no components but judges vulnerabilities is a VEX, and no scan either.
func (b *bom) finish(r *format.Report) {
	r.Dated(string(b.metadata.Timestamp))
	b.index(b.metadata.Component)
	b.state(r)
	if !b.listed {
		r.Incomplete = true
		return
	}
	if b.isVEX() {
		return
	}
	tool := b.metadata.Tools.name()
	image := ""
	if b.metadata.Component.Type == "container" {
		image = format.ImageName(string(b.metadata.Component.Name))
	}
	found := map[record.Class]bool{record.ClassContainer: image != ""}
	for i := range b.vulnerabilities {
		v := &b.vulnerabilities[i]
		for _, target := range v.targets() {
			c := b.component(target.Ref)
			f := v.finding(c, tool)
			if f.Closure == record.ClosureNone && target.unaffected(c.Version) {
				f.Closure = record.ClosureFalsePositive
			}
			f.Place = record.Text(image)
			found[f.Class] = true
			r.Add(f, string(v.ID), f.Package, f.Place)
		}
	}
	if len(r.Findings) == 0 && image == "" {
		found[record.ClassSCA] = true
	}
	for _, class := range record.Classes() {
		if found[class] {
			r.Scanned(tool, class, "", format.Succeeded)
		}
	}
	r.Covers(tool, "")
}

// targets are what a vulnerability affects; one without a name where it does not say.
func (v *vulnerability) targets() []affected {
	if len(v.Affects) == 0 {
		return []affected{{}}
	}
	return v.Affects
}

// component finds what a reference means: a bom-ref, a link to another document that ends in one, or a package URL.
func (b *bom) component(ref stream.Text) component {
	if found, ok := b.components[ref]; ok {
		return found
	}
	if _, fragment, ok := strings.Cut(string(ref), "#"); ok && strings.HasPrefix(string(ref), "urn:cdx:") {
		if found, ok := b.components[stream.Text(fragment)]; ok {
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
		Tool: tool, Rule: record.Text(string(v.ID)), URL: format.WebLink(string(v.Source.URL)),
		Title:    record.Text(string(cmp.Or(v.Description, v.ID))),
		Severity: v.severity(), Aliases: record.Advisories(ids...),
		Package: cmp.Or(record.PackageOfURL(string(component.PURL)), record.Package("", name)), Version: record.Text(string(component.Version)),
		Closure: v.Analysis.closure(),
	}
	ecosystem, _, _ := strings.Cut(f.Package, "/")
	f.Class = record.ClassOfPackage(ecosystem)
	if v.Rejected != "" && f.Closure == record.ClosureNone {
		// Whoever issued it took it back: there is no such weakness.
		f.Closure, f.ClosedAt = record.ClosureFalsePositive, format.ParseDate(string(v.Rejected))
	} else if f.Closure != record.ClosureNone {
		f.ClosedAt = v.Analysis.at()
	}
	for _, n := range v.CWEs {
		f.Category = cmp.Or(f.Category, record.CWE("CWE-"+strings.TrimPrefix(strings.ToUpper(string(n)), "CWE-")))
	}
	if f.Category == "" && ecosystem != record.GenericEcosystem {
		f.Category = ecosystem
	}
	return f
}

// at is when a judgement was made last, zero if that is not said.
func (a *analysis) at() time.Time {
	return cmp.Or(format.ParseDate(string(a.LastUpdated)), format.ParseDate(string(a.FirstIssued)))
}

// closure reads the VEX state; "exploitable" and "in_triage" are open. What is not affected only because something stands before it is
// mitigated.
func (a *analysis) closure() record.Closure {
	switch a.State {
	case "not_affected":
		if strings.HasPrefix(string(a.Justification), "protected_") {
			return record.ClosureMitigated
		}
		return record.ClosureFalsePositive
	case "false_positive":
		return record.ClosureFalsePositive
	case "resolved", "resolved_with_pedigree":
		return record.ClosureFixed
	}
	for _, reply := range a.Response {
		if reply == "will_not_fix" {
			return record.ClosureWontFix
		}
	}
	return record.ClosureNone
}
