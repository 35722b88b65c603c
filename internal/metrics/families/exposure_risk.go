package families

import (
	"cmp"
	"slices"
	"strconv"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/metrics/tallies"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

func findingsExploited(in *tallies.Tallies, out *frame.Sink) {
	open := in.Weaknesses
	kinds := policy.Exploitations()
	out.Product(severityValues, namesOf(kinds))
	for at, n := range open.Exploited {
		evidence, cell := at%tallies.EvidenceCount, at/tallies.EvidenceCount
		if evidence == int(policy.ExploitationNone) {
			continue
		}
		owner, dim := in.Snapshot.Services[cell/tallies.SeverityCount].Owner, cell%tallies.SeverityCount*len(kinds)+evidence-1
		switch {
		case open.ExploitedUnknown != nil && open.ExploitedUnknown[at]:
			out.Unknown(owner, dim)
		case n > 0:
			out.Add(owner, dim, float64(n))
		}
	}
	if !in.Sources.Of(record.KindFinding).Complete() {
		return
	}
	known := make([]bool, len(kinds))
	for i, kind := range kinds {
		known[i] = open.Evidence[kind] || listed(in, kind)
	}
	for _, owner := range in.Owners.Present {
		for _, severity := range tallies.UrgentSeverities {
			for i := range kinds {
				if known[i] {
					out.Zero(owner, severity*len(kinds)+i)
				}
			}
		}
	}
}

func riskScore(in *tallies.Tallies, out *frame.Sink) {
	all := out.Dim()
	for i := range in.Snapshot.Services {
		owner := in.Snapshot.Services[i].Owner
		switch score, known := in.Weaknesses.Risk(in.Policy, i); {
		case !known:
			out.Unknown(owner, all)
		case score > 0:
			out.Add(owner, all, score)
		}
	}
	if !in.Sources.Of(record.KindFinding).Complete() {
		return
	}
	for _, owner := range in.Owners.Present {
		out.Zero(owner, all)
	}
}

// concentrationTops are the values of the label "top".
var concentrationTops = []int{1, 3, 10}

func riskConcentration(in *tallies.Tallies, out *frame.Sink) {
	teams := make([]float64, len(in.Owners.Teams.Labels))
	services := make([]float64, len(in.Snapshot.Services))
	for i := range services {
		score, known := in.Weaknesses.Risk(in.Policy, i)
		if !known {
			return // the total is not known
		}
		services[i] = score
		teams[in.Owners.TeamOf[in.Snapshot.Services[i].Owner]] += score
	}
	for _, dimension := range []struct {
		name   string
		scores []float64
	}{{"team", teams}, {"service", services}, {"category", slices.Clone(in.Weaknesses.CategoryRisk)}} {
		slices.SortFunc(dimension.scores, func(a, b float64) int { return cmp.Compare(b, a) })
		total := sumOf(dimension.scores)
		if total == 0 {
			continue
		}
		for _, top := range concentrationTops {
			held := sumOf(dimension.scores[:min(top, len(dimension.scores))])
			out.Add(frame.NoEntity, out.Dim(dimension.name, strconv.Itoa(top)), held/total)
		}
	}
}

// listed reports whether a list of exploited advisories that is evidence of a kind is read: the kind of its scopes is named like the evidence.
func listed(in *tallies.Tallies, evidence policy.Exploitation) bool {
	return slices.ContainsFunc(in.Snapshot.Scopes, func(s snapshot.Scope) bool {
		now := s.Freshness(in.At)
		return s.Kind == evidence.String() && slices.Contains(s.Kinds, record.KindExploitation) && (now == snapshot.Fresh || now == snapshot.Stale)
	})
}
