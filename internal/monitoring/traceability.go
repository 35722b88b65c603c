package monitoring

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"prodsec_exporter/internal/monitoring/alerts"
	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/rules"
)

// misleading are the metrics that the pack warns of as headlines, and what stands in their place.
var misleading = [][2]string{
	{"total vulnerability count by itself", "open findings are shown by severity, age, SLA standing and owner, and only criticals and highs are headlines"},
	{"number of scans run", "scans count by whether they are current for each repository and class, never by how many there were"},
	{"training completions with no behaviour signal", "are not collected"},
	{"percent of backlog closed", "closures are split by reason (fixed, dismissed as what, excepted, out of scope), reopenings revoke a met deadline, duplicates are folded first"},
	{"mean severity without blast radius", "risk weighs severity by exposure, criticality and exploitation; no severity is averaged"},
}

const traceabilityHead = `<!-- ` + generatedBy + ` -->

# From the leadership pack to the numbers

Every row of the *Leadership Metrics Pack for Product Security* (Ivan Piskunov, 2026): what answers it, from the families to what people see. The definitions of the families are in
[metrics.md](metrics.md); how numbers come about in [definitions.md](definitions.md). A row that no family or no panel answers fails the generation of this file.
`

// Traceability is the content of docs/traceability.md. It fails when a row of the pack is answered by no family or no panel.
func Traceability() ([]byte, error) {
	var out bytes.Buffer
	var errs []error
	out.WriteString(traceabilityHead)
	seen := map[packrow.Row]bool{}
	for _, section := range packrow.Sections {
		fmt.Fprintf(&out, "\n## %s\n", section.Title)
		for _, t := range section.Traces {
			seen[t.Row] = true
			errs = append(errs, writeTrace(&out, t))
		}
	}
	for _, row := range packrow.All() {
		if !seen[row] {
			errs = append(errs, fmt.Errorf("row %s of the pack is in no section of the trace", row))
		}
	}
	out.WriteString("\n## Metrics that often mislead\n\nNone of these is a headline:\n\n| Instead of | |\n|---|---|\n")
	for _, m := range misleading {
		fmt.Fprintf(&out, "| %s | %s |\n", m[0], m[1])
	}
	out.WriteString("\n## Narrative\n\nEvery panel's description says what the number means and what decision it asks for; what changed, and why, is in the events by cause and the counting changes of row " +
		string(packrow.PackTrend) + ".\n")
	return out.Bytes(), errors.Join(errs...)
}

// writeTrace writes what answers a row.
func writeTrace(out *bytes.Buffer, t packrow.Trace) error {
	fmt.Fprintf(out, "\n### %s: %s\n\n%s\n\n| | |\n|---|---|\n", t.Row, t.Asks, t.Drives)
	line := func(title, list string) {
		if list != "" {
			fmt.Fprintf(out, "| %s | %s |\n", title, list)
		}
	}
	families := slices.DeleteFunc(slices.Clone(t.Families), func(name string) bool { return !isFamily(name) })
	panels := panelsFor(t.Row)
	line("Families", strings.Join(linked(families), ", "))
	line("Recording rules", code(rulesOver(families)))
	line("Panels", strings.Join(panels, "<br>"))
	line("Alerts", strings.Join(alertsFor(t.Row), ", "))
	switch {
	case len(families) < len(t.Families):
		return fmt.Errorf("row %s of the pack names families that do not exist, of %v", t.Row, t.Families)
	case len(panels) == 0:
		return fmt.Errorf("row %s of the pack (%s) is answered by no panel", t.Row, t.Asks)
	default:
		return nil
	}
}

func isFamily(name string) bool {
	for _, f := range names.Families() {
		if f.Name == name {
			return true
		}
	}
	return false
}

// linked are links to the chapters of docs/metrics.md, whose anchors are the names.
func linked(names []string) []string {
	links := make([]string, len(names))
	for i, name := range names {
		links[i] = "[`" + name + "`](metrics.md#" + name + ")"
	}
	return links
}

// rulesOver are the recording rules that read one of the families.
func rulesOver(names []string) []string {
	behind, list := map[string][]string{}, []string(nil)
	for _, g := range rules.Groups() {
		for _, r := range g.Rules {
			behind[r.Record] = append(behind[r.Record], resolve(r.Expr, behind)...)
			reads := slices.ContainsFunc(behind[r.Record], func(name string) bool { return slices.Contains(names, name) })
			if reads && !slices.Contains(list, r.Record) {
				list = append(list, r.Record)
			}
		}
	}
	return list
}

// panelsFor are the panels that name a row.
func panelsFor(row packrow.Row) []string {
	var list []string
	for _, b := range boards.All() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				if slices.Contains(p.Answers, row) {
					list = append(list, b.Title+": "+p.Title)
				}
			}
		}
	}
	return list
}

// alertsFor are the alerts that name a row.
func alertsFor(row packrow.Row) []string {
	var list []string
	for _, g := range alerts.Groups() {
		for _, r := range g.Rules {
			if slices.Contains(r.Alert.Answers, row) {
				list = append(list, "["+r.Alert.Name+"](runbooks/"+r.Alert.Name+".md)")
			}
		}
	}
	return list
}
