package collectors

import (
	"context"
	"errors"
	"net/http"

	"prodsec_exporter/internal/record"
)

// Hinted is implemented by collectors whose source can report that something changed, such as by a webhook. A report is a hint and nothing more: scopes are read
// sooner than at their interval, and no record is made of it.
type Hinted interface {
	// TakesHints reports whether the configuration asks for hints.
	TakesHints() bool
	// Hint verifies that a request came from the source and returns what it concerns. The error wraps ErrHintForged or ErrHintMalformed, or says why
	// it cannot be verified now.
	Hint(header http.Header, body []byte) (Hint, error)
	// CollectScopes is Collect for nothing but the named scopes. Those that do not exist any more are left out.
	CollectScopes(ctx context.Context, scopes []string, cursors Cursors, emit func(record.Batch) error) error
}

// Hint is what a source reports. What it sends again is recognized by its body: ids in headers are not signed.
type Hint struct {
	// Scopes are those to be read; none when the hint is about nothing that is read.
	Scopes []string
}

var (
	// ErrHintForged is wrapped when a request does not prove that it comes from the source.
	ErrHintForged = errors.New("the signature is missing or wrong")
	// ErrHintMalformed is wrapped when a request that comes from the source cannot be understood.
	ErrHintMalformed = errors.New("the delivery cannot be understood")
)
