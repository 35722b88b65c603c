// Package families defines every metric family that is computed from the ledger: one file a board (coverage, exposure, responsiveness,
// delivery_trust, dora, trend, sources), with files of the same prefix for what does not fit. A family is one literal (name, help, type,
// labels, source, example) and its Collect function, a pure function of tallies: no I/O, no clock, no state. docs/metrics.md is generated
// from the literals.
//
// To add a family, write one literal and its Collect function in the file of its board. Collect hands contributions to a Sink, which sums
// those that meet in one label set, leaves out what cannot be known, keeps the series budget and sorts. It shows 0 for what is known to be
// none (Zero), and hides what rests on records that are too old to be shown (Unknown). What another family needs, too, or what needs a walk
// over all weaknesses or events, is counted in package tallies.
package families

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Family is one metric family and the function that computes it.
type Family struct {
	frame.Family
	// Collect contributes everything that the family shows.
	Collect func(in *tallies.Tallies, out *frame.Sink)
	// Withheld: the family has a companion with what it withholds while scopes are dropped (withheld.go), because an alert or a headline rests on it.
	Withheld bool
}

// The refresh texts that many families share.
const (
	refreshFindings   = "after every poll of a scanner and every evaluation_interval"
	refreshPosture    = "after every poll of a source host or catalog"
	refreshExceptions = "after every poll of an exception source and every evaluation_interval"
	refreshTickets    = "after every poll of a ticket system and every evaluation_interval"
	refreshDeliveries = "after every poll of a source host or ticket system and every evaluation_interval"
	refreshPolicy     = "when the configuration is loaded"
	refreshAll        = "after every poll and every evaluation_interval"
)

// owner and group are fresh copies of the labels of owners and of their groups, to append to.
func owner() []string { return append([]string(nil), tallies.OwnerLabels...) }
func group() []string { return append([]string(nil), tallies.GroupLabels...) }

// boolean is the label value of an answer.
func boolean(a record.Answer) string {
	switch a {
	case record.AnswerYes:
		return "true"
	case record.AnswerNo:
		return "false"
	case record.AnswerUnknown:
		return "unknown"
	default:
		return "unknown"
	}
}

// The label values of the enumerations, in index order.
var (
	severityValues = valuesOf(record.Severities())
	classValues    = valuesOf(record.Classes())
	slaValues      = namesOf(policy.SLAs())
	flowValues     = namesOf(tallies.FlowKinds)
	outcomeValues  = namesOf(tallies.OutcomeKinds)
)

func valuesOf[T ~string](list []T) []string {
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = string(v)
	}
	return values
}

func namesOf[T interface{ String() string }](list []T) []string {
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = v.String()
	}
	return values
}

// windowNames are the values of the label "window".
func windowNames(p *policy.Policy) []string {
	var names []string
	for _, w := range p.Windows() {
		names = append(names, w.Name)
	}
	return names
}

func sumOf[T float64 | uint32](values []T) (sum T) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// described is the family as a policy shapes it: with its buckets.
func (f *Family) described(p *policy.Policy) *frame.Family {
	if f.Buckets == "" {
		return &f.Family
	}
	return f.WithBounds(p.Buckets(policy.BucketGroup(f.Buckets)))
}

// newEvaluator keeps the series budget of the policy.
func newEvaluator(in *tallies.Tallies) *frame.Evaluator {
	return frame.NewEvaluator(in.At, in.Policy.Config().Detail.MaxSeries, in.Owners.Entities()...)
}
