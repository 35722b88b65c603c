package derivation

import (
	"encoding/json"
	"fmt"
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
)

// details reads stored reports.
func (s *State) details(t store.Tx, numbers []int32) ([]*identity.Report, error) {
	details := make([]*identity.Report, 0, len(numbers))
	err := t.Findings(numbers, func(row store.FindingRow) error {
		d := &identity.Report{
			Number: row.Report, Source: s.scopes[row.Scope].Source, Scope: row.Scope, FirstObserved: row.FirstObserved,
			ChangedAt: row.ChangedAt, GoneAt: row.GoneAt,
		}
		if err := json.Unmarshal(row.Body, &d.Finding); err != nil {
			return fmt.Errorf("decoding the finding %q: %w", row.ID, err)
		}
		details = append(details, d)
		return nil
	})
	return details, err
}

// clustersOf reads the reports of weaknesses, each cluster ordered with its primary first.
func (s *State) clustersOf(t store.Tx, weaknesses map[int32]bool) (map[int32][]*identity.Report, error) {
	result := make(map[int32][]*identity.Report, len(weaknesses))
	if len(weaknesses) == 0 {
		return result, nil
	}
	var numbers []int32
	for i := range s.reports.Len() {
		if weaknesses[s.reports.At(i).weakness] {
			numbers = append(numbers, int32(i))
		}
	}
	details, err := s.details(t, numbers)
	if err != nil {
		return nil, err
	}
	for _, d := range details {
		w := s.reports.At(int(d.Number)).weakness
		result[w] = append(result[w], d)
	}
	for _, cluster := range result {
		slices.SortFunc(cluster, identity.Earlier)
	}
	return result, nil
}
