package exposition

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"prodsec_exporter/internal/metrics"
)

// check leaves out every series that would make a scraper refuse the whole answer. The results it is given are not changed.
func check(results []metrics.Result, d *drops) []metrics.Result {
	seen := make(map[string]bool, len(results))
	checked := make([]metrics.Result, 0, len(results))
	for _, r := range results {
		if seen[r.Family.Name] || !validNames(r.Family) {
			d.drop(r.Family.Name, reasonName, len(r.Series))
			continue
		}
		seen[r.Family.Name] = true
		if series := checkSeries(r, d); len(series) > 0 {
			checked = append(checked, metrics.Result{Family: r.Family, Series: series})
		}
	}
	return checked
}

// checkSeries is the series of a family that may be served. It allocates only if something must be left out.
func checkSeries(r metrics.Result, d *drops) []metrics.Series {
	byLabels := func(a, b metrics.Series) int { return slices.Compare(a.Labels, b.Labels) }
	series := r.Series
	if !slices.IsSortedFunc(series, byLabels) {
		series = slices.Clone(series)
		slices.SortStableFunc(series, byLabels)
	}
	dropped := map[string]int{}
	kept := series[:0:0]
	for i, one := range series {
		reason := reasonOf(r.Family, one)
		if reason == "" && i > 0 && byLabels(series[i-1], one) == 0 {
			reason = reasonDuplicate
		}
		switch {
		case reason == "" && len(dropped) > 0:
			kept = append(kept, one)
		case reason != "" && len(dropped) == 0:
			kept = append(kept, series[:i]...)
			fallthrough
		case reason != "":
			dropped[reason]++
		}
	}
	if len(dropped) == 0 {
		return series
	}
	for reason, n := range dropped {
		d.drop(r.Family.Name, reason, n)
	}
	return kept
}

func validNames(f *metrics.Family) bool {
	if !model.LegacyValidation.IsValidMetricName(f.Name) {
		return false
	}
	for i, l := range f.Labels {
		if !model.LegacyValidation.IsValidLabelName(l) || l == "le" || slices.Contains(f.Labels[:i], l) {
			return false
		}
	}
	return true
}

// reasonOf is why a series may not be served; empty if it may.
func reasonOf(f *metrics.Family, s metrics.Series) string {
	if len(s.Labels) != len(f.Labels) || slices.ContainsFunc(s.Labels, invalid) {
		return reasonLabels
	}
	if f.Histogrammed() {
		if h := s.Histogram; h == nil || len(h.Counts) != len(f.Bounds)+1 || math.IsNaN(h.Sum) || !slices.IsSorted(f.Bounds) {
			return reasonValue
		}
		return ""
	}
	if s.Histogram != nil || math.IsNaN(s.Value) || f.Type == metrics.Counter && s.Value < 0 {
		return reasonValue
	}
	return ""
}

func invalid(value string) bool { return !utf8.ValidString(value) }
