package monitoring

import (
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/policy"
)

// Where alerts link to. An organisation that forks or mirrors the repository, or serves Grafana elsewhere, generates its own
// files with the flags of cmd/generate.
const (
	// DefaultRunbookURL is the folder that holds <Alert>.md.
	DefaultRunbookURL = "https://github.com/prodsec-exporter/prodsec_exporter/blob/main/docs/runbooks"
	// DefaultGrafanaURL is the address of Grafana without a trailing slash; deploy/compose serves it there.
	DefaultGrafanaURL = "http://localhost:3000"
	// DefaultExporterURL is where boards look for evidence pages until the variable says otherwise.
	DefaultExporterURL = "http://localhost:10042"
)

// replicaLabels are the target labels that tell two replicas of the exporter apart. Every query folds them with max, so that a
// fail-over during which both expose a series, or two scrapes of the same ledger, count once. The label job is kept: two jobs are two programmes.
var replicaLabels = []string{"instance", "pod", "container", "endpoint", "node"}

// The label groups that families share (see docs/metrics.md).
const (
	ownerLabels = "business_unit, team, service_name, trust_tier"
	groupLabels = "business_unit, team, trust_tier"
)

// Times.
const (
	// evaluationInterval of the rules: ages move by the minute, sources are polled every few.
	evaluationInterval = time.Minute
	// dueSoon etc. are verdicts of the policy; only expiry horizons are chosen here: two weeks leave time for one sprint.
	expiringWithin = 14 * 24 * time.Hour
	// settle is how long a product alert must hold: several evaluations, so that a restart or a fail-over fires nothing.
	settle = 10 * time.Minute
	// settlePosture is longer: branch rules are edited in several steps.
	settlePosture = time.Hour
	// hold keeps an alert firing through a restart or a missed scrape, so that it neither resolves nor pages twice.
	hold = 30 * time.Minute
	// sourceDown: an API that is away for less is retried and nobody's business.
	sourceDown = 15 * time.Minute
	// scopeStale: the exporter already waits several polls before it calls a scope stale.
	scopeStale = 30 * time.Minute
	// exporterDown is shorter than the hold of product alerts, so that inhibition is in place before they would resolve.
	exporterDown = 5 * time.Minute
	// decisionLate, answerLate: two weeks for a decision, one working week for a first answer. They are bounds of buckets.
	decisionLate = 14 * 24 * time.Hour
	answerLate   = 5 * 24 * time.Hour
	// blockedLong: a release that is blocked for a day has cost more than the block saves.
	blockedLong = 24 * time.Hour
	// countingRecent is how long a change of counting is news.
	countingRecent = 6 * time.Hour
	// lostWithin is how long the loss of a control is news.
	lostWithin = 7 * 24 * time.Hour
	// ledgerRecent: errors of the last quarter of an hour are happening now.
	ledgerRecent = 15 * time.Minute
	// leaderGone is several leases: a fail-over takes one.
	leaderGone = 5 * time.Minute
	// evaluationLate is many evaluation intervals.
	evaluationLate = 30 * time.Minute
)

// windows are the values of the board variable and the default policy's trailing windows; defaultWindow is chosen first.
var windows = []string{"7d", "30d", "90d"}

const defaultWindow = "30d"

// ageRange is a span of finding age in whole days; it starts and ends at bucket bounds of prodsec_finding_age_seconds.
type ageRange struct{ from, to int }

// ageRanges cut ages where the default targets lie: critical 7 to 14 days, high 30, medium 90, low 180.
var ageRanges = []ageRange{{0, 7}, {7, 30}, {30, 90}, {90, 180}, {180, 365}, {365, 0}}

// label is the value of the label age: days, zero-padded so that text sorts as time does.
func (r ageRange) label() string {
	if r.to == 0 {
		return pad(r.from) + "+"
	}
	return pad(r.from) + "-" + pad(r.to)
}

// text is what a person reads.
func (r ageRange) text() string {
	switch {
	case r.from == 0:
		return "under " + strconv.Itoa(r.to) + " d"
	case r.to == 0:
		return "over " + strconv.Itoa(r.from) + " d"
	default:
		return strconv.Itoa(r.from) + "–" + strconv.Itoa(r.to) + " d"
	}
}

func pad(days int) string {
	s := strconv.Itoa(days)
	return strings.Repeat("0", 3-len(s)) + s
}

// Thresholds. A ratio is green at its target, orange within reach of it, and red below. A count of things that should not be there is
// orange from one; it is red where one is already too many.
var (
	// attainmentTarget comes from the default policy; reach is the distance at which it turns from orange to red.
	attainmentTarget = policy.DefaultConfig().SLA.AttainmentTarget
	reach            = 0.15
	// protectionTarget: a privileged repository is protected or somebody decided otherwise.
	protectionTarget = 0.95
	// ownershipTarget: what nobody owns nobody fixes.
	ownershipTarget = 0.98
	// concentrated is the share of open criticals and highs in the five worst services from which the problem is a few services'.
	concentrated = 0.5
	// approvalTarget: a deployment past the control is an exception, and some are emergencies.
	approvalTarget = 0.95
	// evidenceTarget: what is not built the paved way yet is known by name.
	evidenceTarget = 0.9
	// controlTarget: what does not have a control yet is known by name.
	controlTarget = 0.9
	// remediatedTarget: most of what leaves should have been mended.
	remediatedTarget = 0.7
	// budgetReserve is the share of an API's budget below which the next pass may not get through.
	budgetReserve = 0.1
)

// attainmentOutcomes is how many deadlines must have fallen before a share of them means something.
const attainmentOutcomes = 10

// concentrationTop is how many services the measure of concentration looks at; tableRows bounds every table.
const (
	concentrationTop = 5
	tableRows        = 50
)

func daysOf(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
