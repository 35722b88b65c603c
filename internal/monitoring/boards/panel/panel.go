package panel

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
)

// Board is a dashboard: rows in reading order.
type Board struct {
	UID names.BoardUID
	// File is its name below dashboards/.
	File string
	// Title names the panel of the pack, Question is the leadership question it answers.
	Title, Question string
	Rows            []Row
}

// Row is a question and the panels that answer it. The widths of its panels fill lines of 24.
type Row struct {
	ID       uint32
	Question string
	Panels   []Panel
}

// Look is a way to show data.
type Look string

// The looks. There is no pie and no gauge: a share is a number with a target, parts of a whole are stacked bars.
const (
	// Stat shows one to three numbers in large type.
	Stat Look = "stat"
	// Ranking shows a bar per series, longest first as the query sorts them.
	Ranking Look = "bargauge"
	// Bars shows a bar or a stack per value of Panel.Key.
	Bars Look = "barchart"
	// Lines shows series over time.
	Lines Look = "timeseries"
	// Table shows rows that need action, most urgent first.
	Table Look = "table"
	// Words shows Panel.Words and no query: links.
	Words Look = "text"
)

// Panel is one thing a board shows.
type Panel struct {
	ID uint32
	// Title is a question or a plain statement.
	Title string
	// Means, Source and Act make the description: the definition, the families it is computed from, and what to do when it is red.
	Means, Source, Act string
	Look               Look
	W, H               uint32
	// Unit is Grafana's id of a unit; Decimals, if set, the digits shown.
	Unit     string
	Decimals *float64
	// Queries are evaluated now, except for Lines.
	Queries []Query
	// Steps colour values, lowest first; the first has no lower bound.
	Steps []Step
	// Empty is said when there is nothing to show. It never says that all is well: nothing comes back, too, when nothing was read.
	Empty string

	// Key is the label along the axis of Bars; KeyTexts what its values are called; KeyTitle what it is called itself.
	Key      string
	KeyTexts []Text
	// Stacked and Horizontal are for Bars; Share stacks to 100 %.
	Stacked, Share, Horizontal bool
	// Signed marks bars on both sides of zero.
	Signed bool
	// Aside puts the legend of Lines beside them, for a panel that is low.
	Aside bool
	// Lines puts the numbers of a Stat one below the other.
	Lines bool
	// Columns are the columns of a Table in order; those not named are hidden.
	Columns []Column
	// Sort names the columns of a Table, or the key and queries of Bars, by which it is sorted, the most important first.
	Sort []Sort
	// Max is the end of the scale, for ratios.
	Max *float64
	// Words are Markdown.
	Words string
	// Answers are the rows of the pack that the panel answers, alone or with others.
	Answers []packrow.Row
}

// NoneOrUnread is said by panels that list things: an empty list is no proof that there is none.
const NoneOrUnread = "None, or not read: see the last row"

// Query is one query of a panel; Name is what the reader sees.
type Query struct {
	Name   string
	Expr   string
	Colour string
	// Legend is a template of labels that replaces Name where a query yields many series.
	Legend string
	// Unit, Decimals and Steps override the panel's for this query.
	Unit     string
	Decimals *float64
	Steps    []Step
}

// Step is a threshold: from Value on, the colour.
type Step struct {
	Value  *float64
	Colour string
}

// Text is what a value is called and its colour, if it has one.
type Text struct{ Value, Text, Colour string }

// Column is a column of a table: a label, or the name of a query.
type Column struct {
	Field string
	Title string
	Width int
	Unit  string
	Steps []Step
	Texts []Text
	// Bar draws the value as a bar within the cell, Shade as the cell's background.
	Bar, Shade bool
	// Zero is shown for a missing number, Undefined for one that is not a number.
	Zero, Undefined string
	// Link is where the cell leads, in Grafana's template language.
	Link string
}

// Sort is a column to sort by.
type Sort struct {
	Title string
	Desc  bool
}

// From is a threshold from a value on; below is the colour under the first one.
func From(value float64, colour string) Step { return Step{Value: &value, Colour: colour} }

// Below is the colour under the first threshold.
func Below(colour string) Step { return Step{Colour: colour} }

// NoneBut are the thresholds of a count that should be zero and is serious from a number on.
func NoneBut(serious float64) []Step {
	if serious <= 1 {
		return []Step{Below(Good), From(1, Bad)}
	}
	return []Step{Below(Good), From(1, Warning), From(serious, Bad)}
}

// LongerThan are the thresholds of a time that should be short.
func LongerThan(late, tooLate float64) []Step {
	return []Step{Below(Good), From(late, Warning), From(tooLate, Bad)}
}

// Falling are the thresholds of a change that should be negative.
func Falling() []Step { return []Step{Below(Good), From(0, Neutral), From(1, Bad)} }

// Plain is for numbers that are neither good nor bad.
func Plain() []Step { return []Step{Below(Neutral)} }

// Number is a number where none is a choice, too.
func Number(v float64) *float64 { return &v }

// Descending and Ascending sort by a column.
func Descending(title string) Sort { return Sort{Title: title, Desc: true} }

// Ascending is the other way round.
func Ascending(title string) Sort { return Sort{Title: title} }
