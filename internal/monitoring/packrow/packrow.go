// Package packrow names the rows of the leadership metrics pack, what each asks and which families answer it (sections.go). Panels and alerts name the rows they answer;
// docs/traceability.md is generated from both.
//
// To add a row: its name in packrow.go and its trace in sections.go. Generation fails until a family and a panel answer it.
package packrow

// Row is a row of the leadership metrics pack, as docs/traceability.md names it: W are the weekly metrics, M the monthly, Q the quarterly themes; C, E, R
// and D what the four panels of the compact dashboard track; DORA the delivery metrics with their security lens.
type Row string

// The rows of the pack.
const (
	PackFlow         Row = "W1" // critical and high findings opened against closed
	PackExceptions   Row = "W2" // exception count and aging
	PackReviews      Row = "W3" // reviews waiting for first response
	PackBlocks       Row = "W4" // release blocks and urgent escalations
	PackFollowups    Row = "W5" // incident-related follow-up actions aging
	PackBaselines    Row = "M1" // exposed services with named owners and required baselines
	PackAdoption     Row = "M2" // control adoption by trust tier
	PackAttainment   Row = "M3" // remediation SLA attainment by business unit
	PackRepeated     Row = "M4" // repeated exception categories
	PackEvidence     Row = "M5" // privileged pipelines with evidence
	PackRecurring    Row = "M6" // recurring finding categories by product area
	PackUnprotected  Row = "Q1" // under-protected relative to exposure
	PackConcentrated Row = "Q2" // risk concentration
	PackFriction     Row = "Q3" // friction against safety
	PackInvestment   Row = "Q4" // investment case
	PackTrend        Row = "Q5" // trend quality

	TrackGoldenPaths  Row = "C1" // services on approved golden paths
	TrackDesign       Row = "C2" // critical services with threat model and design review
	TrackBaselines    Row = "C3" // production services with logging, ownership and baseline controls
	TrackProtection   Row = "C4" // privileged repositories and pipelines covered by protections
	TrackOpen         Row = "E1" // open criticals and highs by age
	TrackExceptions   Row = "E2" // exceptions by category and expiry horizon
	TrackFailures     Row = "E3" // top recurring control failures
	TrackConcentrated Row = "E4" // concentration of risk in few teams or services
	TrackResponse     Row = "R1" // time to first response for reviews
	TrackAttainment   Row = "R2" // remediation SLA attainment by severity and business unit
	TrackDecision     Row = "R3" // time to exception decision
	TrackFollowups    Row = "R4" // time to close incident follow-up actions
	TrackPaths        Row = "D1" // protected deployment paths for higher-trust services
	TrackEvidence     Row = "D2" // provenance, attestation and release evidence
	TrackRunners      Row = "D3" // runner and cloud identity trust-tier compliance
	TrackRollback     Row = "D4" // rollback readiness for critical services

	DORAFrequency Row = "DORA1" // deployment frequency
	DORALeadTime  Row = "DORA2" // lead time for changes
	DORAFailures  Row = "DORA3" // change failure rate
	DORARestore   Row = "DORA4" // time to restore service
)

// All are all rows, in the order of the pack.
func All() []Row {
	return []Row{
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

// List lists rows, so that a literal reads "Answers: packrow.List(packrow.PackFlow, packrow.TrackOpen)".
func List(rows ...Row) []Row { return rows }
