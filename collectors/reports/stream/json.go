package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// JSON reads a report in JSON. Its errors are *MalformedError, or those of the underlying reader.
type JSON struct {
	dec   *json.Decoder
	limit *limitReader
	depth int
}

// JSON reads the document as JSON. It is called once.
func (d *Document) JSON() *JSON {
	limit := &limitReader{r: d.text, stop: MaxItem}
	s := &JSON{dec: json.NewDecoder(limit), limit: limit}
	d.end = s.atEnd
	return s
}

// Token reads the next token within bounds.
func (s *JSON) Token() (json.Token, error) {
	s.allow(MaxItem)
	t, err := s.dec.Token()
	switch t {
	case json.Delim('{'), json.Delim('['):
		if s.depth++; s.depth > MaxDepth {
			return nil, tooDeep(s.dec.InputOffset())
		}
	case json.Delim('}'), json.Delim(']'):
		s.depth--
	}
	return t, s.fault(err)
}

func tooDeep(offset int64) error {
	return &MalformedError{Offset: offset, Message: fmt.Sprintf("values are nested deeper than %d levels", MaxDepth)}
}

func (s *JSON) allow(n int64) { s.limit.stop = min(s.dec.InputOffset()+n, MaxReport) }

// fault gives an error of the decoder its place.
func (s *JSON) fault(err error) error {
	if _, ok := errors.AsType[*MalformedError](err); ok || err == nil {
		return err
	}
	at := &MalformedError{Offset: s.dec.InputOffset(), Message: err.Error()}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset > at.Offset {
		at.Offset = syntax.Offset
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at.Truncated, at.Message = true, "the report ends early; it was cut off or is still being written"
	case errors.Is(err, errTooLong):
		at.Message = fmt.Sprintf("an item is longer than %d MB or the report than %d MB", MaxItem>>20, MaxReport>>20)
	}
	return at
}

// Unexpected is an error about a token that is not what it must be.
func (s *JSON) Unexpected(want string, got json.Token) error {
	return &MalformedError{Offset: s.dec.InputOffset(), Message: fmt.Sprintf("want %s, got %s", want, describeToken(got))}
}

func describeToken(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		return map[json.Delim]string{'{': "an object", '[': "a list"}[t]
	case string:
		return fmt.Sprintf("the text %.40q", t)
	case nil:
		return "null"
	default:
		return fmt.Sprintf("%v", t)
	}
}

// Object walks the members of an object; member must consume the value of its key. Null is an object without members.
func (s *JSON) Object(member func(key string) error) error {
	t, err := s.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('{') {
		return s.Unexpected("an object", t)
	}
	return s.Members(member)
}

// Members walks an object whose opening brace was read.
func (s *JSON) Members(member func(key string) error) error {
	for s.More() {
		key, err := s.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return s.Unexpected("a key", key)
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := s.Token()
	return err
}

// Array walks the elements of a list; element must consume its value. It reports whether there is a list: null is none.
func (s *JSON) Array(element func() error) (bool, error) {
	t, err := s.Token()
	if err != nil || t == nil {
		return false, err
	}
	if t != json.Delim('[') {
		return false, s.Unexpected("a list", t)
	}
	return true, s.Elements(element)
}

// Elements walks a list whose opening bracket was read.
func (s *JSON) Elements(element func() error) error {
	for s.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := s.Token()
	return err
}

// More reports whether the object or list that is being read goes on.
func (s *JSON) More() bool {
	s.allow(MaxItem)
	return s.dec.More()
}

// Skip passes over a value of any size.
func (s *JSON) Skip() error {
	for depth := 0; ; {
		t, err := s.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// Item decodes one value. It reports false for a value of the wrong form, which was consumed: the caller rejects that item alone.
func (s *JSON) Item(into any) (bool, error) {
	s.allow(MaxItem)
	err := s.dec.Decode(into)
	if err == nil {
		return true, nil
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTooLong) {
		return false, s.fault(err)
	}
	if _, ok := errors.AsType[*MalformedError](err); ok {
		return false, err
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return false, nil
	}
	return false, s.fault(err)
}

// atEnd checks that nothing but space follows the report.
func (s *JSON) atEnd() error {
	s.allow(MaxItem)
	t, err := s.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return s.fault(err)
	default:
		return &MalformedError{Offset: s.dec.InputOffset(), Message: "another report follows after the end (" + describeToken(t) + "); write one report into one file"}
	}
}
