// Package stream reads the text of a report, JSON or XML, value by value, so that the memory needed is that of the largest item and not of the
// report. It undoes compression and encodings, bounds what it reads, and says at which line a report is malformed. It knows no format, and imports
// nothing of the project but package record.
//
// To add a form of text (another compression, another notation), add it to Open and give it a reader beside JSON and XML.
package stream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
)

// MaxReport bounds the bytes of one report after decompression, MaxItem those of one item in it.
const (
	MaxReport = 2 << 30
	MaxItem   = 64 << 20
)

// MaxDepth bounds how deep values and elements are nested: reports need no more than twenty levels, and each level of a walk costs memory.
const MaxDepth = 200

// A compressed report must not unpack to more than maxRatio times its size, once it is longer than maxUnjudged. Reports shrink to a tenth or, of equal findings, a
// hundredth; what is made to exhaust its reader shrinks to a thousandth.
const (
	maxRatio    = 500
	maxUnjudged = 16 << 20
)

// Document is the text of one report, to be read once.
type Document struct {
	text *bufio.Reader
	end  func() error
}

// Open reads through gzip, byte order marks and UTF-16, which Windows shells write when output is redirected. Its error is a *MalformedError,
// or that of r.
func Open(r io.Reader) (*Document, error) {
	text, err := plainText(r)
	if err != nil {
		return nil, err
	}
	return &Document{text: text}, nil
}

// IsXML reports whether the text begins as XML and HTML do.
func (d *Document) IsXML() bool {
	const blanks = 512
	start, _ := d.text.Peek(blanks) // its end is told when it is read
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte{'<'})
}

// End checks that nothing but space follows what was read. Without a call of JSON or XML there is nothing to check.
func (d *Document) End() error {
	if d.end == nil {
		return nil
	}
	return d.end()
}

// plainText is the report as UTF-8 without compression and byte order mark.
func plainText(r io.Reader) (*bufio.Reader, error) {
	packed := &counter{r: r}
	b := bufio.NewReaderSize(packed, 64<<10)
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) { // a short file is told below
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, &MalformedError{Message: "damaged gzip: " + err.Error()}
		}
		b = bufio.NewReaderSize(&unpacked{r: z, packed: packed}, 64<<10)
	}
	start, err := b.Peek(4)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return nil, &MalformedError{Truncated: true, Message: "the file is empty; the tool probably failed before it wrote its report"}
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

// counter counts what was read.
type counter struct {
	r    io.Reader
	read int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read += int64(n)
	return n, err
}

// unpacked fails when a compressed report unpacks to far more than any report does.
type unpacked struct {
	r      io.Reader
	packed *counter
	read   int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.read += int64(n)
	if u.read > maxUnjudged && u.read/maxRatio > u.packed.read {
		return n, &MalformedError{Offset: u.read, Message: fmt.Sprintf("the compressed report unpacks to more than %d times its size; nothing that a scanner writes does", maxRatio)}
	}
	return n, err
}

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
