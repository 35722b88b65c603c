// Package evidence lists the records behind the numbers: for every family that counts something one can point at, a table whose
// rows are what it counts, under the same policy and at the same instant. Package web shows the tables.
//
// Filters have the names and values of the families' labels, so that a link from a board needs no translation.
//
// It reads tallies.Records, which judges records as the families do, and the reports of the ledger; it counts nothing by a rule of its own
// and knows no family but by name. To add a list, write a function that returns a List in the file of its kind of record and add it to
// Lists.
package evidence

import "prodsec_exporter/internal/ledger"

// Lists are all lists, in the order of the four questions.
func Lists() []*List {
	return []*List{
		controlsList(), repositoriesList(), findingsList(), exceptionsList(), reviewsList(), followupsList(), escalationsList(),
		deploymentsList(), scopesList(),
	}
}

// ListNamed finds a list by its name.
func ListNamed(name string) (*List, bool) {
	for _, l := range Lists() {
		if l.Name == name {
			return l, true
		}
	}
	return nil, false
}

// Complete adds the reports of tools to the rows of weaknesses.
func Complete(rows []Row, reports map[int32][]ledger.Report) {
	for i := range rows {
		if found := reports[rows[i].Weakness]; rows[i].Weakness >= 0 && len(found) > 0 {
			completeFinding(&rows[i], found)
		}
	}
}
