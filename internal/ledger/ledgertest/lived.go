package ledgertest

import (
	"math"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// indexing is how late a source may show a change that happened before the last reading.
const indexing = 10 * time.Minute

// lived checks what no later change may take back: a weakness was covered when it was, as far as that was known, and an outcome that fell
// stays, unless a reopening takes back a met or starts another clock.
func lived(t *testing.T, before, after *snapshot.Snapshot, what string) bool {
	t.Helper()
	if before.Founded.IsZero() {
		return true
	}
	known := int64(math.MaxInt64)
	for i := range before.Scopes {
		if s := &before.Scopes[i]; slices.Contains(s.Kinds, record.KindException) {
			known = min(known, s.LastSuccess.Add(-indexing).Unix())
		}
	}
	for p, pauses := range before.Pauses {
		if after.Weaknesses.At(int(p)).Reports == 0 {
			continue // a part of another one
		}
		since := int64(math.MinInt64)
		if imported(before, p) && imported(after, p) {
			since = before.Founded.Unix() // a source that is read for the first time completes what was imported
		}
		for _, pause := range pauses {
			pause.Start, pause.End = max(pause.Start, since), min(pause.End, known, before.At.Unix())
			if pause.Start < pause.End && !slices.ContainsFunc(after.Pauses[p], func(o policy.Pause) bool { return o.Start <= pause.Start && pause.End <= o.End }) {
				t.Errorf("%s: weakness %d was covered from %d to %d, and is said to have been covered %v", what, p, pause.Start, pause.End, after.Pauses[p])
				return false
			}
		}
	}
	for i, w := range before.Weaknesses.All() {
		now := after.Weaknesses.At(i)
		if imported(before, int32(i)) && imported(after, int32(i)) {
			continue // a source that is read for the first time completes its history
		}
		if w.Outcome != snapshot.OutcomeNone && now.Outcome != w.Outcome && now.ClockStart == w.ClockStart && (w.Outcome == snapshot.OutcomeMissed || !reopened(after, int32(i))) {
			t.Errorf("%s: weakness %d was %s and is %q", what, i, w.Outcome, now.Outcome)
			return false
		}
	}
	return true
}

// imported reports whether all that is known of a weakness is history.
func imported(s *snapshot.Snapshot, weakness int32) bool {
	return s.Weaknesses.At(int(weakness)).Flags.Has(snapshot.ImportedHistory)
}

// reopened reports whether a weakness was ever closed and open again.
func reopened(s *snapshot.Snapshot, weakness int32) bool {
	for _, e := range s.Events.All() {
		if e.Weakness == weakness && (e.Kind == snapshot.EventReopened || e.Kind == snapshot.EventScopeGained) {
			return true
		}
	}
	return false
}
