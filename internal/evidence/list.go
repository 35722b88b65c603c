package evidence

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/snapshot"
)

// Cell is one cell of a table; the zero Cell is empty.
type Cell struct {
	Text string
	// URL leads to the record at its source, Page to another page of the exporter.
	URL, Page string
	Time      time.Time
	// Status is a status, severity or similar that is shown in a colour of its own.
	Status string
}

// Row is one record.
type Row struct {
	Cells []Cell
	// Weakness is the position of a weakness whose reports complete the row; -1 for anything else.
	Weakness int32
	values   map[string]string
	// order sorts rows, the most urgent first.
	order []string
}

// List is a kind of record and how it is listed.
type List struct {
	// Name is the path below /evidence/.
	Name  string
	Title string
	// Families are the families whose series count the rows.
	Families []string
	// About says which records are listed.
	About   string
	Columns []string
	// Filters are the labels by which rows can be chosen.
	Filters []string
	rows    func(r *tallies.Records) []Row
}

// ownerFilters are the labels of owners.
var ownerFilters = []string{"business_unit", "team", "service_name", "trust_tier"}

// owned are the values of the labels of an owner.
func owned(o snapshot.Owner) map[string]string {
	return map[string]string{"business_unit": o.BusinessUnit, "team": o.Team, "service_name": o.Service, "trust_tier": o.TrustTier}
}

// ownerCells are the cells of an owner: service, team, business unit.
func ownerCells(o snapshot.Owner) []Cell {
	return []Cell{{Text: o.Service}, {Text: o.Team}, {Text: o.BusinessUnit}, {Text: o.TrustTier}}
}

var ownerColumns = []string{"Service", "Team", "Business unit", "Trust tier"}

// with adds labels to those of an owner.
func with(values map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values
}

// Filter chooses rows: of each label that is named, a row has one of the values.
type Filter map[string][]string

// ParseFilter reads a query string. Several values of a label are alternatives, whether the parameter is repeated or holds them in
// Grafana's form "{a,b}"; "", "All", "$__all" and ".*" choose everything. Grafana's own parameters (var-..., from, to) are passed over; any other name is an
// error that lists those there are.
func (l *List) ParseFilter(query url.Values) (Filter, error) {
	filter := Filter{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if slices.Contains([]string{"page", "format", "from", "to", "orgId", "window", "datasource"}, name) || strings.HasPrefix(name, "var-") {
			continue
		}
		if !slices.Contains(l.Filters, name) {
			return nil, fmt.Errorf("%s cannot be chosen by %q; it can by %s", l.Name, name, strings.Join(l.Filters, ", "))
		}
		for _, value := range query[name] {
			if inner, ok := strings.CutPrefix(value, "{"); ok && strings.HasSuffix(inner, "}") {
				filter[name] = append(filter[name], strings.Split(strings.TrimSuffix(inner, "}"), ",")...)
				continue
			}
			filter[name] = append(filter[name], value)
		}
		if slices.ContainsFunc(filter[name], everything) {
			delete(filter, name)
		}
	}
	return filter, nil
}

func everything(value string) bool {
	return value == "" || value == "All" || value == "$__all" || value == ".*"
}

// Rows are the rows that a filter chooses, the most urgent first.
func (l *List) Rows(r *tallies.Records, filter Filter) []Row {
	var chosen []Row
	for _, row := range l.rows(r) {
		if filter.chooses(row.values) {
			chosen = append(chosen, row)
		}
	}
	slices.SortStableFunc(chosen, func(a, b Row) int { return slices.Compare(a.order, b.order) })
	return chosen
}

func (f Filter) chooses(values map[string]string) bool {
	for name, wanted := range f {
		if !slices.Contains(wanted, values[name]) {
			return false
		}
	}
	return true
}

// ascending makes a text that sorts as the number does.
func ascending(n int64) string { return fmt.Sprintf("%020d", n) }

// newest makes a text by which later times come first.
func newest(t time.Time) string { return ascending(1<<40 - t.Unix()) }

// soonest makes a text by which earlier times come first and unknown ones last.
func soonest(t time.Time) string {
	if t.IsZero() {
		return ascending(1 << 40)
	}
	return ascending(t.Unix())
}

func timeOf(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// at is a cell with a time in Unix seconds, empty for 0.
func at(seconds int64) Cell { return Cell{Time: timeOf(seconds)} }

func joined(texts []string) string { return strings.Join(texts, ", ") }
