package evidence

import (
	"slices"
	"strconv"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Weakness is everything that is known of one weakness: the tables of its page.
type Weakness struct {
	ID    int64
	Title string
	// Facts are pairs of a name and what it is.
	Facts   []Fact
	Reports Table
	Events  Table
}

// Fact is something that is known.
type Fact struct {
	Name string
	Cell Cell
}

// Table is a table without filters.
type Table struct {
	Columns []string
	Rows    [][]Cell
}

// WeaknessOf explains a weakness: its standing, which reports were folded into it and why, and what happened to it. ok is false if there is
// none with the identity.
func WeaknessOf(r *tallies.Records, id int64, reports func(position int32) ([]ledger.Report, error)) (explained *Weakness, ok bool, err error) {
	w, ok := r.WeaknessAt(int32(min(max(id-1, -1), 1<<30)))
	if !ok || w.ID != id {
		return nil, false, nil
	}
	found, err := reports(w.Position)
	if err != nil {
		return nil, false, err
	}
	explained = &Weakness{ID: id, Title: "Weakness " + strconv.FormatInt(id, 10), Facts: facts(r, &w), Reports: reportsTable(found), Events: eventsTable(r, w.Position)}
	if len(found) > 0 {
		explained.Title = titleOf(&found[0].Finding)
	}
	return explained, true, nil
}

func facts(r *tallies.Records, w *tallies.Weakness) []Fact {
	owner := r.Owner(w.Service)
	closed := Cell{Status: "open"}
	if !w.Open() {
		closed = Cell{Status: string(w.Closure.Closure())}
	}
	standing := Cell{Status: w.Standing.String()}
	if !w.Open() {
		standing = Cell{Text: "closed"}
	}
	list := []Fact{
		{"Severity", Cell{Status: string(w.Severity.Severity())}}, {"State", closed}, {"SLA", standing}, {"Outcome", Cell{Text: w.Outcome.String()}},
		{"Service", Cell{Text: owner.Service}}, {"Team", Cell{Text: owner.Team}}, {"Business unit", Cell{Text: owner.BusinessUnit}},
		{"Trust tier", Cell{Text: owner.TrustTier}}, {"Repository", Cell{Text: repositoryOf(r.Snapshot(), w.Weakness)}},
		{"Class", Cell{Text: string(w.Class.Class())}}, {"Category", Cell{Text: r.Snapshot().Strings[w.Category]}},
		{"First seen", at(w.FirstSeen)}, {"Clock started", at(w.ClockStart)}, {"Due", at(w.Due)}, {"Closed", at(w.ClosedAt)},
		{"Exploited", Cell{Text: w.Exploitation.String()}},
	}
	list = slices.DeleteFunc(list, func(f Fact) bool { return f.Cell == Cell{} })
	for _, pause := range r.Snapshot().Pauses[w.Position] {
		until := Cell{Text: "no end"}
		if pause.End != policy.Forever {
			until = at(pause.End)
		}
		list = append(list, Fact{"Clock stopped by an exception from", at(pause.Start)}, Fact{"until", until})
	}
	return list
}

func reportsTable(reports []ledger.Report) Table {
	t := Table{Columns: []string{"Report", "Tool", "Source", "Severity", "State", "Advisories", "Package", "Place", "First seen", "Why it is the same weakness"}}
	for _, r := range reports {
		state := Cell{Status: "open"}
		if r.Closure != record.ClosureNone {
			state = Cell{Status: string(r.Closure)}
		}
		why := r.Folded
		if r.Primary {
			why = "the first report; the others are compared with it"
		}
		place := r.Place
		if r.Line > 0 {
			place += ":" + strconv.Itoa(r.Line)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: titleOf(&r.Finding), URL: r.URL}, {Text: r.Tool}, {Text: r.Instance + " " + r.Scope}, {Status: string(r.Severity)}, state,
			{Text: joined(r.Aliases)}, {Text: r.Package}, {Text: place}, {Time: r.FirstSeen}, {Text: why},
		})
	}
	return t
}

func eventsTable(r *tallies.Records, position int32) Table {
	t := Table{Columns: []string{"Event", "Happened", "Counts from", "Severity", "Team", "Service"}}
	for e := range r.Events(position) {
		owner := r.OwnerAt(e.Owner)
		t.Rows = append(t.Rows, []Cell{
			{Status: e.Kind.String()}, at(e.At), at(e.Counted), {Status: string(e.Severity.Severity())}, {Text: owner.Team}, {Text: owner.Service},
		})
	}
	return t
}
