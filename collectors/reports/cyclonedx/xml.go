package cyclonedx

import (
	"encoding/xml"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"strings"
)

// XML reads CycloneDX documents in XML: those of version 1.4 and later, which list vulnerabilities themselves, and older ones with the extension for
// vulnerabilities, whose elements have the same names in a namespace of their own.
type XML struct{}

// namespace begins the namespace of every version.
const namespace = "http://cyclonedx.org/schema/bom"

type componentElement struct {
	Ref             string                 `xml:"bom-ref,attr"`
	Type            string                 `xml:"type,attr"`
	Group           string                 `xml:"group"`
	Name            string                 `xml:"name"`
	Version         string                 `xml:"version"`
	PURL            string                 `xml:"purl"`
	Components      []componentElement     `xml:"components>component"`
	Vulnerabilities []vulnerabilityElement `xml:"vulnerabilities>vulnerability"`
}

type metadataElement struct {
	Timestamp string           `xml:"timestamp"`
	Tools     []string         `xml:"tools>tool>name"`
	Programs  []string         `xml:"tools>components>component>name"` // since version 1.5
	Component componentElement `xml:"component"`
}

type vulnerabilityElement struct {
	ID string `xml:"id"`
	// Ref is the affected component in the extension; since version 1.4 it is among Affects.
	Ref         string          `xml:"ref,attr"`
	Source      sourceElement   `xml:"source"`
	References  []string        `xml:"references>reference>id"`
	Ratings     []ratingElement `xml:"ratings>rating"`
	CWEs        []string        `xml:"cwes>cwe"`
	Description string          `xml:"description"`
	Analysis    struct {
		State         string   `xml:"state"`
		Justification string   `xml:"justification"`
		Detail        string   `xml:"detail"`
		Responses     []string `xml:"responses>response"`
		FirstIssued   string   `xml:"firstIssued"`
		LastUpdated   string   `xml:"lastUpdated"`
	} `xml:"analysis"`
	Rejected string          `xml:"rejected"`
	Affects  []targetElement `xml:"affects>target"`
}

type targetElement struct {
	Ref      string `xml:"ref"`
	Versions []struct {
		Version string `xml:"version"`
		Range   string `xml:"range"`
		VERS    string `xml:"vers"` // the name of range in version 1.4
		Status  string `xml:"status"`
	} `xml:"versions>version"`
}

type sourceElement struct {
	NameAttribute string `xml:"name,attr"` // in the extension
	Name          string `xml:"name"`
	URL           string `xml:"url"`
}

type ratingElement struct {
	Source sourceElement `xml:"source"`
	Score  struct {
		Text string `xml:",chardata"`
		Base string `xml:"base"` // in the extension
	} `xml:"score"`
	Severity string `xml:"severity"`
	Method   string `xml:"method"`
	Vector   string `xml:"vector"`
}

// Name is the format in the words of its documentation.
func (XML) Name() string { return "CycloneDX XML" }

// States marks the format as one whose documents may be a VEX.
func (XML) States() {}

// Recognises tells the root element by its namespace.
func (XML) Recognises(s format.Sketch) bool {
	return s.Form == '<' && s.Root == "bom" && strings.HasPrefix(s.Namespace, namespace)
}

// Read reads the root element and, among its children, what says something about vulnerabilities.
func (XML) Read(d *stream.Document, r *format.Report) error {
	b := bom{components: map[stream.Text]component{}}
	m := d.XML()
	if _, err := m.Root(); err != nil {
		return err
	}
	if err := m.Children(func(e xml.StartElement) error { return b.child(m, e, r) }); err != nil {
		return err
	}
	b.finish(r)
	return nil
}

