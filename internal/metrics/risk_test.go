package metrics_test

import (
	"slices"
	"testing"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestNoEvidenceIsNotZero: 0 exploited weaknesses are shown only where a source looked: a finding carries such evidence, or a list of exploited
// advisories is read.
func TestNoEvidenceIsNotZero(t *testing.T) {
	p := policy.Default()
	list := func(change func(*snapshot.Scope)) *snapshot.Scope {
		s := &snapshot.Scope{Collector: "exploited", Instance: "x", Name: "kev:x", Kind: "kev", Kinds: []record.Kind{record.KindExploitation}, LastSuccess: noon, StaleAfter: policy.Day}
		change(s)
		return s
	}
	for _, c := range []struct {
		name  string
		flags snapshot.Flags
		list  *snapshot.Scope
		want  bool
	}{
		{"nobody looked", 0, nil, false},
		{"a finding says so", snapshot.KnownExploited, nil, true},
		{"a list is read", 0, list(func(*snapshot.Scope) {}), true},
		{"a list of something else", 0, list(func(s *snapshot.Scope) { s.Kind = "epss" }), false},
		{"a scope of that name that is no list", 0, list(func(s *snapshot.Scope) { s.Kinds = []record.Kind{record.KindFinding} }), false},
		{"a list that was never read", 0, list(func(s *snapshot.Scope) { s.LastSuccess = s.LastSuccess.AddDate(-2026, 0, 0) }), false},
		{"a list that is too old", 0, list(func(s *snapshot.Scope) { s.LastSuccess = noon.Add(-2 * policy.Day) }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := organisation(p)
			s.Scopes = slices.Clone(s.Scopes)
			s.Scopes[scopeSecrets].LastSuccess = noon
			if c.list != nil {
				s.Scopes = append(s.Scopes, *c.list)
			}
			weaknesses := snapshot.Edit(s.Weaknesses)
			for i := range weaknesses.Len() {
				weaknesses.Change(i).Flags = 0
			}
			weaknesses.Change(0).Flags = c.flags
			s.Weaknesses = weaknesses.Freeze()
			r := family(metrics.Evaluate(s, p, noon), "prodsec_findings_exploited_open")
			if n, found := value(r, "service_name=docs,severity=critical,evidence=kev"); found != c.want || n != 0 {
				t.Errorf("kev of docs is %v (shown: %t), want 0 to be shown: %t", n, found, c.want)
			}
		})
	}
}
