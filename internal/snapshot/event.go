package snapshot

import (
	"fmt"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Event is a change in a weakness. Times are Unix seconds. Owner, severity and class are frozen as of the event.
type Event struct {
	// At is when it happened by the source; Counted is from when it counts (see the package comment).
	At      int64
	Counted int64
	// Weakness is a position in Snapshot.Weaknesses; Owner an index into Snapshot.Owners.
	Weakness int32
	Owner    int32
	// Seconds is, for EventFixed, first seen → fixed; otherwise 0.
	Seconds  uint32
	Kind     EventKind
	Severity policy.SeverityIndex
	Class    ClassIndex
	// Sums says in which sums it takes part.
	Sums Sums
}

// Sums says in which sums an event takes part: counters go up by what is observed, windows hold what happened in them. They differ for history that is
// read after the founding, see the package comment.
type Sums uint8

// The combinations of sums. They are stored by number.
const (
	InAll Sums = iota
	InCounters
	InWindows
	InNone
)

// InCounters reports whether counters have the event.
func (s Sums) InCounters() bool { return s == InAll || s == InCounters }

// InWindows reports whether windows have the event.
func (s Sums) InWindows() bool { return s == InAll || s == InWindows }

// WithoutWindows is the same without windows.
func (s Sums) WithoutWindows() Sums {
	if s.InCounters() {
		return InCounters
	}
	return InNone
}

// EventKind is what changed.
type EventKind uint8

// The kinds of event. They are stored by name, never by number.
const (
	EventOpened EventKind = iota
	EventFixed
	EventReopened
	EventDismissedFalsePositive
	EventDismissedWontFix
	EventDismissedUsedInTests
	EventDismissedOther
	// EventDuplicate: a weakness turned out to be another one that is counted already.
	EventDuplicate
	// EventOutOfScope: what the weakness is about is gone or out of scope.
	EventOutOfScope
	EventExcepted
	EventExceptionEnded
	// EventSeverityRaised and EventSeverityLowered are counted at the severity that is entered, EventSeverityLeft at the one
	// that is left, so that flows reconcile for every severity.
	EventSeverityRaised
	EventSeverityLowered
	EventSeverityLeft
	// EventScopeGained: it was there before we looked (a scope added later, an unfolded duplicate); EventScopeLost: we no
	// longer see it and the source does not say why.
	EventScopeGained
	EventScopeLost
	EventMovedIn
	EventMovedOut

	// EventMet, EventMissed, EventVoid and EventRevoked are SLA outcomes as they fall.
	EventMet
	EventMissed
	EventVoid
	EventRevoked

	eventKinds
)

var events = [eventKinds]struct {
	name string
	sign int
}{
	EventOpened:                 {"opened", +1},
	EventFixed:                  {"fixed", -1},
	EventReopened:               {"reopened", +1},
	EventDismissedFalsePositive: {"dismissed_false_positive", -1},
	EventDismissedWontFix:       {"dismissed_wont_fix", -1},
	EventDismissedUsedInTests:   {"dismissed_used_in_tests", -1},
	EventDismissedOther:         {"dismissed_other", -1},
	EventDuplicate:              {"duplicate", -1},
	EventOutOfScope:             {"out_of_scope", -1},
	EventExcepted:               {"excepted", 0},
	EventExceptionEnded:         {"exception_ended", 0},
	EventSeverityRaised:         {"severity_raised", +1},
	EventSeverityLowered:        {"severity_lowered", +1},
	EventSeverityLeft:           {"severity_left", -1},
	EventScopeGained:            {"scope_gained", +1},
	EventScopeLost:              {"scope_lost", -1},
	EventMovedIn:                {"moved_in", +1},
	EventMovedOut:               {"moved_out", -1},
	EventMet:                    {"met", 0},
	EventMissed:                 {"missed", 0},
	EventVoid:                   {"void", 0},
	EventRevoked:                {"revoked", 0},
}

// FlowKinds lists the kinds that are values of the label "event" of prodsec_finding_events_total.
func FlowKinds() []EventKind { return kindsBetween(EventOpened, EventMovedOut) }

// OutcomeKinds lists the kinds that are values of the label "outcome" of prodsec_sla_outcomes_total.
func OutcomeKinds() []EventKind { return kindsBetween(EventMet, EventRevoked) }

func kindsBetween(first, last EventKind) []EventKind {
	kinds := make([]EventKind, 0, last-first+1)
	for k := first; k <= last; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// String is the stable name of the kind: the label value and the stored form.
func (k EventKind) String() string { return events[k].name }

// Sign is what an event of this kind adds to the number of open weaknesses: +1, -1 or 0.
func (k EventKind) Sign() int { return events[k].sign }

// ParseEventKind is the inverse of String.
func ParseEventKind(name string) (EventKind, error) {
	for k := range events {
		if events[k].name == name {
			return EventKind(k), nil
		}
	}
	return 0, fmt.Errorf("unknown event %q", name)
}

// EventOfClosure is the event by which an open weakness closes for the given reason.
func EventOfClosure(c record.Closure) EventKind {
	switch c {
	case record.ClosureFixed:
		return EventFixed
	case record.ClosureFalsePositive:
		return EventDismissedFalsePositive
	case record.ClosureWontFix, record.ClosureRiskAccepted:
		return EventDismissedWontFix
	case record.ClosureUsedInTests:
		return EventDismissedUsedInTests
	case record.ClosureDuplicate:
		return EventDuplicate
	case record.ClosureOutOfScope, record.ClosureRepositoryArchived, record.ClosureRepositoryDeleted, record.ClosureManifestDeleted:
		return EventOutOfScope
	case record.ClosureVanished:
		return EventScopeLost
	case record.ClosureNone, record.ClosureMitigated, record.ClosureAutoDismissed, record.ClosureOther:
		return EventDismissedOther
	default:
		return EventDismissedOther
	}
}

// BaseCount is a sum of events that compaction removed.
type BaseCount struct {
	Owner    int32
	Kind     EventKind
	Severity policy.SeverityIndex
	Class    ClassIndex
	Count    uint64
	// Seconds is the sum of Event.Seconds, and Hours their distribution in hours, rounded up (HoursOf); both are empty unless
	// Kind is EventFixed.
	Seconds float64
	Hours   map[uint32]uint64
}

// HoursOf is a time in hours, rounded up: the resolution in which distributions of times are counted, so that compaction,
// which keeps no more than this, changes no histogram.
func HoursOf(seconds uint32) uint32 {
	const hour = 3600
	return seconds/hour + min(seconds%hour, 1)
}
