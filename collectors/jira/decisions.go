package jira

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// segment is a span in the timeline of an exception in which nothing changed that decides about it. It ends where the next one begins; the last
// one holds still.
type segment struct {
	at      time.Time
	state   record.ExceptionState
	expires time.Time
}

// track is one of the values that make up a segment: what it was at first, and what it became when.
type track[T any] struct {
	first   T
	changes []transition[T]
}

type transition[T any] struct {
	at time.Time
	to T
}

// at is the value at an instant.
func (t *track[T]) at(instant time.Time) T {
	value := t.first
	for _, c := range t.changes {
		if c.at.After(instant) {
			break
		}
		value = c.to
	}
	return value
}

// timeline is what an exception went through.
type timeline struct {
	// first is the state in which it was created.
	first record.ExceptionState
	// segments begin with the creation if its date is known.
	segments []segment
	// whole is false where the changelog contradicts the issue or itself, which means that a part of it is missing.
	whole bool
}

func (e *exceptions) timelineOf(i *issue) timeline {
	statuses, statusesWhole := i.statusTrack()
	resolutions, resolutionsWhole := i.resolutionTrack()
	ends, endsWhole := e.endTrack(i)
	l := timeline{
		first: record.ExceptionRequested,
		whole: !i.partial && !i.created.IsZero() && statusesWhole && resolutionsWhole && endsWhole,
	}
	if !statuses.first.isZero() {
		l.first = e.stateOf(statuses.first, resolutions.first)
	}
	at := times(statuses.changes, times(resolutions.changes, times(ends.changes, nil)))
	if !i.created.IsZero() {
		at = append(at, i.created)
	}
	slices.SortFunc(at, time.Time.Compare)
	for _, at := range slices.CompactFunc(at, time.Time.Equal) {
		l.segments = append(l.segments, segment{at, e.stateOf(statuses.at(at), resolutions.at(at)), ends.at(at)})
	}
	return l
}

func times[T any](changes []transition[T], into []time.Time) []time.Time {
	for _, c := range changes {
		into = append(into, c.at)
	}
	return into
}

// statusTrack: each change has to begin where the one before ended, and the last one has to lead to the present status.
func (i *issue) statusTrack() (track[status], bool) {
	t, whole := track[status]{first: i.status}, true
	for n, c := range i.changes {
		if left := c.left(); n == 0 {
			t.first = left
		} else if before := i.changes[n-1].led(); !left.isZero() && !left.is(before) {
			whole = false
		}
		t.changes = append(t.changes, transition[status]{c.at, c.led()})
	}
	if last := len(t.changes) - 1; last >= 0 {
		whole = whole && t.changes[last].to.is(i.status)
		t.changes[last].to = i.status // of which the category is known
	}
	return t, whole
}

// resolutionTrack: resolutions are known by the names that they had, but for the present one, which is known by its id, too.
func (i *issue) resolutionTrack() (track[string], bool) {
	t, whole := track[string]{first: i.resolution}, true
	name := func(w written) string {
		if w.raw != "" && w.raw == i.resolutionID {
			return i.resolution
		}
		return w.text
	}
	for n, c := range i.edits[resolutionField] {
		if n == 0 {
			t.first = name(c.from)
		}
		t.changes = append(t.changes, transition[string]{c.at, name(c.to)})
	}
	if last := len(t.changes) - 1; last >= 0 {
		whole = fold(t.changes[last].to) == fold(i.resolution)
		t.changes[last].to = i.resolution
	}
	return t, whole
}

// endTrack is when the exception was to end, by the values of its field over time. Each value has to be the one that the next change replaced.
func (e *exceptions) endTrack(i *issue) (track[time.Time], bool) {
	present, err := i.moment(e.expires)
	end, before := present.ends(i.zone), time.Time{}
	t, whole := track[time.Time]{first: end}, err == nil
	for n, c := range i.edits[i.fields[e.expires]] {
		from, readFrom := e.expires.then(c.from)
		to, readTo := e.expires.then(c.to)
		whole = whole && readFrom && readTo && (n == 0 || sameMinute(from.ends(i.zone), before))
		if n == 0 {
			t.first = from.ends(i.zone)
		}
		before = to.ends(i.zone)
		t.changes = append(t.changes, transition[time.Time]{c.at, before})
	}
	if last := len(t.changes) - 1; last >= 0 {
		whole = whole && sameMinute(before, end)
		t.changes[last].to = end
	}
	return t, whole
}

