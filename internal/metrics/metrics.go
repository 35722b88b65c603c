// Package metrics turns what the ledger knows into metric families: Evaluate is a pure function of (snapshot, policy, instant), with no I/O,
// no clock and no state. It is the face of three packages, which build on one another:
//
//   - frame: what every family shares and what knows nothing of security (sinks, histograms, folding, the series budget);
//   - tallies: what is counted once per evaluation, and the records as the families judge them;
//   - families: the families, one file a board.
//
// To add a family, see package families; to add something that several families count, see package tallies. Definitions of the families are
// in docs/metrics.md, which is generated from their literals.
package metrics

import (
	"time"

	"prodsec_exporter/internal/metrics/families"
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// What an evaluation is made of.
type (
	// Evaluation is everything that is exposed about one instant.
	Evaluation = frame.Evaluation
	// Result is a family and its series at an instant.
	Result = frame.Result
	// Family describes one metric family.
	Family = frame.Family
	// Series is one series.
	Series = frame.Series
	// Histogram is a distribution, in classic buckets and native ones.
	Histogram = frame.Histogram
	// Type says how a family is to be read.
	Type = frame.Type
)

// The types of families.
const (
	Gauge          = frame.Gauge
	Counter        = frame.Counter
	EventHistogram = frame.EventHistogram
	StateHistogram = frame.StateHistogram
	Info           = frame.Info
)

// The levels of stability of families.
const (
	Experimental = frame.Experimental
	Stable       = frame.Stable
)

// The ways in which contributions to one label set are combined.
const (
	Sum   = frame.Sum
	Least = frame.Least
	Once  = frame.Once
)

// NativeSchema is the resolution of native histograms.
const NativeSchema = frame.NativeSchema

// Records are the records behind the families at an instant, each judged as the families judge it.
type Records = tallies.Records

// All describes every family in the order of the documentation. The caller must not change them.
func All() []*Family { return families.All() }

// Evaluate computes every family. It is a pure function of its arguments: the same ones give the same result.
func Evaluate(s *snapshot.Snapshot, p *policy.Policy, at time.Time) *Evaluation {
	return families.Evaluate(tallies.New(s, p, at))
}

// Headlines are the headline numbers over a whole organisation, by name: sums of families as Evaluate computes them. One of which a part
// cannot be known is left out.
func Headlines(s *snapshot.Snapshot, p *policy.Policy, at time.Time) map[string]float64 {
	return families.Headlines(tallies.New(s, p, at))
}

// NewRecords judges all records. It costs as much as an evaluation without its families.
func NewRecords(s *snapshot.Snapshot, p *policy.Policy, at time.Time) *Records {
	return tallies.NewRecords(s, p, at)
}
