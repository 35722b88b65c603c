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

// script adds what the story needs at any time, whatever the dice say.
func (b *birth) script() {
	if len(b.repository.Hosts) == 0 || b.repository.Purpose != PurposeApplication {
		return
	}
	first := b.repository.Hosts[0]
	if _, yes := b.world.trouble(first.Team, startOf(b.week)); yes && b.repository == flagship(first.Team) {
		b.neglected(record.SeverityCritical, 30*day, 50*day)
		b.neglected(record.SeverityHigh, 45*day, 80*day)
		b.neglected(record.SeverityHigh, 45*day, 80*day)
		b.neglected(record.SeverityHigh, 28*day, 30*day)
	}
	switch {
	case b.repository.Name == "card-issuing" && b.week%3 == 0:
		b.exploited()
	case b.repository.Name == "tracking-page" && b.week%4 == 0:
		f := b.add(&Finding{
			Source: SourceSecretScanning, Tool: ToolSecrets, Class: record.ClassSecret, Rule: b.rule(secretRules[:1]), Path: "src/config/local.env",
		})
		f.ActiveSecret = true
		f.fixedAfter(between(b.random, 37*day, 55*day))
	}
}

// flagship is the repository of a team's first service.
func flagship(team *Team) *Repository { return team.Services[0].Repositories[0].Repository }

// neglected adds a finding that stays open for long.
func (b *birth) neglected(severity record.Severity, atLeast, atMost time.Duration) {
	if f := b.dependency(severity); f != nil {
		f.fixedAfter(between(b.random, atLeast, atMost))
	}
}

// exploited adds a known-exploited weakness of an internet-facing service.
func (b *birth) exploited() {
	a := b.advisory(record.SeverityCritical)
	if a == nil {
		return
	}
	f := b.add(&Finding{
		Source: SourceDefectDojo, Tool: ToolTrivy, Class: record.ClassContainer, Advisory: a, Severity: a.Severity, Path: manifest[a.Ecosystem],
	})
	f.KnownExploited = true
	f.fixedAfter(between(b.random, 29*day, 40*day))
}

// The flapping drift detector: so many checks in each of two sources, renewed every half-year.
const (
	flapsPerSource = 14
	flapTerm       = 26
)

// flaps adds the checks of the drift detector at the beginning of its term.
func (b *birth) flaps() {
	if b.repository.Name != "feature-flags-deploy" && b.repository.Name != "event-bus-deploy" || b.week%flapTerm != 0 {
		return
	}
	source := SourceCodeScanning
	if b.repository.Name == "event-bus-deploy" {
		source = SourceDefectDojo
	}
	for range flapsPerSource {
		rule := driftRule
		f := b.add(&Finding{
			Source: source, Tool: ToolDrift, Class: record.ClassIaC, Rule: &rule, Path: "deploy/main.tf", Line: 1 + b.random.IntN(400),
		})
		period := between(b.random, 80*time.Minute, 3*time.Hour)
		f.Flap = &Flap{Period: period, Open: between(b.random, 20*time.Minute, 55*time.Minute)}
		f.fixedAfter(flapTerm * week)
	}
}
