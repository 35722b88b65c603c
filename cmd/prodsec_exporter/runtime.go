package main

import (
	"regexp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// clashing is a counter of the Go collector. OpenMetrics names the family of a counter without "_total", which makes it a second family
// go_memstats_alloc_bytes beside the gauge of that name, and a strict parser refuses the whole scrape. heapAllocated counts the same under the runtime's name,
// go_gc_heap_allocs_bytes_total.
const clashing = "go_memstats_alloc_bytes_total"

var heapAllocated = promcollectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/allocs:bytes$`)}

func newGoCollector() prometheus.Collector {
	return promcollectors.NewGoCollector(promcollectors.WithGoCollectorRuntimeMetrics(heapAllocated))
}

// withoutClash gathers what a gatherer does but the family that clashes in OpenMetrics. All formats show the same families.
func withoutClash(g prometheus.Gatherer) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := g.Gather()
		return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == clashing }), err
	})
}
