package reports

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"prodsec_exporter/internal/record"
)

// cyclonedxMarkup is the format of CycloneDX documents in XML: those of version 1.4 and later, which list vulnerabilities themselves, and
// older ones with the extension for vulnerabilities, whose elements have the same names in a namespace of their own.
const cyclonedxMarkup = "CycloneDX XML"

// cyclonedxNamespace begins the namespace of every version.
const cyclonedxNamespace = "http://cyclonedx.org/schema/bom"

// markup reads XML element by element, so that the memory needed is that of the largest component or vulnerability.
type markup struct {
	dec   *xml.Decoder
	limit *limitReader
}

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
	} `xml:"analysis"`
	Affects []string `xml:"affects>target>ref"`
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

// readMarkup reads a whole report in XML into r.
func readMarkup(open func() (io.ReadCloser, error), r *report) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // Opened for reading only.
	plain, err := plainText(body)
	if err != nil {
		return err
	}
	m := &markup{limit: &limitReader{r: plain, stop: maxItem}}
	m.dec = xml.NewDecoder(m.limit)
	m.dec.Entity = xml.HTMLEntity // advisories are copied from web pages
	m.dec.CharsetReader = charset
	return m.bom(r)
}

// charset reads the encoding that a document declares. Unicode was made UTF-8 before.
func charset(label string, text io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(label), "utf") {
		return text, nil
	}
	declared, err := htmlindex.Get(label)
	if err != nil {
		return nil, fmt.Errorf("the encoding %q is not known", record.Text(label))
	}
	return declared.NewDecoder().Reader(text), nil
}

// bom reads the document: the root element and, among its children, what says something about vulnerabilities.
func (m *markup) bom(r *report) error {
	c := cyclonedxReport{components: map[text]cyclonedxComponent{}}
	depth := 0
	for {
		token, err := m.token()
		if errors.Is(err, io.EOF) {
			return m.malformed("the report has no root element")
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch depth {
			case 0:
				if err := m.root(token); err != nil {
					return err
				}
				depth++
			case 1:
				if err := m.child(token, &c, r); err != nil {
					return err
				}
			}
		case xml.EndElement:
			if err := m.end(); err != nil {
				return err
			}
			c.finish(r)
			return nil
		}
	}
}

func (m *markup) root(e xml.StartElement) error {
	if e.Name.Local != "bom" || !strings.HasPrefix(e.Name.Space, cyclonedxNamespace) {
		return m.malformed(fmt.Sprintf("the file is XML or HTML with the root element %q of namespace %q, and CycloneDX is the only format read from XML; let the tool write its report as JSON",
			record.Text(e.Name.Local), record.Text(e.Name.Space)))
	}
	return nil
}

// child reads one child of the root and consumes it.
func (m *markup) child(e xml.StartElement, c *cyclonedxReport, r *report) error {
	switch e.Name.Local {
	case "metadata":
		var metadata metadataElement
		if err := m.element(e, &metadata); err != nil {
			return err
		}
		c.metadata.Timestamp = trimmed(metadata.Timestamp)
		for _, name := range append(metadata.Tools, metadata.Programs...) {
			c.metadata.Tools = append(c.metadata.Tools, trimmed(name))
		}
		c.metadata.Component = metadata.Component.take(c, r)
	case "components":
		return m.children(func(e xml.StartElement) error {
			var component componentElement
			if err := m.element(e, &component); err != nil {
				return err
			}
			c.index(component.take(c, r))
			return nil
		})
	case "vulnerabilities":
		c.listed = true
		return m.children(func(e xml.StartElement) error {
			var v vulnerabilityElement
			if err := m.element(e, &v); err != nil {
				return err
			}
			c.take(v.vulnerability(), r)
			return nil
		})
	default:
		return m.skip()
	}
	return nil
}

