package exposition

import (
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics about evaluations and their exposition.
var (
	durationDesc = prometheus.NewDesc("prodsec_evaluation_duration_seconds",
		"How long it took to compute all families from the ledger's snapshot the last time.", nil, nil)
	timestampDesc = prometheus.NewDesc("prodsec_evaluation_timestamp_seconds",
		"The instant for which the families that are served were computed.", nil, nil)
	foldedDesc = prometheus.NewDesc("prodsec_series_folded",
		"Services (or teams or business units) of a family that were folded into \"other\" to keep its series budget.",
		[]string{"family"}, nil)
	droppedDesc = prometheus.NewDesc("prodsec_series_dropped_total",
		"Series that were left out because they would have made the whole answer invalid, per evaluation, by reason.",
		[]string{"reason"}, nil)
)

// maxLogged bounds the number of different warnings that are remembered as logged.
const maxLogged = 1000

// meta counts what was left out.
type meta struct {
	mutex   sync.Mutex
	dropped map[string]int
	logged  map[string]bool
}

func newMeta() *meta {
	m := &meta{dropped: map[string]int{}, logged: map[string]bool{}}
	for _, reason := range reasons {
		m.dropped[reason] = 0
	}
	return m
}

func (m *meta) drop(reason string, n int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.dropped[reason] += n
}

// first reports whether a key comes for the first time.
func (m *meta) first(key string) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.logged[key] || len(m.logged) >= maxLogged {
		return false
	}
	m.logged[key] = true
	return true
}

func (m *meta) drops() map[string]int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return maps.Clone(m.dropped)
}

// Describe implements prometheus.Collector.
func (s *Store) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{durationDesc, timestampDesc, foldedDesc, droppedDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Before the first evaluation there is nothing to say about one.
func (s *Store) Collect(ch chan<- prometheus.Metric) {
	drops := s.meta.drops()
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
