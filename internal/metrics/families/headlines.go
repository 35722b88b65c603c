package families

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The headline numbers whose jumps prodsec_restated explains. They are values of its label "metric".
const (
	headlineCriticals  = "findings_open_critical"
	headlineHighs      = "findings_open_high"
	headlineBreached   = "findings_breached"
	headlineAttainment = "sla_attainment_ratio"
	headlineExceptions = "exceptions_active"
	headlineUnmapped   = "unmapped_repositories"
	headlineRisk       = "risk_score"
)

// headlineWindow is the trailing window of the attainment, if the policy has it; else its shortest.
const headlineWindow = 30 * policy.Day

// Headlines are the headline numbers over a whole organisation, by name: sums of families as Evaluate computes them. One of which a part cannot
// be known is left out.
func Headlines(in *tallies.Tallies) map[string]float64 {
	totals := newTotals(in)
	window := attainmentWindow(in.Policy)
	headlines := map[string]float64{}
	for name, of := range map[string]selection{
		headlineCriticals:  {"prodsec_findings_open", []string{"severity", string(record.SeverityCritical)}},
		headlineHighs:      {"prodsec_findings_open", []string{"severity", string(record.SeverityHigh)}},
		headlineBreached:   {"prodsec_findings_open", []string{"sla", policy.SLABreached.String()}},
		headlineExceptions: {"prodsec_exceptions", []string{"state", string(policy.StandingActive)}},
		headlineRisk:       {"prodsec_risk_score", nil},
	} {
		if value, known := totals.sum(of); known {
			headlines[name] = value
		}
	}
	if unmapped, known := totals.sumOf("prodsec_unmapped_repositories", "reason", string(snapshot.UnmappedNoCatalogEntry), string(snapshot.UnmappedNoOwner)); known {
		headlines[headlineUnmapped] = unmapped
	}
	met, metKnown := totals.sum(selection{"prodsec_sla_outcomes_in_window", []string{"window", window, "outcome", snapshot.OutcomeMet.String()}})
	missed, missedKnown := totals.sum(selection{"prodsec_sla_outcomes_in_window", []string{"window", window, "outcome", snapshot.OutcomeMissed.String()}})
	if metKnown && missedKnown && met+missed > 0 {
		headlines[headlineAttainment] = met / (met + missed)
	}
	return headlines
}

func attainmentWindow(p *policy.Policy) string {
	windows := p.Windows()
	if i := slices.IndexFunc(windows, func(w policy.Window) bool { return w.Length == headlineWindow }); i >= 0 {
		return windows[i].Name
	}
	return windows[0].Name
}

// selection names the series of a family with certain label values: name, value, name, value...
type selection struct {
	family string
	labels []string
}

// totals sums series of families, each of which is collected once and with no budget.
type totals struct {
	in    *tallies.Tallies
	sinks map[string]*frame.Sink
}

func newTotals(in *tallies.Tallies) *totals { return &totals{in: in, sinks: map[string]*frame.Sink{}} }

func (t *totals) sink(family string) *frame.Sink {
	if s, ok := t.sinks[family]; ok {
		return s
	}
	list := all()
	f := list[slices.IndexFunc(list, func(f *Family) bool { return f.Name == family })]
	s := frame.NewSink(f.described(t.in.Policy), t.in.Owners.Entities()...)
	f.Collect(t.in, s)
	t.sinks[family] = s
	return s
}

// sumOf adds up the series of a family that have one of several values of a label; known is false if one of them cannot be known.
func (t *totals) sumOf(family, label string, values ...string) (sum float64, known bool) {
	for _, v := range values {
		value, ok := t.sum(selection{family, []string{label, v}})
		if !ok {
			return 0, false
		}
		sum += value
	}
	return sum, true
}

// sum adds up series; known is false if it cannot be known.
func (t *totals) sum(of selection) (value float64, known bool) {
	return t.sink(of.family).Total(of.labels...)
}
