// Package policy holds what the organisation decided: SLA targets, which exceptions stop a clock, what counts as a
// protected repository, the windows that are reported. Metrics count; only a Policy decides.
//
// A Policy is made from a Config (the section "policy" of the configuration file), checked once, and immutable. Its Version
// is a hash of everything in it, is exported, and is stored with every verdict that falls under it.
//
// It imports package record and reads nothing but its Config. To add a key: a field of the section's Config with its default and its check in the file of the section, a row in docs/configuration.md, and a method by which
// metrics ask for the decision.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Policy answers the questions that need a decision. It is safe for concurrent use.
type Policy struct {
	config   Config
	version  string
	location *time.Location
	tiers    map[string]TierIndex
	names    []string
	targets  []int64 // seconds by targetIndex, 0 for none
	accepted map[string]bool
	windows  []Window
	buckets  map[BucketGroup][]float64
	// likely is epss_threshold in the scale of snapshots, findingWeights severity × exploitation for criticals and highs.
	likely         uint16
	findingWeights [2][ExploitationKnown + 1]float64
	// calendars hold no entry for what is measured in calendar time.
	calendars map[CalendarUse]*Calendar
	controls  []Control
	controlAt map[string]int
	mapping   []mappingRow
}

// New checks a configuration and makes the policy it describes. The error joins everything that is wrong, each part naming its
// key below "policy".
func New(c Config) (*Policy, error) {
	p, errs := compile(c)
	p.checkWhatRulesRead(failInto(&errs))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var err error
	p.version, err = hash(p.config)
	return p, err
}

// failInto returns what notes a mistake under its key below "policy".
func failInto(errs *[]error) failFunc {
	return func(key, format string, args ...any) {
		*errs = append(*errs, fmt.Errorf("policy.%s: %s", key, fmt.Sprintf(format, args...)))
	}
}

// compile makes the policy, without a version, and lists everything that is wrong with its configuration.
func compile(c Config) (p *Policy, errs []error) {
	p = &Policy{config: c, accepted: map[string]bool{}}
	fail := failInto(&errs)
	location, err := time.LoadLocation(c.TimeZone)
	if err != nil || location == time.Local { // "Local" would mean something else on another machine
		fail("time_zone", "%q is not an IANA time zone such as Europe/Berlin", c.TimeZone)
		location = time.UTC
	}
	p.location = location
	p.indexTiers(fail)
	p.compileTargets(fail)
	p.checkSLA(fail)
	p.compileProtection(fail)
	p.compileWindows(fail)
	p.checkObjectives(fail)
	p.compileRisk(fail)
	p.compileBuckets(fail)
	for _, tool := range c.Exceptions.VendorAcceptances {
		p.accepted[strings.ToLower(tool)] = true
	}
	p.checkExceptions(fail)
	p.checkDetail(fail)
	p.checkScans(fail)
	p.compileCalendars(fail)
	p.checkDelivery(fail)
	p.checkDORA(fail)
	p.compileControls(fail)
	p.compileMapping(fail)
	return p, errs
}

// checkWhatRulesRead refuses a configuration without a window or a bucket that the rules and boards of this version read.
func (p *Policy) checkWhatRulesRead(fail failFunc) {
	for _, d := range RequiredWindows() {
		if len(p.windows) > 0 && !slices.ContainsFunc(p.windows, func(w Window) bool { return w.Length == d.Std() }) {
			fail("windows", "lacks %s, which rules and boards read; add it", d)
		}
	}
	for _, g := range BucketGroups() {
		for _, b := range RequiredBuckets(g) {
			if bounds := p.config.Buckets.of(g); len(bounds) > 0 && !slices.Contains(bounds, b) {
				fail("buckets."+string(g), "lacks %s, which rules and boards read; add it", b)
			}
		}
	}
}

// Former is New for a policy that an earlier version of the program knew under another hash, because the configuration had other keys
// then: it keeps that version. What the rules and boards of this version read is not asked of it.
func Former(c Config, version string) (*Policy, error) {
	p, errs := compile(c)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.version = version
	return p, nil
}

// Default is the policy of DefaultConfig.
func Default() *Policy {
	p, err := New(DefaultConfig())
	if err != nil {
		panic(err) // the defaults are part of the program and tested
	}
	return p
}

func (p *Policy) checkExceptions(fail failFunc) {
	c := p.config.Exceptions
	if c.RejectedRecently < 0 {
		fail("exceptions.rejected_recently", "must not be negative")
	}
	if c.RenewalWithin < 0 {
		fail("exceptions.renewal_within", "must not be negative")
	}
	if p.config.EPSS < 0 || p.config.EPSS > 1 {
		fail("epss_threshold", "%v is not between 0 and 1", p.config.EPSS)
	}
}

func (p *Policy) checkDetail(fail failFunc) {
	if p.config.Detail.MaxSeries < 1 {
		fail("detail.max_series", "%d leaves nothing to show; use at least 1", p.config.Detail.MaxSeries)
	}
	p.checkTiers("detail.trust_tiers", p.config.Detail.TrustTiers, fail)
}

// checkTiers refuses trust tiers that the policy does not list, because nothing would ever match them.
func (p *Policy) checkTiers(key string, tiers []string, fail failFunc) {
	for _, tier := range tiers {
		if _, ok := p.tiers[tier]; !ok && tier != TierUnknown {
			fail(key, "%q is not listed in policy.trust_tiers", tier)
		}
	}
}

func hash(c Config) (string, error) {
	canonical, err := json.Marshal(c) // struct order is fixed and map keys are sorted
	if err != nil {
		return "", fmt.Errorf("hashing the policy: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:6]), nil
}

// Version is a hash of everything the policy decides by: twelve hexadecimal digits.
func (p *Policy) Version() string { return p.version }

// Config is what the policy was made from. The caller must not change it.
func (p *Policy) Config() Config { return p.config }

// Location is the time zone of deadlines.
func (p *Policy) Location() *time.Location { return p.location }

// Window is a trailing window that is reported.
type Window struct {
	// Name is the label "window", e.g. "30d".
	Name   string
	Length time.Duration
}

// Windows are the trailing windows, shortest first.
func (p *Policy) Windows() []Window { return p.windows }

// RequiredWindows are the trailing windows that the recording rules, alerts and boards of this repository read; without one of them they would show
// nothing.
func RequiredWindows() []Duration { return spans(Day)(30, 90) }

type failFunc func(key, format string, args ...any)

func (p *Policy) compileWindows(fail failFunc) {
	for i, d := range p.config.Windows {
		if d <= 0 {
			fail(fmt.Sprintf("windows[%d]", i), "must be longer than 0")
		}
		p.windows = append(p.windows, Window{Name: d.String(), Length: d.Std()})
	}
	slices.SortFunc(p.windows, func(a, b Window) int { return int(a.Length/time.Second) - int(b.Length/time.Second) })
	p.windows = slices.CompactFunc(p.windows, func(a, b Window) bool { return a.Length == b.Length })
	if len(p.windows) == 0 {
		fail("windows", "name at least one trailing window, e.g. [7d, 30d, 90d]")
	}
}

// glob reports whether a canonical repository name matches a pattern in the form of path.Match.
func glob(pattern string, name record.RepositoryName) bool {
	ok, err := path.Match(pattern, string(name))
	return err == nil && ok
}
