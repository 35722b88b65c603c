// Package metrics turns what the ledger knows into metric families. A family is one literal, and its values are a pure
// function of (snapshot, policy, instant): no I/O, no clock, no state. Definitions are in docs/metrics.md, which is generated
// from the literals.
//
// To add a family, write one literal and its Collect function in the file of its board (coverage.go, exposure.go,
// responsiveness.go, trend.go ...) and list it in that file's slice. Collect hands contributions to a Sink, which sums those
// that meet in one label set, leaves out what cannot be known, keeps the series budget and sorts.
//
// What needs a walk over all weaknesses or all events is counted in one shared walk (weaknesses.go, events.go) into arrays
// indexed by small integers, because there may be millions of them; strings appear only when series are written out.
package metrics

import (
	"slices"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Type says how a family is to be read.
type Type string

// The types.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
	// EventHistogram counts every event once; rate() it.
	EventHistogram Type = "histogram"
	// StateHistogram is the distribution of a state now; never rate() it. It is exposed as a histogram.
	StateHistogram Type = "snapshot histogram"
	// Info is a gauge that is always 1.
	Info Type = "info"
)

// Stability says what a change of a family costs its users.
type Stability string

// The levels of stability.
const (
	Experimental Stability = "experimental"
	Stable       Stability = "stable"
)

// Combine says what two contributions to the same label set make.
type Combine uint8

// The ways to combine.
const (
	// Sum adds them; histograms are merged.
	Sum Combine = iota
	// Least keeps the smaller one, e.g. the earlier of two times.
	Least
	// Once keeps one of them, for what is 1 however often it is said.
	Once
)

// Family is one metric family: everything that documents it and the function that computes it.
type Family struct {
	Name string
	// Help is the definition, in whole sentences; Description adds source and refresh.
	Help      string
	Type      Type
	Stability Stability
	// Labels are the label names in the order of Series.Labels.
	Labels []string
	// Detail are the labels that mean nothing without the service; they become "other" with it.
	Detail []string
	// Unbound are the labels whose values come from outside, so that there may be any number of them, widest first. When owners alone
	// cannot be folded enough to keep the series budget, their least values become "other".
	Unbound []string
	// Source names the fields of package record it is computed from; Refresh how often they are read; Example is a query.
	Source  string
	Refresh string
	Example string
	// Bounds are the upper bounds of the classic buckets of a histogram, ascending, without +Inf: the default ones of Buckets, the
	// group whose bounds policy sets.
	Bounds  []float64
	Buckets policy.BucketGroup
	Combine Combine
	// Collect computes the series.
	Collect func(in *Input, out *Sink)
}

// Description is the text of the HELP line: definition, source and refresh, and for the distribution of a state the warning
// that it must not be used with rate().
func (f *Family) Description() string {
	text := f.Help
	if f.Type == StateHistogram {
		text += " A distribution of the present state: never rate() it."
	}
	return text + " Source: " + f.Source + ". Refresh: " + f.Refresh + "."
}

// under is the family as a policy shapes it: with its buckets.
func (f *Family) under(p *policy.Policy) *Family {
	if f.Buckets == "" || slices.Equal(f.Bounds, p.Buckets(f.Buckets)) {
		return f
	}
	shaped := *f
	shaped.Bounds = p.Buckets(f.Buckets)
	return &shaped
}

// Histogrammed reports whether the series of the family are histograms.
func (f *Family) Histogrammed() bool { return f.Type == EventHistogram || f.Type == StateHistogram }

// counts reports whether the series of the family never fall.
func (f *Family) counts() bool { return f.Type == Counter || f.Type == EventHistogram }

// Input is what families are computed from.
type Input struct {
	Snapshot *snapshot.Snapshot
	Policy   *policy.Policy
	At       time.Time

	shared *shared
}

// Result is a family and its series at an instant.
type Result struct {
	Family *Family
	Series []Series
}

// Series is one series. Labels hold the values in the order of Family.Labels.
type Series struct {
	Labels    []string
	Value     float64
	Histogram *Histogram
}

// Evaluation is everything that is exposed about one instant.
type Evaluation struct {
	At time.Time
	// Took is how long it took to compute; set by the caller, who has a clock, and 0 if unknown.
	Took time.Duration
	// Results are ordered by family name, their series by label values. A family without series is left out.
	Results []Result
	// Folded counts, per family, the services (or, where a family has no service_name, the teams or business units) that were
	// folded into "other" to keep its series budget, and the values of labels without a bound that were.
	Folded map[string]int
	// Dropped counts series that were left out, by reason.
	Dropped map[string]int
}

// All lists every family in the order of the documentation. The caller must not change them.
func All() []*Family {
	return slices.Concat(coverage, controlFamilies, exposure, responsiveness, deliveryTrust, dora, trend, sources)
}

// The label sets that many families share.
var (
	ownerLabels = []string{"business_unit", "team", "service_name", "trust_tier"}
	groupLabels = []string{"business_unit", "team", "trust_tier"}
)

// The refresh texts that many families share.
const (
	refreshFindings   = "after every poll of a scanner and every evaluation_interval"
	refreshPosture    = "after every poll of a source host or catalog"
	refreshExceptions = "after every poll of an exception source and every evaluation_interval"
	refreshTickets    = "after every poll of a ticket system and every evaluation_interval"
	refreshDeliveries = "after every poll of a source host or ticket system and every evaluation_interval"
	refreshPolicy     = "when the configuration is loaded"
	refreshAll        = "after every poll and every evaluation_interval"
)
