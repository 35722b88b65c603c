package world_test

import (
	"fmt"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

const day = 24 * time.Hour

// starts are instants at which the demo may be started: ordinary days, and the edges of turns, months and years.
var starts = []time.Time{
	time.Date(2025, 6, 15, 3, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC),
	time.Date(2026, 12, 28, 0, 0, 1, 0, time.UTC), // a new team gets into trouble
	time.Date(2027, 2, 8, 12, 0, 0, 0, time.UTC),  // the old one has been out of it for a moment
	time.Date(2027, 3, 31, 23, 59, 59, 0, time.UTC),
	time.Date(2028, 2, 29, 6, 30, 0, 0, time.UTC),
}

func forEachWorld(t *testing.T, test func(t *testing.T, w *world.World, now time.Time)) {
	for i, now := range starts {
		for seed := int64(1); seed <= 2; seed++ {
			t.Run(fmt.Sprintf("seed %d on %s", seed, now.Format(time.DateOnly)), func(t *testing.T) {
				test(t, world.New(seed+int64(i)*100, now), now)
			})
		}
	}
}

func TestSizes(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		open := 0
		findings := w.FindingsAt(now)
		for _, f := range findings {
			if f.At(now).Closure == record.ClosureNone {
				open++
			}
		}
		units := map[string]bool{}
		for _, team := range w.Teams {
			units[team.BusinessUnit] = true
		}
		for _, c := range []struct {
			what           string
			got, low, high int
		}{
			{"business units", len(units), 4, 4}, {"teams", len(w.Teams), 12, 12}, {"services", len(w.Services), 60, 60},
			{"repositories", len(w.Repositories), 150, 150}, {"findings", len(findings), 5500, 7000}, {"open findings", open, 900, 1500},
			{"exceptions", len(w.ExceptionsAt(now)), 160, 230},
		} {
			if c.got < c.low || c.got > c.high {
				t.Errorf("%s: got %d, want %d to %d", c.what, c.got, c.low, c.high)
			}
		}
	})
}

func TestNothingRepeats(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		type number struct {
			source     world.Source
			repository *world.Repository
			number     int64
		}
		type id struct {
			source world.Source
			id     int64
		}
		numbers, ids := map[number]bool{}, map[id]bool{}
		for _, f := range w.FindingsAt(now) {
			n, i := number{f.Source, f.Repository, f.Number}, id{f.Source, f.ID}
			if numbers[n] || ids[i] {
				t.Fatalf("%v and %v: given away twice", n, i)
			}
			numbers[n], ids[i] = true, true
		}
		tickets := map[int64]bool{}
		for _, e := range w.ExceptionsAt(now) {
			if tickets[e.Number] {
				t.Fatalf("ticket %d: given away twice", e.Number)
			}
			tickets[e.Number] = true
		}
	})
}

// TestLivesInOrder: nothing is closed before it is found, changes follow each other, and nothing stays open for so long that the horizon
// would have hidden it.
func TestLivesInOrder(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		for _, f := range w.FindingsAt(now) {
			last := f.Born
			if f.Born.Nanosecond() != 0 {
				t.Fatalf("%s %d: born at a fraction of a second: %v", f.Source, f.ID, f.Born)
			}
			for i, c := range f.Changes {
				if !c.At.After(last) || c.At.Nanosecond() != 0 || (c.To == record.ClosureNone) != (i%2 == 1) {
					t.Fatalf("%s %d: change %d to %q at %v after %v", f.Source, f.ID, i, c.To, c.At, last)
				}
				last = c.At
			}
			if last.Sub(f.Born) > 401*day || f.Changes[len(f.Changes)-1].To == record.ClosureNone {
				t.Fatalf("%s %d: born %v, changes %v", f.Source, f.ID, f.Born, f.Changes)
			}
		}
		for _, e := range w.ExceptionsAt(now) {
			last := e.RequestedAt
			for _, s := range e.Steps {
				if !s.At.After(last) {
					t.Fatalf("ticket %d: %v after %v", e.Number, s, last)
				}
				last = s.At
			}
			if last.Sub(e.RequestedAt) > 240*day {
				t.Fatalf("ticket %d: of interest for %v", e.Number, last.Sub(e.RequestedAt))
			}
		}
	})
}

