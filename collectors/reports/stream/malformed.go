package stream

import (
	"fmt"
)

// MalformedError says that a report is not what its format promises. Offset counts bytes after decompression.
type MalformedError struct {
	Offset int64
	// Truncated says that the report ends early.
	Truncated bool
	Message   string
}

// Error says what is wrong and at which byte.
func (e *MalformedError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Message) }

// Malformed is an error about a report as a whole.
func Malformed(format string, args ...any) error {
	return &MalformedError{Message: fmt.Sprintf(format, args...)}
}
