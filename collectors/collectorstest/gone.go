package collectorstest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// known are all scopes of the suite, to be read whole.
func (s *Suite) known() collectors.Cursors {
	known := collectors.Cursors{}
	for _, scope := range s.Scopes {
		known[scope.Name] = ""
	}
	return known
}

// checkGone reads a healthy source, lets something leave it, and reads it again: as the next collection does, and as the first one after a restart.
func checkGone(t testing.TB, s *Suite) []string {
	if len(s.Gone) == 0 && s.Fixed == "" {
		return []string{"the suite has no source that lost something: give one (Gone), or say why no scope can end (Fixed)"}
	}
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	cursors, problems := checkNothingGone(t, s, b)
	for _, g := range s.Gone {
		for _, restarted := range []bool{false, true} {
			where := g.Name + ", in the next collection: "
			if restarted {
				where = g.Name + ", in a full sweep after a restart: "
			}
			for _, p := range s.checkOneGone(t, g, restarted, cursors) {
				problems = append(problems, where+p)
			}
		}
	}
	return problems
}

// checkNothingGone reads a source that did not change with all its scopes known; it returns their cursors.
func checkNothingGone(t testing.TB, s *Suite, b *bench) (collectors.Cursors, []string) {
	first, err := b.gather(t)
	if err != nil {
		return nil, []string{err.Error()}
	}
	cursors := collectors.Cursors{}
	for name, batch := range first {
		cursors[name] = batch.Cursor
	}
	var problems []string
	for _, known := range []collectors.Cursors{cursors, s.known()} {
		batches, err := b.gatherFrom(t, known)
		if err != nil {
			problems = append(problems, err.Error())
		}
		for name, batch := range batches {
			if batch.Retired || batch.Err != nil {
				problems = append(problems, fmt.Sprintf("scope %s ends or fails (%v) though its source did not change", name, batch.Err))
			}
		}
	}
	return cursors, problems
}

func (s *Suite) checkOneGone(t testing.TB, g Gone, restarted bool, cursors collectors.Cursors) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	if restarted {
		cursors = s.known()
	} else if _, err := b.gather(t); err != nil {
		return []string{err.Error()}
	}
	g.Serve(b.server)
	if err := b.clock.Sleep(t.Context(), 24*time.Hour); err != nil { // so that everything is due
		return []string{err.Error()}
	}
	batches, err := b.gatherFrom(t, cursors)
	problems := b.leaks(batches, err)
	if err != nil {
		return append(problems, err.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		batch := batches[name]
		ended := batch.Retired || batch.Err == nil && batch.Mode == record.Full && batch.Size() == 0 && slices.Contains(g.Retired, name)
		switch {
		case ended && !slices.Contains(g.Retired, name):
			problems = append(problems, fmt.Sprintf("scope %s is retired and is not gone", name))
		case ended && (batch.Err != nil || batch.Size() > 0 || batch.Absence != g.Reason):
			problems = append(problems, fmt.Sprintf("scope %s is retired with the reason %q, %d records and the error %v, want the reason %q alone", name, batch.Absence, batch.Size(), batch.Err, g.Reason))
		}
	}
	for _, name := range g.Retired {
		if batch, ok := batches[name]; !ok || batch.Err != nil {
			problems = append(problems, fmt.Sprintf("scope %s is gone and was not retired (emitted: %t, error: %v): it would be stale for ever", name, ok, batch.Err))
		}
	}
	for _, name := range g.Hidden {
		if batch, ok := batches[name]; !ok || batch.Err == nil {
			problems = append(problems, fmt.Sprintf("scope %s is hidden and did not fail (emitted: %t)", name, ok))
		}
	}
	return problems
}
