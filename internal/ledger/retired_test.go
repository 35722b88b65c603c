package ledger_test

import (
	"fmt"
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

func (s *story) hosts(n int, repositories ...record.Repository) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), "catalog", "host",
		record.Batch{Scope: "repositories:acme", Mode: record.Full, Repositories: append([]record.Repository{}, repositories...)}, day(n)))
}

// TestRetiredRepositories archives, deletes and restores a repository that the catalog goes on naming: its open weakness leaves the team's
// numbers and returns, by events that reconcile.
func TestRetiredRepositories(t *testing.T) {
	s := newStory(t, nil)
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "scanner", Instance: "one"}, {Collector: "catalog", Instance: "a"}, {Collector: "catalog", Instance: "host"}}, day(1)))
	alive, other := record.Repository{Name: "acme/api"}, record.Repository{Name: "acme/web"}
	archived := alive
	archived.Archived = true
	s.hosts(1, alive, other)
	s.catalog(1, "a", record.Service{Name: "api", Team: "red", Repositories: claim("acme/api")}, record.Service{Name: "web", Team: "blue", Repositories: claim("acme/web")})
	s.says(1)
	s.must(s.MarkFounded(t.Context(), day(1)))
	declared := critical("g", 2)
	declared.Service = "api" // its source names the service, and it is in another place of the repository
	s.says(2, critical("f", 2), declared)
	s.next()

	check := func(service string, orphaned bool) {
		t.Helper()
		known := s.Snapshot()
		for _, w := range known.Weaknesses.All() {
			if got := known.Services[w.Service].Name; got != service || w.Flags.Has(snapshot.Orphaned) != orphaned || !w.Open() {
				t.Errorf("a weakness belongs to %s (orphaned: %t, open: %t), want %s (%t, open)", got, w.Flags.Has(snapshot.Orphaned), w.Open(), service, orphaned)
			}
		}
	}
	check("api", false)
	for n, step := range []struct {
		repositories []record.Repository
		service      string
		orphaned     bool
	}{
		{[]record.Repository{archived, other}, record.Unattributed, true},
		{[]record.Repository{alive, other}, "api", false},
		{[]record.Repository{other}, record.Unattributed, true}, // the host no longer has it
		{[]record.Repository{alive, other}, "api", false},
	} {
		s.hosts(3+n, step.repositories...)
		check(step.service, step.orphaned)
		s.expect(fmt.Sprintf("moved_out critical %[1]d/%[1]d, moved_in critical %[1]d/%[1]d, moved_out critical %[1]d/%[1]d, moved_in critical %[1]d/%[1]d", 3+n))
	}
	s.hosts(8, archived, other)
	s.says(9, critical("f", 2), declared, critical("h", 9))
	check(record.Unattributed, true) // what is found there later has no owner either

	// A host that leaves the configuration takes no repository with it.
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "scanner", Instance: "one"}, {Collector: "catalog", Instance: "a"}}, day(10)))
	check("api", false)
}

// TestWhatADeletedRepositoryHeld: when the source lacks a finding because its repository is gone or archived, that is the reason, and neither a
// fix nor a disappearance nobody can explain.
func TestWhatADeletedRepositoryHeld(t *testing.T) {
	for name, tt := range map[string]struct {
		left []record.Repository
		want record.Closure
	}{
		"deleted":                            {[]record.Repository{{Name: "acme/web"}}, record.ClosureRepositoryDeleted},
		"archived":                           {[]record.Repository{{Name: "acme/api", Archived: true}, {Name: "acme/web"}}, record.ClosureRepositoryArchived},
		"still there, and nobody says why":   {[]record.Repository{{Name: "acme/api"}, {Name: "acme/web"}}, record.ClosureVanished},
		"another repository is the one gone": {[]record.Repository{{Name: "acme/api"}}, record.ClosureVanished},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, nil)
			s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "scanner", Instance: "one"}, {Collector: "catalog", Instance: "host"}}, day(1)))
			s.hosts(1, record.Repository{Name: "acme/api"}, record.Repository{Name: "acme/web"})
			s.says(1, critical("f", 1))
			s.must(s.MarkFounded(t.Context(), day(1)))
			s.hosts(3, tt.left...)
			s.says(4) // the sweep lacks it
			known := s.Snapshot()
			if got := known.Weaknesses.At(0).Closure.Closure(); got != tt.want {
				t.Errorf("closed as %s, want %s", got, tt.want)
			}
			for _, e := range known.Events.All() {
				if e.Kind == snapshot.EventFixed {
					t.Error("it counts as fixed")
				}
			}
		})
	}
}

// TestArchivingStopsNoClock: a weakness in a repository that was archived and is not any more has the clock that it had, however long ago the source last changed it.
func TestArchivingStopsNoClock(t *testing.T) {
	for _, reopen := range []policy.Reopen{policy.ReopenContinue, policy.ReopenRestart} {
		s := begun(t, func(c *policy.Config) { c.SLA.Reopen = reopen })
		s.says(2, critical("f", 2))
		s.says(3, closed(critical("f", 2), record.ClosureRepositoryArchived, 2))
		s.says(70, critical("f", 2))
		for _, w := range s.Snapshot().Weaknesses.All() {
			if !w.Open() || dayOf(w.ClockStart) != 2 || w.Flags.Has(snapshot.RestartedClock) {
				t.Errorf("%s: %+v, want it open and its clock that of day 2", reopen, w)
			}
		}
		fixed := begun(t, func(c *policy.Config) { c.SLA.Reopen = reopen })
		fixed.says(2, critical("f", 2))
		fixed.says(3, closed(critical("f", 2), record.ClosureFixed, 3))
		fixed.says(70, updated(critical("f", 2), 70))
		for _, w := range fixed.Snapshot().Weaknesses.All() {
			if !w.Flags.Has(snapshot.RestartedClock) {
				t.Errorf("%s: %+v, want a new clock after a fix of so long ago", reopen, w)
			}
		}
	}
}
