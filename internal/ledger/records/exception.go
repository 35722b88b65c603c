package records

import (
	"slices"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// indexing is how far the date of a change may lie before the last reading that did not show it: sources need a moment until a change can be found.
const indexing = int64(600)

// exceptionSince says from when a changed exception holds as it is now: from its change, which is dated by the decision or the end that is new,
// else by the ticket's last update, as long as that lies after the last reading; an older date was written into the ticket afterwards, and buys
// no time backwards. Where the source keeps the history of decisions that history dates them, and only a change of what is covered has
// to be dated.
func exceptionSince(before *Revision[record.Exception], e *record.Exception, o observation) int64 {
	least := o.read - indexing
	within := func(date int64) bool { return date > least && date <= o.at }
	if before == nil {
		if e.InForce != nil {
			return Always
		}
		return least
	}
	old, gone := &before.Value, before.Until <= o.at
	if e.InForce != nil && !gone && sameCover(old, e) {
		return before.From
	}
	decided, ended, updated := store.Unix(e.DecidedAt), store.Unix(e.EndedAt), store.Unix(e.UpdatedAt)
	switch {
	case !old.EndedAt.Equal(e.EndedAt) && within(ended):
		return max(ended, before.From+1)
	case !old.DecidedAt.Equal(e.DecidedAt) && within(decided):
		return max(decided, before.From+1)
	case !old.UpdatedAt.Equal(e.UpdatedAt) && within(updated):
		return max(updated, before.From+1)
	default:
		return o.at
	}
}

// sameCover reports whether two exceptions name the same.
func sameCover(a, b *record.Exception) bool {
	return a.Service == b.Service && a.Repository == b.Repository && slices.Equal(a.Findings, b.Findings) && slices.Equal(a.Advisories, b.Advisories) &&
		slices.Equal(a.Rules, b.Rules) && slices.Equal(a.Categories, b.Categories) && slices.Equal(a.Controls, b.Controls) &&
		a.VendorAcceptance == b.VendorAcceptance && a.Tool == b.Tool
}
