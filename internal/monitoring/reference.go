package monitoring

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/monitoring/alerts"
	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rules"
)

// chapters are the chapters of docs/metrics.md; each begins with a family and goes on until the next one's.
var chapters = []struct{ first, title, about string }{
	{names.ServiceInfo, "Coverage", "Where do we have controls, and where are we still blind?"},
	{names.FindingsOpen, "Exposure", "Which risks are growing faster than we are reducing them?"},
	{names.SLATarget, "Responsiveness", "Are teams fixing important issues in time, and with the right owners?"},
	{names.PolicyInfo, "Trend quality", "Is security healthier, or did counting change?"},
	{names.Scopes, "What was read", "How far can the numbers be trusted?"},
	{names.CollectorUp, "The exporter itself", "Gathered while it is scraped, and named by every replica."},
}

const referenceHead = `<!-- ` + generatedBy + ` -->

# Metrics

Every family the exporter exposes, from the same literals that compute it.

**Labels.** ` + "`business_unit`, `team`, `service_name` and `trust_tier`" + ` say who owns what a series is about, as the catalog has it; ` + "`unattributed`" + ` where no catalog does, and ` + "`other`" + ` where a
family was over its series budget. Events carry the owner of their day. ` + "`severity`" + ` is critical, high, medium, low or unknown; ` + "`class`" + ` sast, sca, secret, container, iac, dast or other;
` + "`window`" + ` one of the configured trailing windows.

**Types.** A *snapshot histogram* is the distribution of a state now: read it with ` + "`histogram_quantile`" + `, never with ` + "`rate()`" + `. A *histogram* counts every event once. Counters are sums over the ledger's events:
they survive restarts and never fall. An *info* is always 1.

**Absent is not zero.** Combinations that are known in advance are present at 0 once their source was read whole; a source that was never read, or not for too long, leaves its families absent.
Weaknesses are counted at 0 for the owners of the catalog and, where severities are told apart, for criticals and highs: as ` + "`sla=\"within\"`" + `, as the events opened, fixed and reopened (in windows for every known severity), and as the
outcomes met and missed. What is rare (other standings, ways to close, outcomes and severities, states and categories of exceptions, reasons) appears with the first of it. What one trailing window shows every window shows, at 0 if it holds
none. To add up what may be absent, write ` + "`sum(…) or 0 * sum(…)`" + ` over a selector that is there if the source was read, as the recording rules do; ` + "`or vector(0)`" + ` would make 0 of what nobody knows.

**Replicas.** Fold them before summing, as the recording rules do: ` + "`sum by (…) (max without (instance, pod, container, endpoint, node) (…))`" + `.

**Stability.** A stable family changes by deprecation over two minor versions; an experimental one may change in any, and the change log says so.
`

// Reference is the content of docs/metrics.md.
func Reference() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(referenceHead)
	uses := usesOfFamilies()
	next := 0
	for _, f := range names.Families() {
		if next < len(chapters) && f.Name == chapters[next].first {
			fmt.Fprintf(&out, "\n## %s\n\n%s\n", chapters[next].title, chapters[next].about)
			next++
		}
		describe(&out, f, uses[f.Name])
	}
	if next < len(chapters) {
		return nil, fmt.Errorf("the chapter %q of the reference begins with %s, which is no family or out of order", chapters[next].title, chapters[next].first)
	}
	return out.Bytes(), nil
}

// describe writes all there is to say about a family.
func describe(out *bytes.Buffer, f *metrics.Family, uses []string) {
	fmt.Fprintf(out, "\n### `%s`\n\n%s\n\n| | |\n|---|---|\n", f.Name, f.Help)
	row := func(title, value string) {
		if value != "" {
			fmt.Fprintf(out, "| %s | %s |\n", title, strings.ReplaceAll(value, "|", `\|`))
		}
	}
	row("Type", string(f.Type))
	row("Stability", string(f.Stability))
	row("Labels", code(f.Labels))
	row("Buckets", buckets(f.Bounds))
	row("Computed from", f.Source)
	row("Refreshed", f.Refresh)
	row("Used by", strings.Join(uses, "; "))
	if f.Example != "" {
		fmt.Fprintf(out, "\n```promql\n%s\n```\n", f.Example)
	}
}

func code(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "`" + n + "`"
	}
	return strings.Join(quoted, ", ")
}

// buckets writes the upper bounds of a histogram in days, those below a day in hours.
func buckets(bounds []float64) string {
	var texts []string
	for _, b := range bounds {
		unit, name := 24*time.Hour, " d"
		if b < unit.Seconds() {
			unit, name = time.Hour, " h"
		}
		texts = append(texts, strconv.FormatFloat(b/unit.Seconds(), 'g', -1, 64)+name)
	}
	return strings.Join(texts, ", ")
}

// usesOfFamilies names the boards, alerts and recording rules that read each family, directly or through recording rules.
func usesOfFamilies() map[string][]string {
	behind := map[string][]string{} // families behind a recording rule
	for _, g := range rules.Groups() {
		for _, r := range g.Rules {
			behind[r.Record] = append(behind[r.Record], resolve(r.Expr, behind)...)
		}
	}
	uses := map[string][]string{}
	add := func(expr, user string) {
		for _, family := range resolve(expr, behind) {
			if !slices.Contains(uses[family], user) {
				uses[family] = append(uses[family], user)
			}
		}
	}
	for _, b := range boards.All() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				for _, q := range p.Queries {
					add(q.Expr, "board "+b.Title)
				}
			}
		}
	}
	for _, g := range alerts.Groups() {
		for _, r := range g.Rules {
			add(r.Expr, "alert ["+r.Alert.Name+"](runbooks/"+r.Alert.Name+".md)")
		}
	}
	return uses
}

// resolve lists the families an expression reads, through recording rules.
func resolve(expr string, behind map[string][]string) []string {
	var list []string
	for _, name := range promql.NamesIn(expr) {
		if rules, isRule := behind[name]; isRule {
			list = append(list, rules...)
			continue
		}
		list = append(list, names.BaseName(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// generatedBy heads every generated file that can hold a comment.
const generatedBy = "Generated by cmd/generate from internal/monitoring. Do not edit: change the code and run `go run ./cmd/generate`."
