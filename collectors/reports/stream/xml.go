package stream

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"prodsec_exporter/internal/record"
)

// XML reads a report in XML, element by element. Its errors are *MalformedError, or those of the underlying reader.
type XML struct {
	dec   *xml.Decoder
	limit *limitReader
	depth int
}

// XML reads the document as XML. It is called once.
func (d *Document) XML() *XML {
	m := &XML{limit: &limitReader{r: d.text, stop: MaxItem}}
	m.dec = xml.NewDecoder(m.limit)
	m.dec.Entity = xml.HTMLEntity // advisories are copied from web pages
	m.dec.CharsetReader = charset
	d.end = m.atEnd
	return m
}

// Root reads up to the root element, whose children are then walked by Children.
func (m *XML) Root() (xml.StartElement, error) {
	for {
		token, err := m.token()
		if errors.Is(err, io.EOF) {
			return xml.StartElement{}, m.Malformed("the report has no root element")
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		if root, ok := token.(xml.StartElement); ok {
			return root, nil
		}
	}
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

// Children walks the children of an element whose start was read; each must consume its own.
func (m *XML) Children(each func(xml.StartElement) error) error {
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

// Skip passes over an element of any size whose start was read.
func (m *XML) Skip() error {
	return m.Children(func(xml.StartElement) error {
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
func (m *XML) token() (xml.Token, error) {
	m.allow()
	token, err := m.dec.Token()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, m.fault(err)
	}
	switch token.(type) {
	case xml.StartElement:
		if m.depth++; m.depth > MaxDepth {
			return nil, tooDeep(m.dec.InputOffset())
		}
	case xml.EndElement:
		m.depth--
	}
	return token, err
}

// Element decodes an element whose start was read.
func (m *XML) Element(e xml.StartElement, into any) error {
	m.allow()
	m.depth-- // its end is read with it
	return m.fault(m.dec.DecodeElement(into, &e))
}

func (m *XML) allow() { m.limit.stop = min(m.dec.InputOffset()+MaxItem, MaxReport) }

// atEnd checks that no element follows the root.
func (m *XML) atEnd() error {
	for {
		token, err := m.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := token.(xml.StartElement); ok {
			return m.Malformed("another report follows after the end; write one report into one file")
		}
	}
}

// Malformed is an error about what was read last.
func (m *XML) Malformed(message string) error {
	return &MalformedError{Offset: m.dec.InputOffset(), Message: message}
}

// fault gives an error of the decoder its place.
func (m *XML) fault(err error) error {
	if _, ok := errors.AsType[*MalformedError](err); ok || err == nil {
		return err
	}
	at := &MalformedError{Offset: m.dec.InputOffset(), Message: err.Error()}
	syntax, isSyntax := errors.AsType[*xml.SyntaxError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isSyntax && syntax.Msg == "unexpected EOF":
		at.Truncated, at.Message = true, "the report ends early; it was cut off or is still being written"
	case errors.Is(err, errTooLong):
		at.Message = fmt.Sprintf("an item is longer than %d MB or the report than %d MB", MaxItem>>20, MaxReport>>20)
	}
	return at
}
