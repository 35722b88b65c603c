package tallies

import (
	"slices"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// Events count all events that count until the instant, in one walk, and the sums that compaction kept of older ones.
type Events struct {
	// Flows is by group, severity, class and kind (outcomes are counted in Outcomes instead), Outcomes by owner, severity and
	// outcome kind; Remediation by team, severity and class, nil where nothing was fixed.
	Flows       []uint64
	Outcomes    []uint64
	Remediation []*frame.Distribution
	hours       *frame.HourTable
	// Windows, by position in Policy.Windows, hold the events within that trailing window, by group, severity and kind. A met
	// that was revoked since is not in them.
	Windows [][]uint64
	// Recurrence counts the events in the windows by category and tool.
	Recurrence *Recurrence
	own        *Ownership
	// Failures attribute new and reopened weaknesses to controls.
	Failures *ControlFailures
}

func emptyEvents(in *Input, own *Ownership) *Events {
	groups, teams, owners := len(own.Groups.Labels), len(own.Teams.Labels), len(own.Owners.Labels)
	t := &Events{
		Flows:       make([]uint64, groups*SeverityCount*ClassCount*KindCount),
		Outcomes:    make([]uint64, owners*SeverityCount*len(OutcomeKinds)),
		Remediation: make([]*frame.Distribution, teams*SeverityCount*ClassCount),
		hours:       hourTable(in.Policy),
		Recurrence:  newRecurrence(in.Snapshot, len(in.Policy.Windows())),
		own:         own,
		Failures:    newControlFailures(in),
	}
	for range in.Policy.Windows() {
		t.Windows = append(t.Windows, make([]uint64, groups*SeverityCount*KindCount))
	}
	return t
}

// Longest is the longest window. What is in it is shown for every window, at 0 where a shorter one has none, so that windows can be
// compared and a number that falls to nothing is seen to.
func (t *Events) Longest() []uint64 { return t.Windows[len(t.Windows)-1] }

func newEvents(in *Input, own *Ownership) *Events {
	t, at := emptyEvents(in, own), in.At.Unix()
	starts := windowStarts(in.Policy.Windows(), at)
	t.addBase(in.Snapshot.Base)
	// Backwards, because a revocation is met before the outcome it revokes.
	revoked := revocations{waiting: map[int32]int{}, marked: make([]bool, in.Snapshot.Weaknesses.Len())}
	events := &in.Snapshot.Events
	for i := events.Len() - 1; i >= 0; i-- {
		e := events.At(i)
		if e.Counted > at {
			continue
		}
		if e.Sums.InCounters() {
			t.addTotal(e)
		}
		if !e.Sums.InWindows() {
			continue
		}
		if e.Kind == snapshot.EventRevoked {
			revoked.add(e.Weakness)
		}
		window := windowOf(starts, e.Counted)
		if window == len(starts) || e.Kind == snapshot.EventMet && revoked.take(e.Weakness) {
			continue
		}
		t.Windows[window][t.WindowAt(own.GroupOf[e.Owner], int(e.Severity), e.Kind)]++
		repeat := e.Kind == snapshot.EventOpened && t.Recurrence.repeats(e)
		t.Recurrence.add(e, window, repeat)
		t.Failures.add(in, e, window, repeat)
	}
	for i := 1; i < len(t.Windows); i++ { // a longer window holds the shorter ones
		for j, n := range t.Windows[i-1] {
			t.Windows[i][j] += n
		}
	}
	return t
}

// revocations are those whose outcome was not come across yet, by weakness. marked answers at once for most weaknesses.
type revocations struct {
	waiting map[int32]int
	marked  []bool
}

func (r *revocations) add(weakness int32) {
	r.waiting[weakness]++
	r.marked[weakness] = true
}

// take reports whether an outcome is revoked, and uses the revocation up.
func (r *revocations) take(weakness int32) bool {
	if !r.marked[weakness] || r.waiting[weakness] == 0 {
		return false
	}
	r.waiting[weakness]--
	return true
}

// WindowAt is a position in one of Windows.
func (t *Events) WindowAt(group int32, severity int, kind snapshot.EventKind) int {
	return (int(group)*SeverityCount+severity)*KindCount + int(kind)
}

// flow is a position in Flows.
func (t *Events) flow(group int32, severity, class int, kind snapshot.EventKind) int {
	return ((int(group)*SeverityCount+severity)*ClassCount+class)*KindCount + int(kind)
}

// outcome is a position in Outcomes.
func (t *Events) outcome(owner int32, severity int, kind snapshot.EventKind) int {
	return (int(owner)*SeverityCount+severity)*len(OutcomeKinds) + int(kind-OutcomeKinds[0])
}

// fixed is the distribution of remediation times of the team of an owner.
func (t *Events) fixed(owner int32, severity, class int) *frame.Distribution {
	at := (int(t.own.TeamOf[owner])*SeverityCount+severity)*ClassCount + class
	if t.Remediation[at] == nil {
		t.Remediation[at] = frame.NewDistribution(t.hours.Bounds())
	}
	return t.Remediation[at]
}

func (t *Events) addTotal(e *snapshot.Event) {
	if e.Kind >= OutcomeKinds[0] {
		t.Outcomes[t.outcome(e.Owner, int(e.Severity), e.Kind)]++
		return
	}
	t.Flows[t.flow(t.own.GroupOf[e.Owner], int(e.Severity), int(e.Class), e.Kind)]++
	if e.Kind == snapshot.EventFixed {
		t.hours.Observe(t.fixed(e.Owner, int(e.Severity), int(e.Class)), e.Seconds, snapshot.HoursOf(e.Seconds))
	}
}

func (t *Events) addBase(base []snapshot.BaseCount) {
	for i := range base {
		b := &base[i]
		if b.Kind >= OutcomeKinds[0] {
			t.Outcomes[t.outcome(b.Owner, int(b.Severity), b.Kind)] += b.Count
			continue
		}
		t.Flows[t.flow(t.own.GroupOf[b.Owner], int(b.Severity), int(b.Class), b.Kind)] += b.Count
		if b.Kind != snapshot.EventFixed {
			continue
		}
		times := t.fixed(b.Owner, int(b.Severity), int(b.Class))
		times.AddSum(b.Seconds)
		for hours, n := range b.Hours {
			times.CountHours(hours, n)
		}
	}
}

// defaultHours is the table of the default policy.
var defaultHours = frame.NewHourTable(policy.DefaultBuckets(policy.BucketsRemediation))

func hourTable(p *policy.Policy) *frame.HourTable {
	if bounds := p.Buckets(policy.BucketsRemediation); !slices.Equal(bounds, defaultHours.Bounds()) {
		return frame.NewHourTable(bounds)
	}
	return defaultHours
}
