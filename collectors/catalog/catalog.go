// Package catalog reads the organisation's service catalog from YAML files: which services exist, who owns them, how much
// depends on them, which repositories hold their code, and which controls somebody has stated to hold.
//
// A file is read strictly and as a whole: one wrong line makes the scope fail with an error that names file, line and remedy,
// and the records of the last good reading stay. What the file does not say stays unknown.
//
// To read one more fact about services: a key in document.go, if package record has a field for it (record/service.go), with a row in README.md and a case in its test.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// kindName is the collector's name in configuration and labels.
const kindName = "catalog"

// maxFile bounds the bytes of a catalog file: 10,000 services are about 5 MB.
const maxFile = 64 << 20

// Config is the section of one catalog. Exactly one of Path and URL is set.
type Config struct {
	collectors.Common `yaml:",inline"`
	// Path names a file, or several by a glob pattern.
	Path string `yaml:"path,omitempty"`
	// URL is an http or https address of one file; Token, if set, is sent to it as a bearer token.
	URL   string           `yaml:"url,omitempty"`
	Token apiclient.Secret `yaml:"token,omitempty"`
}

// Collector reads one catalog. It implements collectors.Collector, collectors.Checker and collectors.Cataloger.
type Collector struct {
	config Config
	env    collectors.Env
	client *apiclient.Client // nil for files
	host   string
}

// New checks the configuration; it reads neither the catalog nor the secret.
func New(config Config, env collectors.Env) (*Collector, error) {
	c := &Collector{config: config, env: env}
	switch {
	case (config.Path == "") == (config.URL == ""):
		return nil, errors.New("catalog: set exactly one of path and url")
	case config.Path != "" && !config.Token.IsZero():
		return nil, errors.New("catalog: token goes with url, not with path")
	case config.Path != "":
		if _, err := filepath.Match(config.Path, ""); err != nil {
			return nil, fmt.Errorf("catalog: path %q is not a file name or glob pattern: %w", config.Path, err)
		}
		return c, nil
	}
	u, err := url.Parse(config.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("catalog: url must be a full address such as https://git.example.com/acme/catalog/raw/main/services.yml")
	}
	if u.User != nil {
		return nil, errors.New("catalog: url holds a user or password; name a token file instead")
	}
	var auth apiclient.Auth
	if !config.Token.IsZero() {
		if err := config.Token.Validate(); err != nil {
			return nil, fmt.Errorf("catalog: token: %w", err)
		}
		auth = apiclient.Bearer(config.Token)
	}
	c.host = u.Host
	c.client, err = env.Client(apiclient.Options{BaseURL: u.Scheme + "://" + u.Host, Auth: auth, MaxBody: maxFile})
	if err != nil {
		return nil, fmt.Errorf("catalog: url: %w", err)
	}
	return c, nil
}

// Kind is the entry for the list of collector kinds.
func Kind() collectors.Kind {
	return collectors.Kind{
		Name:    kindName,
		Summary: "services, owners, tiers, exposure, repositories and control statements from YAML files",
		Defaults: collectors.Common{
			Interval:     collectors.Duration(5 * time.Minute),
			FullInterval: collectors.Duration(5 * time.Minute),
			StaleAfter:   collectors.Duration(7 * 24 * time.Hour),
			Timeout:      collectors.Duration(time.Minute),
		},
		New: collectors.Builder(collectors.Zero[Config], New),
	}
}

// file is one catalog file that was read.
type file struct {
	scope   string
	name    string
	data    []byte
	written time.Time
	err     error
}

// Collect reads every file and emits one Full batch for each. Cursors are not used: a file is cheap to read whole.
func (c *Collector) Collect(ctx context.Context, known collectors.Cursors, emit func(record.Batch) error) error {
	files, err := c.files(ctx)
	if err != nil {
		return err
	}
	read := &merged{}
	emit = collectors.Emitter(ctx, kindName, emit)
	for _, f := range files {
		if err := emit(c.batch(f, read)); err != nil {
			return err
		}
	}
	// A file that the pattern no longer matches describes nothing any more.
	for _, scope := range known.Gone(kindName, func(scope string) bool {
		return slices.ContainsFunc(files, func(f file) bool { return f.scope == scope })
	}) {
		if err := emit(collectors.Retired(scope, record.ClosureNone)); err != nil {
			return err
		}
	}
	return collectors.Canceled(ctx)
}

// Forecast counts one request in each collection of a catalog that has an address, and none for files.
func (c *Collector) Forecast() map[string]float64 {
	if c.client == nil {
		return map[string]float64{}
	}
	interval := c.config.Interval
	if interval <= 0 {
		interval = Kind().Defaults.Interval
	}
	return map[string]float64{"": float64(time.Hour) / float64(interval.Std())}
}

// Check reads and parses every file.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	const unknown = "owners, tiers, exposure and repositories of services; everything is unattributed"
	files, err := c.files(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []collectors.CheckResult{{Subject: "catalog " + c.config.Path, Err: err, Unknown: unknown}}, nil
	}
	var (
		results []collectors.CheckResult
		read    = &merged{}
	)
	for _, f := range files {
		b := c.batch(f, read)
		results = append(results, collectors.CheckResult{Subject: "catalog " + f.name, Err: b.Err, Unknown: unknown})
	}
	return results, ctx.Err()
}

