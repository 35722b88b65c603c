package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/schedule"
)

// missedPolls is after how many intervals without success a scope counts as stale.
const missedPolls = 2

// plan is a configuration with its collectors, built and not yet running.
type plan struct {
	config *config.Config
	built  []config.Built
}

// runningInstance is a collector instance with the scheduler that runs it. Each has its own, so that a reload leaves alone what it
// does not change.
type runningInstance struct {
	built     config.Built
	scheduler *schedule.Scheduler
	stop      context.CancelFunc
	done      chan struct{}
}

// start puts the first configuration in force; ctx is the life of all collectors.
func (e *exporter) start(ctx context.Context, p plan) error {
	e.lifetime = ctx
	err := e.apply(ctx, p)
	e.telemetry.reloaded(err == nil)
	return err
}

// reload puts the present file in force, or keeps the old configuration and says why.
func (e *exporter) reload(ctx context.Context) error {
	p, err := e.telemetry.plan(e.load)
	if err == nil {
		err = e.apply(ctx, p)
	}
	e.telemetry.reloaded(err == nil)
	if err != nil {
		e.logger.Error("Reloading failed; the old configuration stays in force", "error", err)
		return err
	}
	e.logger.Info("Reloaded the configuration", "file", p.config.File, "collectors", len(p.built), "policy", p.config.Policy.Version())
	e.touch()
	return nil
}

// apply brings ledger, policy and running collectors in line with a plan. Instances whose sections are unchanged go on running.
func (e *exporter) apply(ctx context.Context, p plan) error {
	e.applying.Lock()
	defer e.applying.Unlock()
	wanted := map[instanceKey]config.Built{}
	for _, b := range p.built {
		wanted[keyOf(b)] = b
	}
	ended := e.end(func(key instanceKey, r *runningInstance) bool { return wanted[key].Fingerprint != r.built.Fingerprint })
	if err := e.decide(ctx, p); err != nil {
		// What was stopped goes on under the old configuration.
		for _, r := range ended {
			if again := e.launch(r.built); again != nil {
				err = fmt.Errorf("%w; and %w", err, again)
			}
		}
		return err
	}
	for key, b := range wanted {
		if e.running[key] != nil {
			continue
		}
		if err := e.launch(b); err != nil {
			return err
		}
	}
	e.telemetry.keep(wanted)
	e.config.Store(p.config)
	return nil
}

// decide tells the ledger what is configured and what counts from now on.
func (e *exporter) decide(ctx context.Context, p plan) error {
	at := e.now()
	sources := make([]ledger.Source, len(p.built))
	for i, b := range p.built {
		sources[i] = ledger.Source{
			Collector: b.Kind.Name, Instance: b.Settings.Name,
			StaleAfter: b.Settings.StaleAfter.Std(), StaleFrom: staleFrom(b),
		}
	}
	if err := e.ledger.Configure(ctx, sources, at); err != nil {
		return err
	}
	if e.policy == nil || e.policy.Version() != p.config.Policy.Version() {
		if err := e.ledger.SetPolicy(ctx, p.config.Policy, at); err != nil {
			return err
		}
	}
	e.policy = p.config.Policy
	return nil
}

// staleFrom is how long after its last success a scope counts as stale although no error was reported: two missed polls and the
// time that a run takes, or half of the time for which its records are shown, whichever is longer. The second is for scopes that a
// collector reads at a slower pace of its own (branch protection, say).
func staleFrom(b config.Built) time.Duration {
	return max(missedPolls*b.Settings.Interval.Std()+b.Settings.Timeout.Std(), b.Settings.StaleAfter.Std()/2)
}

// end stops the running instances that match and waits for them.
func (e *exporter) end(match func(instanceKey, *runningInstance) bool) []*runningInstance {
	var ended []*runningInstance
	for key, r := range e.running {
		if match(key, r) {
			r.stop()
			ended = append(ended, r)
			delete(e.running, key)
		}
	}
	for _, r := range ended {
		<-r.done
	}
	return ended
}

// launch runs an instance until it is stopped or the exporter ends.
func (e *exporter) launch(b config.Built) error {
	scheduler, err := schedule.New(schedule.Options{
		Jobs: []schedule.Job{{
			Collector: b.Kind.Name, Instance: b.Settings.Name, Run: b.Collector,
			Interval: b.Settings.Interval.Std(), FullInterval: b.Settings.FullInterval.Std(), Timeout: b.Settings.Timeout.Std(),
		}},
		Sink: sink{e}, Observer: e.telemetry.observer(b), Logger: e.logger, Now: e.now,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(e.lifetime)
	r := &runningInstance{built: b, scheduler: scheduler, stop: stop, done: make(chan struct{})}
	e.running[keyOf(b)] = r
	if hinted, ok := b.Collector.(collectors.Hinted); ok && hinted.TakesHints() {
		e.telemetry.instance(keyOf(b)).takesDeliveries()
	}
	e.stopped.Go(func() {
		defer close(r.done)
		defer stop()
		if err := scheduler.Run(ctx); err != nil {
			e.logger.LogAttrs(ctx, slog.LevelError, "A collector's schedule ended", slog.String("collector", b.Kind.Name),
				slog.String("instance_name", b.Settings.Name), slog.Any("error", err))
		}
	})
	return nil
}
