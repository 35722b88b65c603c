package past

import (
	"testing"

	"prodsec_exporter/internal/ledger/derivation"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/ledger/undo"
	"prodsec_exporter/internal/snapshot"
)

// FuzzTakeBack: whatever stands in the file, a transaction is taken back whole or refused; nothing is read beyond what is there.
func FuzzTakeBack(f *testing.F) {
	full := undo.Transaction{
		Settled: 990, Added: undo.Lengths{3, 1, 4, 0, 5, 0, 0, 9, 1, 1}, Services: []int32{1, 300}, Repositories: []int32{2},
		Scopes:     []undo.ScopeBefore{{Number: 7, Removed: true, Success: 900, Full: 100, Failed: "timeout", Classes: 2, Kinds: 1}, {Number: 8}},
		Weaknesses: []undo.WeaknessBefore{{Mask: 1 << 61, Bytes: []byte{9}}, {Position: 70_000, Mask: 1 | 1<<8, Bytes: []byte{1, 2}}},
		Pauses:     []undo.PausesBefore{{Weakness: 5, Spans: "1-2 3-"}, {Weakness: 6}},
		Sources:    []store.Source{{Collector: "scanner", Instance: "one"}},
	}
	body, err := full.Encode(1000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{1})
	f.Fuzz(func(_ *testing.T, body []byte) {
		p := &past{
			instant: 10, reports: 9, weaknesses: make([]byte, 5*derivation.WeaknessBytes), events: make([]byte, 9*derivation.EventBytes), texts: make([]string, 3),
			owners: make([]snapshot.Owner, 9), scopes: make([]store.ScopeRow, 9), pauses: map[int32]string{},
			names:    map[string][]nameRow{derivation.NamesOfServices: make([]nameRow, 3), derivation.NamesOfRepositories: make([]nameRow, 12)},
			policies: make([]store.PolicyRow, 2), counting: make([]snapshot.CountingChange, 2),
		}
		_, _ = p.takeBack(1000, body) // what is refused is refused; a panic fails the test
	})
}
