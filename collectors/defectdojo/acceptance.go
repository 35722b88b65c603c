package defectdojo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"prodsec_exporter/internal/record"
)

// acceptance is a risk acceptance.
type acceptance struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	Decision   *string `json:"decision"`
	Findings   []int64 `json:"accepted_findings"`
	Expiration moment  `json:"expiration_date"`
	Created    moment  `json:"created"`
	Updated    moment  `json:"updated"`
}

// lapsed holds the records' ids of findings all of whose risk acceptances have run out.
type lapsed map[string]bool

// lapsedAt looks for what has run out at an instant. One acceptance without an end, or with one that lies ahead, still holds.
func lapsedAt(acceptances []record.Exception, now time.Time) lapsed {
	ran := lapsed{}
	holds := map[string]bool{}
	for i := range acceptances {
		x := &acceptances[i]
		over := !x.ExpiresAt.IsZero() && !now.Before(x.ExpiresAt)
		for _, id := range x.Findings {
			holds[id] = holds[id] || !over
			ran[id] = !holds[id]
		}
	}
	return ran
}

// acceptances reads all risk acceptances.
func (c *Collector) acceptances(ctx context.Context) record.Batch {
	b := record.Batch{Scope: acceptanceScope, Mode: record.Full, Exceptions: []record.Exception{}, Rejected: map[record.RejectReason]int{}}
	found, err := list(ctx, c.Base, query[acceptance]{path: "api/v2/risk_acceptance/", id: func(a acceptance) int64 { return a.ID }})
	if err != nil {
		return record.Batch{Scope: b.Scope, Err: fmt.Errorf("defectdojo %s: %w", b.Scope, err)}
	}
	b.Rejected[record.RejectDecode] += found.rejected
	all := found.items
	slices.SortFunc(all, func(a, b acceptance) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		if x, reason := all[i].record(c.URL); reason != "" {
			b.Rejected[reason]++
		} else {
			b.Exceptions = append(b.Exceptions, x)
		}
	}
	return b
}

// record turns a risk acceptance into an exception. Whether it has expired is computed from its date, whatever DefectDojo's own job
// has done about it; one whose date cannot be read is rejected, because without an end it would hold for ever.
func (a *acceptance) record(site string) (record.Exception, record.RejectReason) {
	switch {
	case a.ID == 0:
		return record.Exception{}, record.RejectNoID
	case a.Expiration.wrong || a.Created.wrong || a.Updated.wrong:
		return record.Exception{}, record.RejectTimestamp
	}
	state, category := a.decision()
	x := record.Exception{
		ID: "acceptance#" + strconv.FormatInt(a.ID, 10), Title: record.Text(a.Name), URL: fmt.Sprintf("%s/api/v2/risk_acceptance/%d/", site, a.ID),
		State: state, Category: category, RequestedAt: a.Created.Time, DecidedAt: a.Created.Time, ExpiresAt: a.Expiration.Time,
		UpdatedAt: a.Updated.Time, VendorAcceptance: true, Tool: kindName,
	}
	for _, number := range a.Findings {
		x.Findings = append(x.Findings, idOf(number))
	}
	return x, ""
}

// decision reads DefectDojo's letter. All five tolerate the findings until the end; a letter that is not known stops no clock.
func (a *acceptance) decision() (record.ExceptionState, string) {
	if a.Decision == nil {
		return record.ExceptionApproved, ""
	}
	word, known := map[string]string{"A": "accept", "V": "avoid", "M": "mitigate", "F": "fix", "T": "transfer"}[*a.Decision]
	if !known {
		return record.ExceptionOther, ""
	}
	return record.ExceptionApproved, word
}
