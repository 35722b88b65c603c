package metrics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestAgainstNaive evaluates thousands of small random snapshots and compares what the shared walks count with counts that are as simple as the
// definitions of docs/metrics.md.
func TestAgainstNaive(t *testing.T) {
	p := policy.Default()
	cases := 10_000
	if raceDetector || testing.Short() {
		cases = 500 // one goroutine at a time: there is no interleaving to look for; make unit runs all of them without the detector
	}
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for i := range cases / parts {
				seed := uint64(part*cases + i)
				s, at := tiny(seed, p)
				e := metrics.Evaluate(s, p, at)
				for name, want := range naive(s, p, at) {
					r := family(e, name)
					if diff := cmp.Diff(want, sumBy(r, r.Family.Labels...)); diff != "" {
						t.Fatalf("snapshot %d: %s (-naive +got):\n%s", seed, name, diff)
					}
				}
			}
		})
	}
}

// tiny is a random snapshot of a few services, weaknesses and events, some of them exactly at the edges of windows.
func tiny(seed uint64, p *policy.Policy) (*snapshot.Snapshot, time.Time) {
	rng := rand.New(rand.NewPCG(seed, 3))
	at := evaluated.Add(time.Duration(rng.IntN(86400)) * time.Second)
	s := &snapshot.Snapshot{
		At: at, Founded: at.AddDate(-1, 0, 0), Strings: []string{"", "codeql", "trivy", "CWE-1", "CWE-2", "CWE-3"},
		Scopes: []snapshot.Scope{
			{Collector: "c", Instance: "i", Name: "fresh:1", Kind: "fresh", Classes: record.Classes(), LastSuccess: at},
			{Collector: "c", Instance: "i", Name: "old:1", Kind: "old", Classes: record.Classes(), LastSuccess: at.AddDate(0, 0, -9), StaleAfter: policy.Day},
		},
	}
	for i := range 2 + rng.IntN(4) {
		service := record.Service{
			Name: fmt.Sprint("s", i), BusinessUnit: "u", Team: fmt.Sprint("t", rng.IntN(2)), TrustTier: []string{"tier0", "tier1", "tier2", "odd"}[rng.IntN(4)],
			ProductArea:    []string{"", "shop", "pay"}[rng.IntN(3)],
			InternetFacing: []record.Answer{record.AnswerYes, record.AnswerNo, record.AnswerUnknown}[rng.IntN(3)], CrownJewel: record.AnswerOf(rng.IntN(4) == 0),
		}
		owner := snapshot.Owner{BusinessUnit: "u", Team: service.Team, Service: service.Name, TrustTier: service.TrustTier}
		if i == 0 {
			service, owner = record.Service{Name: record.Unattributed}, snapshot.UnattributedOwner
		}
		s.Owners = append(s.Owners, owner)
		s.Services = append(s.Services, snapshot.Service{Service: service, Owner: int32(i), Facts: p.FactsOf(service)})
	}
	s.Owners = append(s.Owners, snapshot.Owner{BusinessUnit: "u", Team: "t0", Service: "gone", TrustTier: "tier0"})
	var weaknesses snapshot.Editor[snapshot.Weakness]
	var events snapshot.Editor[snapshot.Event]
	for i := range rng.IntN(12) {
		seen := at.Unix() - int64(rng.IntN(100*86400))
		w := snapshot.Weakness{
			FirstSeen: seen, ClockStart: seen, Service: int32(rng.IntN(len(s.Services))), Category: int32([]int{0, 3, 4, 5}[rng.IntN(4)]), Tool: int32(1 + rng.IntN(2)),
			EPSS: uint16(rng.IntN(3) * 4999), Reports: 1, OpenReports: 1, Severity: policy.SeverityIndex(rng.IntN(5)), Class: snapshot.ClassIndex(rng.IntN(3)),
			Flags: snapshot.Flags(rng.IntN(4)),
		}
		if rng.IntN(4) == 0 {
			w.EPSS++
		}
		if rng.IntN(8) == 0 {
			w.Scope = 1
		}
		if rng.IntN(3) == 0 {
			w.Closure, w.ClosedAt, w.OpenReports = snapshot.IndexOfClosure(record.ClosureFixed), at.Unix(), 0
		}
		weaknesses.Append(w)
		for range rng.IntN(5) {
			counted := at.Unix() - int64(rng.IntN(100*86400))
			if rng.IntN(3) == 0 {
				counted = at.Unix() - []int64{-1, 0, 7 * 86400, 7*86400 - 1, 30 * 86400, 90 * 86400, 90*86400 - 1}[rng.IntN(7)]
			}
			kinds := snapshot.FlowKinds()
			events.Append(snapshot.Event{
				At: counted, Counted: counted, Weakness: int32(i), Owner: int32(rng.IntN(len(s.Owners))), Kind: kinds[rng.IntN(len(kinds))],
				Severity: w.Severity, Class: w.Class, Seconds: uint32(rng.IntN(1000)),
			})
		}
	}
	s.Weaknesses, s.Events = weaknesses.Freeze(), events.Freeze()
	return s, at
}

