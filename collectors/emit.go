package collectors

import (
	"context"
	"fmt"

	"prodsec_exporter/internal/record"
)

// Canceled is the error of a collection whose context has ended, and nil while it has not.
func Canceled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &record.Error{Reason: record.ReasonCanceled, Err: err}
	}
	return nil
}

// Emitter hands batches to emit, until the context ends: what was being read then is neither whole nor a failure of the source. Its errors name the kind of
// collector and the scope.
func Emitter(ctx context.Context, kind string, emit func(record.Batch) error) func(record.Batch) error {
	return func(b record.Batch) error {
		if err := Canceled(ctx); err != nil {
			return fmt.Errorf("%s: read %s: %w", kind, b.Scope, err)
		}
		if err := emit(b); err != nil {
			return fmt.Errorf("%s: emit %s: %w", kind, b.Scope, err)
		}
		return nil
	}
}
