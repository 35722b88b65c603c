package translate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"

	"prodsec_exporter/internal/apiclient"
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

// Page is one page of an API that finds pages by number.
type Page struct {
	Items []json.RawMessage
	// Last says that the source itself marked the page as the last one.
	Last bool
}

// Numbered walks pages that are found by number, from first on, until one is empty or marked as the last. A short page ends
// nothing: servers cap page sizes. A page that equals an earlier one means that the server ignores the number, and is
// record.ReasonTruncated, as are more than apiclient.DefaultMaxPages.
func Numbered(ctx context.Context, first int, fetch func(ctx context.Context, number int) (Page, error), each func(json.RawMessage)) error {
	number := first
	seen := map[[sha256.Size]byte]int{}
	return apiclient.Walk(ctx, 0, func(ctx context.Context, _ string) (string, error) {
		page, err := fetch(ctx, number)
		if err != nil {
			return "", err
		}
		if len(page.Items) == 0 {
			return "", nil
		}
		print := fingerprint(page.Items)
		if earlier, ok := seen[print]; ok {
			return "", &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf(
				"the source answered page %d with the items of page %d", number, earlier)}
		}
		seen[print] = number
		for _, item := range page.Items {
			each(item)
		}
		if page.Last {
			return "", nil
		}
		number++
		return strconv.Itoa(number), nil
	})
}

func fingerprint(items []json.RawMessage) [sha256.Size]byte {
	h := sha256.New()
	for _, item := range items {
		h.Write(item) // A hash never fails.
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}
