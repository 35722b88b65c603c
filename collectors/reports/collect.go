package reports

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// warnUnmatched says once that the path template fits no report.
func (c *Collector) warnUnmatched(files []source) {
	if err := c.rule.matchesNone(files); err != nil {
		c.unmatched.Do(func() {
			c.env.Logger.Warn("No report has a repository by its path", "path", c.rule.path, "cause", err.Error())
		})
	}
}

// fileSources lists the files by name. The error says that not even a list could be made.
func (c *Collector) fileSources(ctx context.Context) ([]source, error) {
	files, err := c.trees.Files(ctx, sidecarSuffix)
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	all := make([]source, len(files))
	for i, f := range files {
		all[i] = fileSource(f)
	}
	return all, nil
}

// sources are the files, then the addresses in the order of the configuration, each fetched when its turn comes.
func (c *Collector) sources(ctx context.Context, files []source) iter.Seq[source] {
	return func(yield func(source) bool) {
		for _, s := range files {
			if !yield(s) {
				return
			}
		}
		for _, r := range c.remotes {
			if !yield(remoteSource(ctx, r)) {
				return
			}
		}
	}
}

// Collect reads every report and emits a batch for each subject of it. Every report is read whole each time; cursors tell when a scope was read last.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	files, err := c.fileSources(ctx)
	if err != nil {
		return err
	}
	c.warnUnmatched(files)
	statements, err := c.statements(ctx, files)
	if err != nil {
		return err
	}
	known := subjectsByPath(cursors)
	covered, read := map[string]bool{}, map[string]bool{}
	for s := range c.sources(ctx, files) {
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		batches, stated, err := c.source(ctx, s, statements, known[s.relative])
		read[s.relative] = err == nil
		if s.remote {
			statements = append(statements, stated...)
		}
		for _, b := range batches {
			covered[b.Scope] = true
			if err := emit(b); err != nil {
				return fmt.Errorf("reports: emit %s: %w", b.Scope, err)
			}
		}
	}
	if err := collectors.Canceled(ctx); err != nil {
		return err
	}
	for _, b := range c.retired(cursors, covered, read) {
		if err := emit(b); err != nil {
			return fmt.Errorf("reports: emit %s: %w", b.Scope, err)
		}
	}
	return collectors.Canceled(ctx)
}

// Forecast counts one request for each address in each collection, and none for files.
func (c *Collector) Forecast() map[string]float64 {
	if len(c.config.URLs) == 0 {
		return map[string]float64{}
	}
	interval := c.config.Interval
	if interval <= 0 {
		interval = Kind().Defaults.Interval
	}
	return map[string]float64{"": float64(len(c.config.URLs)) * float64(time.Hour) / float64(interval.Std())}
}

// Check reads every report.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	const unknown = "the findings of this report"
	files, err := c.fileSources(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []collectors.CheckResult{{Subject: "reports", Err: err, Unknown: "the findings of all reports"}}, nil
	}
	var results []collectors.CheckResult
	for s := range c.sources(ctx, files) {
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		_, err := c.report(ctx, s)
		results = append(results, collectors.CheckResult{Subject: "report " + s.relative, Err: err, Unknown: unknown})
	}
	if err := c.rule.matchesNone(files); err != nil {
		results = append(results, collectors.CheckResult{Subject: "repository.path", Err: err, Unknown: "the repositories of these reports"})
	}
	return results, ctx.Err()
}

// source reads one report, and returns what it says about the findings of others. One that cannot be read is an error of all that is known of its path.
func (c *Collector) source(ctx context.Context, s source, statements []format.Statement, known subjects) ([]record.Batch, []format.Statement, error) {
	r, err := c.report(ctx, s)
	if err != nil {
		var failed []record.Batch
		for _, scope := range known.scopes(s.relative) {
			failed = append(failed, record.Batch{Scope: scope, Err: err})
		}
		if len(failed) == 0 {
			failed = append(failed, record.Batch{Scope: plainScope(s.relative), Err: err})
		}
		return failed, nil, err
	}
	for _, what := range slices.Sorted(maps.Keys(r.Ignored)) {
		c.env.Logger.LogAttrs(ctx, slog.LevelDebug, "Left out of a report what is no finding",
			slog.String("report", s.relative), slog.String("what", what), slog.Int("count", r.Ignored[what]))
	}
	format.Suppress(r.Findings, statements)
	return c.batches(s, r, known), r.Statements, nil
}

// retired are the scopes that no report covers any more: plain ones whose report is read by subject now, and those of which nothing was said for as
// long as records are shown (a report that was deleted, a tool that was replaced). What they hold vanishes, which is no fix. A full sweep does not know
// since when, and retires none of the latter.
func (c *Collector) retired(cursors collectors.Cursors, covered map[string]bool, read map[string]bool) []record.Batch {
	staleAfter := c.config.StaleAfter
	if staleAfter <= 0 {
		staleAfter = Kind().Defaults.StaleAfter
	}
	var all []record.Batch
	for _, scope := range cursors.Gone(scopeKind, func(scope string) bool { return covered[scope] }) {
		path, subject := parseScope(scope)
		at, ok := cursors[scope].Time()
		silent := ok && c.env.Now().Sub(at) > staleAfter.Std()
		if silent || subject == (format.Subject{}) && read[path] {
			all = append(all, collectors.Retired(scope, record.ClosureNone))
		}
	}
	return all
}
