package translate

import (
	"prodsec_exporter/internal/record"
)

// FindingSet collects the findings of one scope while its pages are read.
type FindingSet struct {
	// Findings is never nil, so that a scope without any says that there are none.
	Findings []record.Finding
	// Rejected counts the items left out, by reason.
	Rejected map[record.RejectReason]int
	at       map[string]int
}

// NewFindingSet makes an empty set.
func NewFindingSet() *FindingSet {
	return &FindingSet{Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, at: map[string]int{}}
}

// Add takes a finding. One that came before, as happens when items move between pages while they are read or when two analysers
// report one thing, is replaced, but keeps the earliest date of first sight.
func (s *FindingSet) Add(f record.Finding) {
	if i, ok := s.at[f.ID]; ok {
		f.FirstSeen = record.Earliest(s.Findings[i].FirstSeen, f.FirstSeen)
		s.Findings[i] = f
		return
	}
	s.at[f.ID] = len(s.Findings)
	s.Findings = append(s.Findings, f)
}

// Take adds what an item was translated to, or counts the item as rejected.
func (s *FindingSet) Take(f record.Finding, err error) {
	if err != nil {
		s.Rejected[Reason(err)]++
		return
	}
	s.Add(f)
}

// Batch is the set as a batch that holds the whole scope.
func (s *FindingSet) Batch(scope string) record.Batch {
	return record.Batch{Scope: scope, Mode: record.Full, Findings: s.Findings, Rejected: s.Rejected}
}

// Failed is the batch of a scope that could not be read; err says what was being done.
func Failed(scope string, err error) record.Batch { return record.Batch{Scope: scope, Err: err} }