// naive are the expected series of some families, by their label values, without zeros.
func naive(s *snapshot.Snapshot, p *policy.Policy, at time.Time) map[string]map[string]float64 {
	n := naiveCounts{s: s, p: p, at: at, families: map[string]map[string]float64{
		"prodsec_findings_exploited_open": {}, "prodsec_risk_score": {}, "prodsec_risk_concentration_ratio": {},
		"prodsec_category_findings_in_window": {}, "prodsec_tool_false_positive_in_window": {}, "prodsec_finding_flow_in_window": {},
	}}
	n.open()
	for _, e := range s.Events.All() {
		for _, w := range p.Windows() {
			if start := at.Add(-w.Length).Unix(); e.Counted > start && e.Counted <= at.Unix() {
				n.event(w.Name, e)
			}
		}
	}
	return n.families
}

type naiveCounts struct {
	s        *snapshot.Snapshot
	p        *policy.Policy
	at       time.Time
	families map[string]map[string]float64
}

func (n *naiveCounts) add(name string, value float64, labels ...string) {
	n.families[name][strings.Join(labels, "/")] += value
}

// factors of the default policy, from the table in prodsec.example.yml.
func weightOf(service record.Service, severity record.Severity, evidence string) float64 {
	weight := map[record.Severity]float64{record.SeverityCritical: 10, record.SeverityHigh: 4}[severity]
	weight *= map[record.Answer]float64{record.AnswerYes: 2, record.AnswerNo: 1}[service.InternetFacing] + map[bool]float64{true: 1.5}[service.InternetFacing == record.AnswerUnknown]
	tier, known := map[string]float64{"tier0": 2, "tier1": 1.5, "tier2": 1}[service.TrustTier]
	if !known {
		tier = 1.5
	}
	if service.CrownJewel == record.AnswerYes {
		tier = 3
	}
	return weight * tier * map[string]float64{"kev": 4, "active_secret": 4, "epss": 2, "": 1}[evidence]
}

// open counts what is open. What an unknown weakness contributes to is unknown, too.
func (n *naiveCounts) open() {
	unknown, totalUnknown := map[string]bool{}, false
	totals := map[string]map[string]float64{"team": {}, "service": {}, "category": {}}
	for _, w := range n.s.Weaknesses.All() {
		if !w.Open() {
			continue
		}
		service, severity := n.s.Services[w.Service].Service, w.Severity.Severity()
		o := n.s.Owners[n.s.Services[w.Service].Owner]
		owner := []string{o.BusinessUnit, o.Team, o.Service, o.TrustTier}
		evidence := ""
		switch {
		case w.Flags.Has(snapshot.KnownExploited):
			evidence = "kev"
		case w.Flags.Has(snapshot.ActiveSecret):
			evidence = "active_secret"
		case w.EPSS >= 5000:
			evidence = "epss"
		}
		exploited := append(slices.Clone(owner), string(severity), evidence)
		weight := weightOf(service, severity, evidence)
		if w.Scope == 1 {
			unknown["prodsec_findings_exploited_open "+strings.Join(exploited, "/")] = true
			if weight > 0 {
				unknown["prodsec_risk_score "+strings.Join(owner, "/")], totalUnknown = true, true
			}
			continue
		}
		if evidence != "" {
			n.add("prodsec_findings_exploited_open", 1, exploited...)
		}
		if weight > 0 {
			n.add("prodsec_risk_score", weight, owner...)
			totals["team"][o.Team] += weight
			totals["service"][o.Service] += weight
			totals["category"][n.s.Strings[w.Category]] += weight
		}
	}
	for name, series := range n.families {
		for labels := range series {
			if unknown[name+" "+labels] {
				delete(series, labels)
			}
		}
	}
	for dimension, held := range totals {
		if !totalUnknown && len(held) > 0 {
			n.concentration(dimension, held)
		}
	}
}

func (n *naiveCounts) concentration(dimension string, held map[string]float64) {
	var scores []float64
	total := 0.0
	for _, score := range held {
		scores = append(scores, score)
		total += score
	}
	slices.Sort(scores)
	slices.Reverse(scores)
	for _, top := range []int{1, 3, 10} {
		sum := 0.0
		for i, score := range scores {
			if i < top {
				sum += score
			}
		}
		n.add("prodsec_risk_concentration_ratio", sum/total, dimension, fmt.Sprint(top))
	}
}

func (n *naiveCounts) event(window string, e *snapshot.Event) {
	w, o := n.s.Weaknesses.At(int(e.Weakness)), n.s.Owners[e.Owner]
	n.add("prodsec_finding_flow_in_window", 1, window, o.BusinessUnit, o.Team, o.TrustTier, string(e.Severity.Severity()), e.Kind.String())
	if kind := map[string]string{"opened": "new", "reopened": "reopened"}[e.Kind.String()]; kind != "" {
		area, category := "none", n.s.Strings[w.Category]
		for _, service := range n.s.Services {
			if service.Name == o.Service && service.ProductArea != "" {
				area = service.ProductArea
			}
		}
		if category == "" {
			category = "none"
		}
		n.add("prodsec_category_findings_in_window", 1, window, area, category, kind)
	}
	status := map[string]string{"fixed": "confirmed", "dismissed_wont_fix": "confirmed", "dismissed_false_positive": "false_positive"}[e.Kind.String()]
	if status != "" {
		n.add("prodsec_tool_false_positive_in_window", 1, window, string(e.Class.Class()), n.s.Strings[w.Tool], status)
	}
}
