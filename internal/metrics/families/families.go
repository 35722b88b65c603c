package families

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
)

// all lists every family in the order of the documentation.
func all() []*Family {
	return slices.Concat(coverage, controls, exposure, responsiveness, deliveryTrust, dora, trend, sources)
}

// All describes every family in the order of the documentation. The caller must not change them.
func All() []*frame.Family {
	list := withCompanions(all())
	described := make([]*frame.Family, len(list))
	for i, f := range list {
		described[i] = &f.Family
	}
	return described
}

// Evaluate computes every family, ordered by name.
func Evaluate(in *tallies.Tallies) *frame.Evaluation {
	e := newEvaluator(in)
	list := all()
	slices.SortFunc(list, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range list {
		e.Collect(f.described(in.Policy), func(out *frame.Sink) { f.Collect(in, out) })
	}
	evaluation := e.Evaluation()
	collectWithheld(evaluation, in, list)
	return evaluation
}
