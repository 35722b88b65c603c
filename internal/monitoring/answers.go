package monitoring

// PackRow is a row of the leadership metrics pack, as docs/traceability.md names it: W are the weekly metrics, M the monthly, Q the quarterly themes; C, E, R
// and D what the four panels of the compact dashboard track; DORA the delivery metrics with their security lens.
type PackRow string

// The rows of the pack.
const (
	PackFlow         PackRow = "W1" // critical and high findings opened against closed
	PackExceptions   PackRow = "W2" // exception count and aging
	PackReviews      PackRow = "W3" // reviews waiting for first response
	PackBlocks       PackRow = "W4" // release blocks and urgent escalations
	PackFollowups    PackRow = "W5" // incident-related follow-up actions aging
	PackBaselines    PackRow = "M1" // exposed services with named owners and required baselines
	PackAdoption     PackRow = "M2" // control adoption by trust tier
	PackAttainment   PackRow = "M3" // remediation SLA attainment by business unit
	PackRepeated     PackRow = "M4" // repeated exception categories
	PackEvidence     PackRow = "M5" // privileged pipelines with evidence
	PackRecurring    PackRow = "M6" // recurring finding categories by product area
	PackUnprotected  PackRow = "Q1" // under-protected relative to exposure
	PackConcentrated PackRow = "Q2" // risk concentration
	PackFriction     PackRow = "Q3" // friction against safety
	PackInvestment   PackRow = "Q4" // investment case
	PackTrend        PackRow = "Q5" // trend quality

	TrackGoldenPaths  PackRow = "C1" // services on approved golden paths
	TrackDesign       PackRow = "C2" // critical services with threat model and design review
	TrackBaselines    PackRow = "C3" // production services with logging, ownership and baseline controls
	TrackProtection   PackRow = "C4" // privileged repositories and pipelines covered by protections
	TrackOpen         PackRow = "E1" // open criticals and highs by age
	TrackExceptions   PackRow = "E2" // exceptions by category and expiry horizon
	TrackFailures     PackRow = "E3" // top recurring control failures
	TrackConcentrated PackRow = "E4" // concentration of risk in few teams or services
	TrackResponse     PackRow = "R1" // time to first response for reviews
	TrackAttainment   PackRow = "R2" // remediation SLA attainment by severity and business unit
	TrackDecision     PackRow = "R3" // time to exception decision
	TrackFollowups    PackRow = "R4" // time to close incident follow-up actions
	TrackPaths        PackRow = "D1" // protected deployment paths for higher-trust services
	TrackEvidence     PackRow = "D2" // provenance, attestation and release evidence
	TrackRunners      PackRow = "D3" // runner and cloud identity trust-tier compliance
	TrackRollback     PackRow = "D4" // rollback readiness for critical services

	DORAFrequency PackRow = "DORA1" // deployment frequency
	DORALeadTime  PackRow = "DORA2" // lead time for changes
	DORAFailures  PackRow = "DORA3" // change failure rate
	DORARestore   PackRow = "DORA4" // time to restore service
)

// PackRows are all rows, in the order of the pack.
func PackRows() []PackRow {
	return []PackRow{
		PackFlow, PackExceptions, PackReviews, PackBlocks, PackFollowups,
		PackBaselines, PackAdoption, PackAttainment, PackRepeated, PackEvidence, PackRecurring,
		PackUnprotected, PackConcentrated, PackFriction, PackInvestment, PackTrend,
		TrackGoldenPaths, TrackDesign, TrackBaselines, TrackProtection,
		TrackOpen, TrackExceptions, TrackFailures, TrackConcentrated,
		TrackResponse, TrackAttainment, TrackDecision, TrackFollowups,
		TrackPaths, TrackEvidence, TrackRunners, TrackRollback,
		DORAFrequency, DORALeadTime, DORAFailures, DORARestore,
	}
}

// answers lists rows, so that a literal reads "Answers: answers(PackFlow, TrackOpen)".
func answers(rows ...PackRow) []PackRow { return rows }
