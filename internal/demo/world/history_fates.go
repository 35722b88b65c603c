package world

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// patience is how long an ordinary team's fix takes, as a median, by severity.
var patience = map[record.Severity]time.Duration{
	record.SeverityCritical: 70 * time.Hour, record.SeverityHigh: 11 * day, record.SeverityMedium: 100 * day,
	record.SeverityLow: 230 * day, record.SeverityUnknown: 60 * day,
}

// spread is how much the times differ from each other.
const spread = 0.9

// dismissals says how often findings of a source are closed otherwise than by a fix.
var dismissals = map[Source][]choice[record.Closure]{
	SourceDependabot: {
		{record.ClosureFixed, 84}, {record.ClosureFalsePositive, 2}, {record.ClosureRiskAccepted, 3}, {record.ClosureWontFix, 1},
		{record.ClosureOutOfScope, 3}, {record.ClosureOther, 1}, {record.ClosureAutoDismissed, 3},
	},
	SourceCodeScanning: {
		{record.ClosureFixed, 78}, {record.ClosureFalsePositive, 10}, {record.ClosureWontFix, 5}, {record.ClosureUsedInTests, 4},
		{record.ClosureMitigated, 3},
	},
	SourceSecretScanning: {
		{record.ClosureFixed, 70}, {record.ClosureFalsePositive, 15}, {record.ClosureWontFix, 3}, {record.ClosureUsedInTests, 12},
	},
	SourceDefectDojo: {
		{record.ClosureFixed, 82}, {record.ClosureFalsePositive, 7}, {record.ClosureOutOfScope, 3}, {record.ClosureRiskAccepted, 5},
		{record.ClosureDuplicate, 3},
	},
	SourceReports: {{record.ClosureFixed, 1}},
}

// fate draws what will happen to a finding.
func (b *birth) fate(f *Finding) []Change {
	const reopens = 0.04
	closed := f.Born.Add(b.life(f))
	changes := []Change{{closed, draw(b.random, dismissals[f.Source])}}
	if f.Source == SourceReports || changes[0].To != record.ClosureFixed || b.random.Float64() >= reopens {
		return changes
	}
	reopened := closed.Add(between(b.random, 2*day, 25*day))
	again := reopened.Add((b.life(f) / 2).Truncate(time.Second))
	if again.After(f.Born.Add(longestLife)) {
		return changes
	}
	return append(changes, Change{reopened, record.ClosureNone}, Change{again, record.ClosureFixed})
}

// retold are the changes of another tool's finding in the words of DefectDojo.
func retold(changes []Change) []Change {
	words := map[record.Closure]record.Closure{
		record.ClosureWontFix: record.ClosureRiskAccepted, record.ClosureOther: record.ClosureRiskAccepted, record.ClosureMitigated: record.ClosureRiskAccepted,
		record.ClosureUsedInTests: record.ClosureFalsePositive, record.ClosureAutoDismissed: record.ClosureOutOfScope,
	}
	changed := slices.Clone(changes)
	for i, c := range changed {
		if word, ok := words[c.To]; ok {
			changed[i].To = word
		}
	}
	return changed
}

// life draws how long the finding stays open.
func (b *birth) life(f *Finding) time.Duration {
	pace := 1.5 // of code that nobody owns
	team := b.team()
	if team != nil {
		pace = team.Pace
	}
	median := time.Duration(float64(patience[f.Severity]) * pace)
	if team != nil {
		if relief, yes := b.world.trouble(team, f.Born); yes {
			// Nearly everything waits for the clean-up that follows the trouble, and that takes a while.
			slow := longTailed(b.random, median*2, spread)
			clean := relief.Sub(f.Born) + longTailed(b.random, 20*day, spread/2)
			return min(slow, clean, longestLife)
		}
	}
	return longTailed(b.random, median, spread)
}

// fixedAfter replaces the fate of a finding by a fix after a span.
func (f *Finding) fixedAfter(span time.Duration) {
	f.Changes = []Change{{f.Born.Add(span), record.ClosureFixed}}
}
