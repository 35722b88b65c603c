package main

import (
	"cmp"
	"fmt"
	"strconv"
	"sync"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/schedule"
	"prodsec_exporter/internal/web"
)

// progressEvery is how often a long run says how far it is.
const progressEvery = 10 * time.Second

// instance is what the exporter knows about a collector instance. It is told of every API call by the instance's HTTP client.
type instance struct {
	key       instanceKey
	telemetry *telemetry
	// deliveries has a lock of its own.
	deliveries deliveries

	credentials credentials // under mu

	mu          sync.Mutex
	last        schedule.Result // the last run; Started is zero before its end
	lastError   string          // of the first scope that the last run could not read
	lastSuccess time.Time
	errors      map[record.ErrorReason]int
	rejected    map[record.RejectReason]int
	requests    map[requestKey]int
	budgets     map[string]budget
	forecast    map[string]float64
	progress    progress
}

// credentials are what is known of an instance's credentials.
type credentials struct {
	// configured is when they end by the configuration; zero if it does not say.
	configured time.Time
	// reported is what the collector has learned.
	reported []collectors.Credential
}

// expiry is when the first credential ends; zero if nobody knows.
func (c credentials) expiry() time.Time {
	var first time.Time
	for _, each := range c.reported {
		first = record.Earliest(first, each.ExpiresAt)
	}
	if first.IsZero() {
		return c.configured
	}
	return first
}

// credentialsOf are those of a collector, as it knows them now.
func credentialsOf(b config.Built) credentials {
	c := credentials{configured: b.CredentialExpiry}
	if reporter, ok := b.Collector.(collectors.CredentialReporter); ok {
		c.reported = reporter.Credentials()
	}
	return c
}

// oneBudget is the resource of a source that has only one.
const oneBudget = "requests"

// named gives the resource of a source that has only one a name, since an empty label is none.
func named(forecast map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(forecast))
	for resource, n := range forecast {
		out[cmp.Or(resource, oneBudget)] += n
	}
	return out
}

type requestKey struct {
	code   string
	cached bool
}

type budget struct {
	limit, remaining int
	reset            time.Time
}

// progress is how far the run under way has come.
type progress struct {
	scopes, failed, records int
	firstError              string
	logged                  time.Time
}

var _ apiclient.Observer = (*instance)(nil)

func newInstance(key instanceKey, t *telemetry) *instance {
	i := &instance{
		key: key, telemetry: t, errors: map[record.ErrorReason]int{}, rejected: map[record.RejectReason]int{},
		requests: map[requestKey]int{}, budgets: map[string]budget{}, forecast: map[string]float64{},
	}
	for _, reason := range record.ErrorReasons() {
		i.errors[reason] = 0 // so that the first error is an increase that an alert can see
	}
	return i
}

// Requested counts an API call.
func (i *instance) Requested(code int, cached bool) {
	text := strconv.Itoa(code)
	if code == 0 {
		text = "none"
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.requests[requestKey{text, cached}]++
}

// Budget notes what the source says about its rate limit.
func (i *instance) Budget(resource string, limit, remaining int, reset time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.budgets[cmp.Or(resource, oneBudget)] = budget{limit, remaining, reset}
}

// runs tells an instance's telemetry about its runs.
type runs struct {
	*instance
	forecaster collectors.Forecaster // nil if the collector cannot say
	// known tells what is known of the credentials now.
	known func() credentials
}

var _ schedule.Observer = (*runs)(nil)

// Started notes the beginning of a run.
func (r *runs) Started(string, string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = progress{logged: r.telemetry.now()}
}

// Batch follows the run and logs from time to time how far it is.
func (r *runs) Batch(_, _ string, b *record.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.progress
	p.scopes++
	if b.Err != nil {
		if p.failed++; p.failed == 1 {
			p.firstError = fmt.Sprintf("scope %s: %v", b.Scope, b.Err)
		}
	} else {
		p.records += b.Size()
	}
	if now := r.telemetry.now(); now.Sub(p.logged) >= progressEvery {
		p.logged = now
		r.telemetry.logger.Info("Collecting", "collector", r.key.kind, "instance_name", r.key.name,
			"scopes", p.scopes, "failed_scopes", p.failed, "records", p.records)
	}
}

// Ended notes how a run ended.
func (r *runs) Ended(result schedule.Result) {
	var forecast map[string]float64
	if r.forecaster != nil {
		forecast = named(r.forecaster.Forecast())
	}
	known := r.known()
	r.telemetry.duration.WithLabelValues(r.key.kind, r.key.name).Observe(result.Duration.Seconds())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.credentials = known
	for reason, n := range result.Errors {
		r.errors[reason] += n
	}
	for reason, n := range result.Rejected {
		r.rejected[reason] += n
	}
	if result.Hinted {
		return // it says nothing about the rest of the instance
	}
	if r.last.Started.IsZero() && result.Err == nil {
		r.telemetry.logger.Info("First run ended", "collector", r.key.kind, "instance_name", r.key.name,
			"scopes", result.Scopes, "failed_scopes", result.Failed, "records", result.Records, "duration", result.Duration.Round(time.Millisecond))
	}
	r.last, r.lastError = result, r.progress.firstError
	if result.Err == nil {
		r.lastSuccess = result.Started.Add(result.Duration)
	}
	r.forecast = forecast
}

// status is the instance in the words of the landing page.
func (i *instance) status() web.Collector {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := web.Collector{Kind: i.key.kind, Name: i.key.name, State: web.Waiting, LastSuccess: i.lastSuccess}
	if i.last.Started.IsZero() {
		c.Scopes, c.Failed, c.Records = i.progress.scopes, i.progress.failed, i.progress.records
		return c
	}
	c.LastRun, c.Took = i.last.Started.Add(i.last.Duration), i.last.Duration
	c.Scopes, c.Failed, c.Records = i.last.Scopes, i.last.Failed, i.last.Records
	switch {
	case i.last.Err != nil:
		c.State, c.LastError = web.Down, record.Text(i.last.Err.Error())
	case i.last.Failed > 0:
		c.State, c.LastError = web.Partial, record.Text(i.lastError)
	default:
		c.State = web.Up
	}
	return c
}
