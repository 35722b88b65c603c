package github_test

import (
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

// simulated is a collector, with everything that is on by default, before a large organisation.
type simulated struct {
	*github.Collector
	simulation *githubtest.Simulation
	clock      *collectorstest.Clock
	cursors    collectors.Cursors
	lastRead   map[string]time.Time
	failed     map[string]error
}

func simulate(t testing.TB, repositories int) *simulated {
	t.Helper()
	clock := collectorstest.NewClock()
	if err := clock.Sleep(t.Context(), time.Hour-time.Duration(clock.Now().UnixNano()%int64(time.Hour))); err != nil { // to the full hour
		t.Fatal(err)
	}
	s := &simulated{simulation: githubtest.NewSimulation(clock.Now, repositories, 5000), clock: clock, cursors: collectors.Cursors{}, lastRead: map[string]time.Time{}, failed: map[string]error{}}
	server := httptest.NewServer(s.simulation)
	t.Cleanup(server.Close)
	cfg := github.Default()
	cfg.Name, cfg.URL, cfg.Organizations, cfg.Token = "large", server.URL, []string{"acme"}, collectorstest.Secret(t, "token")
	c, err := github.New(cfg, collectorstest.Env(clock, githubtest.Discard()))
	if err != nil {
		t.Fatal(err)
	}
	s.Collector = c
	return s
}

// collect collects once, and lets an interval pass.
func (s *simulated) collect(t testing.TB) {
	t.Helper()
	clear(s.failed)
	err := s.Collect(t.Context(), s.cursors, func(b record.Batch) error {
		if b.Err != nil {
			s.failed[b.Scope] = b.Err
			return nil //nolint:nilerr // It is kept for the test.
		}
		s.lastRead[b.Scope] = s.clock.Now()
		if b.Cursor != "" {
			s.cursors[b.Scope] = b.Cursor
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.clock.Sleep(t.Context(), 5*time.Minute); err != nil {
		t.Fatal(err)
	}
}

// hours collects for some hours and returns what that took.
func (s *simulated) hours(t testing.TB, n int) githubtest.Counts {
	t.Helper()
	s.simulation.Take()
	for range 12 * n {
		s.collect(t)
	}
	return s.simulation.Take()
}

// first collects until each scope of each repository was read, and returns how many collections and what that took.
func (s *simulated) first(t testing.TB, scopes int) (collections int, counts githubtest.Counts) {
	t.Helper()
	for len(s.cursors) < scopes && collections < 12*24 {
		s.collect(t)
		collections++
	}
	return collections, s.simulation.Take()
}

// scopesOf counts the scopes that an organisation of the simulation has: ten of the organisation, four of each repository that is not archived (deployments
// among them), and two more of those with workflows.
func scopesOf(repositories int) int { return 10 + repositories*9/10*4 + repositories*6/10*2 }

// TestALargeOrganisationFitsOneInstallation: a first sweep ends, no call is refused for rate, what is emitted never goes stale, and the forecast is what a steady hour takes.
func TestALargeOrganisationFitsOneInstallation(t *testing.T) {
	const repositories = 200
	s := simulate(t, repositories)
	collections, counts := s.first(t, scopesOf(repositories))
	if len(s.cursors) != scopesOf(repositories) || len(s.failed) > 0 {
		t.Fatalf("after %d collections there are %d scopes, want %d; failed: %v\n%s", collections, len(s.cursors), scopesOf(repositories), s.failed, counts)
	}
	s.hours(t, 2) // until the readings are spread
	counts = s.hours(t, 4)
	forecast := s.Forecast()
	for resource, took := range map[string]float64{"core": float64(githubtest.Total(counts.Calls)) / 4, "graphql": float64(githubtest.Total(counts.Points)) / 4} {
		if got := forecast[resource]; math.Abs(got-took) > took/10 {
			t.Errorf("the forecast of %s is %.0f an hour, and a steady hour takes %.0f:\n%s", resource, got, took, counts)
		}
	}
	for scope, at := range s.lastRead {
		if age := s.clock.Now().Sub(at); age > 6*time.Hour {
			t.Errorf("%s was emitted %s ago, which is stale", scope, age)
			break
		}
	}
}

// BenchmarkLargeOrganisation prints what GitHub charges for an organisation with 5,000 repositories: for the first sweep, a steady hour, and an hour in which 1 % of it changes.
func BenchmarkLargeOrganisation(b *testing.B) {
	const repositories = 5000
	for b.Loop() {
		s := simulate(b, repositories)
		collections, first := s.first(b, scopesOf(repositories))
		b.Logf("first sweep, %.1f hours, %d scopes:\n%s", float64(collections)/12, len(s.cursors), first)
		s.hours(b, 8)
		forecast := s.Forecast()
		steady := s.hours(b, 4)
		b.Logf("a steady hour (mean of four), forecast %.0f calls and %.0f points:\n%s", forecast["core"], forecast["graphql"], hourly(steady, 4))
		s.simulation.Change(0.01)
		changed := s.hours(b, 1)
		b.Logf("an hour with 1 %% change:\n%s", changed)
		b.ReportMetric(float64(githubtest.Total(first.Calls)), "first-calls")
		b.ReportMetric(float64(githubtest.Total(steady.Calls))/4, "steady-calls/h")
		b.ReportMetric(float64(githubtest.Total(steady.Points))/4, "steady-points/h")
		b.ReportMetric(float64(githubtest.Total(changed.Calls)), "changed-calls/h")
		var stale []string
		for scope, at := range s.lastRead {
			if s.clock.Now().Sub(at) > 6*time.Hour {
				stale = append(stale, scope)
			}
		}
		slices.Sort(stale)
		b.Logf("%d scopes are stale: %s", len(stale), strings.Join(stale[:min(3, len(stale))], " "))
	}
}

// hourly is what some hours took, by the hour.
func hourly(c githubtest.Counts, hours int) githubtest.Counts {
	share := func(counts map[string]int) map[string]int {
		shares := map[string]int{}
		for name, n := range counts {
			shares[name] = n / hours
		}
		return shares
	}
	return githubtest.Counts{Calls: share(c.Calls), Free: share(c.Free), Points: share(c.Points)}
}
