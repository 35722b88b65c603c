package world

import (
	"time"

	"prodsec_exporter/internal/record"
)

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

// The flapping drift detector: so many checks in each of two sources, renewed every half-year.
const (
	flapsPerSource = 14
	flapTerm       = 26
)