// sameMinute: changelogs leave out the seconds of some fields.
func sameMinute(a, b time.Time) bool {
	return a.Truncate(time.Minute).Equal(b.Truncate(time.Minute))
}

// decisions are the last ones of each kind.
type decisions struct {
	approved, rejected decision
	// asked is when the request that is or was last open was made; zero means with the issue.
	asked, ended time.Time
}

// decision is when something was decided, and when that had been asked for; zero means with the issue.
type decision struct{ at, asked time.Time }

// decisions finds when the present state, and those before it, were entered from another one. What a decided exception asks for anew is
// a request of its own.
func (l timeline) decisions() decisions {
	var d decisions
	before := l.first
	for _, s := range l.segments {
		if s.state == before {
			continue
		}
		switch s.state {
		case record.ExceptionApproved:
			d.approved = decision{s.at, d.asked}
		case record.ExceptionRejected:
			d.rejected = decision{s.at, d.asked}
		case record.ExceptionEnded:
			d.ended = s.at
		case record.ExceptionRequested:
			if before != record.ExceptionOther {
				d.asked = s.at
			}
		case record.ExceptionOther:
		}
		before = s.state
	}
	return d
}

// date finds out when the exception was asked for, decided, ended and in force: by a configured field, else by changes of status and
// resolution, else by the date of resolution.
func (e *exceptions) date(x *record.Exception, i *issue, configured time.Time) {
	l := e.timelineOf(i)
	if last := len(l.segments) - 1; last >= 0 {
		l.segments[last].state = x.State
	}
	d := l.decisions()
	made := decision{}
	switch x.State {
	case record.ExceptionApproved:
		made = d.approved
		x.DecidedAt = firstOf(configured, made.at, i.resolved)
	case record.ExceptionRejected:
		made = d.rejected
		x.DecidedAt = firstOf(configured, made.at, i.resolved)
	case record.ExceptionEnded:
		// Only what had been approved has a decision that held for a time.
		made = d.approved
		x.DecidedAt, x.EndedAt = firstOf(configured, made.at), firstOf(d.ended, i.resolved, i.updated)
	case record.ExceptionRequested:
		made.asked = d.asked
	case record.ExceptionOther:
	}
	if !made.asked.IsZero() && (x.DecidedAt.IsZero() || !x.DecidedAt.Before(made.asked)) {
		x.RequestedAt = made.asked
	}
	if l.whole {
		x.InForce = l.inForce()
		e.backdate(x, i, configured)
	}
}

// inForce are the intervals in which the exception was approved and had not expired, by the end that it had then. What is approved anew after
// it expired begins anew; what is given another end before that goes on.
func (l timeline) inForce() []record.Interval {
	intervals := []record.Interval{}
	for n, s := range l.segments {
		if s.state != record.ExceptionApproved {
			continue
		}
		until := s.expires
		if n+1 < len(l.segments) {
			until = record.Earliest(until, l.segments[n+1].at)
		}
		if !until.IsZero() && !until.After(s.at) {
			continue
		}
		if last := len(intervals) - 1; last >= 0 && intervals[last].Until.Equal(s.at) {
			intervals[last].Until = until
			continue
		}
		intervals = append(intervals, record.Interval{From: s.at, Until: until})
	}
	return intervals
}

// backdate lets the present approval begin with the decision that a field tells, where that was taken before the status was changed and written down by
// then: what is written later does not change what was in force.
func (e *exceptions) backdate(x *record.Exception, i *issue, configured time.Time) {
	last := len(x.InForce) - 1
	if last < 0 || configured.IsZero() || x.State != record.ExceptionApproved || !configured.Before(x.InForce[last].From) {
		return
	}
	from := &x.InForce[last].From
	if slices.ContainsFunc(i.edits[i.fields[e.decided]], func(c edit) bool { return c.at.After(*from) }) {
		return
	}
	if last > 0 && configured.Before(x.InForce[last-1].Until) {
		configured = x.InForce[last-1].Until
	}
	*from = configured
}
