package main

import (
	"context"
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
	} else {
		e.applying.Lock()
		e.telemetry.keep(e.builtRunning())
		e.applying.Unlock()
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

// apply brings ledger, policy and running collectors in line with a plan, or leaves everything as it was. Instances whose sections are unchanged go on running.
func (e *exporter) apply(ctx context.Context, p plan) (err error) {
	e.applying.Lock()
	defer e.applying.Unlock()
	defer func() {
		if err != nil {
			e.telemetry.keep(e.builtRunning()) // making the plan told it of instances that will not run
		}
	}()
	wanted := map[instanceKey]config.Built{}
	for _, b := range p.built {
		wanted[keyOf(b)] = b
	}
	changed := func(key instanceKey, r *runningInstance) bool { return wanted[key].Fingerprint != r.built.Fingerprint }
	var fresh []prepared
	for key, b := range wanted {
		if r := e.running[key]; r != nil && !changed(key, r) {
			continue
		}
		one, err := e.prepare(b)
		if err != nil {
			return err
		}
		fresh = append(fresh, one)
	}
	ended, err := e.prepareAgain(changed)
	if err != nil {
		return err
	}
	e.end(changed) // before its records leave, so that no batch comes in behind them
	if err := e.decide(ctx, p); err != nil {
		for _, one := range ended {
			e.launch(one) // what was stopped goes on under the old configuration
		}
		return err
	}
	for _, one := range fresh {
		e.launch(one)
	}
	e.telemetry.keep(wanted)
	e.config.Store(p.config)
	return nil
}

// builtRunning are the running instances.
func (e *exporter) builtRunning() map[instanceKey]config.Built {
	built := make(map[instanceKey]config.Built, len(e.running))
	for key, r := range e.running {
		built[key] = r.built
	}
	return built
}

// decide tells the ledger what is configured and what counts from now on.
func (e *exporter) decide(ctx context.Context, p plan) error {
	sources := make([]ledger.Source, len(p.built))
	for i, b := range p.built {
		sources[i] = ledger.Source{
			Collector: b.Kind.Name, Instance: b.Settings.Name,
			StaleAfter: b.Settings.StaleAfter.Std(), StaleFrom: staleFrom(b),
		}
	}
	if err := e.ledger.Reconfigure(ctx, sources, p.config.Policy, e.now()); err != nil {
		return err
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
func (e *exporter) end(match func(instanceKey, *runningInstance) bool) {
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
}

// prepared is an instance that is ready to be launched, which cannot fail.
type prepared struct {
	built     config.Built
	scheduler *schedule.Scheduler
}

func (e *exporter) prepare(b config.Built) (prepared, error) {
	scheduler, err := schedule.New(schedule.Options{
		Jobs: []schedule.Job{{
			Collector: b.Kind.Name, Instance: b.Settings.Name, Run: b.Collector,
			Interval: b.Settings.Interval.Std(), FullInterval: b.Settings.FullInterval.Std(), Timeout: b.Settings.Timeout.Std(),
		}},
		Sink: sink{e}, Observer: e.telemetry.observer(b), Logger: e.logger, Now: e.now,
	})
	return prepared{b, scheduler}, err
}

// prepareAgain prepares the running instances that match, in case that what should replace them fails.
func (e *exporter) prepareAgain(match func(instanceKey, *runningInstance) bool) ([]prepared, error) {
	var again []prepared
	for key, r := range e.running {
		if !match(key, r) {
			continue
		}
		one, err := e.prepare(r.built)
		if err != nil {
			return nil, err
		}
		again = append(again, one)
	}
	return again, nil
}

// launch runs an instance until it is stopped or the exporter ends.
func (e *exporter) launch(one prepared) {
	b := one.built
	ctx, stop := context.WithCancel(e.lifetime)
	r := &runningInstance{built: b, scheduler: one.scheduler, stop: stop, done: make(chan struct{})}
	e.running[keyOf(b)] = r
	if hinted, ok := b.Collector.(collectors.Hinted); ok && hinted.TakesHints() {
		e.telemetry.instance(keyOf(b)).takesDeliveries()
	}
	e.stopped.Go(func() {
		defer close(r.done)
		defer stop()
		if err := r.scheduler.Run(ctx); err != nil {
			e.logger.LogAttrs(ctx, slog.LevelError, "A collector's schedule ended", slog.String("collector", b.Kind.Name),
				slog.String("instance_name", b.Settings.Name), slog.Any("error", err))
		}
	})
}
