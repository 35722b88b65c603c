package snapshot

import (
	"fmt"
	"math"
	"math/bits"

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
}

// EventKind says what changed.
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
	// Seconds is the sum of Event.Seconds, and Durations their distribution over DurationBucket; both are empty unless Kind
	// is EventFixed.
	Seconds   float64
	Durations map[int16]uint64
}

// durationResolution is the number of buckets per power of two.
const durationResolution = 8

// DurationBucket is the bucket of a time in seconds: bucket i holds what is longer than 2^((i-1)/8) and at most 2^(i/8)
// seconds, about 9 % of relative width, and bucket DurationZero what took no time. It is the bucket of a Prometheus native
// histogram of schema 3, and what compaction keeps of the times it sums up.
func DurationBucket(seconds uint32) int16 {
	if seconds == 0 {
		return DurationZero
	}
	octave := bits.Len32(seconds) - 1
	mantissa := float64(seconds) / float64(uint64(1)<<octave)
	step := 0
	for step < durationResolution && mantissa > durationSteps[step] {
		step++
	}
	return int16(octave*durationResolution + step)
}

// DurationZero is the bucket of times of 0 seconds; MaxDurationBucket the highest bucket there is.
const (
	DurationZero      int16 = -1
	MaxDurationBucket int16 = 32 * durationResolution
)

// DurationBound is the upper bound of a bucket in seconds.
func DurationBound(bucket int16) float64 {
	if bucket == DurationZero {
		return 0
	}
	return math.Exp2(float64(bucket) / durationResolution)
}

// durationSteps are the bounds of the buckets within one power of two.
var durationSteps = func() (steps [durationResolution]float64) {
	for i := range steps {
		steps[i] = math.Exp2(float64(i) / durationResolution)
	}
	return steps
}()
