package reports

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"

	"prodsec_exporter/internal/record"
)

const (
	// maxReport bounds the bytes of one report after decompression, maxItem those of one item in it.
	maxReport = 2 << 30
	maxItem   = 64 << 20
)

// stream reads JSON value by value, so that the memory needed is that of the largest item and not of the report.
type stream struct {
	dec   *json.Decoder
	limit *limitReader
}

// malformedError says that the report is not what its format promises. Offset counts decompressed bytes.
type malformedError struct {
	offset    int64
	truncated bool
	// markup says that the report is no JSON but begins as XML and HTML do.
	markup  bool
	message string
}

// Error says what is wrong and at which byte.
func (e *malformedError) Error() string { return fmt.Sprintf("byte %d: %s", e.offset, e.message) }

// limitReader fails when an item is longer than allowed, before the decoder has buffered it whole.
type limitReader struct {
	r          io.Reader
	read, stop int64
}

var errTooLong = errors.New("longer than a report or an item of one may be")

func (l *limitReader) Read(p []byte) (int, error) {
	if l.read > l.stop {
		return 0, errTooLong
	}
	n, err := l.r.Read(p)
	l.read += int64(n)
	return n, err
}

// newStream reads through gzip, byte order marks and UTF-16, which Windows shells write when output is redirected.
func newStream(r io.Reader) (*stream, error) {
	text, err := plainText(r)
	if err != nil {
		return nil, err
	}
	const blanks = 512
	if start, _ := text.Peek(blanks); bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte{'<'}) { // its end is told below
		return nil, &malformedError{markup: true, message: "the file is XML or HTML and not JSON"}
	}
	limit := &limitReader{r: text, stop: maxItem}
	return &stream{dec: json.NewDecoder(limit), limit: limit}, nil
}

// plainText is the report as UTF-8 without compression and byte order mark.
func plainText(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) { // a short file is told below
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, &malformedError{message: "damaged gzip: " + err.Error()}
		}
		b = bufio.NewReaderSize(z, 64<<10)
	}
	start, err := b.Peek(4)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return nil, &malformedError{truncated: true, message: "the file is empty; the tool probably failed before it wrote its report"}
	case len(start) == 0 && err != nil:
		return nil, fmt.Errorf("read report: %w", err)
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		if _, err := b.Discard(3); err != nil {
			return nil, fmt.Errorf("read report: %w", err)
		}
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}), len(start) > 1 && (start[0] == 0) != (start[1] == 0):
		order := unicode.LittleEndian // unless a mark says otherwise
		if start[0] == 0 {
			order = unicode.BigEndian
		}
		return bufio.NewReaderSize(unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(b), 64<<10), nil
	}
	return b, nil
}

// token reads the next token within bounds.
func (s *stream) token() (json.Token, error) {
	s.allow(maxItem)
	t, err := s.dec.Token()
	return t, s.fault(err)
}

func (s *stream) allow(n int64) { s.limit.stop = min(s.dec.InputOffset()+n, maxReport) }

// fault gives an error of the decoder its place.
func (s *stream) fault(err error) error {
	if err == nil {
		return nil
	}
	at := &malformedError{offset: s.dec.InputOffset(), message: err.Error()}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset > at.offset {
		at.offset = syntax.Offset
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at.truncated, at.message = true, "the report ends early; it was cut off or is still being written"
	case errors.Is(err, errTooLong):
		at.message = fmt.Sprintf("an item is longer than %d MB or the report than %d MB", maxItem>>20, maxReport>>20)
	}
	return at
}

func (s *stream) unexpected(want string, got json.Token) error {
	return &malformedError{offset: s.dec.InputOffset(), message: fmt.Sprintf("want %s, got %s", want, describeToken(got))}
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

// object walks the members of an object; member must consume the value of its key. Null is an object without members.
func (s *stream) object(member func(key string) error) error {
	t, err := s.token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('{') {
		return s.unexpected("an object", t)
	}
	return s.members(member)
}

// members walks an object whose opening brace was read.
func (s *stream) members(member func(key string) error) error {
	for s.more() {
		key, err := s.token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return s.unexpected("a key", key)
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

// array walks the elements of a list; element must consume its value. It reports whether there is a list: null is none.
func (s *stream) array(element func() error) (bool, error) {
	t, err := s.token()
	if err != nil || t == nil {
		return false, err
	}
	if t != json.Delim('[') {
		return false, s.unexpected("a list", t)
	}
	return true, s.elements(element)
}

// elements walks a list whose opening bracket was read.
func (s *stream) elements(element func() error) error {
	for s.more() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

func (s *stream) more() bool {
	s.allow(maxItem)
	return s.dec.More()
}

// skip passes over a value of any size.
func (s *stream) skip() error {
	for depth := 0; ; {
		t, err := s.token()
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

// item decodes one value. It reports false for a value of the wrong form, which was consumed: the caller rejects that item alone.
func (s *stream) item(into any) (bool, error) {
	s.allow(maxItem)
	err := s.dec.Decode(into)
	if err == nil {
		return true, nil
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTooLong) {
		return false, s.fault(err)
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return false, nil
	}
	return false, s.fault(err)
}

// end checks that nothing but space follows the report.
func (s *stream) end() error {
	s.allow(maxItem)
	t, err := s.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return s.fault(err)
	default:
		return &malformedError{offset: s.dec.InputOffset(), message: "another report follows after the end (" + describeToken(t) + "); write one report into one file"}
	}
}

// place turns an error's byte offset into a line as well, by reading the report's beginning once more.
func place(err error, open func() (io.ReadCloser, error)) error {
	malformed, ok := errors.AsType[*malformedError](err)
	if !ok {
		return err
	}
	reason := record.ReasonDecode
	if malformed.truncated {
		reason = record.ReasonTruncated
	}
	if line, ok := lineAt(malformed.offset, open); ok {
		return &record.Error{Reason: reason, Err: fmt.Errorf("line %d, %w", line, err)}
	}
	return &record.Error{Reason: reason, Err: err}
}

func lineAt(offset int64, open func() (io.ReadCloser, error)) (int, bool) {
	r, err := open()
	if err != nil {
		return 0, false
	}
	defer r.Close() //nolint:errcheck // Opened for reading only.
	text, err := plainText(r)
	if err != nil {
		return 0, false
	}
	var counter lineCounter
	if _, err := io.Copy(&counter, io.LimitReader(text, offset)); err != nil {
		return 0, false
	}
	return int(counter) + 1, true
}

type lineCounter int

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// text is a JSON scalar of any type as text; anything else is the empty text. Tools disagree on whether ids, scores and versions are
// strings or numbers.
type text string

// UnmarshalJSON never fails on valid JSON.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	switch {
	case len(data) == 0 || data[0] == '{' || data[0] == '[' || string(data) == "null":
		return nil
	case data[0] == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = text(s)
	default:
		*t = text(data)
	}
	return nil
}

// number is a JSON number, or a text that holds one; anything else is 0.
type number float64

// UnmarshalJSON never fails on valid JSON.
func (n *number) UnmarshalJSON(data []byte) error {
	var f float64
	*n = 0
	if json.Unmarshal(bytes.Trim(data, `" `), &f) == nil {
		*n = number(f)
	}
	return nil
}
