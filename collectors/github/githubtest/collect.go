package githubtest

import (
	"log/slog"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/part"
	"prodsec_exporter/internal/record"
)

// Posture collects once from a source with every scope.
func Posture(t *testing.T, change func(*github.Config), alter func(*collectorstest.Server)) (map[string]record.Batch, *github.Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := Setup(t, func(cfg *github.Config) {
		*cfg = PostureOn(*cfg)
		if change != nil {
			change(cfg)
		}
	})
	ServePosture(s)
	ServeDelivery(s)
	if alter != nil {
		alter(s)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return batches, c, s, clock
}

// Released collects once, with all scopes about building and releasing.
func Released(t *testing.T, change func(*github.Config), alter func(*collectorstest.Server)) (map[string]record.Batch, *github.Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := Setup(t, func(cfg *github.Config) {
		*cfg = TrustOn(*cfg)
		if change != nil {
			change(cfg)
		}
	})
	ServePosture(s)
	ServeTrust(s)
	if alter != nil {
		alter(s)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return batches, c, s, clock
}

// Scope reads one scope of a collector, and nothing else.
func Scope(t *testing.T, c *github.Collector, name string) record.Batch {
	t.Helper()
	var found record.Batch
	err := c.CollectScopes(t.Context(), []string{name}, collectors.Cursors{}, func(b record.Batch) error {
		found = b
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Restarted is a collector before the same fake GitHub that remembers nothing.
func Restarted(t *testing.T, s *collectorstest.Server, clock *collectorstest.Clock, change func(*github.Config)) *github.Collector {
	t.Helper()
	cfg := Configuration(s.URL(), collectorstest.Secret(t, collectorstest.Token))
	if change != nil {
		change(&cfg)
	}
	c, err := github.New(cfg, collectorstest.Env(clock, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Env is what a part is given, before an address that answers nothing.
func Env(t testing.TB) part.Env { return EnvAt(t, "https://api.github.com") }

// EnvAt is what a part is given, before a fake GitHub.
func EnvAt(t testing.TB, address string) part.Env {
	t.Helper()
	env := collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler))
	client, err := api.New(address, collectorstest.Secret(t, "x"), api.App{}, env)
	if err != nil {
		t.Fatal(err)
	}
	return part.Env{API: client, Questions: api.NewQuestions(env.Now, env.Logger, time.Hour, 5*time.Minute), Logger: env.Logger, Now: env.Now, Intervals: part.Intervals{
		Collection: 5 * time.Minute, Posture: time.Hour, Repository: 4 * time.Hour, Full: 24 * time.Hour,
	}, RepositoriesPerCollection: 50}
}