// Describes is true: that is all that it does.
func (*Collector) Describes() bool { return true }

// Catalog reads the services of all files. One file that cannot be read makes it fail, since nobody knows what it would say.
func (c *Collector) Catalog(ctx context.Context) ([]record.Service, error) {
	files, err := c.files(ctx)
	if err != nil {
		return nil, err
	}
	var services []record.Service
	read := &merged{}
	for _, f := range files {
		b := c.batch(f, read)
		if b.Err != nil {
			return nil, b.Err
		}
		services = append(services, b.Services...)
	}
	return services, nil
}

// merged remembers what the files of one reading claimed, so that two files cannot contradict each other.
type merged struct {
	services map[string]string
	defaults map[record.RepositoryName]string
}

// claim takes up a file's contents, or names the file that made the same claims first.
func (m *merged) claim(name string, c *contents) error {
	for _, s := range c.services {
		folded := strings.ToLower(s.Name)
		if other, dup := m.services[folded]; dup {
			return invalid(c.lines[folded], "service %q is described already in %s; keep one of the two", s.Name, other)
		}
	}
	for repository, service := range c.defaults {
		if other, dup := m.defaults[repository]; dup {
			return invalid(c.lines[strings.ToLower(service)], "service %q claims the whole repository %s, which %s gives to another service; "+
				"give one of them paths", service, repository, other)
		}
	}
	if m.services == nil {
		m.services, m.defaults = map[string]string{}, map[record.RepositoryName]string{}
	}
	for _, s := range c.services {
		m.services[strings.ToLower(s.Name)] = name
	}
	for repository := range c.defaults {
		m.defaults[repository] = name
	}
	return nil
}

func (c *Collector) batch(f file, read *merged) record.Batch {
	b := record.Batch{Scope: f.scope, Mode: record.Full}
	if f.err != nil {
		b.Err = f.err
		return b
	}
	parsed, err := parse(f.data, source{name: f.scope, written: f.written, now: c.env.Now()})
	if err == nil {
		err = read.claim(f.name, parsed)
	}
	if err != nil {
		b.Err = &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: %w", f.name, err)}
		return b
	}
	b.Services, b.Evidence = parsed.services, parsed.evidence
	return b
}

// files reads the configured file or files. The error says that not even their names are known.
func (c *Collector) files(ctx context.Context) ([]file, error) {
	if c.client != nil {
		return []file{c.fetch(ctx)}, nil
	}
	if !strings.ContainsAny(c.config.Path, "*?[") {
		return []file{read(c.config.Path, filepath.Base(c.config.Path))}, nil
	}
	names, err := filepath.Glob(c.config.Path)
	if err != nil {
		return nil, fmt.Errorf("catalog: path: %w", err) // New has checked the pattern
	}
	if len(names) == 0 {
		return nil, &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("no file matches the catalog's path %s", c.config.Path)}
	}
	slices.Sort(names)
	root := fixedPart(c.config.Path)
	files := make([]file, 0, len(names))
	for _, name := range names {
		relative, err := filepath.Rel(root, name)
		if err != nil {
			relative = name
		}
		files = append(files, read(name, filepath.ToSlash(relative)))
	}
	return files, nil
}

// fixedPart is the folder above the first pattern: scopes are named relative to it, so that they keep their names when
// the whole tree is mounted elsewhere.
func fixedPart(pattern string) string {
	at := strings.IndexAny(pattern, "*?[")
	return filepath.Dir(pattern[:at] + "x")
}

func read(path, relative string) file {
	f := file{scope: kindName + ":" + record.Text(relative), name: path}
	f.data, f.written, f.err = readFile(path)
	return f
}

func readFile(path string) ([]byte, time.Time, error) {
	fail := func(reason record.ErrorReason, err error) ([]byte, time.Time, error) {
		return nil, time.Time{}, &record.Error{Reason: reason, Err: fmt.Errorf("read catalog: %w", err)}
	}
	handle, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fail(record.ReasonNotFound, err)
	case errors.Is(err, os.ErrPermission):
		return fail(record.ReasonPermission, err)
	case err != nil:
		return fail(record.ReasonTransport, err)
	}
	defer handle.Close() //nolint:errcheck // Opened for reading only.
	info, err := handle.Stat()
	if err != nil {
		return fail(record.ReasonTransport, err)
	}
	data, err := io.ReadAll(io.LimitReader(handle, maxFile+1))
	switch {
	case err != nil:
		return fail(record.ReasonTransport, err)
	case len(data) > maxFile:
		return fail(record.ReasonDecode, fmt.Errorf("%s is larger than %d MB; split it", path, maxFile>>20))
	}
	return data, info.ModTime().UTC(), nil
}

// fetch reads the file over HTTP. Its evidence is as old as the server's Last-Modified; a server that names none leaves the age
// of undated statements unknown.
func (c *Collector) fetch(ctx context.Context) file {
	f := file{scope: kindName + ":" + c.host, name: "the catalog at " + c.host}
	response, err := c.client.Do(ctx, http.MethodGet, c.config.URL, nil, nil, &f.data)
	if err != nil {
		f.err = fmt.Errorf("read catalog: %w", err)
		return f
	}
	if written, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		f.written = written.UTC()
	}
	return f
}
