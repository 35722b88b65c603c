// Package openvex reads OpenVEX documents. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
//
// To read one more field of a statement: its type here, and what it means in format.Statement if other formats of VEX have it, too.
package openvex

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads OpenVEX documents, including those from before version 0.2, in which vulnerabilities and products are plain texts.
//
// Such a document has statements and no findings. A statement closes the open findings of the other reports of the same collector instance
// that it is about; see format.Statement.covers. It never opens anything.
type Format struct{}

// Name is the format in the words of its documentation.
const Name = "OpenVEX"

// Name is the format in the words of its documentation.
func (Format) Name() string { return Name }

// States marks the format as one whose documents are about the findings of other reports.
func (Format) States() {}

// Recognises tells the format by its keys.
func (Format) Recognises(s format.Sketch) bool {
	return s.Form == '{' && (strings.Contains(s.Texts["@context"], "openvex") || s.Has("@id", "statements"))
}

type statement struct {
	Vulnerability vulnerability `json:"vulnerability"`
	Products      []product     `json:"products"`
	Status        stream.Text   `json:"status"`
	Justification stream.Text   `json:"justification"`
	Timestamp     stream.Text   `json:"timestamp"`
	LastUpdated   stream.Text   `json:"last_updated"`
	// Subcomponents belong to the products since version 0.2.
	Subcomponents []product `json:"subcomponents"`
}

// vulnerability is a plain text until version 0.2.
type vulnerability struct {
	names []string
}

// UnmarshalJSON never fails on valid JSON.
func (v *vulnerability) UnmarshalJSON(data []byte) error {
	var current struct {
		ID      stream.Text `json:"@id"`
		Name    stream.Text `json:"name"`
		Aliases stream.List `json:"aliases"`
	}
	var plain stream.Text
	*v = vulnerability{}
	if json.Unmarshal(data, &current) != nil {
		_ = plain.UnmarshalJSON(data) // it never fails on what the decoder took for a value
	}
	for _, name := range append(stream.List{plain, current.Name, current.ID}, current.Aliases...) {
		if name != "" {
			v.names = append(v.names, string(name))
		}
	}
	return nil
}

// product is a plain text until version 0.2.
type product struct {
	names         []string
	subcomponents []product
}

// UnmarshalJSON never fails on valid JSON.
func (p *product) UnmarshalJSON(data []byte) error {
	var current struct {
		ID            stream.Text            `json:"@id"`
		Identifiers   map[string]stream.Text `json:"identifiers"`
		Subcomponents []product              `json:"subcomponents"`
	}
	var plain stream.Text
	*p = product{}
	if json.Unmarshal(data, &current) != nil {
		_ = plain.UnmarshalJSON(data) // it never fails on what the decoder took for a value
	}
	for _, name := range []stream.Text{plain, current.ID, current.Identifiers["purl"]} {
		if name != "" && !slices.Contains(p.names, string(name)) {
			p.names = append(p.names, string(name))
		}
	}
	p.subcomponents = current.Subcomponents
	return nil
}

// Read reads the whole report.
func (Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	var made, updated stream.Text
	var read []statement
	listed := false
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "timestamp":
			_, err = s.Item(&made)
		case "last_updated":
			_, err = s.Item(&updated)
		case "statements":
			listed, err = s.Array(func() error {
				var statement statement
				ok, err := s.Item(&statement)
				if err != nil {
					return err
				}
				if !ok {
					r.Reject(record.RejectDecode)
					return nil
				}
				read = append(read, statement)
				return nil
			})
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	if !listed {
		return &stream.MalformedError{Message: `the key "statements" is missing`}
	}
	r.Dated(string(made))
	r.Dated(string(updated))
	for i := range read {
		read[i].take(r)
	}
	return nil
}

// take keeps what a statement says about each of its products.
func (o *statement) take(r *format.Report) {
	if len(o.Vulnerability.names) == 0 {
		r.Reject(record.RejectNoID)
		return
	}
	statement := format.Statement{
		Rules: o.Vulnerability.names, Advisories: record.Advisories(o.Vulnerability.names...), Closure: o.closure(),
		At: cmp.Or(format.ParseDate(string(o.LastUpdated)), format.ParseDate(string(o.Timestamp)), r.ProducedAt),
	}
	if len(o.Products) == 0 {
		r.Statements = append(r.Statements, statement)
	}
	for _, product := range o.Products {
		if len(product.names) == 0 {
			r.Reject(record.RejectNoTarget)
			continue
		}
		about := statement
		about.Products = product.names
		for _, part := range slices.Concat(product.subcomponents, o.Subcomponents) {
			about.Parts = append(about.Parts, part.names...)
		}
		r.Statements = append(r.Statements, about)
	}
}

// closure: "affected" and "under_investigation" are open. What is not affected only because something stands before it is mitigated.
func (o *statement) closure() record.Closure {
	switch o.Status {
	case "not_affected":
		if o.Justification == "inline_mitigations_already_exist" {
			return record.ClosureMitigated
		}
		return record.ClosureFalsePositive
	case "fixed":
		return record.ClosureFixed
	default:
		return record.ClosureNone
	}
}
