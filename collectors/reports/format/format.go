// Package format is what the formats of reports share: the interface that each implements, what a report says (Report), and the readings of words, scores,
// paths and images that mean the same in every format. It knows neither a format nor the collector, and imports nothing of the project but package
// record and the readers of package stream.
//
// To add a format, write a package beside this one that implements Format, with a package comment that says what it reads, and name it in formats.go of
// package reports.
package format

import (
	"encoding/json"

	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads the reports of one format.
type Format interface {
	// Name is the format in the words of its documentation.
	Name() string
	// Recognises says whether a report that begins like this is in the format. It is asked again after each key.
	Recognises(Sketch) bool
	// Read reads the whole report into r. Its error says that the report as such is malformed; bad items are rejected alone. That nothing
	// follows the report is checked by the caller.
	Read(d *stream.Document, r *Report) error
}

// Stater is a format whose documents may state something about the findings of other reports (VEX). Such documents are read before all others.
type Stater interface {
	Format
	States()
}

// Sketch is the beginning of a report: as much as is needed to recognise its format.
type Sketch struct {
	// Form is '{', '[', 'n' (null) or '<' (XML).
	Form rune
	// Root and Namespace are the name of the root element of XML.
	Root, Namespace string
	// Keys are the keys seen so far at the top level, or of the first element of a list.
	Keys map[string]bool
	// Texts are the short texts among their values.
	Texts map[string]string
	// Complete says that there are no more keys.
	Complete bool
}

// Has reports whether all keys were seen.
func (s *Sketch) Has(keys ...string) bool {
	for _, k := range keys {
		if !s.Keys[k] {
			return false
		}
	}
	return true
}

// ReadSketch reads the beginning of a document and calls ask after each key; the error of ask ends it.
func ReadSketch(d *stream.Document, ask func(Sketch) error) (Sketch, error) {
	s := Sketch{Keys: map[string]bool{}, Texts: map[string]string{}}
	if d.IsXML() {
		root, err := d.XML().Root()
		if err != nil {
			return s, err
		}
		s.Form, s.Root, s.Namespace = '<', record.Text(root.Name.Local), record.Text(root.Name.Space)
	} else if err := s.json(d.JSON(), ask); err != nil {
		return s, err
	}
	s.Complete = true
	return s, ask(s)
}

func (s *Sketch) json(in *stream.JSON, ask func(Sketch) error) error {
	first, err := in.Token()
	if err != nil {
		return err
	}
	member := func(key string) error {
		s.Keys[key] = true
		if err := ask(*s); err != nil {
			return err
		}
		return s.value(in, key)
	}
	switch first {
	case nil:
		s.Form = 'n'
		return nil
	case json.Delim('{'):
		s.Form = '{'
		return in.Members(member)
	case json.Delim('['):
		s.Form = '['
		if !in.More() {
			return nil
		}
		return in.Object(member)
	default:
		return in.Unexpected("an object or a list", first)
	}
}

// value notes a short text and skips everything else.
func (s *Sketch) value(in *stream.JSON, key string) error {
	t, err := in.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case string:
		s.Texts[key] = record.Text(t)
	case json.Delim:
		if t == '{' {
			return in.Members(func(string) error { return in.Skip() })
		}
		return in.Elements(in.Skip)
	}
	return nil
}
