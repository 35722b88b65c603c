package boards

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/boards/panel"
	"prodsec_exporter/internal/monitoring/boards/query"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// How ratios and counts are coloured. Thresholds of Grafana are fixed when a board is generated, and targets are the policy's: so Prometheus compares, and each result is a query of its own
// with a fixed colour. What is of too few to be compared is grey, and so is every part of a number that is not known.

// ratioQueries show a ratio in large type: coloured by the target, or grey where it is of too few, and how many it is of.
func ratioQueries(name string, r query.Ratio, objective policy.Objective) []panel.Query {
	return append(comparedQueries(name, r, objective), panel.Query{Name: "n of " + name, Legend: "of", Expr: r.Whole, Unit: "none", Colour: panel.Unknown})
}

// comparedQueries are the same without how many it is of.
func comparedQueries(name string, r query.Ratio, objective policy.Objective) []panel.Query {
	one := func(verdict, expr, colour string) panel.Query {
		return panel.Query{Name: name + ", " + verdict, Legend: name, Expr: expr, Unit: "percentunit", Colour: colour}
	}
	return []panel.Query{
		one("at its target", r.Reaches(objective), panel.Good), one("near it", r.Near(objective), panel.Warning), one("below it", r.Misses(objective), panel.Bad),
		one("of too few to compare", r.Few(), panel.Unknown),
	}
}

// comparedRanking ranks a ratio that has a series for each value of a label, lowest first. What is of too few is left out.
func comparedRanking(r query.Ratio, legend string, n int, objective policy.Objective) []panel.Query {
	lowest := query.Ratio{Part: fmt.Sprintf("bottomk(%d, %s)", n, r.Enough()), Whole: "1"}
	one := func(verdict, compared, colour string) panel.Query {
		return panel.Query{Name: verdict, Legend: legend, Expr: "sort(" + compared + ")", Colour: colour}
	}
	target := promql.Target(objective)
	return []panel.Query{
		one("below target", fmt.Sprintf("%s < on () group_left () (%s - %g)", lowest.Part, target, settings.Reach), panel.Bad),
		one("near target", fmt.Sprintf("(%s < on () group_left () %s) >= on () group_left () (%s - %g)", lowest.Part, target, target, settings.Reach), panel.Warning),
		one("at target", fmt.Sprintf("%s >= on () group_left () %s", lowest.Part, target), panel.Good),
	}
}

// againstColumn is a column with by how much a ratio is above the policy's target, or below: of too few it says so.
func againstColumn(title string) panel.Column {
	return panel.Column{
		Field: title, Title: title, Unit: "percentunit", Shade: true, Zero: "too few", Width: 95,
		Steps: []panel.Step{panel.Below(panel.Bad), panel.From(-settings.Reach, panel.Warning), panel.From(0, panel.Good)},
	}
}

// targetQuery is the line of a target.
func targetQuery(objective policy.Objective) panel.Query {
	return panel.Query{Name: "target", Expr: promql.Target(objective), Colour: panel.Good}
}

// rangeQueries show a ratio of which a part is not known: at least so much, at most so much. The lower end is never good news, and the upper end is no bad news yet: unless both ends are on one side
// of what is too much, it is not known which it is.
func rangeQueries(name string, r query.Range, late, tooMuch float64) []panel.Query {
	return []panel.Query{
		{Name: name + ", at least", Expr: r.Low.Expr(), Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Unknown), panel.From(late, panel.Warning), panel.From(tooMuch, panel.Bad)}},
		{Name: name + ", at most", Expr: r.High.Expr(), Unit: "percentunit", Steps: []panel.Step{panel.Below(panel.Good), panel.From(late, panel.Unknown)}},
	}
}

// atLeast shows a count of records of a kind. While scopes of them are dropped or were never read the count is a lower bound: it says so, and is not good news.
func atLeast(kind record.Kind, q panel.Query) []panel.Query {
	whole, part := q, q
	whole.Expr = "(" + q.Expr + ")\nunless on ()\n(" + query.Unread(kind) + ")"
	part.Expr = "(" + q.Expr + ")\nand on ()\n(" + query.Unread(kind) + ")"
	part.Name = q.Name + ", at least"
	part.Steps = make([]panel.Step, len(q.Steps))
	for i, s := range q.Steps {
		if s.Colour == panel.Good {
			s.Colour = panel.Unknown
		}
		part.Steps[i] = s
	}
	return []panel.Query{whole, part}
}

// missingQueries say beside a headline that something is missing from it: how many scopes of a kind of record are not read, and what was there when it was last known.
func missingQueries(kind record.Kind, family, unit string, matchers ...string) []panel.Query {
	return []panel.Query{
		{Name: "withheld, last known", Expr: query.WithheldOf("", family, matchers...), Unit: unit, Colour: panel.Unknown},
		{Name: "scopes not read", Expr: query.Unread(kind), Unit: "none", Colour: panel.Unknown},
	}
}

// exemptQuery counts what is exempt, if anything is.
func exemptQuery(expr string) panel.Query {
	return panel.Query{Name: "exempt", Expr: expr + " > 0", Unit: "none", Colour: panel.Waived}
}

// unknownQuery counts what is not known, if anything is not.
func unknownQuery(expr string) panel.Query {
	return panel.Query{Name: "unknown", Expr: expr + " > 0", Unit: "none", Colour: panel.Unknown}
}
