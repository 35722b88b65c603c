package collectors

import (
	"context"
	"errors"
	"net/http"

	"prodsec_exporter/internal/record"
)

// Hinted is implemented by collectors whose source can say that something changed. What it says is a hint and nothing more: it makes scopes be read sooner than
// their interval would, and no record comes from it.
type Hinted interface {
	// TakesHints reports whether the configuration asks for hints.
	TakesHints() bool
	// Hint proves that a request came from the source and says what it concerns. The error wraps ErrHintForged or ErrHintMalformed, or says why
	// nothing can be proved now.
	Hint(header http.Header, body []byte) (Hint, error)
	// CollectScopes is Collect for nothing but the named scopes. Those that do not exist any more are left out.
	CollectScopes(ctx context.Context, scopes []string, cursors Cursors, emit func(record.Batch) error) error
}

// Hint is what a source says.
type Hint struct {
	// ID tells deliveries apart: what a source sends again has the same.
	ID string
	// Scopes are those to be read; none when the hint is about nothing that is read.
	Scopes []string
}

var (
	// ErrHintForged is wrapped when a request does not prove that it comes from the source.
	ErrHintForged = errors.New("the signature is missing or wrong")
	// ErrHintMalformed is wrapped when a request that comes from the source cannot be understood.
	ErrHintMalformed = errors.New("the delivery cannot be understood")
)
