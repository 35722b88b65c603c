package snapshot

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

func entries(t Table[int]) []int {
	var all []int
	for i, v := range t.All() {
		if *t.At(i) != *v {
			return nil
		}
		all = append(all, *v)
	}
	return all
}

// TestFrozenTablesNeverChange edits a table at random, freezes it now and then, and compares every frozen one with a plain copy.
func TestFrozenTablesNeverChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	editor := Edit(Table[int]{})
	var plain []int
	type version struct {
		table Table[int]
		want  []int
	}
	var versions []version
	for range 20_000 {
		switch n := rng.IntN(100); {
		case n < 70 || len(plain) == 0:
			if at := editor.Append(len(plain)); at != len(plain) {
				t.Fatalf("appended at %d, want %d", at, len(plain))
			}
			plain = append(plain, len(plain))
		case n < 99:
			i := rng.IntN(len(plain))
			*editor.Change(i) = -i
			plain[i] = -i
		default:
			table := editor.Freeze()
			versions = append(versions, version{table, slices.Clone(plain)})
			if rng.IntN(3) == 0 {
				editor = Edit(table)
			}
		}
	}
	if len(versions) < 50 || editor.Len() <= 3*chunkSize {
		t.Fatalf("%d versions of %d entries try too little", len(versions), editor.Len())
	}
	for i, v := range versions {
		if v.table.Len() != len(v.want) || !slices.Equal(entries(v.table), v.want) {
			t.Fatalf("version %d of %d is not what was frozen", i, len(versions))
		}
	}
}

func TestEveryClosureHasAnEventThatCloses(t *testing.T) {
	for _, c := range record.Closures() {
		if e := EventOfClosure(c); e.Sign() != -1 {
			t.Errorf("%s closes by %s, whose sign is %d", c, e, e.Sign())
		}
		if got := IndexOfClosure(c).Closure(); got != c {
			t.Errorf("closure %s comes back as %s", c, got)
		}
	}
	if IndexOfClosure("new word").Closure() != record.ClosureOther || IndexOfClass("new word").Class() != record.ClassOther {
		t.Error("an unknown word is not counted as other")
	}
}

func TestEventKindsHaveNames(t *testing.T) {
	kinds := append(FlowKinds(), OutcomeKinds()...)
	if len(kinds) != int(eventKinds) {
		t.Errorf("%d kinds are listed, %d exist", len(kinds), eventKinds)
	}
	for _, k := range kinds {
		if got, err := ParseEventKind(k.String()); err != nil || got != k || k.String() == "" {
			t.Errorf("%d comes back from %q as %d, %v", k, k, got, err)
		}
	}
	if _, err := ParseEventKind("nonsense"); err == nil {
		t.Error("nonsense is an event")
	}
}

func TestFreshness(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	scope := func(age time.Duration, failed record.ErrorReason) Scope {
		return Scope{LastSuccess: at.Add(-age), LastError: failed, StaleFrom: time.Hour, StaleAfter: 3 * time.Hour}
	}
	for _, c := range []struct {
		name  string
		scope Scope
		want  Freshness
	}{
		{"never read", Scope{LastError: record.ReasonPermission, StaleAfter: time.Hour}, Never},
		{"just read", scope(0, ""), Fresh},
		{"an hour old", scope(time.Hour, ""), Fresh},
		{"missed polls", scope(time.Hour+1, ""), Stale},
		{"failed, with records", scope(time.Minute, record.ReasonServer), Stale},
		{"at the end of its time", scope(3*time.Hour, record.ReasonServer), Stale},
		{"beyond it", scope(3*time.Hour+1, record.ReasonServer), Dropped},
		{"beyond it without an error", scope(3*time.Hour+1, ""), Dropped},
		{"without limits", Scope{LastSuccess: at.AddDate(-1, 0, 0)}, Fresh},
	} {
		if got := c.scope.Freshness(at); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
