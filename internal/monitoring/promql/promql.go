// Package promql writes the forms that queries are made of, among them the one that counts two replicas once. It knows the names of package names, so that a query of
// nothing fails while generating.
//
// To add a form: a function that at least two queries need; what one board needs is in boards/query.
package promql

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// Once selects series of a family and counts them once however many replicas expose them.
func Once(name string, matchers ...string) string {
	return fmt.Sprintf("max without (%s) (%s)", strings.Join(names.ReplicaLabels, ", "), Series(name, matchers...))
}

// OnceHeld is Once for what alerts rest on: where a part of the family is withheld because a scope is dropped, the value last known is taken instead. So a condition does
// not end because its source went away.
func OnceHeld(name string, matchers ...string) string {
	return fmt.Sprintf("max without (withheld) (\n    %s\n    or label_replace(%s, \"withheld\", \"true\", \"\", \"\")\n  )", Once(name, matchers...), Once(names.Withheld(name), matchers...))
}

// Target is what policy holds an objective to. An exporter that does not say so yet has the default policy's.
func Target(objective policy.Objective) string {
	return fmt.Sprintf("(%s or vector(%g))", MaxBy("", Once(names.TargetRatio, Is("objective", string(objective)))), settings.Targets.ObjectiveTarget(objective))
}

// MinimumOutcomes is the smallest denominator of a share that policy compares with a target.
func MinimumOutcomes() string {
	return fmt.Sprintf("(%s or vector(%d))", MaxBy("", Once(names.MinimumOutcomes)), settings.Targets.MinimumOutcomes())
}

// OnceChosen is Once, restricted to what is chosen at the top of a board.
func OnceChosen(name string, matchers ...string) string {
	return Once(name, append(matchers, ChosenMatchers(name)...)...)
}

// SeriesChosen selects series of a recording rule, restricted to what is chosen at the top of a board.
func SeriesChosen(rule string, matchers ...string) string {
	return Series(rule, append(matchers, ChosenMatchers(rule)...)...)
}

// Series selects by matchers; the name must be known.
func Series(name string, matchers ...string) string {
	names.LabelsOf(names.BaseName(name)) // panics when nothing has that name
	if len(matchers) == 0 {
		return name
	}
	return name + "{" + strings.Join(matchers, ", ") + "}"
}

// ChosenMatchers are the matchers of the board variables that a family or rule has labels for.
func ChosenMatchers(name string) []string {
	var matchers []string
	labels := names.LabelsOf(names.BaseName(name))
	for _, v := range names.BoardVariables {
		if slices.Contains(labels, v) {
			matchers = append(matchers, fmt.Sprintf(`%s=~"$%s"`, v, v))
		}
	}
	return matchers
}

// Is matches one value of a label.
func Is(label, value string) string { return label + "=" + strconv.Quote(value) }

// IsNot matches every other value.
func IsNot(label, value string) string { return label + "!=" + strconv.Quote(value) }

// In matches any of the values, which are regular expressions.
func In(label string, v ...string) string { return label + "=~" + strconv.Quote(strings.Join(v, "|")) }

// InWindow restricts an ..._in_window family to the window chosen on the board.
func InWindow() string { return `window="$window"` }

// Severe restricts to the severities that leadership numbers are about.
func Severe() string { return In("severity", "critical", "high") }

// SumBy sums by labels, or everything when there are none.
func SumBy(labels, expr string) string { return aggregate("sum", labels, expr) }

// MaxBy is the largest by labels.
func MaxBy(labels, expr string) string { return aggregate("max", labels, expr) }

// MinBy is the smallest by labels.
func MinBy(labels, expr string) string { return aggregate("min", labels, expr) }

// Filled adds a 0 for everything that base yields and the query does not. Both must have the same labels.
func Filled(query, base string) string {
	return query + "\nor\n0 * (" + base + ")"
}

// aggregate writes an aggregation by labels, or over everything when there are none.
func aggregate(operator, labels, expr string) string {
	if labels == "" {
		return operator + " (" + expr + ")"
	}
	return operator + " by (" + labels + ") (" + expr + ")"
}

// Top keeps the n largest and sorts them.
func Top(n int, expr string) string { return fmt.Sprintf("sort_desc(topk(%d, %s))", n, expr) }

// Le matches a classic bucket's bound in whole seconds in every form in which client and server write it: 1209600, 1209600.0 (Prometheus 3
// and OpenMetrics) and 1.2096e+06 (the text format of client_golang).
func Le(d time.Duration) string {
	seconds := d.Seconds()
	plain := strconv.FormatFloat(seconds, 'f', -1, 64)
	short := strconv.FormatFloat(seconds, 'g', -1, 64)
	forms := []string{plain, plain + `\.0`}
	if short != plain {
		forms = append(forms, strings.NewReplacer(".", `\.`, "+", `\+`).Replace(short))
	}
	return In("le", forms...)
}

// PromDuration writes a duration for a rule file.
func PromDuration(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}

// metricName finds the names of families and recording rules in an expression; quoted texts were taken out before.
var (
	metricName = regexp.MustCompile(`\b(?:[a-z_]+:)?prodsec_[a-z_]+(?::[a-z_]+)?`)
	Quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// NamesIn lists the families, parts of histograms and recording rules that an expression selects.
func NamesIn(expr string) []string {
	names := metricName.FindAllString(Quoted.ReplaceAllString(expr, `""`), -1)
	slices.Sort(names)
	return slices.Compact(names)
}
