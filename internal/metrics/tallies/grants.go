package tallies

import (
	"cmp"
	"slices"
	"time"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Grant is an approval of an exception.
type Grant struct {
	At time.Time
	// Owner is a position in Snapshot.Owners, Category the label value.
	Owner    int32
	Category string
	// For is the service, or what the exception names where the service is in no catalog.
	For string
	// Exception is as it was granted.
	Exception *record.Exception
	// Renewal: the same was granted before, no longer ago than policy.exceptions.renewal_within.
	Renewal bool
}

// Grants are all approvals that count, oldest first: the first of each exception, and the present one where it was approved anew.
func (in *Input) Grants() []Grant {
	var all []Grant
	first := map[string]time.Time{}
	add := func(h *snapshot.Held[record.Exception]) {
		service := in.Snapshot.Services[h.Service].Name
		switch {
		case h.Service != 0:
		case h.Record.Service == "" && h.Record.Repository == "":
			// What names nothing is about nothing that another one could be about, too.
			service = frame.Key(h.Instance, h.Record.ID)
		default:
			service = frame.Key(h.Record.Service, string(h.Record.Repository))
		}
		all = append(all, Grant{
			At: h.Record.DecidedAt, Owner: h.WindowOwner(), Category: frame.Named(h.Record.Category, frame.None), For: service, Exception: &h.Record,
		})
	}
	id := func(h *snapshot.Held[record.Exception]) string { return frame.Key(h.Instance, h.Record.ID) }
	EachCounted(in, in.Snapshot.Decided, func(m *snapshot.Milestone[record.Exception]) {
		if in.Policy.Granted(&m.Record) {
			first[id(&m.Held)] = m.At
			add(&m.Held)
		}
	})
	for i := range in.Snapshot.Exceptions {
		h := &in.Snapshot.Exceptions[i]
		if at, counted := first[id(h)]; in.Policy.Granted(&h.Record) && counted && h.Record.DecidedAt.After(at) {
			first[id(h)] = h.Record.DecidedAt
			add(h)
		}
	}
	slices.SortStableFunc(all, func(a, b Grant) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.For, b.For)) })
	markRenewals(all, in.Policy.Config().Exceptions.RenewalWithin.Std())
	return all
}

// markRenewals marks the grants that follow one for the same subject and category; they are ordered by time.
func markRenewals(grants []Grant, within time.Duration) {
	type subject struct{ of, category string }
	// last is the latest grant before the instant under way, latest that of any so far; grants of one instant renew none of each other.
	last, latest := map[subject]time.Time{}, map[subject]time.Time{}
	for i := range grants {
		g := &grants[i]
		s := subject{g.For, g.Category}
		if g.At.After(latest[s]) {
			last[s], latest[s] = latest[s], g.At
		}
		before := last[s]
		g.Renewal = !before.IsZero() && g.At.Sub(before) <= within
	}
}
