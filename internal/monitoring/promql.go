package monitoring

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// one selects series of a family and counts them once however many replicas expose them.
func one(name string, matchers ...string) string {
	return fmt.Sprintf("max without (%s) (%s)", strings.Join(replicaLabels, ", "), series(name, matchers...))
}

// oneBoard is one, restricted to what is chosen at the top of a board.
func oneBoard(name string, matchers ...string) string {
	return one(name, append(matchers, chosen(name)...)...)
}

// board selects series of a recording rule, restricted to what is chosen at the top of a board.
func board(rule string, matchers ...string) string {
	return series(rule, append(matchers, chosen(rule)...)...)
}

// series selects by matchers; the name must be known.
func series(name string, matchers ...string) string {
	labelsOf(baseName(name)) // panics when nothing has that name
	if len(matchers) == 0 {
		return name
	}
	return name + "{" + strings.Join(matchers, ", ") + "}"
}

// chosen are the matchers of the board variables that a family or rule has labels for.
func chosen(name string) []string {
	var matchers []string
	labels := labelsOf(baseName(name))
	for _, v := range boardVariables {
		if slices.Contains(labels, v) {
			matchers = append(matchers, fmt.Sprintf(`%s=~"$%s"`, v, v))
		}
	}
	return matchers
}

// boardVariables are the labels a board can be restricted by; the variables have the same names.
var boardVariables = []string{"business_unit", "team", "trust_tier"}

func is(label, value string) string       { return label + "=" + strconv.Quote(value) }
func isNot(label, value string) string    { return label + "!=" + strconv.Quote(value) }
func in(label string, v ...string) string { return label + "=~" + strconv.Quote(strings.Join(v, "|")) }

// inWindow restricts an ..._in_window family to the window chosen on the board.
func inWindow() string { return `window="$window"` }

// severe restricts to the severities that leadership numbers are about.
func severe() string { return in("severity", "critical", "high") }

func sumBy(labels, expr string) string { return aggregate("sum", labels, expr) }
func maxBy(labels, expr string) string { return aggregate("max", labels, expr) }
func minBy(labels, expr string) string { return aggregate("min", labels, expr) }

// filled adds a 0 for everything that base yields and the query does not. Both must have the same labels.
func filled(query, base string) string {
	return query + "\nor\n0 * (" + base + ")"
}

// aggregate writes an aggregation by labels, or over everything when there are none.
func aggregate(operator, labels, expr string) string {
	if labels == "" {
		return operator + " (" + expr + ")"
	}
	return operator + " by (" + labels + ") (" + expr + ")"
}

// top keeps the n largest and sorts them.
func top(n int, expr string) string { return fmt.Sprintf("sort_desc(topk(%d, %s))", n, expr) }

// le matches a classic bucket's bound in whole seconds in every form in which client and server write it: 1209600, 1209600.0 (Prometheus 3
// and OpenMetrics) and 1.2096e+06 (the text format of client_golang).
func le(d time.Duration) string {
	seconds := d.Seconds()
	plain := strconv.FormatFloat(seconds, 'f', -1, 64)
	short := strconv.FormatFloat(seconds, 'g', -1, 64)
	forms := []string{plain, plain + `\.0`}
	if short != plain {
		forms = append(forms, strings.NewReplacer(".", `\.`, "+", `\+`).Replace(short))
	}
	return in("le", forms...)
}

// promDuration writes a duration for a rule file.
func promDuration(d time.Duration) string {
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
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// namesIn lists the families, parts of histograms and recording rules that an expression selects.
func namesIn(expr string) []string {
	names := metricName.FindAllString(quoted.ReplaceAllString(expr, `""`), -1)
	slices.Sort(names)
	return slices.Compact(names)
}
