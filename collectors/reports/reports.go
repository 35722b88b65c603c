// Package reports reads the report files that scanners leave behind: SARIF 2.1.0, Trivy, Grype and Semgrep JSON, CycloneDX
// JSON and XML, and OpenVEX, from folders and over HTTP. A file's format is told by its content, never by its name.
//
// What a tool finds of a class in the report at a path is a scope: what a report no longer lists of the classes that it looked for was fixed, unless the tool
// says that it failed. Files are read as streams, so that the memory needed is that of the findings and not that of the report.
//
// The package finds reports and decides which repository each speaks for; it knows no key of any format. Formats are packages below it, one each, which
// know neither each other nor this package; what they share is in package format, and how JSON and XML are read within bounds in package stream. A new
// format is a package that implements format.Format and a line in formats.go.
package reports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
)

// kindName is the collector's name in configuration and labels; scopeKind the kind of its scopes.
const (
	kindName  = "reports"
	scopeKind = "report"
)

// Config is the section of one set of reports. At least one of Paths and URLs is set.
type Config struct {
	collectors.Common `yaml:",inline"`
	// Paths are files, folders (read with everything below them) and glob patterns, in which ** stands for any folders.
	Paths []string `yaml:"paths,omitempty"`
	// URLs are http or https addresses of reports; Token, if set, is sent to all of them as a bearer token.
	URLs  []string         `yaml:"urls,omitempty"`
	Token apiclient.Secret `yaml:"token,omitempty"`
	// Repository says how to find the repository that a report speaks for.
	Repository RepositoryConfig `yaml:"repository,omitempty"`
	// Classes are what the tools of these reports look for, where the reports do not show it themselves: a report of Trivy, for example, has no word about
	// secrets where there are none.
	Classes []record.Class `yaml:"classes,omitempty"`
	// IncludeQuality takes in what rules report that are not about security (code quality, style); it is left out and counted otherwise.
	IncludeQuality bool `yaml:"include_quality,omitempty"`
}

// Collector reads one set of reports. It implements collectors.Collector and collectors.Checker.
type Collector struct {
	config  Config
	env     collectors.Env
	trees   filesource.Trees
	remotes []filesource.Remote
	rule    attribution
	formats []format.Format
	// unmatched says that it was told that the path template matches nothing.
	unmatched sync.Once
	// lastStatements are those of each VEX document among the files when it was last read.
	lastStatements map[string][]format.Statement
}

// New checks the configuration; it reads neither reports nor secrets.
func New(config Config, env collectors.Env) (*Collector, error) {
	if len(config.Paths)+len(config.URLs) == 0 {
		return nil, errors.New("reports: name at least one of paths and urls")
	}
	rule, err := newAttribution(config.Repository)
	if err != nil {
		return nil, fmt.Errorf("reports: repository: %w", err)
	}
	for _, class := range config.Classes {
		if !slices.Contains(record.Classes(), class) {
			return nil, fmt.Errorf("reports: classes: %q is none of %s", class, words(record.Classes()))
		}
	}
	c := &Collector{config: config, env: env, rule: rule, formats: formats(config)}
	if c.trees, err = filesource.NewTrees(config.Paths); err != nil {
		return nil, fmt.Errorf("reports: paths: %w", err)
	}
	var auth apiclient.Auth
	if !config.Token.IsZero() {
		if err := config.Token.Validate(); err != nil {
			return nil, fmt.Errorf("reports: token: %w", err)
		}
		auth = apiclient.Bearer(config.Token)
	}
	c.remotes, err = filesource.NewRemotes(config.URLs, env, filesource.RemoteOptions{
		Auth: auth, MaxBody: maxRemote, CacheBytes: -1, Example: "https://ci.example.com/reports/api.sarif", Content: "findings",
	})
	if err != nil {
		return nil, fmt.Errorf("reports: urls: %w", err)
	}
	return c, nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "findings from report files: SARIF, Trivy, Grype, Semgrep, CycloneDX (JSON and XML) and OpenVEX",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(15 * time.Minute),
			FullInterval: collectors.Duration(24 * time.Hour),
			StaleAfter:   collectors.Duration(14 * 24 * time.Hour),
			Timeout:      collectors.Duration(15 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
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
		if err := canceled(ctx); err != nil {
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
	if err := canceled(ctx); err != nil {
		return err
	}
	for _, b := range c.retired(cursors, covered, read) {
		if err := emit(b); err != nil {
			return fmt.Errorf("reports: emit %s: %w", b.Scope, err)
		}
	}
	return canceled(ctx)
}

// canceled is the error of a context that ended, nil otherwise.
func canceled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &record.Error{Reason: record.ReasonCanceled, Err: err}
	}
	return nil
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

func (c *Collector) report(ctx context.Context, s source) (*format.Report, error) {
	if s.err != nil {
		return nil, s.err
	}
	says, err := c.rule.of(s)
	if err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: err}
	}
	r, err := c.read(func() (io.ReadCloser, error) {
		body, err := s.open()
		if err != nil {
			return nil, err
		}
		return stoppable{ctx: ctx, ReadCloser: body}, nil
	})
	switch {
	case ctx.Err() != nil:
		return nil, &record.Error{Reason: record.ReasonCanceled, Err: ctx.Err()}
	case err != nil:
		return nil, named(s.shown, err)
	}
	says.apply(r)
	declare(r, c.config.Classes)
	return r, nil
}

// named says which report an error is about, and keeps its reason.
func named(report string, err error) error {
	reason := record.ReasonOf(err)
	if classified, ok := errors.AsType[*record.Error](err); ok {
		err = classified.Err
	} else {
		reason = record.ReasonTransport
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("report %s: %w", report, err)}
}

// stoppable ends a long read soon after its context.
type stoppable struct {
	io.ReadCloser
	ctx context.Context
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.ReadCloser.Read(p)
}

// words lists typed words for a message.
func words[T ~string](list []T) string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}
