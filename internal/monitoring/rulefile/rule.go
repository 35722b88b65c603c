// Package rulefile says what a recording or alerting rule is, and writes groups of them as Prometheus' YAML.
//
// It knows no rule. To give rules one more field: rule.go, and its YAML in Write.
package rulefile

import (
	"time"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
)

// Group is a group of recording or alerting rules that is evaluated together.
type Group struct {
	Name  string
	Rules []Rule
}

// Rule is a recording rule or, when Alert is set, an alerting one.
type Rule struct {
	Record string
	Alert  *Alert
	Expr   string
	// Labels are added to the result.
	Labels map[string]string
	// Why is printed above the rule.
	Why string
}

// Alert is what an alerting rule has beyond its expression.
type Alert struct {
	Name string
	// For is how long the expression must hold; Hold keeps the alert firing that long after it held last.
	For, Hold time.Duration
	// Summary names what and where in one line; Description says what it means and what to do. Both are Prometheus templates.
	Summary, Description string
	// Board and Panel are where to look.
	Board names.BoardUID
	Panel uint32
	// Select are the alert's labels that select on the board.
	Select []string
	// Answers are the rows of the pack that the alert guards.
	Answers []packrow.Row
}
