// Package cyclonedx reads CycloneDX documents: the vulnerabilities of a bill of materials, and what a VEX says about those that other reports list. bom.go has the parts of a document. JSON (cyclonedx.go)
// and XML (xml.go) are read into the same objects, of which findings are made here; rating.go says how severe they are, statement.go what a VEX says. The
// package adds to a format.Report what one report says, and touches neither files nor the collector.
//
// To read one more field: the object in bom.go, its XML form in xml.go, and a case in the tests of both.
package cyclonedx

import (
	"cmp"
	"strings"

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
	f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
	return f
}
