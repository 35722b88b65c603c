package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Report is one tool's report of a weakness, with where it came from and why it is counted together with the others.
type Report struct {
	record.Finding
	// Instance is the collector instance, "kind/name", and Scope the scope that yielded it last.
	Instance, Scope string
	// FirstObserved is when the ledger first held it, GoneAt since when its source lacks it; zero while it is there.
	FirstObserved, GoneAt time.Time
	// Primary says that the weakness continues this report's; Folded is why the report is a part of the same weakness, empty for the
	// primary one.
	Primary bool
	Folded  string
}

// Reports are the reports of weaknesses, by position in Snapshot.Weaknesses, the primary one first. A position that is not there has
// none. It waits for a batch that is being applied.
func (l *Ledger) Reports(ctx context.Context, weaknesses ...int32) (map[int32][]Report, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reports, err := l.reports(ctx, weaknesses)
	return reports, failed("reading the reports of weaknesses", err)
}

func (l *Ledger) reports(ctx context.Context, weaknesses []int32) (map[int32][]Report, error) {
	if err := l.ready(ctx); err != nil {
		return nil, err
	}
	t, err := l.store.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer t.rollback()
	wanted := make(map[int32]bool, len(weaknesses))
	for _, w := range weaknesses {
		wanted[w] = true
	}
	clusters, err := l.state.clustersOf(t, wanted)
	if err != nil {
		return nil, err
	}
	result := make(map[int32][]Report, len(clusters))
	for w, cluster := range clusters {
		for i, d := range cluster {
			result[w] = append(result[w], Report{
				Finding: d.finding, Instance: d.source.String(), Scope: l.state.scopes[d.scope].name,
				FirstObserved: timeOf(d.firstObserved), GoneAt: timeOf(d.goneAt), Primary: i == 0, Folded: whyFolded(cluster[:i], d),
			})
		}
	}
	return result, nil
}

// whyFolded says what a report has in common with one of those before it, in the terms of the rules of identity.
func whyFolded(before []*detail, d *detail) string {
	f := &d.finding
	for _, other := range before {
		o := &other.finding
		switch {
		case byAdvisory(f.Class):
			if shared := common(f.Aliases, o.Aliases); len(shared) > 0 {
				return fmt.Sprintf("shares %s and the package %s with %s %s", strings.Join(shared, ", "), f.Package, o.Tool, o.ID)
			}
		case f.Place == o.Place && f.Line == o.Line:
			what := f.Category
			if what == "" {
				what = f.Rule
			}
			return fmt.Sprintf("is %s at %s:%d as well as %s %s", what, f.Place, f.Line, o.Tool, o.ID)
		}
	}
	if len(before) > 0 {
		return "is connected by the advisories of the other reports"
	}
	return ""
}

func common(a, b []string) []string {
	var shared []string
	for _, v := range a {
		if slices.Contains(b, v) {
			shared = append(shared, v)
		}
	}
	return shared
}
