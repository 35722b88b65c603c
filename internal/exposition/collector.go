package exposition

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics about evaluations and their exposition.
var (
	durationDesc = prometheus.NewDesc("prodsec_evaluation_duration_seconds",
		"Duration of the last evaluation of all families.", nil, nil)
	timestampDesc = prometheus.NewDesc("prodsec_evaluation_timestamp_seconds",
		"Instant of the evaluation that is served.", nil, nil)
	foldedDesc = prometheus.NewDesc("prodsec_series_folded",
		"Services (or teams or business units), and values of unbounded labels, of a family that were folded into \"other\" to keep its series budget.",
		[]string{"family"}, nil)
	droppedDesc = prometheus.NewDesc("prodsec_series_dropped_total",
		"Series that were left out because they would have made the exposition invalid, by reason. Each evaluation counts.",
		[]string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (s *Store) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{durationDesc, timestampDesc, foldedDesc, droppedDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Before the first evaluation there are no metrics about one.
func (s *Store) Collect(ch chan<- prometheus.Metric) {
	drops := s.drops.counts()
	for _, reason := range slices.Sorted(maps.Keys(drops)) {
		ch <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(drops[reason]), reason)
	}
	p := s.current.Load()
	if p == nil {
		return
	}
	e := p.evaluation
	ch <- prometheus.MustNewConstMetric(timestampDesc, prometheus.GaugeValue, float64(e.At.UnixMilli())/1000)
	if e.Took > 0 {
		ch <- prometheus.MustNewConstMetric(durationDesc, prometheus.GaugeValue, e.Took.Seconds())
	}
	for _, family := range slices.Sorted(maps.Keys(e.Folded)) {
		ch <- prometheus.MustNewConstMetric(foldedDesc, prometheus.GaugeValue, float64(e.Folded[family]), family)
	}
}
