package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"prodsec_exporter/internal/record"
)

// Locate turns the byte offset of a MalformedError into a line as well, by reading the report's beginning once more, and classifies it as a *record.Error.
// Other errors are returned as they are.
func Locate(err error, open func() (io.ReadCloser, error)) error {
	malformed, ok := errors.AsType[*MalformedError](err)
	if !ok {
		return err
	}
	reason := record.ReasonDecode
	if malformed.Truncated {
		reason = record.ReasonTruncated
	}
	if line, ok := lineAt(malformed.Offset, open); ok {
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
