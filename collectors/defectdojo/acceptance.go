package defectdojo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	// Handled is when DefectDojo's own job noticed the end, and Reactivates whether it then opened the findings again; null stands for yes, the default.
	Handled     moment `json:"expiration_date_handled"`
	Reactivates *bool  `json:"reactivate_expired"`
}

// lapse is the end of the last risk acceptance of a finding.
type lapse struct {
	at time.Time
	// reopened says that DefectDojo has opened the finding again since.
	reopened bool
}

// lapsed holds, by number, the findings all of whose risk acceptances have run out.
type lapsed map[int64]lapse

// lapsedAt looks for what has run out at an instant. One acceptance without an end, or with one that lies ahead, still holds.
func lapsedAt(acceptances []acceptance, now time.Time, zone *time.Location) lapsed {
	ran := lapsed{}
	holds := map[int64]bool{}
	for i := range acceptances {
		a := &acceptances[i]
		end := a.Expiration.end(zone)
		over := !end.IsZero() && !now.Before(end)
		for _, number := range a.Findings {
			holds[number] = holds[number] || !over
			last := ran[number]
			if !over || end.After(last.at) {
				ran[number] = lapse{at: end, reopened: !a.Handled.IsZero() && (a.Reactivates == nil || *a.Reactivates)}
			}
		}
	}
	maps.DeleteFunc(ran, func(number int64, _ lapse) bool { return holds[number] })
	return ran
}

// out reports whether what accepts the risk of a finding has run out. A finding whose status changed after that, or that DefectDojo had opened again, was accepted anew: simply, which makes
// no entry in the list of acceptances.
func (l lapsed) out(f *finding) bool {
	last, ran := l[f.ID]
	return ran && !last.reopened && !f.LastStatusUpdate.After(last.at)
}

// acceptances reads all risk acceptances, and says whose have run out.
func (c *Collector) acceptances(ctx context.Context, started time.Time) (record.Batch, lapsed) {
	b := record.Batch{Scope: acceptanceScope, Mode: record.Full, Exceptions: []record.Exception{}, Rejected: map[record.RejectReason]int{}}
	found, err := list(ctx, c.Base, query[acceptance]{path: acceptancesPath})
	if err != nil {
		return record.Batch{Scope: b.Scope, Err: fmt.Errorf("defectdojo %s: %w", b.Scope, err)}, nil
	}
	b.Rejected[record.RejectDecode] += found.rejected
	all := found.items
	slices.SortFunc(all, func(a, b acceptance) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		if x, reason := all[i].record(c.URL, c.Env.TimeZone); reason != "" {
			b.Rejected[reason]++
		} else {
			b.Exceptions = append(b.Exceptions, x)
		}
	}
	return b, lapsedAt(all, started, c.Env.TimeZone)
}

// record turns a risk acceptance into an exception. Whether it has expired is computed from its date, whatever DefectDojo's own job
// has done about it; one whose date cannot be read is rejected, because without an end it would hold for ever.
func (a *acceptance) record(site string, zone *time.Location) (record.Exception, record.RejectReason) {
	switch {
	case a.ID == 0:
		return record.Exception{}, record.RejectNoID
	case a.Expiration.wrong || a.Created.wrong || a.Updated.wrong:
		return record.Exception{}, record.RejectTimestamp
	}
	state, category := a.decision()
	x := record.Exception{
		ID: "acceptance#" + strconv.FormatInt(a.ID, 10), Title: record.Text(a.Name), URL: fmt.Sprintf("%s/api/v2/risk_acceptance/%d/", site, a.ID),
		State: state, Category: category, RequestedAt: a.Created.Time, DecidedAt: a.Created.Time, ExpiresAt: a.Expiration.end(zone),
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
