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
	"errors"
	"fmt"
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
	c := &Collector{config: config, env: env, rule: rule, formats: formats(config.IncludeQuality)}
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

// words lists typed words for a message.
func words[T ~string](list []T) string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}