// child reads one child of the root and consumes it.
func (b *bom) child(m *stream.XML, e xml.StartElement, r *format.Report) error {
	switch e.Name.Local {
	case "metadata":
		var metadata metadataElement
		if err := m.Element(e, &metadata); err != nil {
			return err
		}
		b.metadata.Timestamp = trimmed(metadata.Timestamp)
		for _, name := range append(metadata.Tools, metadata.Programs...) {
			b.metadata.Tools = append(b.metadata.Tools, trimmed(name))
		}
		b.metadata.Component = metadata.Component.take(b, r)
	case "components":
		return m.Children(func(e xml.StartElement) error {
			var component componentElement
			if err := m.Element(e, &component); err != nil {
				return err
			}
			b.describe(component.take(b, r))
			return nil
		})
	case "vulnerabilities":
		b.listed = true
		return m.Children(func(e xml.StartElement) error {
			var v vulnerabilityElement
			if err := m.Element(e, &v); err != nil {
				return err
			}
			b.take(v.vulnerability(), r)
			return nil
		})
	default:
		return m.Skip()
	}
	return nil
}

func trimmed(s string) stream.Text { return stream.Text(strings.TrimSpace(s)) }

// take writes a component as JSON has it. The extension may list a component's vulnerabilities inside of it.
func (e *componentElement) take(b *bom, r *format.Report) component {
	component := component{
		Ref: trimmed(e.Ref), Type: trimmed(e.Type), Group: trimmed(e.Group), Name: trimmed(e.Name), Version: trimmed(e.Version), PURL: trimmed(e.PURL),
	}
	for i := range e.Components {
		component.Components = append(component.Components, e.Components[i].take(b, r))
	}
	for i := range e.Vulnerabilities {
		b.listed = true
		v := e.Vulnerabilities[i].vulnerability()
		if len(v.Affects) == 0 && (component.Ref != "" || component.PURL != "") {
			ref := component.Ref
			if ref == "" {
				ref = component.PURL
			}
			v.Affects = []affected{{Ref: ref}}
		}
		b.take(v, r)
	}
	return component
}

// vulnerability writes a vulnerability as JSON has it.
func (e *vulnerabilityElement) vulnerability() vulnerability {
	v := vulnerability{
		ID: trimmed(e.ID), Source: e.Source.source(), Description: trimmed(e.Description), Rejected: trimmed(e.Rejected),
		Analysis: analysis{State: trimmed(e.Analysis.State), Justification: trimmed(e.Analysis.Justification), Detail: trimmed(e.Analysis.Detail), FirstIssued: trimmed(e.Analysis.FirstIssued), LastUpdated: trimmed(e.Analysis.LastUpdated)},
	}
	for _, id := range e.References {
		v.References = append(v.References, reference{ID: trimmed(id)})
	}
	for i := range e.Ratings {
		v.Ratings = append(v.Ratings, e.Ratings[i].rating())
	}
	for _, cwe := range e.CWEs {
		v.CWEs = append(v.CWEs, trimmed(cwe))
	}
	for _, response := range e.Analysis.Responses {
		v.Analysis.Response = append(v.Analysis.Response, trimmed(response))
	}
	if ref := trimmed(e.Ref); ref != "" {
		v.Affects = append(v.Affects, affected{Ref: ref})
	}
	for _, target := range e.Affects {
		a := affected{Ref: trimmed(target.Ref)}
		for _, version := range target.Versions {
			a.Versions = append(a.Versions, affectedVersion{trimmed(version.Version), trimmed(version.Range + version.VERS), trimmed(version.Status)})
		}
		if a.Ref != "" {
			v.Affects = append(v.Affects, a)
		}
	}
	return v
}

func (e *sourceElement) source() source {
	name := trimmed(e.Name)
	if name == "" {
		name = trimmed(e.NameAttribute)
	}
	return source{Name: name, URL: trimmed(e.URL)}
}

func (e *ratingElement) rating() rating {
	rating := rating{
		Source: e.Source.source(), Severity: trimmed(e.Severity), Method: trimmed(e.Method), Vector: trimmed(e.Vector),
	}
	score := trimmed(e.Score.Base)
	if score == "" {
		score = trimmed(e.Score.Text)
	}
	_ = rating.Score.UnmarshalJSON([]byte(score)) // it never fails: what is no number is no score
	if rating.Method == "CVSSv3" && strings.HasPrefix(string(rating.Vector), "AV:") {
		rating.Vector = "CVSS:3.0/" + rating.Vector // the extension writes vectors of version 3 without their version
	}
	return rating
}
