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
}

// Grants are all approvals that count, oldest first: the first of each exception, and the present one where it was approved anew.
func (in *Input) Grants() []Grant {
	var all []Grant
	first := map[string]time.Time{}
	add := func(h *snapshot.Held[record.Exception]) {
		service := in.Snapshot.Services[h.Service].Name
		if h.Service == 0 {
			service = frame.Key(h.Record.Service, string(h.Record.Repository))
		}
		all = append(all, Grant{h.Record.DecidedAt, h.Owner, frame.Named(h.Record.Category, frame.None), service, &h.Record})
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
	return all
}
