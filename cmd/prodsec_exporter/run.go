package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/common/version"
	"golang.org/x/sync/errgroup"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/web"
)

// serve polls and serves until ctx ends.
func (p *program) serve(ctx context.Context) (err error) {
	started := time.Now()
	// From the first moment on, because a SIGHUP that nobody listens for ends the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	p.logger.Info("Starting prodsec_exporter", "version", version.Info(), "build", version.BuildContext(), "demo", p.demo)
	load, endSource, err := p.source(ctx)
	if err != nil {
		return err
	}
	defer closing(endSource, &err)
	path, removeLedger, err := p.ledgerFile()
	if err != nil {
		return err
	}
	defer closing(removeLedger, &err)

	telemetry := newTelemetry(p.logger, time.Now)
	first := load
	changes := p.demo && !p.ledgerSet // a ledger that is kept has seen the change
	if changes {
		first = before(load)
	}
	plan, err := telemetry.plan(first)
	if err != nil {
		return err
	}
	if err := checkLedgerPlace(path); err != nil {
		return err
	}
	holder, err := ledger.Hold(path, started)
	if err != nil {
		return err
	}
	defer closing(holder.Release, &err)
	kept, err := ledger.Open(ctx, ledger.Options{Path: path, Policy: plan.config.Policy, Resume: telemetry.clock.Resume, Measure: metrics.Headlines, Logger: p.logger})
	if err != nil {
		return err
	}
	defer closing(kept.Close, &err)
	p.logger.Info("Opened the ledger", "path", path, "bytes", kept.Stats().Bytes)

	e := newExporter(kept, telemetry, load, p.logger)
	if changes {
		e.onFounding = e.reload
	}
	group, ctx := errgroup.WithContext(ctx) // before the collectors start, so that they end when the web server cannot
	if err := e.start(ctx, plan); err != nil {
		return err
	}
	group.Go(func() error { return e.run(ctx) })
	group.Go(func() error { return p.reloads(ctx, e, hangups) })
	group.Go(func() error { return web.Serve(ctx, web.Handler(p.pages(e)), p.web, p.logger, p.listening) })
	err = group.Wait()
	p.logger.Info("Stopped", "after", time.Since(started).Round(time.Millisecond))
	return err
}

func (p *program) pages(e *exporter) web.Options {
	return web.Options{
		Metrics:  e.store,
		Status:   e.status,
		Reload:   e.reload,
		Config:   func() (string, error) { return e.current().Masked() },
		Receiver: e.receiver,
		Private:  web.NewAccess(p.web).Allows,
		Panicked: e.telemetry.panicked.Inc,
		Evidence: e, ShowEvidence: p.showEvidence,
		Version: version.Version,
		Logger:  p.logger,
	}
}

// reloads applies the configuration anew at each SIGHUP until ctx ends.
func (p *program) reloads(ctx context.Context, e *exporter, hangups <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			// The old configuration stays in force where this fails, which reload has logged and counted; a stop meanwhile is no failure.
			_ = e.reload(ctx)
		}
	}
}
