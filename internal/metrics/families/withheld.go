package families

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/snapshot"
)

// What an alert or a headline rests on must not vanish silently when a source does: an alert that ends because nobody looks any more reads
// as a fix. A family that says Withheld therefore has a companion, prodsec_withheld_..., with the series that it hides, or shows smaller,
// because a scope is dropped, at the value that its last good records give. Without dropped scopes the companions are empty.

const (
	familyPrefix   = "prodsec_"
	withheldPrefix = "prodsec_withheld_"
)

// withheldName is the name of the companion of a family.
func withheldName(name string) string { return withheldPrefix + strings.TrimPrefix(name, familyPrefix) }

// companion describes the companion of a family.
func (f *Family) companion() frame.Family {
	c := f.Family
	c.Name = withheldName(f.Name)
	c.Help = "What " + f.Name + " withholds because a scope behind it is dropped (last read longer ago than stale_after): the series that it hides, or shows " +
		"with less, with the value that the records last read give. Absent while nothing is withheld. It is no part of the present numbers: headlines show it beside " +
		"them, and alerts hold by it."
	c.Stability = frame.Experimental
	c.Refresh = refreshAll
	c.Example = strings.Replace(f.Example, f.Name, c.Name, 1)
	return c
}

// withCompanions are families, each followed by its companion if it has one. Companions have no function of their own: see collectWithheld.
func withCompanions(list []*Family) []*Family {
	var all []*Family
	for _, f := range list {
		all = append(all, f)
		if f.Withheld {
			all = append(all, &Family{Family: f.companion()})
		}
	}
	return all
}

// asLastRead is the snapshot as it would be if no records became too old; ok is false if none have.
func asLastRead(in *tallies.Tallies) (s *snapshot.Snapshot, ok bool) {
	dropped := func(scope snapshot.Scope) bool { return scope.Freshness(in.At) == snapshot.Dropped }
	if !slices.ContainsFunc(in.Snapshot.Scopes, dropped) {
		return nil, false
	}
	last := *in.Snapshot
	last.Scopes = slices.Clone(last.Scopes)
	for i := range last.Scopes {
		if dropped(last.Scopes[i]) {
			last.Scopes[i].StaleAfter = 0
		}
	}
	return &last, true
}

// collectWithheld adds the companions of families to an evaluation of which shown are the results.
func collectWithheld(e *frame.Evaluation, in *tallies.Tallies, list []*Family) {
	lastRead, ok := asLastRead(in)
	if !ok {
		return
	}
	last := tallies.New(lastRead, in.Policy, in.At)
	companions := newEvaluator(last)
	for _, f := range list {
		if f.Withheld {
			companions.Collect(f.described(in.Policy), func(out *frame.Sink) { f.Collect(last, out) })
		}
	}
	for _, result := range companions.Evaluation().Results {
		if series := beyond(result.Series, shownBy(e, result.Family.Name)); len(series) > 0 {
			c := (&Family{Family: *result.Family}).companion()
			e.Results = append(e.Results, frame.Result{Family: &c, Series: series})
		}
	}
	slices.SortFunc(e.Results, func(a, b frame.Result) int { return strings.Compare(a.Family.Name, b.Family.Name) })
}

// shownBy are the series of a family in an evaluation.
func shownBy(e *frame.Evaluation, name string) []frame.Series {
	for _, r := range e.Results {
		if r.Family.Name == name {
			return r.Series
		}
	}
	return nil
}

// beyond are the series of which shown has none, or a smaller one. What is 0 is nothing to withhold.
func beyond(last, shown []frame.Series) []frame.Series {
	sizes := map[string]float64{}
	for _, s := range shown {
		sizes[frame.Key(s.Labels...)] = size(s)
	}
	return slices.DeleteFunc(slices.Clone(last), func(s frame.Series) bool { return size(s) <= sizes[frame.Key(s.Labels...)] })
}

// size is the value of a series, or the number of its observations.
func size(s frame.Series) float64 {
	if s.Histogram != nil {
		return float64(s.Histogram.Count)
	}
	return s.Value
}
