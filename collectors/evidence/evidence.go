// Package evidence reads statements that controls hold, or do not: documents in the exporter's own form (docs/evidence.schema.json), which any tool can
// write, and Kubernetes policy reports (PolicyReport and ClusterPolicyReport of wgpolicyk8s.io, Report and ClusterReport of openreports.io), as
// kubectl and policy engines export them. Both may stand in one file or behind one address, as JSON or YAML, one after the other or in lists.
//
// A source is read as a stream, item by item, and what is kept of it are its controls and services, not its items.
//
// To read another form of document: a reader like policyreport.go, recognised in stream.go by a key that no other form has.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
)

const (
	// kindName is the collector's name in configuration and labels.
	kindName = "evidence"

	defaultInterval = 15 * time.Minute
)

// Config is the section of one set of sources. At least one of Paths and URLs is set.
type Config struct {
	collectors.Common `yaml:",inline"`
	// Paths are files and glob patterns of them.
	Paths []string `yaml:"paths,omitempty"`
	// URLs are http or https addresses. Token, if set, is sent to all of them: as a bearer token, as the value of Header, or as the password of User.
	URLs   []string         `yaml:"urls,omitempty"`
	Token  apiclient.Secret `yaml:"token,omitempty"`
	Header string           `yaml:"header,omitempty"`
	User   string           `yaml:"user,omitempty"`
	// PolicyReports says what the results of policy reports mean.
	PolicyReports PolicyReports `yaml:"policy_reports,omitempty"`
}

// Collector reads one set of sources. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	config  Config
	env     collectors.Env
	reports *reportRules
	remotes []filesource.Remote

	mu      sync.Mutex
	strange map[string]bool
}

// New checks the configuration; it reads neither sources nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	if config.Interval <= 0 {
		config.Interval = collectors.Duration(defaultInterval)
	}
	c := &Collector{config: config, env: env, strange: map[string]bool{}}
	for _, step := range []func() error{c.checkSources, c.prepareRemotes, c.prepareReports} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
	}
	return c, nil
}

func (c *Collector) checkSources() error {
	if len(c.config.Paths)+len(c.config.URLs) == 0 {
		return errors.New("name at least one of paths and urls")
	}
	if err := filesource.CheckPatterns(c.config.Paths, "/evidence/*.json"); err != nil {
		return fmt.Errorf("paths: %w", err)
	}
	switch {
	case c.config.Token.IsZero() && c.config.Header != "":
		return errors.New("header: goes with token, whose value is sent in it")
	case c.config.Token.IsZero() && c.config.User != "":
		return errors.New("user: goes with token, which is its password")
	case c.config.Header != "" && c.config.User != "":
		return errors.New("user: goes without header; the token is sent in one way")
	case c.config.Token.IsZero():
		return nil
	case len(c.config.URLs) == 0:
		return errors.New("token: goes with urls; nothing else is asked with it")
	}
	if err := c.config.Token.Validate(); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return nil
}

func (c *Collector) prepareRemotes() error {
	var err error
	c.remotes, err = filesource.NewRemotes(c.config.URLs, c.env, filesource.RemoteOptions{
		Auth: c.auth(), MaxBody: maxRemote, CacheBytes: -1, Example: "https://posture.example.com/evidence.json", Content: "evidence",
	})
	if err != nil {
		return fmt.Errorf("urls: %w", err)
	}
	return nil
}

func (c *Collector) auth() apiclient.Auth {
	switch {
	case c.config.Token.IsZero():
		return apiclient.Anonymous()
	case c.config.Header != "":
		return apiclient.Header(c.config.Header, c.config.Token)
	case c.config.User != "":
		return apiclient.Basic(c.config.User, c.config.Token)
	default:
		return apiclient.Bearer(c.config.Token)
	}
}

func (c *Collector) prepareReports() error {
	var err error
	if c.reports, err = newReportRules(c.config.PolicyReports); err != nil {
		return fmt.Errorf("policy_reports.%w", err)
	}
	return nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "statements that controls hold: evidence documents of any tool, and Kubernetes policy reports",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(defaultInterval),
			FullInterval: collectors.Duration(defaultInterval),
			StaleAfter:   collectors.Duration(7 * 24 * time.Hour),
			Timeout:      collectors.Duration(10 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads every source and emits one Full batch for each. Cursors are not used: a source is a whole.
func (c *Collector) Collect(ctx context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
	return c.each(ctx, func(s source, b record.Batch) error {
		if err := emit(b); err != nil {
			return fmt.Errorf("evidence: emit %s: %w", b.Scope, err)
		}
		return nil
	})
}

// Check reads every source, which costs what a collection costs.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	const unknown = "the controls that it speaks for"
	var results []collectors.CheckResult
	err := c.each(ctx, func(s source, b record.Batch) error {
		subject := s.subject
		if b.Err == nil {
			subject = fmt.Sprintf("%s: %d statements", s.subject, len(b.Evidence))
		}
		results = append(results, collectors.CheckResult{Subject: subject, Err: b.Err, Unknown: unknown})
		return nil
	})
	if err != nil && ctx.Err() == nil {
		results = append(results, collectors.CheckResult{Subject: "files", Err: err, Unknown: unknown})
		err = nil
	}
	return results, err
}

// Forecast is the requests per hour: one for each address. None states a budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	if len(c.remotes) == 0 {
		return map[string]float64{}
	}
	return map[string]float64{"": float64(len(c.remotes)) * float64(time.Hour) / float64(c.config.Interval.Std())}
}

// maxRemote bounds a source read over HTTP: unlike a file it is held in memory while it is read.
const maxRemote = 128 << 20

// scopeOf is the name of a source's scope. The part before the colon is its kind.
func scopeOf(kind, name string) string { return kind + ":" + strings.TrimSpace(name) }
