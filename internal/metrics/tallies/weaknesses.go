package tallies

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Weaknesses count the open weaknesses, in one walk over all. Where a scope is dropped, fields called Unknown mark what its records contribute to.
type Weaknesses struct {
	// Count is by service, severity, class and SLA standing, Oldest (0 for none) by service and severity. CountUnknown is nil if no
	// scope is dropped.
	Count         []uint32
	CountUnknown  []bool
	Oldest        []int64
	OldestUnknown []bool
	// Age is by team and severity; nil where nothing is open.
	Age        []*frame.Distribution
	AgeUnknown []bool
	ageBounds  []float64
	// Duplicates is by class.
	Duplicates        []uint64
	DuplicatesUnknown []bool
	// urgent is the number of open criticals and highs by service.
	urgent []uint32
	// Exploited is by service, severity and evidence of exploitation; ExploitedUnknown is nil if no scope is dropped.
	Exploited        []uint32
	ExploitedUnknown []bool
	// Evidence marks the evidence of exploitation that some weakness, open or closed, ever had.
	Evidence [policy.ExploitationKnown + 1]bool
	// CategoryRisk is the risk score by position in Snapshot.Strings of the category; serviceWeight the factor by service.
	CategoryRisk  []float64
	serviceWeight []float64
	// Tools marks, by position in Snapshot.Strings and class, the tools that reported something.
	Tools        []bool
	ToolsUnknown bool
	// unattributed: something belongs to no service.
	unattributed bool
}

func emptyWeaknesses(s *snapshot.Snapshot, own *Ownership, sources *Sources) *Weaknesses {
	services, teams := len(s.Services), len(own.Teams.Labels)
	t := &Weaknesses{
		Count:             make([]uint32, services*SeverityCount*ClassCount*SLACount),
		Oldest:            make([]int64, services*SeverityCount),
		OldestUnknown:     make([]bool, services*SeverityCount),
		Age:               make([]*frame.Distribution, teams*SeverityCount),
		AgeUnknown:        make([]bool, teams*SeverityCount),
		Duplicates:        make([]uint64, ClassCount),
		DuplicatesUnknown: make([]bool, ClassCount),
		urgent:            make([]uint32, services),
		Exploited:         make([]uint32, services*SeverityCount*EvidenceCount),
		CategoryRisk:      make([]float64, len(s.Strings)),
		serviceWeight:     make([]float64, services),
		Tools:             make([]bool, len(s.Strings)*ClassCount),
	}
	if sources.anyDropped {
		t.CountUnknown = make([]bool, len(t.Count))
		t.ExploitedUnknown = make([]bool, len(t.Exploited))
	}
	return t
}

func newWeaknesses(in *Input, own *Ownership, sources *Sources) *Weaknesses {
	s, t, at := in.Snapshot, emptyWeaknesses(in.Snapshot, own, sources), in.At.Unix()
	t.ageBounds = in.Policy.Buckets(policy.BucketsAges)
	teamOf := make([]int32, len(s.Services))
	for i := range s.Services {
		teamOf[i] = own.TeamOf[s.Services[i].Owner]
		t.serviceWeight[i] = in.Policy.ServiceWeight(s.Services[i].Service)
	}
	for i, w := range s.Weaknesses.All() {
		dropped := sources.IsDropped(w.Scope)
		t.tool(w, dropped)
		evidence := in.Policy.Exploitation(w.Flags.Has(snapshot.KnownExploited), w.Flags.Has(snapshot.ActiveSecret), w.EPSS)
		t.addEvidence(w, evidence)
		t.unattributed = t.unattributed || w.Service == 0
		if w.Reports > 1 {
			t.Duplicates[w.Class] += uint64(w.Reports - 1)
			t.DuplicatesUnknown[w.Class] = t.DuplicatesUnknown[w.Class] || dropped
		}
		if !w.Open() {
			continue
		}
		t.add(w, int(in.Policy.Standing(clockOf(in, i, w), at)), int(teamOf[w.Service]), SecondsBetween(w.FirstSeen, at), dropped)
		t.addRisk(w, evidence, in.Policy.FindingWeight(w.Severity, evidence), dropped)
	}
	return t
}

// clockOf is the SLA clock of the weakness at a position.
func clockOf(in *Input, position int, w *snapshot.Weakness) policy.Clock {
	s := in.Snapshot
	clock := policy.Clock{
		Start:  w.ClockStart,
		Target: in.Policy.Target(w.Severity, s.Services[w.Service].Facts, w.Flags&(snapshot.KnownExploited|snapshot.ActiveSecret) != 0),
	}
	if len(s.Pauses) > 0 {
		clock.Pauses = s.Pauses[int32(position)]
	}
	return clock
}

func (t *Weaknesses) tool(w *snapshot.Weakness, dropped bool) {
	if at := int(w.Tool)*ClassCount + int(w.Class); w.Tool > 0 && at < len(t.Tools) {
		t.Tools[at] = true
		t.ToolsUnknown = t.ToolsUnknown || dropped
	}
}

// add counts an open weakness.
func (t *Weaknesses) add(w *snapshot.Weakness, sla, team int, age uint32, dropped bool) {
	bySeverity := int(w.Service)*SeverityCount + int(w.Severity)
	full := (bySeverity*ClassCount+int(w.Class))*SLACount + sla
	byTeam := team*SeverityCount + int(w.Severity)
	if dropped {
		t.CountUnknown[full], t.OldestUnknown[bySeverity], t.AgeUnknown[byTeam] = true, true, true
		return
	}
	t.Count[full]++
	if w.Severity <= highIndex {
		t.urgent[w.Service]++
	}
	if oldest := t.Oldest[bySeverity]; oldest == 0 || w.FirstSeen < oldest {
		t.Oldest[bySeverity] = w.FirstSeen
	}
	if t.Age[byTeam] == nil {
		t.Age[byTeam] = frame.NewDistribution(t.ageBounds)
	}
	t.Age[byTeam].Observe(age)
}

// addEvidence remembers which evidence of exploitation sources give at all. A prediction below the threshold is some, too.
func (t *Weaknesses) addEvidence(w *snapshot.Weakness, evidence policy.Exploitation) {
	t.Evidence[evidence] = true
	if w.EPSS > 0 {
		t.Evidence[policy.ExploitationLikely] = true
	}
}

// addRisk counts an open weakness by evidence, and what it weighs by category.
func (t *Weaknesses) addRisk(w *snapshot.Weakness, evidence policy.Exploitation, weight float64, dropped bool) {
	at := (int(w.Service)*SeverityCount+int(w.Severity))*EvidenceCount + int(evidence)
	if dropped {
		t.ExploitedUnknown[at] = true
		return
	}
	t.Exploited[at]++
	if category := int(w.Category); weight > 0 && category < len(t.CategoryRisk) {
		t.CategoryRisk[category] += weight * t.serviceWeight[w.Service]
	}
}
