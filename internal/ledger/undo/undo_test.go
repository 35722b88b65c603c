package undo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// fullUndo has something in every field.
func fullUndo() *Transaction {
	return &Transaction{
		Settled: 990, Added: Lengths{3, 1, 4, 0, 5, 0, 0, 9, 1, 1}, Services: []int32{1, 300}, Repositories: []int32{2},
		Scopes:     []ScopeBefore{{Number: 7, Removed: true, Success: 900, Full: 100, Failed: "timeout", Classes: 2, Kinds: 1}, {Number: 8}},
		Weaknesses: []WeaknessBefore{{0, 1 << 61, []byte{9}}, {70_000, 1 | 1<<8, []byte{1, 2}}},
		Pauses:     []PausesBefore{{5, "1-2 3-"}, {6, ""}},
		Sources:    []store.Source{{Collector: "scanner", Instance: "one", StaleAfter: time.Hour, Classes: []record.Class{record.ClassSCA}}},
		Renamed:    []NameBefore{{3, "api"}},
		Sums:       []SumsBefore{{2, 1}, {70_001, 3}},
	}
}

func TestUndoComesBack(t *testing.T) {
	for name, want := range map[string]*Transaction{"full": fullUndo(), "nothing": {Settled: 1000}, "no source was configured": {Sources: []store.Source{}}} {
		body, err := want.Encode(1000)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(1000, body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Transaction{}, ScopeBefore{}, WeaknessBefore{}, PausesBefore{})); diff != "" {
			t.Errorf("%s comes back as (-want +got):\n%s", name, diff)
		}
	}
}
