package tallies

import "prodsec_exporter/internal/policy"

// Risk is the risk score of a service, by its position in Snapshot.Services; known is false if a source is too old to be shown.
func (t *Weaknesses) Risk(p *policy.Policy, service int) (score float64, known bool) {
	for _, severity := range UrgentSeverities {
		for evidence := range EvidenceCount {
			at := (service*SeverityCount+severity)*EvidenceCount + evidence
			if t.ExploitedUnknown != nil && t.ExploitedUnknown[at] {
				return 0, false
			}
			score += float64(t.Exploited[at]) * p.FindingWeight(policy.SeverityIndex(severity), policy.Exploitation(evidence))
		}
	}
	return score * t.serviceWeight[service], true
}
