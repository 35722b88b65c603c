package metrics

import (
	"cmp"
	"slices"
	"strconv"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// note remembers which evidence of exploitation sources speak of at all. A prediction below the threshold is one, too.
func (t *openTally) note(w *snapshot.Weakness, evidence policy.Exploitation) {
	t.evidence[evidence] = true
	if w.EPSS > 0 {
		t.evidence[policy.ExploitationLikely] = true
	}
}

// addRisk counts an open weakness by evidence, and what it weighs by category.
func (t *openTally) addRisk(w *snapshot.Weakness, evidence policy.Exploitation, weight float64, dropped bool) {
	at := (int(w.Service)*severityCount+int(w.Severity))*evidenceCount + int(evidence)
	if dropped {
		t.exploitedUnknown[at] = true
		return
	}
	t.exploited[at]++
	if category := int(w.Category); weight > 0 && category < len(t.categoryRisk) {
		t.categoryRisk[category] += weight * t.serviceWeight[w.Service]
	}
}

func findingsExploited(in *Input, out *Sink) {
	open := in.shared.open
	kinds := policy.Exploitations()
	out.Product(severityValues, namesOf(kinds))
	for at, n := range open.exploited {
		evidence, cell := at%evidenceCount, at/evidenceCount
		if evidence == int(policy.ExploitationNone) {
			continue
		}
		owner, dim := in.Snapshot.Services[cell/severityCount].Owner, cell%severityCount*len(kinds)+evidence-1
		switch {
		case open.exploitedUnknown != nil && open.exploitedUnknown[at]:
			out.Unknown(owner, dim)
		case n > 0:
			out.Add(owner, dim, float64(n))
		}
	}
	if !in.shared.sources.of(record.KindFinding).complete() {
		return
	}
	spoken := make([]bool, len(kinds))
	for i, kind := range kinds {
		spoken[i] = open.evidence[kind] || in.listed(kind)
	}
	for _, owner := range in.shared.own.present {
		for _, severity := range urgentSeverities {
			for i := range kinds {
				if spoken[i] {
					out.Zero(owner, severity*len(kinds)+i)
				}
			}
		}
	}
}

// listed reports whether a list of exploited advisories that speaks of a kind of evidence is read: its scopes are called like the evidence.
func (in *Input) listed(evidence policy.Exploitation) bool {
	return slices.ContainsFunc(in.Snapshot.Scopes, func(s snapshot.Scope) bool {
		now := s.Freshness(in.At)
		return s.Kind == evidence.String() && slices.Contains(s.Kinds, record.KindExploitation) && (now == snapshot.Fresh || now == snapshot.Stale)
	})
}

// riskOf is the risk score of a service; known is false if a source is too old to be shown.
func (in *Input) riskOf(service int) (score float64, known bool) {
	open := in.shared.open
	for _, severity := range urgentSeverities {
		for evidence := range evidenceCount {
			at := (service*severityCount+severity)*evidenceCount + evidence
			if open.exploitedUnknown != nil && open.exploitedUnknown[at] {
				return 0, false
			}
			score += float64(open.exploited[at]) * in.Policy.FindingWeight(policy.SeverityIndex(severity), policy.Exploitation(evidence))
		}
	}
	return score * open.serviceWeight[service], true
}

func riskScore(in *Input, out *Sink) {
	all := out.Dim()
	for i := range in.Snapshot.Services {
		owner := in.Snapshot.Services[i].Owner
		switch score, known := in.riskOf(i); {
		case !known:
			out.Unknown(owner, all)
		case score > 0:
			out.Add(owner, all, score)
		}
	}
	if !in.shared.sources.of(record.KindFinding).complete() {
		return
	}
	for _, owner := range in.shared.own.present {
		out.Zero(owner, all)
	}
}

// concentrationTops are the values of the label "top".
var concentrationTops = []int{1, 3, 10}

func riskConcentration(in *Input, out *Sink) {
	teams := make([]float64, len(in.shared.own.teams.labels))
	services := make([]float64, len(in.Snapshot.Services))
	for i := range services {
		score, known := in.riskOf(i)
		if !known {
			return // the total is not known
		}
		services[i] = score
		teams[in.shared.own.teamOf[in.Snapshot.Services[i].Owner]] += score
	}
	for _, dimension := range []struct {
		name   string
		scores []float64
	}{{"team", teams}, {"service", services}, {"category", slices.Clone(in.shared.open.categoryRisk)}} {
		slices.SortFunc(dimension.scores, func(a, b float64) int { return cmp.Compare(b, a) })
		total := sumOf(dimension.scores)
		if total == 0 {
			continue
		}
		for _, top := range concentrationTops {
			held := sumOf(dimension.scores[:min(top, len(dimension.scores))])
			out.Add(noEntity, out.Dim(dimension.name, strconv.Itoa(top)), held/total)
		}
	}
}

func sumOf[T float64 | uint32](values []T) (sum T) {
	for _, v := range values {
		sum += v
	}
	return sum
}