// TestStartDoesNotMatter: a world that starts later agrees about all that both can see, and about everything that is open.
func TestStartDoesNotMatter(t *testing.T) {
	first := time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)
	now := first.AddDate(0, 5, 9)
	early, late := world.New(7, first), world.New(7, now)
	early.FindingsAt(first) // an old process has looked before
	tell := func(w *world.World) (map[string]string, map[int64]string) {
		findings, tickets := map[string]string{}, map[int64]string{}
		for _, f := range w.FindingsAt(now) {
			s := f.At(now)
			if s.Closure == record.ClosureNone || !s.ClosedAt.Before(late.Horizon()) {
				findings[fmt.Sprint(f.Source, f.ID)] = fmt.Sprint(f.Repository.FullName(), f.Number, f.Title(), f.Severity, f.Born, f.Changes, s, f.Path, f.Line)
			}
		}
		for _, e := range w.ExceptionsAt(now) {
			status, updated := e.StatusAt(now)
			if !updated.Before(late.Horizon()) {
				tickets[e.Number] = fmt.Sprint(e.Title, e.Advisories, e.Rules, e.RequestedAt, status, updated, e.Expires)
			}
		}
		return findings, tickets
	}
	earlyFindings, earlyTickets := tell(early)
	lateFindings, lateTickets := tell(late)
	if len(lateFindings) < 5000 || len(lateFindings) != len(earlyFindings) {
		t.Errorf("findings: early %d, late %d", len(earlyFindings), len(lateFindings))
	}
	for id, want := range lateFindings {
		if got := earlyFindings[id]; got != want {
			t.Fatalf("finding %s:\nearly %s\n late %s", id, got, want)
		}
	}
	for number, want := range lateTickets {
		if got := earlyTickets[number]; got != want {
			t.Fatalf("ticket %d:\nearly %s\n late %s", number, got, want)
		}
	}
	if len(lateTickets) < 100 || len(earlyTickets) != len(lateTickets) {
		t.Errorf("tickets: early %d, late %d", len(earlyTickets), len(lateTickets))
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := world.New(1, starts[1]).FindingsAt(starts[1]), world.New(2, starts[1]).FindingsAt(starts[1])
	same := 0
	for i := range min(len(a), len(b)) {
		if a[i].Born.Equal(b[i].Born) && a[i].ID == b[i].ID {
			same++
		}
	}
	if same > len(a)/10 {
		t.Errorf("%d of %d findings are the same under two seeds", same, len(a))
	}
}

// TestTimeMovesOn: in any hour something visible happens every few minutes, on average, reopenings among it, and nothing of the past changes.
func TestTimeMovesOn(t *testing.T) {
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) {
		changes, reopenings, previous := 0, 0, map[*world.Finding]record.Closure{}
		for _, f := range w.FindingsAt(now) {
			previous[f] = f.At(now).Closure
		}
		for minute := 1; minute <= 180; minute++ {
			at := now.Add(time.Duration(minute) * time.Minute)
			for _, f := range w.FindingsAt(at) {
				closure, known := previous[f]
				state := f.At(at)
				if !known || closure != state.Closure {
					changes++
				}
				if known && closure != record.ClosureNone && state.Closure == record.ClosureNone {
					reopenings++
				}
				if state.UpdatedAt.After(at) || state.UpdatedAt.Before(f.Born) {
					t.Fatalf("%s %d: updated at %v, seen at %v, born at %v", f.Source, f.ID, state.UpdatedAt, at, f.Born)
				}
				previous[f] = state.Closure
			}
		}
		if changes < 180/5 {
			t.Errorf("%d changes in three hours, want one every five minutes", changes)
		}
		if reopenings < 180/10 {
			t.Errorf("%d reopenings in three hours, want one every ten minutes", reopenings)
		}
	})
}

// TestUpdatedMovesWithState: whatever changes what is told about a finding also changes its time of update, or a delta would miss it.
func TestUpdatedMovesWithState(t *testing.T) {
	now := starts[1]
	w := world.New(3, now)
	later := now.Add(50 * time.Hour)
	for _, f := range w.FindingsAt(now) {
		before, after := f.At(now), f.At(later)
		changed := before.Closure != after.Closure || !before.ClosedAt.Equal(after.ClosedAt)
		if changed && !after.UpdatedAt.After(now) {
			t.Fatalf("%s %d: %v became %v", f.Source, f.ID, before, after)
		}
	}
}

// TestWrongClock: a clock that has lost its battery tells an odd story and ends nothing.
func TestWrongClock(t *testing.T) {
	for _, now := range []time.Time{time.Unix(0, 0), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		w := world.New(1, now)
		if findings, tickets := w.FindingsAt(now), w.ExceptionsAt(now); len(findings) == 0 || len(tickets) == 0 {
			t.Errorf("%v: %d findings, %d tickets", now, len(findings), len(tickets))
		}
	}
}
