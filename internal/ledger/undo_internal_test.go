package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// fullUndo has something in every field.
func fullUndo() *undo {
	return &undo{
		settled: 990, added: lengths{3, 1, 4, 0, 5, 0, 0, 9, 1, 1}, services: []int32{1, 300}, repositories: []int32{2},
		scopes:     []scopeBefore{{number: 7, removed: true, success: 900, full: 100, failed: "timeout", classes: 2, kinds: 1}, {number: 8}},
		weaknesses: []weaknessBefore{{0, 1 << 61, []byte{9}}, {70_000, 1 | 1<<8, []byte{1, 2}}},
		pauses:     []pausesBefore{{5, "1-2 3-"}, {6, ""}},
		sources:    []Source{{Collector: "scanner", Instance: "one", StaleAfter: time.Hour, Classes: []record.Class{record.ClassSCA}}},
	}
}

func TestUndoComesBack(t *testing.T) {
	for name, want := range map[string]*undo{"full": fullUndo(), "nothing": {settled: 1000}, "no source was configured": {sources: []Source{}}} {
		body, err := want.encode(1000)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeUndo(1000, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(undo{}, scopeBefore{}, weaknessBefore{}, pausesBefore{})); diff != "" {
			t.Errorf("%s comes back as (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzTakeBack: whatever stands in the file, a transaction is taken back whole or refused; nothing is read beyond what is there.
func FuzzTakeBack(f *testing.F) {
	body, err := fullUndo().encode(1000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{undoVersion})
	f.Fuzz(func(_ *testing.T, body []byte) {
		p := &past{
			instant: 10, reports: 9, weaknesses: make([]byte, 5*weaknessBytes), events: make([]byte, 9*eventBytes), texts: make([]string, 3),
			owners: make([]snapshot.Owner, 9), scopes: make([]scope, 9), pauses: map[int32]string{},
			names:    map[string][]nameRow{rosterServices: make([]nameRow, 3), rosterRepositories: make([]nameRow, 12)},
			policies: make([]policyRow, 2), counting: make([]snapshot.CountingChange, 2),
		}
		_, _ = p.takeBack(1000, body) // what is refused is refused; a panic fails the test
	})
}
