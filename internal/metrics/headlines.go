package metrics

import (
	"math"
	"slices"
	"time"

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
func Headlines(s *snapshot.Snapshot, p *policy.Policy, at time.Time) map[string]float64 {
	in := &Input{Snapshot: s, Policy: p, At: at}
	in.shared = newShared(in)
	totals := newTotals(in)
	window := attainmentWindow(p)
	headlines := map[string]float64{}
	for name, of := range map[string]selection{
		headlineCriticals:  {"prodsec_findings_open", []string{"severity", string(record.SeverityCritical)}},
		headlineHighs:      {"prodsec_findings_open", []string{"severity", string(record.SeverityHigh)}},
		headlineBreached:   {"prodsec_findings_open", []string{"sla", policy.SLABreached.String()}},
		headlineExceptions: {"prodsec_exceptions", []string{"state", string(policy.StandingActive)}},
		headlineUnmapped:   {"prodsec_unmapped_repositories", nil},
		headlineRisk:       {"prodsec_risk_score", nil},
	} {
		if value, known := totals.sum(of); known {
			headlines[name] = value
		}
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
	in    *Input
	sinks map[string]*Sink
}

func newTotals(in *Input) *totals { return &totals{in: in, sinks: map[string]*Sink{}} }

func (t *totals) sink(family string) *Sink {
	if s, ok := t.sinks[family]; ok {
		return s
	}
	families := All()
	f := families[slices.IndexFunc(families, func(f *Family) bool { return f.Name == family })].under(t.in.Policy)
	s := newSink(f, t.in.shared.own, math.MaxInt32, &spare{}, map[string]int{})
	f.Collect(t.in, s)
	t.sinks[family] = s
	return s
}

// sum adds up series; known is false if one of them cannot be known, or if there is none and the family does not show what it has none of,
// because nothing was ever read that would make one.
func (t *totals) sum(of selection) (value float64, known bool) {
	s := t.sink(of.family)
	known = len(s.zeros) > 0
	var labels []string
	for _, c := range slices.Concat(s.cells, s.zeros) {
		if labels = s.labels(labels[:0], &c); !matches(s.family, labels, of.labels) {
			continue
		}
		if c.unknown {
			return 0, false
		}
		value, known = value+c.value, true
	}
	return value, known
}

func matches(f *Family, labels, want []string) bool {
	for pair := range slices.Chunk(want, 2) {
		if at := slices.Index(f.Labels, pair[0]); at < 0 || at >= len(labels) || labels[at] != pair[1] {
			return false
		}
	}
	return true
}
