package tallies

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The lengths of the axes of the arrays in tallies.
var (
	SeverityCount = len(record.Severities())
	ClassCount    = len(record.Classes())
	SLACount      = len(policy.SLAs())
	// EvidenceCount is the number of kinds of evidence of exploitation, none included.
	EvidenceCount = len(policy.Exploitations()) + 1
)

// The kinds of event, in the order of the label values: flows, then outcomes. KindCount is their number.
var (
	FlowKinds    = snapshot.FlowKinds()
	OutcomeKinds = snapshot.OutcomeKinds()
	KindCount    = len(FlowKinds) + len(OutcomeKinds)
)

// highIndex is the index of severity high; critical is before it.
var highIndex = policy.IndexOfSeverity(record.SeverityHigh)

// UrgentSeverities are the positions of critical and high.
var UrgentSeverities = []int{int(policy.IndexOfSeverity(record.SeverityCritical)), int(highIndex)}
