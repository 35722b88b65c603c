package derivation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
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

// Explain is what is stored of weaknesses, by position, the primary report first. A position that is not there has none.
func (s *State) Explain(t store.Tx, weaknesses []int32) (map[int32][]Report, error) {
	wanted := make(map[int32]bool, len(weaknesses))
	for _, w := range weaknesses {
		wanted[w] = true
	}
	clusters, err := s.clustersOf(t, wanted)
	if err != nil {
		return nil, err
	}
	result := make(map[int32][]Report, len(clusters))
	for w, cluster := range clusters {
		for i, d := range cluster {
			result[w] = append(result[w], Report{
				Finding: d.Finding, Instance: d.Source.String(), Scope: s.scopes[d.Scope].Name,
				FirstObserved: store.TimeOf(d.FirstObserved), GoneAt: store.TimeOf(d.GoneAt), Primary: i == 0, Folded: whyFolded(cluster[:i], d),
			})
		}
	}
	return result, nil
}

// whyFolded says what a report has in common with one of those before it, in the terms of the rules of identity.
func whyFolded(before []*identity.Report, d *identity.Report) string {
	f := &d.Finding
	for _, other := range before {
		o := &other.Finding
		switch {
		case identity.ByAdvisory(f.Class):
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
