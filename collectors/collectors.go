// Package collectors holds the contract between the systems that know something about product security and the
// ledger that keeps what was learned.
//
// # How to add one
//
//  1. Make a folder collectors/<kind> with a package of that name and a README: scopes or permissions needed, calls
//     per poll, records yielded, how vendor values map to constants of package record.
//  2. Write a Config struct that embeds Common inline, a New(Config, Env) constructor that starts nothing, and a type
//     that implements Collector. Env.Client makes its HTTP client; platform.New (internal/platform) makes what collectors that ask a platform page by page
//     are built from. Import only this package, internal/record, internal/apiclient, internal/platform, internal/translate and the vendor's SDK.
//  3. Run the conformance suite of collectors/collectorstest in its test.
//  4. Add one line to cmd/prodsec_exporter/kinds.go.
//
// Nothing else changes: configuration, scheduling, storage, metrics and the exporter's own metrics follow from the
// contract.
package collectors

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Collector reads one system and yields what it learned in batches.
type Collector interface {
	// Collect reads what changed since the cursors it is given and emits one batch per scope that was read whole.
	// A scope without a cursor is read whole and emitted as a record.Full batch; a scope with one may be emitted as
	// a record.Delta. A scope that could not be read is emitted with Batch.Err set, keeps its previous records and
	// does not stop the others. A collector that finds its scopes at the source retires those that are gone (Cursors.Gone, Retired), once it has read
	// the others: what moved to another scope is no loss then. Collect returns an error only when no scope could be determined at all (for
	// example when the list of organisations cannot be read), when emit fails, or when ctx ends; it returns soon after ctx ends.
	// Two calls against an unchanged source emit equal records.
	Collect(ctx context.Context, cursors Cursors, emit func(record.Batch) error) error
}

// Cursors are, by scope, the stored cursors of what is known of a collector instance. A scope that is known and to be read whole has an empty one; where
// all are empty, a full sweep is asked for.
type Cursors map[string]record.Cursor

// Sweep reports whether a full sweep is asked for.
func (c Cursors) Sweep() bool {
	for _, cursor := range c {
		if cursor != "" {
			return false
		}
	}
	return true
}

// Gone are the known scopes of a kind (the text before the first colon of their names) that are not among those that there are, in order.
func (c Cursors) Gone(kind string, exists func(scope string) bool) []string {
	var gone []string
	for scope := range c {
		if strings.HasPrefix(scope, kind+":") && !exists(scope) {
			gone = append(gone, scope)
		}
	}
	slices.Sort(gone)
	return gone
}

// Retired is the batch of a scope that is gone at its source. What it held is closed for the reason, or as vanished where the source does not say why
// it is gone (record.ClosureNone).
func Retired(scope string, reason record.Closure) record.Batch {
	return record.Batch{Scope: scope, Mode: record.Full, Retired: true, Absence: reason}
}

// Checker is implemented by collectors that can prove their credentials and name what is missing, for the command
// "check --online".
type Checker interface {
	// Check makes the cheapest requests that prove each thing the collector will read. It returns an error only
	// when ctx ends.
	Check(ctx context.Context) ([]CheckResult, error)
}

// CheckResult is one thing that was tried by Check.
type CheckResult struct {
	// Subject says what was tried, e.g. "organisation acme: Dependabot alerts".
	Subject string
	// Err is nil when it works. It wraps a *record.Error, whose Permission names what is missing.
	Err error
	// Unknown says what remains unknown because of Err, in the words of the metrics' documentation.
	Unknown string
	// Optional says that what is missing is more than a credential should have: the check tells what is unknown and does not fail.
	Optional bool
	// Notes are what a person should know although it works, a line each.
	Notes []string
}

// Switched is implemented by sections of the configuration that may be written as true or false, too.
type Switched interface {
	// Switch takes what is written in the place of the section.
	Switch(on bool)
}

// Forecaster is implemented by collectors that can say what a steady state costs.
type Forecaster interface {
	// Forecast estimates API requests per hour by resource (rate-limit bucket), from the configuration and what the last
	// collection saw.
	Forecast() map[string]float64
}

// Cataloger is implemented by collectors that describe services and cost little to read whole, so that the command "check --online" can
// name what several of them know differently before it counts.
type Cataloger interface {
	// Describes reports whether the configuration makes it a catalog.
	Describes() bool
	// Catalog reads the services whole, as Collect would emit them. The error wraps a *record.Error.
	Catalog(ctx context.Context) ([]record.Service, error)
}

// Common are the settings that every collector instance has. Config structs embed it inline.
type Common struct {
	// Name tells instances of a kind apart; it is the label instance_name.
	Name string `yaml:"name"`
	// Interval between collections, FullInterval between collections without cursors, StaleAfter how long records
	// of a scope are shown after its last success, Timeout the bound of one collection.
	Interval     Duration `yaml:"interval,omitempty"`
	FullInterval Duration `yaml:"full_interval,omitempty"`
	StaleAfter   Duration `yaml:"stale_after,omitempty"`
	Timeout      Duration `yaml:"timeout,omitempty"`
	// HTTPClient is how the source is reached; nil is as HTTPClient says of what is not set.
	HTTPClient *HTTPClient `yaml:"http_client,omitempty"`
	// CredentialExpires is the last day of the credential, for sources that do not tell it; see CredentialReporter.
	CredentialExpires Day `yaml:"credential_expires,omitempty"`
}

// Settings returns the common settings; embedding Common makes every Config satisfy the interface that the wiring
// asks for.
func (c Common) Settings() Common { return c }

// Or is the settings with what they leave open taken from a kind's defaults.
func (c Common) Or(defaults Common) Common {
	for _, f := range []struct{ value, fallback *Duration }{
		{&c.Interval, &defaults.Interval}, {&c.FullInterval, &defaults.FullInterval}, {&c.StaleAfter, &defaults.StaleAfter}, {&c.Timeout, &defaults.Timeout},
	} {
		if *f.value <= 0 {
			*f.value = *f.fallback
		}
	}
	c.FullInterval = max(c.FullInterval, c.Interval)
	return c
}

// Env is what the wiring gives a collector.
type Env struct {
	// Logger carries the attributes "collector" and "instance_name".
	Logger *slog.Logger
	// Observer is told of every API request and budget; never nil.
	Observer apiclient.Observer
	// Dated is told of the dates of API answers; nil for nobody.
	Dated func(host string, date time.Time)
	// Now is the clock; never nil.
	Now func() time.Time
	// Sleep waits for a duration or until ctx ends; nil uses the system's clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// TimeZone is policy.time_zone, in which a source's plain dates are days: a date without a clock begins at record.DayStart and ends at
	// record.DayEnd of this zone. Nil is UTC.
	TimeZone *time.Location
	// Transport makes the connection that http_client describes; Builder calls it and Client uses what it made. Collectors may not depend on the library
	// that does it, which brings a Prometheus client with it.
	Transport Transport

	// connection is what Transport made, redirects what was said of them.
	connection http.RoundTripper
	redirects  *bool
}

// Section is a collector's part of the configuration file. Decode is strict: an unknown key, a wrong type or an
// out-of-place value is an error that names file, line, key and remedy.
type Section interface {
	Decode(into any) error
}

// Kind is a kind of collector that the exporter can run.
type Kind struct {
	// Name is the key in the configuration file and the label "collector".
	Name string
	// Summary is one line for people.
	Summary string
	// Defaults are applied where the instance's section says nothing.
	Defaults Common
	// New decodes the section and builds the collector. It does no I/O other than reading secret files.
	New func(section Section, env Env) (Collector, Common, error)
}
