package evidence

import (
	"slices"
	"strconv"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// findingColumn is where completeFinding writes.
const findingColumn = 2

func findingsList() *List {
	return &List{
		Name: "findings", Title: "Open findings", Families: []string{"prodsec_findings_open", "prodsec_findings_exploited_open"},
		About:   "Open weaknesses after de-duplication, breached ones first, then by deadline.",
		Columns: slices.Concat([]string{"Severity", "SLA", "Finding", "Tools", "Class", "Category"}, ownerColumns, []string{"Repository", "First seen", "Due", "Exploited"}),
		Filters: append(slices.Clone(ownerFilters), "severity", "class", "sla", "category", "evidence", "repository"),
		rows:    findings,
	}
}

func findings(r *tallies.Records) []Row {
	var rows []Row
	for w := range r.Open() {
		owner := r.Owner(w.Service)
		severity, class := w.Severity.Severity(), string(w.Class.Class())
		repository, category := repositoryOf(r.Snapshot(), w.Weakness), r.Snapshot().Strings[w.Category]
		cells := []Cell{
			{Status: string(severity)}, {Status: w.Standing.String()}, {Text: "weakness " + strconv.FormatInt(w.ID, 10), Page: weaknessPage(w.ID)},
			{Text: strconv.Itoa(int(w.OpenReports))}, {Text: class}, {Text: category},
		}
		cells = append(cells, ownerCells(owner)...)
		cells = append(cells, Cell{Text: repository}, at(w.FirstSeen), at(w.Due), Cell{Text: w.Exploitation.String()})
		rows = append(rows, Row{
			Cells: cells, Weakness: w.Position,
			values: with(owned(owner), "severity", string(severity), "class", class, "sla", w.Standing.String(), "category", category,
				"evidence", w.Exploitation.String(), "repository", repository),
			order: []string{urgency(w.Standing), ascending(int64(w.Severity)), soonest(timeOf(w.Due)), ascending(w.FirstSeen)},
		})
	}
	return rows
}

// urgency orders the standings: breached ones first, excepted ones last.
func urgency(s policy.SLA) string {
	order := []policy.SLA{policy.SLABreached, policy.SLADueSoon, policy.SLAWithin, policy.SLANone, policy.SLAExcepted}
	return ascending(int64(slices.Index(order, s)))
}

// completeFinding names a weakness as its first open report does.
func completeFinding(row *Row, reports []ledger.Report) {
	first := reports[0]
	var tools []string
	for i := len(reports) - 1; i >= 0; i-- {
		if r := reports[i]; r.Closure == record.ClosureNone {
			first = r
			tools = append(tools, r.Tool)
		}
	}
	slices.Sort(tools)
	cell := &row.Cells[findingColumn]
	cell.Text = titleOf(&first.Finding)
	row.Cells[findingColumn+1] = Cell{Text: joined(slices.Compact(tools))}
}

func titleOf(f *record.Finding) string {
	switch {
	case f.Title != "":
		return f.Title
	case f.Rule != "":
		return f.Rule
	default:
		return f.ID
	}
}

func repositoryOf(s *snapshot.Snapshot, w *snapshot.Weakness) string {
	if w.Repository < 0 || int(w.Repository) >= len(s.Repositories) {
		return ""
	}
	return string(s.Repositories[w.Repository].Name)
}

func weaknessPage(id int64) string { return "findings/" + strconv.FormatInt(id, 10) }
