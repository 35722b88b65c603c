// Package query holds the questions that boards ask of Prometheus, as named functions in a file per board. forms.go has what they are made of. A query names families and
// recorded series by package names and knows no panel.
//
// To add one: a function that says what it counts, and which part of it is unknown.
package query

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
)

// ExposedServices restricts to services that are crown jewels or that the internet reaches; it is two selectors, because a matcher is a conjunction.
func ExposedServices(by, record string, matchers ...string) string {
	jewels := Counted(by, record, append(matchers, promql.Is("crown_jewel", names.Affirmative))...)
	reached := Counted(by, record, append(matchers, promql.Is("internet_facing", names.Affirmative), promql.IsNot("crown_jewel", names.Affirmative))...)
	return "(" + promql.Filled(jewels, "0 * "+Counted(by, record)) + ")\n+ (" + promql.Filled(reached, "0 * "+Counted(by, record)) + ")"
}

// ExposedRatio is the exposed services that pass, among all to which it applies.
func ExposedRatio(record string, matchers ...string) Ratio {
	return Ratio{Part: "(" + ExposedServices("", record, append(matchers, promql.Is("status", "pass"))...) + ")", Whole: "(" + ExposedServices("", record, matchers...) + ")"}
}

// PassRatio is the services that pass a control, among all to which it applies.
func PassRatio(by, control string) Ratio {
	return RatioOf(by, names.RecControls, []string{promql.Is("status", "pass")}, promql.Is("control", control))
}
