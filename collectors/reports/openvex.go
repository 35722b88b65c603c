package reports

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// openvexParser reads OpenVEX documents, including those from before version 0.2, in which vulnerabilities and products are plain texts.
//
// Such a document has statements and no findings. A statement closes the open findings of the other reports of the same collector instance
// that it is about; see vexStatement.covers. It never opens anything.
type openvexParser struct{}

const openvexName = "OpenVEX"

func (openvexParser) name() string { return openvexName }

func (openvexParser) sniff(s sketch) bool {
	return s.form == '{' && (strings.Contains(s.texts["@context"], "openvex") || s.has("@id", "statements"))
}

type openvexStatement struct {
	Vulnerability openvexVulnerability `json:"vulnerability"`
	Products      []openvexProduct     `json:"products"`
	Status        text                 `json:"status"`
	Justification text                 `json:"justification"`
	Timestamp     text                 `json:"timestamp"`
	LastUpdated   text                 `json:"last_updated"`
	// Subcomponents belong to the products since version 0.2.
	Subcomponents []openvexProduct `json:"subcomponents"`
}

// openvexVulnerability is a plain text until version 0.2.
type openvexVulnerability struct {
	names []string
}

// UnmarshalJSON never fails on valid JSON.
func (v *openvexVulnerability) UnmarshalJSON(data []byte) error {
	var current struct {
		ID      text     `json:"@id"`
		Name    text     `json:"name"`
		Aliases textList `json:"aliases"`
	}
	var plain text
	*v = openvexVulnerability{}
	if json.Unmarshal(data, &current) != nil {
		_ = plain.UnmarshalJSON(data) // it never fails on what the decoder took for a value
	}
	for _, name := range append(textList{plain, current.Name, current.ID}, current.Aliases...) {
		if name != "" {
			v.names = append(v.names, string(name))
		}
	}
	return nil
}

// openvexProduct is a plain text until version 0.2.
type openvexProduct struct {
	names         []string
	subcomponents []openvexProduct
}

// UnmarshalJSON never fails on valid JSON.
func (p *openvexProduct) UnmarshalJSON(data []byte) error {
	var current struct {
		ID            text             `json:"@id"`
		Identifiers   map[string]text  `json:"identifiers"`
		Subcomponents []openvexProduct `json:"subcomponents"`
	}
	var plain text
	*p = openvexProduct{}
	if json.Unmarshal(data, &current) != nil {
		_ = plain.UnmarshalJSON(data) // it never fails on what the decoder took for a value
	}
	for _, name := range []text{plain, current.ID, current.Identifiers["purl"]} {
		if name != "" && !slices.Contains(p.names, string(name)) {
			p.names = append(p.names, string(name))
		}
	}
	p.subcomponents = current.Subcomponents
	return nil
}

func (openvexParser) parse(s *stream, r *report) error {
	var made, updated text
	var read []openvexStatement
	listed := false
	err := s.object(func(key string) error {
		var err error
		switch key {
		case "timestamp":
			_, err = s.item(&made)
		case "last_updated":
			_, err = s.item(&updated)
		case "statements":
			listed, err = s.array(func() error {
				var statement openvexStatement
				ok, err := s.item(&statement)
				if err != nil {
					return err
				}
				if !ok {
					r.reject(record.RejectDecode)
					return nil
				}
				read = append(read, statement)
				return nil
			})
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	if !listed {
		return &malformedError{message: `the key "statements" is missing`}
	}
	r.dated(string(made))
	r.dated(string(updated))
	for i := range read {
		read[i].take(r)
	}
	return nil
}

// take keeps what a statement says about each of its products.
func (o *openvexStatement) take(r *report) {
	if len(o.Vulnerability.names) == 0 {
		r.reject(record.RejectNoID)
		return
	}
	said := vexStatement{
		rules: o.Vulnerability.names, advisories: record.Advisories(o.Vulnerability.names...), closure: o.closure(),
		at: cmp.Or(parseDate(string(o.LastUpdated)), parseDate(string(o.Timestamp)), r.producedAt),
	}
	if len(o.Products) == 0 {
		r.statements = append(r.statements, said)
	}
	for _, product := range o.Products {
		if len(product.names) == 0 {
			r.reject(record.RejectNoTarget)
			continue
		}
		about := said
		about.products = product.names
		for _, part := range slices.Concat(product.subcomponents, o.Subcomponents) {
			about.parts = append(about.parts, part.names...)
		}
		r.statements = append(r.statements, about)
	}
}

// closure: "affected" and "under_investigation" are open. What is not affected only because something stands before it is mitigated.
func (o *openvexStatement) closure() record.Closure {
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
