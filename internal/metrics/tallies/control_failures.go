package tallies

import (
	"prodsec_exporter/internal/snapshot"
)

// FailureSource is where a failure of a control showed.
type FailureSource int

// The sources of failures.
const (
	// FailureFinding: a weakness opened whose category had not been fixed in its product area before.
	FailureFinding FailureSource = iota
	// FailureRepeat: a weakness opened after its category had been fixed in its product area.
	FailureRepeat
	// FailureRegression: a weakness that was closed came back.
	FailureRegression
	// FailureException: an exception was granted for the first time; FailureRenewal: again.
	FailureException
	FailureRenewal
	// FailureMiss: a weakness was not fixed by its SLA deadline.
	FailureMiss
	// FailureBypass: a rule was bypassed.
	FailureBypass
	// FailureSources is the number of sources.
	FailureSources
)

// ControlFailures count new and reopened weaknesses by the control to which policy.control_mapping attributes them. The walk over all events
// fills it.
type ControlFailures struct {
	// Counts are by window (each without the shorter ones), control (the last one is none) and source.
	Counts [][]uint64
	// controlOf is one more than the control of a category and class, 0 until it is needed; none is one more than the last control.
	controlOf []int16
	none      int
}

func newControlFailures(in *Input) *ControlFailures {
	t := &ControlFailures{none: len(in.Policy.Controls()), controlOf: make([]int16, len(in.Snapshot.Strings)*ClassCount)}
	for range in.Policy.Windows() {
		t.Counts = append(t.Counts, make([]uint64, (t.none+1)*int(FailureSources)))
	}
	return t
}

// add counts an event if it is a failure; window is the shortest one that holds it, and repeat says that it opened a weakness of a category that had been fixed before.
func (t *ControlFailures) add(in *Input, e *snapshot.Event, window int, repeat bool) {
	switch e.Kind { //nolint:exhaustive // Nothing else is a failure.
	case snapshot.EventOpened:
		if repeat {
			t.count(in, e, window, FailureRepeat)
		} else {
			t.count(in, e, window, FailureFinding)
		}
	case snapshot.EventReopened:
		t.count(in, e, window, FailureRegression)
	case snapshot.EventMissed:
		t.count(in, e, window, FailureMiss)
	}
}

func (t *ControlFailures) count(in *Input, e *snapshot.Event, window int, source FailureSource) {
	category := in.Snapshot.Weaknesses.At(int(e.Weakness)).Category
	at := int(category)*ClassCount + int(e.Class)
	if t.controlOf[at] == 0 {
		control := in.Policy.ControlOfFinding(in.Snapshot.Strings[category], e.Class.Class())
		if control < 0 {
			control = t.none
		}
		t.controlOf[at] = int16(control + 1)
	}
	t.Counts[window][int(t.controlOf[at]-1)*int(FailureSources)+int(source)]++
}
