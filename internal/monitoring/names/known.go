package names

import "prodsec_exporter/internal/metrics"

// The names of the exporter's own families are in own.go. They are not computed from records, so package metrics does not know them.

// Families are all families that are exposed: those computed from records and the exporter's own.
func Families() []*metrics.Family {
	return append(metrics.All(), ownFamilies()...)
}
