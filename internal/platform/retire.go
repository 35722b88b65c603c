package platform

import (
	"errors"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// ErrStillThere says that what a list lacked is there all the same, because it came or was switched on a moment ago: the next collection
// lists it.
var ErrStillThere = errors.New("it is there, and was not listed a moment ago")

// Retirement ends the scopes of what a platform no longer has. It takes place after everything else was read and only with a list that was read whole, since what a
// list lacks may also be what it failed to give.
type Retirement struct {
	// Known are the scopes that are known.
	Known collectors.Cursors
	// Kinds are the kinds of scope, the text before the first colon of their names; what follows it is the key.
	Kinds []string
	// Unread are kinds of scope that are not read any more, because the configuration leaves them out: all of them end.
	Unread []string
	// Exists reports whether there is something of a key, in the list.
	Exists func(key string) bool
	// Look asks what became of a key that the list lacks: the reason for which its findings are closed. The error wraps ErrStillThere, or says why nobody can tell, which is a
	// failure of the scope and no end: a project that the credential may not see any more is not gone.
	Look func(key string) (record.Closure, error)
}

// Emit hands over a batch for each scope that ended or whose fate is unknown.
func (r Retirement) Emit(emit func(record.Batch) error) error {
	type fate struct {
		reason record.Closure
		err    error
	}
	for _, kind := range r.Unread {
		for _, scope := range r.Known.Gone(kind, func(string) bool { return false }) {
			if err := emit(collectors.Retired(scope, record.ClosureOutOfScope)); err != nil {
				return err
			}
		}
	}
	known := map[string]fate{}
	for _, kind := range r.Kinds {
		for _, scope := range r.Known.Gone(kind, func(scope string) bool { return r.Exists(strings.TrimPrefix(scope, kind+":")) }) {
			key := strings.TrimPrefix(scope, kind+":")
			f, asked := known[key]
			if !asked {
				f.reason, f.err = r.Look(key)
				known[key] = f
			}
			b := collectors.Retired(scope, f.reason)
			switch {
			case errors.Is(f.err, ErrStillThere):
				continue
			case f.err != nil:
				b = record.Batch{Scope: scope, Err: f.err}
			}
			if err := emit(b); err != nil {
				return err
			}
		}
	}
	return nil
}