// children walks the children of an element whose start was read; each must consume its own.
func (m *markup) children(each func(xml.StartElement) error) error {
	for {
		token, err := m.token()
		if err != nil {
			return m.fault(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := each(token); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// skip passes over an element of any size whose start was read.
func (m *markup) skip() error {
	return m.children(func(xml.StartElement) error {
		for depth := 1; depth > 0; {
			token, err := m.token()
			if err != nil {
				return m.fault(err)
			}
			switch token.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
			}
		}
		return nil
	})
}

// token is the next token within bounds; io.EOF at the end of the text.
func (m *markup) token() (xml.Token, error) {
	m.allow()
	token, err := m.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, m.fault(err)
	}
	return token, err
}

func (m *markup) element(e xml.StartElement, into any) error {
	m.allow()
	return m.fault(m.dec.DecodeElement(into, &e))
}

func (m *markup) allow() { m.limit.stop = min(m.dec.InputOffset()+maxItem, maxReport) }

// end checks that no element follows the root.
func (m *markup) end() error {
	for {
		token, err := m.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := token.(xml.StartElement); ok {
			return m.malformed("another report follows after the end; write one report into one file")
		}
	}
}

func (m *markup) malformed(message string) error {
	return &malformedError{offset: m.dec.InputOffset(), message: message}
}

// fault gives an error of the decoder its place.
func (m *markup) fault(err error) error {
	if _, ok := errors.AsType[*malformedError](err); ok || err == nil {
		return err
	}
	at := &malformedError{offset: m.dec.InputOffset(), message: err.Error()}
	syntax, isSyntax := errors.AsType[*xml.SyntaxError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isSyntax && syntax.Msg == "unexpected EOF":
		at.truncated, at.message = true, "the report ends early; it was cut off or is still being written"
	case errors.Is(err, errTooLong):
		at.message = fmt.Sprintf("an item is longer than %d MB or the report than %d MB", maxItem>>20, maxReport>>20)
	}
	return at
}

func trimmed(s string) text { return text(strings.TrimSpace(s)) }

// take writes a component as JSON has it. The extension may list a component's vulnerabilities inside of it.
func (e *componentElement) take(c *cyclonedxReport, r *report) cyclonedxComponent {
	component := cyclonedxComponent{
		Ref: trimmed(e.Ref), Type: trimmed(e.Type), Group: trimmed(e.Group), Name: trimmed(e.Name), Version: trimmed(e.Version), PURL: trimmed(e.PURL),
	}
	for i := range e.Components {
		component.Components = append(component.Components, e.Components[i].take(c, r))
	}
	for i := range e.Vulnerabilities {
		c.listed = true
		v := e.Vulnerabilities[i].vulnerability()
		if len(v.Affects) == 0 && (component.Ref != "" || component.PURL != "") {
			ref := component.Ref
			if ref == "" {
				ref = component.PURL
			}
			v.Affects = []cyclonedxTarget{{Ref: ref}}
		}
		c.take(v, r)
	}
	return component
}

// vulnerability writes a vulnerability as JSON has it.
func (e *vulnerabilityElement) vulnerability() cyclonedxVulnerability {
	v := cyclonedxVulnerability{
		ID: trimmed(e.ID), Source: e.Source.source(), Description: trimmed(e.Description),
		Analysis: cyclonedxAnalysis{State: trimmed(e.Analysis.State), Justification: trimmed(e.Analysis.Justification), Detail: trimmed(e.Analysis.Detail)},
	}
	for _, id := range e.References {
		v.References = append(v.References, cyclonedxReference{ID: trimmed(id)})
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
	for _, ref := range append([]string{e.Ref}, e.Affects...) {
		if ref := trimmed(ref); ref != "" {
			v.Affects = append(v.Affects, cyclonedxTarget{Ref: ref})
		}
	}
	return v
}

func (e *sourceElement) source() cyclonedxSource {
	name := trimmed(e.Name)
	if name == "" {
		name = trimmed(e.NameAttribute)
	}
	return cyclonedxSource{Name: name, URL: trimmed(e.URL)}
}

func (e *ratingElement) rating() cyclonedxRating {
	rating := cyclonedxRating{
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
