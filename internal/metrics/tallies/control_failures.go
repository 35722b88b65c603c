package tallies

import (
	"prodsec_exporter/internal/snapshot"
)

// FailureSource is where a failure of a control showed.
type FailureSource int

// The sources of failures.
const (
	FailureFinding FailureSource = iota
	FailureRegression
	FailureException
	FailureBypass
)

// FailureSources is the number of sources.
const FailureSources = 4

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
		t.Counts = append(t.Counts, make([]uint64, (t.none+1)*FailureSources))
	}
	return t
}

// add counts an event if it is a failure; window is the shortest one that holds it.
func (t *ControlFailures) add(in *Input, e *snapshot.Event, window int) {
	source := FailureFinding
	switch e.Kind { //nolint:exhaustive // Nothing else is a failure.
	case snapshot.EventOpened:
	case snapshot.EventReopened:
		source = FailureRegression
	default:
		return
	}
	category := in.Snapshot.Weaknesses.At(int(e.Weakness)).Category
	at := int(category)*ClassCount + int(e.Class)
	if t.controlOf[at] == 0 {
		control := in.Policy.ControlOfFinding(in.Snapshot.Strings[category], e.Class.Class())
		if control < 0 {
			control = t.none
		}
		t.controlOf[at] = int16(control + 1)
	}
	t.Counts[window][int(t.controlOf[at]-1)*FailureSources+int(source)]++
}
