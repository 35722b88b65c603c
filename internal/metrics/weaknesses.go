package metrics

import (
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The lengths of the axes of the tallies.
var (
	severityCount = len(record.Severities())
	classCount    = len(record.Classes())
	slaCount      = len(policy.SLAs())
	// evidenceCount is the number of kinds of evidence of exploitation, none included.
	evidenceCount = len(policy.Exploitations()) + 1
)

// openTally is one walk over all weaknesses. Where a scope is dropped, unknown marks what its records contribute to.
type openTally struct {
	// count is by service, severity, class and standing, oldest (0 for none) by service and severity. countUnknown is nil if no
	// scope is dropped.
	count         []uint32
	countUnknown  []bool
	oldest        []int64
	oldestUnknown []bool
	// age is by team and severity; nil where nothing is open.
	age        []*tally
	ageUnknown []bool
	ageBounds  []float64
	// duplicates is by class.
	duplicates        []uint64
	duplicatesUnknown []bool
	// urgent is the number of open criticals and highs by service.
	urgent []uint32
	// exploited is by service, severity and evidence; exploitedUnknown is nil if no scope is dropped.
	exploited        []uint32
	exploitedUnknown []bool
	// evidence marks what some weakness, open or closed, was ever shown by.
	evidence [policy.ExploitationKnown + 1]bool
	// categoryRisk is the risk score by position in Snapshot.Strings of the category; serviceWeight the factor by service.
	categoryRisk  []float64
	serviceWeight []float64
	// tools marks, by position in Snapshot.Strings and class, the tools that reported something.
	tools        []bool
	toolsUnknown bool
	unattributed bool
}

func newOpenTally(s *snapshot.Snapshot, own *ownership, sources *readState) *openTally {
	services, teams := len(s.Services), len(own.teams.labels)
	t := &openTally{
		count:             make([]uint32, services*severityCount*classCount*slaCount),
		oldest:            make([]int64, services*severityCount),
		oldestUnknown:     make([]bool, services*severityCount),
		age:               make([]*tally, teams*severityCount),
		ageUnknown:        make([]bool, teams*severityCount),
		duplicates:        make([]uint64, classCount),
		duplicatesUnknown: make([]bool, classCount),
		urgent:            make([]uint32, services),
		exploited:         make([]uint32, services*severityCount*evidenceCount),
		categoryRisk:      make([]float64, len(s.Strings)),
		serviceWeight:     make([]float64, services),
		tools:             make([]bool, len(s.Strings)*classCount),
	}
	if sources.anyDropped {
		t.countUnknown = make([]bool, len(t.count))
		t.exploitedUnknown = make([]bool, len(t.exploited))
	}
	return t
}

func tallyOpen(in *Input, own *ownership, sources *readState) *openTally {
	s, t, at := in.Snapshot, newOpenTally(in.Snapshot, own, sources), in.At.Unix()
	t.ageBounds = in.Policy.Buckets(policy.BucketsAges)
	teamOf := make([]int32, len(s.Services))
	for i := range s.Services {
		teamOf[i] = own.teamOf[s.Services[i].Owner]
		t.serviceWeight[i] = in.Policy.ServiceWeight(s.Services[i].Service)
	}
	for i, w := range s.Weaknesses.All() {
		dropped := sources.isDropped(w.Scope)
		t.tool(w, dropped)
		evidence := in.Policy.Exploitation(w.Flags.Has(snapshot.KnownExploited), w.Flags.Has(snapshot.ActiveSecret), w.EPSS)
		t.note(w, evidence)
		t.unattributed = t.unattributed || w.Service == 0
		if w.Reports > 1 {
			t.duplicates[w.Class] += uint64(w.Reports - 1)
			t.duplicatesUnknown[w.Class] = t.duplicatesUnknown[w.Class] || dropped
		}
		if !w.Open() {
			continue
		}
		t.add(w, int(in.Policy.Standing(clockOf(in, i, w), at)), int(teamOf[w.Service]), secondsBetween(w.FirstSeen, at), dropped)
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

func (t *openTally) tool(w *snapshot.Weakness, dropped bool) {
	if at := int(w.Tool)*classCount + int(w.Class); w.Tool > 0 && at < len(t.tools) {
		t.tools[at] = true
		t.toolsUnknown = t.toolsUnknown || dropped
	}
}

// add counts an open weakness.
func (t *openTally) add(w *snapshot.Weakness, sla, team int, age uint32, dropped bool) {
	bySeverity := int(w.Service)*severityCount + int(w.Severity)
	full := (bySeverity*classCount+int(w.Class))*slaCount + sla
	byTeam := team*severityCount + int(w.Severity)
	if dropped {
		t.countUnknown[full], t.oldestUnknown[bySeverity], t.ageUnknown[byTeam] = true, true, true
		return
	}
	t.count[full]++
	if w.Severity <= highIndex {
		t.urgent[w.Service]++
	}
	if oldest := t.oldest[bySeverity]; oldest == 0 || w.FirstSeen < oldest {
		t.oldest[bySeverity] = w.FirstSeen
	}
	if t.age[byTeam] == nil {
		t.age[byTeam] = newTally(t.ageBounds)
	}
	t.age[byTeam].sum += float64(age)
	t.age[byTeam].observe(t.ageBounds, age, 1)
}

// highIndex is the index of severity high; critical is before it.
var highIndex = policy.IndexOfSeverity(record.SeverityHigh)

// urgentSeverities are the positions of critical and high.
var urgentSeverities = []int{int(policy.IndexOfSeverity(record.SeverityCritical)), int(highIndex)}
