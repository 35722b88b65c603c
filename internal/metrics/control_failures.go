package metrics

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// The values of the label "source" of prodsec_control_failures_in_window.
const (
	failureFinding = iota
	failureRegression
	failureException
	failureBypass
)

var failureSources = []string{"finding", "regression", "exception", "bypass"}

// failureTally counts new and reopened weaknesses by the control at whose door policy lays them. It is filled by the walk over all events.
type failureTally struct {
	// counts are by window (each without the shorter ones), control (the last one is none) and source.
	counts [][]uint64
	// doors are one more than the control of a category and class, 0 while nobody asked; none is one more than the last control.
	doors []int16
	none  int
}

func newFailureTally(in *Input) *failureTally {
	t := &failureTally{none: len(in.Policy.Controls()), doors: make([]int16, len(in.Snapshot.Strings)*classCount)}
	for range in.Policy.Windows() {
		t.counts = append(t.counts, make([]uint64, (t.none+1)*len(failureSources)))
	}
	return t
}

// add counts an event if it is a failure; window is the shortest one that holds it.
func (t *failureTally) add(in *Input, e *snapshot.Event, window int) {
	source := failureFinding
	switch e.Kind { //nolint:exhaustive // Nothing else is a failure.
	case snapshot.EventOpened:
	case snapshot.EventReopened:
		source = failureRegression
	default:
		return
	}
	category := in.Snapshot.Weaknesses.At(int(e.Weakness)).Category
	at := int(category)*classCount + int(e.Class)
	if t.doors[at] == 0 {
		control := in.Policy.ControlOfFinding(in.Snapshot.Strings[category], e.Class.Class())
		if control < 0 {
			control = t.none
		}
		t.doors[at] = int16(control + 1)
	}
	t.counts[window][int(t.doors[at]-1)*len(failureSources)+source]++
}

func controlFailures(in *Input, out *Sink) {
	controls, windows := in.Policy.Controls(), windowNames(in.Policy)
	doors := make([]string, 0, len(controls)+1)
	for i := range controls {
		doors = append(doors, controls[i].Name)
	}
	out.Product(windows, append(doors, none), failureSources)
	dim := func(window, control, source int) int {
		return (window*(len(controls)+1)+control)*len(failureSources) + source
	}
	for shortest, counts := range in.shared.events.failures.counts {
		for at, n := range counts {
			for window := shortest; n > 0 && window < len(windows); window++ {
				out.Add(noEntity, dim(window, at/len(failureSources), at%len(failureSources)), float64(n))
			}
		}
	}
	lay := func(found []int, source, count int) {
		if len(found) == 0 {
			found = []int{len(controls)}
		}
		for _, control := range found {
			for window := len(windows) - count; window < len(windows); window++ {
				out.Add(noEntity, dim(window, control, source), 1)
			}
		}
	}
	for _, g := range grants(in) {
		lay(in.Policy.ControlsOfException(g.exception), failureException, len(windowsOf(in, g.at)))
	}
	eachCounted(in, in.Snapshot.Bypassed, func(m *snapshot.Milestone[record.Bypass]) {
		if m.Record.Result == record.BypassBypassed {
			lay(in.Policy.ControlsOfBypass(&m.Record), failureBypass, len(windowsOf(in, m.At)))
		}
	})
	zeroFailures(in, out, dim)
}

// zeroFailures shows 0 for the sources that were read.
func zeroFailures(in *Input, out *Sink, dim func(window, control, source int) int) {
	for source, kind := range []record.Kind{record.KindFinding, record.KindFinding, record.KindException, record.KindBypass} {
		if !in.shared.sources.of(kind).ever {
			continue
		}
		for window := range in.Policy.Windows() {
			for control := range len(in.Policy.Controls()) + 1 {
				out.Zero(noEntity, dim(window, control, source))
			}
		}
	}
}
