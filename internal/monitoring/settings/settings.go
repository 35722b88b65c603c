// Package settings holds what rules, alerts and boards are set to, each with its reason: windows, times an alert waits and holds, thresholds, sizes of lists. It is the
// block to read before changing anything. What an organisation decides is policy and comes from the configuration, not from here.
//
// To add a setting: a constant with the reason for its value.
package settings

import (
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/policy"
)

// Times.
const (
	// EvaluationInterval of the rules: ages move by the minute, sources are polled every few.
	EvaluationInterval = time.Minute
	// ExpiringWithin is the expiry horizon of alerts: two weeks leave time for one sprint. Due soon and breached are verdicts of the policy.
	ExpiringWithin = 14 * 24 * time.Hour
	// Settle is how long a product alert must hold: several evaluations, so that a restart or a fail-over fires nothing.
	Settle = 10 * time.Minute
	// SettlePosture is longer: branch rules are edited in several steps.
	SettlePosture = time.Hour
	// Hold keeps an alert firing through a restart or a missed scrape, so that it neither resolves nor pages twice.
	Hold = 30 * time.Minute
	// SourceDown: a shorter outage of an API is retried and needs nobody.
	SourceDown = 15 * time.Minute
	// ScopeStale: the exporter already waits several polls before it calls a scope stale.
	ScopeStale = 30 * time.Minute
	// ExporterDown is shorter than the hold of product alerts, so that inhibition is in place before they would resolve.
	ExporterDown = 5 * time.Minute
	// DecisionLate and AnswerLate: two weeks for a decision, one working week for a first response. They are bounds of buckets.
	DecisionLate = 14 * 24 * time.Hour
	AnswerLate   = 5 * 24 * time.Hour
	// BlockedLong: a release that is blocked for a day has cost more than the block saves.
	BlockedLong = 24 * time.Hour
	// CountingRecent is how long the alert reports a change of counting.
	CountingRecent = 6 * time.Hour
	// LostWithin is how long the alert reports the loss of a control.
	LostWithin = 7 * 24 * time.Hour
	// LedgerRecent: errors of the last quarter of an hour are happening now.
	LedgerRecent = 15 * time.Minute
	// LeaderGone is several leases: a fail-over takes one.
	LeaderGone = 5 * time.Minute
	// ClockOff is an offset of the wall clock larger than network latency explains; ClockRecent is how long the alert reports a jump.
	ClockOff    = time.Minute
	ClockRecent = time.Hour
	// JobGone is how long a job that is not scraped any more is reported: one that was retired is forgotten by then.
	JobGone = 7 * 24 * time.Hour
	// EvaluationLate is many evaluation intervals.
	EvaluationLate = 30 * time.Minute
)

// Windows are the values of the board variable and the default policy's trailing windows; DefaultWindow is selected at first.
var Windows = []string{"7d", "30d", "90d"}

// DefaultWindow is the window that a board opens with.
const DefaultWindow = "30d"

// AgeRange is a span of finding age in whole days; it starts and ends at bucket bounds of prodsec_finding_age_seconds.
type AgeRange struct{ From, To int }

// AgeRanges cut ages where the default targets lie: critical 7 to 14 days, high 30, medium 90, low 180.
var AgeRanges = []AgeRange{{0, 7}, {7, 30}, {30, 90}, {90, 180}, {180, 365}, {365, 0}}

// Label is the value of the label age: days, zero-padded so that text sorts as time does.
func (r AgeRange) Label() string {
	if r.To == 0 {
		return pad(r.From) + "+"
	}
	return pad(r.From) + "-" + pad(r.To)
}

// Text is the label that a board shows.
func (r AgeRange) Text() string {
	switch {
	case r.From == 0:
		return "under " + strconv.Itoa(r.To) + " d"
	case r.To == 0:
		return "over " + strconv.Itoa(r.From) + " d"
	default:
		return strconv.Itoa(r.From) + "–" + strconv.Itoa(r.To) + " d"
	}
}

func pad(days int) string {
	s := strconv.Itoa(days)
	return strings.Repeat("0", 3-len(s)) + s
}

// Targets is the default policy: what a rule or board compares with until the exporter exposes the targets of the organisation.
var Targets = policy.Default()

// Thresholds. A ratio is green at its target, orange within reach of it, and red below. A count of things that should not be there is
// orange from one; it is red where one is already too many.
var (
	// AttainmentTarget comes from the default policy; reach is the distance at which it turns from orange to red.
	AttainmentTarget = policy.DefaultConfig().SLA.AttainmentTarget
	Reach            = 0.15
	// ProtectionTarget: a privileged repository is protected or somebody decided otherwise.
	ProtectionTarget = 0.95
	// OwnershipTarget: nobody is notified about findings of a repository without an owner.
	OwnershipTarget = 0.98
	// Concentrated is the share of open criticals and highs in the five worst services from which the problem is a few services'.
	Concentrated = 0.5
	// ApprovalTarget leaves room for emergency deployments without approval.
	ApprovalTarget = 0.95
	// EvidenceTarget leaves room for services that do not build on a golden path yet.
	EvidenceTarget = 0.9
	// ControlTarget leaves room for services that do not have the control yet.
	ControlTarget = 0.9
	// RemediatedTarget: most closed findings should have been fixed.
	RemediatedTarget = 0.7
	// BudgetReserve is the share of an API's budget below which the next pass may not get through.
	BudgetReserve = 0.1
)

// ConcentrationTop is the number of services whose share is the concentration; TableRows bounds every table.
const (
	ConcentrationTop = 5
	TableRows        = 50
)

// DaysOf is a number of days.
func DaysOf(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// burnPair is a long window over which the error budget of SLA attainment burns too fast, and a short one over which it still does, as in multiwindow burn-rate alerts.
type burnPair struct {
	Long, Short time.Duration
	// Factor is the rate of burning from which it is too fast: 1 spends exactly the budget.
	Factor float64
}

// BurnPairs are chosen for deadlines, which end by the day: no window is shorter than one. Three times the budget over three days is a sudden failure
// (a team is away, an import fell due), one and a half times over two weeks a slow one; at that rate the target of a quarter is out of reach.
var BurnPairs = []burnPair{
	{Long: DaysOf(3), Short: DaysOf(1), Factor: 3},
	{Long: DaysOf(14), Short: DaysOf(3), Factor: 1.5},
}

// BurnMisses is how many deadlines must have been missed over the long window: one miss among two deadlines is no trend.
const BurnMisses = 5

// BurnWindows are all windows of the pairs, each once.
func BurnWindows() []time.Duration { return []time.Duration{DaysOf(1), DaysOf(3), DaysOf(14)} }

// DefaultExporterURL is the default of the board variable that links to evidence pages.
const DefaultExporterURL = "http://localhost:10042"
