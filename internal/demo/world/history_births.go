package world

import (
	"prodsec_exporter/internal/record"
)

// perWeek is how many findings a repository of weight and volume 1 gets from a source in a week, by purpose.
var perWeek = map[Purpose]map[Source]float64{
	PurposeApplication: {
		SourceDependabot: 0.25, SourceCodeScanning: 0.14, SourceSecretScanning: 0.016, SourceDefectDojo: 0.18, SourceReports: 0.4,
	},
	PurposeLibrary:        {SourceDependabot: 0.36, SourceCodeScanning: 0.15},
	PurposeInfrastructure: {SourceDependabot: 0.06, SourceCodeScanning: 0.27, SourceSecretScanning: 0.02, SourceDefectDojo: 0.12},
	PurposeDocumentation:  {SourceDependabot: 0.1},
}

// sources in the order in which their births are drawn.
var sources = []Source{SourceDependabot, SourceCodeScanning, SourceSecretScanning, SourceDefectDojo, SourceReports}

// bornIn lists what is found in a repository in a week. The caller holds mu.
func (w *World) bornIn(r *Repository, n int64) []*Finding {
	key := birthKey{r.Index, n}
	if list, ok := w.births[key]; ok {
		return list
	}
	b := &birth{world: w, repository: r, week: n, random: w.random("birth", r.FullName(), n), taken: map[*Advisory]bool{}}
	if !r.Archived {
		for _, source := range sources {
			mean := perWeek[r.Purpose][source] * r.Weight * b.volume()
			for range min(poisson(b.random, mean), maxBirths) {
				b.ordinary(source)
			}
		}
		b.script()
		b.flaps()
	}
	w.births[key] = b.list
	return b.list
}

// ordinary draws a finding without a part in the story.
func (b *birth) ordinary(source Source) {
	switch source {
	case SourceDependabot:
		b.dependency(draw(b.random, []choice[record.Severity]{
			{record.SeverityCritical, 5}, {record.SeverityHigh, 22}, {record.SeverityMedium, 45}, {record.SeverityLow, 28},
		}))
	case SourceCodeScanning:
		b.code()
	case SourceSecretScanning:
		b.add(&Finding{Source: source, Tool: ToolSecrets, Class: record.ClassSecret, Rule: b.rule(secretRules), Path: b.path()})
	case SourceDefectDojo:
		b.imported()
	case SourceReports:
		b.reported()
	}
}
