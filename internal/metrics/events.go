package metrics

import (
	"math"
	"slices"
	"sort"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

// The kinds of event, in the order of the label values.
var (
	flowKinds    = snapshot.FlowKinds()
	outcomeKinds = snapshot.OutcomeKinds()
	kindCount    = len(flowKinds) + len(outcomeKinds)
)

// eventTally is one walk over all events that count until the instant, and the sums that compaction kept of older ones.
type eventTally struct {
	// flows is by group, severity, class and kind (outcomes are counted in outcomes instead), outcomes by owner, severity and
	// outcome kind; remediation by team, severity and class, nil where nothing was fixed.
	flows       []uint64
	outcomes    []uint64
	remediation []*tally
	hours       *hourTable
	// windows, by position in Policy.Windows, hold the events within that trailing window, by group, severity and kind. A met
	// that was revoked since is not in them.
	windows [][]uint64
	// recurrence is what the events in the windows say about categories and tools.
	recurrence *recurrence
	own        *ownership
	// failures are laid at the doors of controls.
	failures *failureTally
}

func newEventTally(in *Input, own *ownership) *eventTally {
	groups, teams, owners := len(own.groups.labels), len(own.teams.labels), len(own.owners.labels)
	t := &eventTally{
		flows:       make([]uint64, groups*severityCount*classCount*kindCount),
		outcomes:    make([]uint64, owners*severityCount*len(outcomeKinds)),
		remediation: make([]*tally, teams*severityCount*classCount),
		hours:       hoursUnder(in.Policy),
		recurrence:  newRecurrence(in.Snapshot, len(in.Policy.Windows())),
		own:         own,
		failures:    newFailureTally(in),
	}
	for range in.Policy.Windows() {
		t.windows = append(t.windows, make([]uint64, groups*severityCount*kindCount))
	}
	return t
}

// longest is the longest window. What is in it is shown for every window, at 0 where a shorter one has none, so that windows can be
// compared and a number that falls to nothing is seen to.
func (t *eventTally) longest() []uint64 { return t.windows[len(t.windows)-1] }

func tallyEvents(in *Input, own *ownership) *eventTally {
	t, at := newEventTally(in, own), in.At.Unix()
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
		t.addTotal(e)
		if e.Kind == snapshot.EventRevoked {
			revoked.add(e.Weakness)
		}
		window := windowOf(starts, e.Counted)
		if window == len(starts) || e.Kind == snapshot.EventMet && revoked.take(e.Weakness) {
			continue
		}
		t.windows[window][t.windowed(own.groupOf[e.Owner], int(e.Severity), e.Kind)]++
		t.recurrence.add(e, window)
		t.failures.add(in, e, window)
	}
	for i := 1; i < len(t.windows); i++ { // a longer window holds the shorter ones
		for j, n := range t.windows[i-1] {
			t.windows[i][j] += n
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

// windowStarts are the exclusive starts of the windows, latest first.
func windowStarts(windows []policy.Window, at int64) []int64 {
	starts := make([]int64, len(windows))
	for i, w := range windows {
		starts[i] = at - int64(w.Length.Seconds())
	}
	return starts
}

// windowOf is the position of the shortest window that holds an instant, or the number of windows if none does.
func windowOf(starts []int64, counted int64) int {
	for i, start := range starts {
		if counted > start {
			return i
		}
	}
	return len(starts)
}

// windowed is a position in windows.
func (t *eventTally) windowed(group int32, severity int, kind snapshot.EventKind) int {
	return (int(group)*severityCount+severity)*kindCount + int(kind)
}

// flow is a position in flows.
func (t *eventTally) flow(group int32, severity, class int, kind snapshot.EventKind) int {
	return ((int(group)*severityCount+severity)*classCount+class)*kindCount + int(kind)
}

// outcome is a position in outcomes.
func (t *eventTally) outcome(owner int32, severity int, kind snapshot.EventKind) int {
	return (int(owner)*severityCount+severity)*len(outcomeKinds) + int(kind-outcomeKinds[0])
}

// fixed is the tally of remediation times of the team of an owner.
func (t *eventTally) fixed(owner int32, severity, class int) *tally {
	at := (int(t.own.teamOf[owner])*severityCount+severity)*classCount + class
	if t.remediation[at] == nil {
		t.remediation[at] = newTally(t.hours.bounds)
	}
	return t.remediation[at]
}

func (t *eventTally) addTotal(e *snapshot.Event) {
	if e.Kind >= outcomeKinds[0] {
		t.outcomes[t.outcome(e.Owner, int(e.Severity), e.Kind)]++
		return
	}
	t.flows[t.flow(t.own.groupOf[e.Owner], int(e.Severity), int(e.Class), e.Kind)]++
	if e.Kind == snapshot.EventFixed {
		t.fixed(e.Owner, int(e.Severity), int(e.Class)).observeFix(t.hours, e.Seconds)
	}
}

func (t *eventTally) addBase(base []snapshot.BaseCount) {
	for i := range base {
		b := &base[i]
		if b.Kind >= outcomeKinds[0] {
			t.outcomes[t.outcome(b.Owner, int(b.Severity), b.Kind)] += b.Count
			continue
		}
		t.flows[t.flow(t.own.groupOf[b.Owner], int(b.Severity), int(b.Class), b.Kind)] += b.Count
		if b.Kind != snapshot.EventFixed {
			continue
		}
		times := t.fixed(b.Owner, int(b.Severity), int(b.Class))
		times.sum += b.Seconds
		for hours, n := range b.Hours {
			times.observeHours(t.hours.bounds, hours, n)
		}
	}
}

// observeHours counts times that are known to the hour, rounded up.
func (t *tally) observeHours(bounds []float64, hours uint32, n uint64) {
	const hour = 3600
	t.observe(bounds, uint32(min(uint64(hours)*hour, math.MaxUint32)), n)
}

// hourTable holds the classic and native buckets of whole hours up to almost two years, so that the walk over events need not search for
// them.
type hourTable struct {
	bounds  []float64
	buckets [1 << 14]struct{ classic, native uint16 }
}

func newHourTable(bounds []float64) *hourTable {
	t := &hourTable{bounds: bounds}
	for hours := 1; hours < len(t.buckets); hours++ {
		seconds := uint32(hours) * 3600
		t.buckets[hours].classic = uint16(sort.SearchFloat64s(bounds, float64(seconds)))
		t.buckets[hours].native = uint16(nativeBucket(seconds))
	}
	return t
}

// defaultHours is the table of the default policy.
var defaultHours = newHourTable(policy.DefaultBuckets(policy.BucketsRemediation))

func hoursUnder(p *policy.Policy) *hourTable {
	if bounds := p.Buckets(policy.BucketsRemediation); !slices.Equal(bounds, defaultHours.bounds) {
		return newHourTable(bounds)
	}
	return defaultHours
}

// observeFix counts one remediation.
func (t *tally) observeFix(table *hourTable, seconds uint32) {
	t.sum += float64(seconds)
	hours := snapshot.HoursOf(seconds)
	if hours == 0 || hours >= uint32(len(table.buckets)) {
		t.observeHours(table.bounds, hours, 1)
		return
	}
	b := &table.buckets[hours]
	t.classic[b.classic]++
	t.native[b.native]++
}
