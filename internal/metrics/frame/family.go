// Package frame is what every metric family shares and knows nothing of security: the description of a family (Family), the Sink that sums
// what is contributed to one label set, leaves out what cannot be known, keeps the series budget by folding and sorts, histograms with
// classic and native buckets, and the Evaluator that runs one family after the other. It imports the standard library alone.
//
// A contribution is made to an entity, which is a position in Entities, and a dimension, which is a position among the combinations of the
// other label values. Both are small integers, because there may be millions of contributions; strings appear only when series are written
// out.
//
// The families themselves are in package families; to add one, see there. To add to the frame: something belongs here when two families need it and it would make
// as much sense in an exporter about anything else.
package frame

import "slices"

// Type says how a family is to be read.
type Type string

// The types.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
	// EventHistogram counts every event once; rate() it.
	EventHistogram Type = "histogram"
	// StateHistogram is the distribution of a state now; never use rate() on it. It is exposed as a histogram.
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
	// Once keeps one of them, for what is 1 however often it is contributed.
	Once
)

// Family describes one metric family: everything that documents it, and how its series are made of contributions.
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
	// Unbound are the labels whose values come from outside, so that there may be any number of them, widest first. When entities alone
	// cannot be folded enough to keep the series budget, their least values become "other".
	Unbound []string
	// Source names the fields of package record it is computed from; Refresh how often they are read; Example is a query.
	Source  string
	Refresh string
	Example string
	// Bounds are the upper bounds of the classic buckets of a histogram, ascending, without +Inf. They are defaults if Buckets names a
	// group of bounds that the configuration sets.
	Bounds  []float64
	Buckets string
	Combine Combine
}

// Description is the text of the HELP line: definition, source and refresh, and for the distribution of a state the warning
// that it must not be used with rate().
func (f *Family) Description() string {
	text := f.Help
	if f.Type == StateHistogram {
		text += " A snapshot of the present state: never use rate() on it."
	}
	return text + " Source: " + f.Source + ". Refresh: " + f.Refresh + "."
}

// WithBounds is the family with other bounds of its classic buckets.
func (f *Family) WithBounds(bounds []float64) *Family {
	if slices.Equal(f.Bounds, bounds) {
		return f
	}
	other := *f
	other.Bounds = bounds
	return &other
}

// Histogrammed reports whether the series of the family are histograms.
func (f *Family) Histogrammed() bool { return f.Type == EventHistogram || f.Type == StateHistogram }

// Lines is how many series in the sense of a Prometheus server one label set makes.
func (f *Family) Lines() int {
	if f.Histogrammed() {
		return len(f.Bounds) + 3 // the bucket of +Inf, _sum and _count
	}
	return 1
}

// cumulative reports whether the series of the family never fall.
func (f *Family) cumulative() bool { return f.Type == Counter || f.Type == EventHistogram }

// Series is one series. Labels hold the values in the order of Family.Labels.
type Series struct {
	Labels    []string
	Value     float64
	Histogram *Histogram
}
