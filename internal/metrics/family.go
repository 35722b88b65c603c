// Package metrics turns what the ledger knows into metric families. A family is one literal, and its values are a pure
// function of (snapshot, policy, instant): no I/O, no clock, no state. Definitions are in docs/metrics.md, which is generated
// from the literals.
package metrics

import (
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

// Family is one metric family: everything that documents it and the function that computes it.
type Family struct {
	Name      string
	Help      string
	Type      Type
	Stability Stability
	// Labels are the label names in the order of Series.Labels.
	Labels []string
	// Source names the fields of package record it is computed from; Refresh how often they are read; Example is a query.
	Source  string
	Refresh string
	Example string
	// Bounds are the upper bounds of the classic buckets of a histogram, ascending, without +Inf.
	Bounds []float64
	// Collect computes the series.
	Collect func(in *Input, out *Sink)
}

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

// Histogram is a distribution, in classic buckets and, for the protobuf format, native ones.
type Histogram struct {
	Count uint64
	Sum   float64
	// Counts holds the number of observations per classic bucket (not cumulative); the last is beyond every bound.
	Counts []uint64
	// Native holds the number of observations per native bucket index of schema NativeSchema; Zero those that are 0.
	Native map[int]uint64
	Zero   uint64
}

// NativeSchema is the resolution of native histograms: 2^(2^-3), about 9 % per bucket.
const NativeSchema = 3

// Evaluation is everything that is exposed about one instant.
type Evaluation struct {
	At      time.Time
	Results []Result
	// Folded counts, per family, the services that were folded into "other" to keep its series budget.
	Folded map[string]int
	// Dropped counts series that were left out, by reason.
	Dropped map[string]int
}
