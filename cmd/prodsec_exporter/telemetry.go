package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/clock"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/httpclient"
	"prodsec_exporter/internal/web"
)

// telemetry is what the exporter knows about itself: its runs, its API calls, its configuration. It makes the metrics from that at
// each scrape, so that an instance that is gone leaves no ghost.
type telemetry struct {
	logger *slog.Logger
	// now is the wall clock, which is what tokens and rate limits go by. clock tells the time of the ledger, which follows no implausible jump.
	now   func() time.Time
	clock *clock.Clock

	duration *prometheus.HistogramVec
	panicked prometheus.Counter

	mu              sync.Mutex
	instances       map[instanceKey]*instance
	reloadGood      bool
	reloadGoodSince time.Time
}

// instanceKey names a collector instance.
type instanceKey struct{ kind, name string }

func keyOf(b config.Built) instanceKey { return instanceKey{b.Kind.Name, b.Settings.Name} }

func newTelemetry(logger *slog.Logger, now func() time.Time) *telemetry {
	return &telemetry{
		logger: logger, now: now, clock: clock.New(clock.Options{Logger: logger}), instances: map[instanceKey]*instance{},
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "prodsec_collection_duration_seconds",
			Help:    "How long runs of a collector took, failed ones included.",
			Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600}, NativeHistogramBucketFactor: 1.1,
			NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"collector", "instance_name"}),
		panicked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "prodsec_http_panics_total",
			Help: "Requests to the exporter's own pages whose answer panicked: a mistake in the exporter. The log has the stack.",
		}),
	}
}

// plan loads a configuration and builds its collectors, each with its part of the telemetry.
func (t *telemetry) plan(load func() (*config.Config, error)) (plan, error) {
	c, err := load()
	if c == nil {
		return plan{}, err
	}
	built, err := c.Build(t.env) // also tells what load found, so that all mistakes come at once
	if err != nil {
		return plan{}, err
	}
	for _, b := range built {
		// What a list leaves out cannot be found by a lower threshold.
		if list, ok := b.Collector.(interface{ EPSSMinimum() float64 }); ok && list.EPSSMinimum() > c.Policy.Config().EPSS {
			return plan{}, fmt.Errorf("%s: collectors.%s %s: epss_minimum %v is above policy.epss_threshold %v, so advisories between the two would be missed; lower it",
				c.File, b.Kind.Name, b.Settings.Name, list.EPSSMinimum(), c.Policy.Config().EPSS)
		}
	}
	return plan{config: c, built: built}, nil
}

// env is what a collector instance is given.
func (t *telemetry) env(kind, name string) collectors.Env {
	return collectors.Env{
		Logger:   t.logger.With("collector", kind, "instance_name", name),
		Observer: t.instance(instanceKey{kind, name}),
		Now:      t.now, Dated: t.clock.Answered, Transport: httpclient.New,
	}
}

// instance is what is known about an instance, from now on if it is new.
func (t *telemetry) instance(key instanceKey) *instance {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.instances[key]
	if i == nil {
		i = newInstance(key, t)
		t.instances[key] = i
	}
	return i
}

// observer is the part of an instance that its scheduler tells about runs.
func (t *telemetry) observer(b config.Built) *runs {
	i := t.instance(keyOf(b))
	forecaster, _ := b.Collector.(collectors.Forecaster)
	known := func() credentials { return credentialsOf(b) }
	i.mu.Lock()
	defer i.mu.Unlock()
	i.credentials = known()
	return &runs{instance: i, forecaster: forecaster, known: known}
}

// keep forgets every instance that is not among those given.
func (t *telemetry) keep(wanted map[instanceKey]config.Built) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.instances {
		if _, ok := wanted[key]; !ok {
			delete(t.instances, key)
			t.duration.DeleteLabelValues(key.kind, key.name)
		}
	}
	for key := range wanted {
		t.duration.WithLabelValues(key.kind, key.name)
	}
}

// reloaded notes whether the configuration file could be applied.
func (t *telemetry) reloaded(good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reloadGood = good
	if good {
		t.reloadGoodSince = t.now()
	}
}

// ledgerFailed logs a failure that has no caller to be returned to; the ledger counts it.
func (t *telemetry) ledgerFailed(doing string, err error) {
	t.logger.Error("The ledger failed", "doing", doing, "error", err)
}

// sorted are the instances in the order of their names.
func (t *telemetry) sorted() []*instance {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*instance, 0, len(t.instances))
	for _, i := range t.instances {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b *instance) int {
		return cmp.Or(cmp.Compare(a.key.kind, b.key.kind), cmp.Compare(a.key.name, b.key.name))
	})
	return all
}

// status is every instance in the words of the landing page.
func (t *telemetry) status() []web.Collector {
	all := t.sorted()
	page := make([]web.Collector, len(all))
	for n, i := range all {
		page[n] = i.status()
	}
	return page
}
