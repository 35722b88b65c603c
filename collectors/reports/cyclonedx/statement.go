package cyclonedx

import (
	"cmp"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// isVEX reports whether a document judges vulnerabilities of what other documents describe: it has judgements and lists no components itself.
func (b *bom) isVEX() bool {
	if b.described {
		return false
	}
	for i := range b.vulnerabilities {
		if b.vulnerabilities[i].Analysis.State != "" {
			return true
		}
	}
	return false
}

// state makes a statement about the findings of other reports of each judgement. One in a VEX is about the component that it names, wherever that is; one in a
// bill of materials about the component in the product that the bill describes.
func (b *bom) state(r *format.Report) {
	product := b.product()
	for i := range b.vulnerabilities {
		v := &b.vulnerabilities[i]
		if v.Analysis.State == "" && v.Rejected == "" {
			continue
		}
		closure, at := v.Analysis.closure(), v.Analysis.at()
		if v.Analysis.State == "" {
			closure, at = record.ClosureFalsePositive, format.ParseDate(string(v.Rejected))
		}
		ids := []string{string(v.ID)}
		for _, reference := range v.References {
			ids = append(ids, string(reference.ID))
		}
		judgement := format.Statement{Rules: ids, Advisories: record.Advisories(ids...), Closure: closure, At: cmp.Or(at, r.ProducedAt)}
		for _, target := range v.targets() {
			about := judgement
			part := string(b.component(target.Ref).PURL)
			switch {
			case b.described && part == "":
				continue // it cannot be said which of the components is meant
			case !strings.HasPrefix(part, "pkg:") || target.Ref == b.metadata.Component.Ref:
				about.Products = product
			case product != nil || b.described:
				about.Products, about.Parts = product, []string{part}
			default:
				about.Products = []string{part}
			}
			r.Statements = append(r.Statements, about)
		}
	}
}

// product are the names of what the document describes, if other reports can know it by one: an image or a repository.
func (b *bom) product() []string {
	c := &b.metadata.Component
	var names []string
	for _, kind := range []string{"pkg:oci/", "pkg:docker/", "pkg:github/"} {
		if strings.HasPrefix(string(c.PURL), kind) {
			names = append(names, string(c.PURL))
		}
	}
	if c.Type == "container" && format.ImageName(string(c.Name)) != "" {
		names = append(names, string(c.Name))
	}
	return names
}

// describe notes that the document lists components.
func (b *bom) describe(c component) {
	b.described = true
	b.index(c)
}
