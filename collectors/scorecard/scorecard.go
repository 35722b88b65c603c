// Package scorecard reads results of OpenSSF Scorecard as evidence of controls: for public repositories from the project's API, and for
// any repository from the JSON that the tool writes in CI.
//
// A check with a score is evidence that a control holds, or does not, as of the day of the result. A check that Scorecard calls
// inconclusive, and a repository that nobody has scanned, are no evidence that it does not.
//
// Which checks speak for which control is configuration. To read another form of result: result.go, with a case in its test.
package scorecard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
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
	kindName = "scorecard"

	defaultURL      = "https://api.securityscorecards.dev"
	defaultInterval = 12 * time.Hour
	// maxResult bounds the bytes of a result; with all details one is well below 1 MB.
	maxResult = 16 << 20
)

// Config is the section of one set of results. At least one of Repositories, Paths and URLs is set.
type Config struct {
	collectors.Common `yaml:",inline"`
	// Repositories are public repositories whose results the API is asked for, as "owner/name" or "host/owner/name".
	Repositories []string `yaml:"repositories,omitempty"`
	// API is the base of the API; https://api.securityscorecards.dev if not set. No credential is ever sent there.
	API string `yaml:"api,omitempty"`
	// Paths are result files and glob patterns of them.
	Paths []string `yaml:"paths,omitempty"`
	// URLs are http or https addresses of results; Token, if set, is sent to all of them as a bearer token.
	URLs  []string         `yaml:"urls,omitempty"`
	Token apiclient.Secret `yaml:"token,omitempty"`
	// Controls say which checks speak for a control; they replace the default for the controls they name.
	Controls map[string][]Check `yaml:"controls,omitempty"`
}

// Check is one check of Scorecard as a condition of a control.
type Check struct {
	// Name is Scorecard's name of it, such as "Branch-Protection".
	Name string `yaml:"check"`
	// Least is the score, 1 to 10, from which on the check speaks for the control; 10 if not set.
	Least int `yaml:"least,omitempty"`
}

// Collector reads one set of results. It implements collectors.Collector, collectors.Checker and collectors.Forecaster.
type Collector struct {
	config       Config
	env          collectors.Env
	rules        rules
	api          *apiclient.Client // nil where no repository is configured
	repositories []record.RepositoryName
	remotes      []filesource.Remote

	mu    sync.Mutex
	notes map[record.RepositoryName]bool
}

// New checks the configuration; it reads neither results nor the token.
func New(config Config, env collectors.Env) (*Collector, error) {
	if config.Interval <= 0 {
		config.Interval = collectors.Duration(defaultInterval)
	}
	c := &Collector{config: config, env: env, notes: map[record.RepositoryName]bool{}}
	for _, step := range []func() error{c.checkSources, c.prepareAPI, c.prepareRemotes} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("scorecard: %w", err)
		}
	}
	var err error
	if c.rules, err = newRules(config.Controls); err != nil {
		return nil, fmt.Errorf("scorecard: controls: %w", err)
	}
	return c, nil
}

func (c *Collector) checkSources() error {
	if len(c.config.Repositories)+len(c.config.Paths)+len(c.config.URLs) == 0 {
		return errors.New("name at least one of repositories, paths and urls")
	}
	if err := filesource.CheckPatterns(c.config.Paths, "/results/*.json"); err != nil {
		return fmt.Errorf("paths: %w", err)
	}
	switch {
	case c.config.Token.IsZero():
		return nil
	case len(c.config.URLs) == 0:
		return errors.New("token goes with urls; nothing else is asked with it")
	}
	if err := c.config.Token.Validate(); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return nil
}

func (c *Collector) prepareAPI() error {
	for _, text := range c.config.Repositories {
		name, err := record.ParseRepository(text)
		if err != nil {
			return fmt.Errorf("repositories: %w", err)
		}
		if slices.Contains(c.repositories, name) {
			return fmt.Errorf("repositories: %s is named twice", name)
		}
		c.repositories = append(c.repositories, name)
	}
	if len(c.repositories) == 0 {
		return nil
	}
	slices.Sort(c.repositories)
	var err error
	if c.api, err = c.env.Client(apiclient.Options{BaseURL: cmp.Or(c.config.API, defaultURL), MaxBody: maxResult}); err != nil {
		return fmt.Errorf("api: %w", err)
	}
	return nil
}

func (c *Collector) prepareRemotes() error {
	var auth apiclient.Auth
	if !c.config.Token.IsZero() {
		auth = apiclient.Bearer(c.config.Token)
	}
	var err error
	c.remotes, err = filesource.NewRemotes(c.config.URLs, c.env, filesource.RemoteOptions{
		Auth: auth, MaxBody: maxResult, Example: "https://ci.example.com/results/api.json", Content: "evidence",
	})
	if err != nil {
		return fmt.Errorf("urls: %w", err)
	}
	return nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "OpenSSF Scorecard results as evidence of controls",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(defaultInterval),
			FullInterval: collectors.Duration(defaultInterval),
			StaleAfter:   collectors.Duration(14 * 24 * time.Hour),
			Timeout:      collectors.Duration(15 * time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// Collect reads every result and emits one Full batch for each. Cursors are not used: a result is a whole.
func (c *Collector) Collect(ctx context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
	return c.each(ctx, func(r reading) error {
		if r.unscanned {
			c.note(r.repository)
		}
		if err := emit(r.batch); err != nil {
			return fmt.Errorf("scorecard: emit %s: %w", r.batch.Scope, err)
		}
		return nil
	})
}

// note says once of a repository that nobody has scanned it.
func (c *Collector) note(repository record.RepositoryName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.notes[repository] {
		c.notes[repository] = true
		c.env.Logger.Info("The API of Scorecard has no result of a repository; it scans public ones only", "repository", repository)
	}
}

// Check reads every result, which costs what a collection costs: a request for each repository and address.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	var results []collectors.CheckResult
	err := c.each(ctx, func(r reading) error {
		result := collectors.CheckResult{Subject: r.subject, Err: r.batch.Err, Unknown: "the controls that Scorecard speaks for"}
		if r.unscanned {
			result.Subject += ": not scanned, so its controls are unknown"
		}
		results = append(results, result)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		results = append(results, collectors.CheckResult{Subject: "files", Err: err, Unknown: "the controls that Scorecard speaks for"})
		err = nil
	}
	return results, err
}

// Forecast is the requests per hour: one for each repository and address. None states a budget, so there is one resource.
func (c *Collector) Forecast() map[string]float64 {
	requests := len(c.repositories) + len(c.remotes)
	if requests == 0 {
		return map[string]float64{}
	}
	return map[string]float64{"": float64(requests) * float64(time.Hour) / float64(c.config.Interval.Std())}
}

// address is where the API keeps the result of a repository.
func address(repository record.RepositoryName) string {
	name := string(repository)
	if strings.Count(name, "/") == 1 {
		name = "github.com/" + name
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "projects/" + strings.Join(parts, "/")
}
