package jira

import (
	"encoding/json"
	"time"

	"prodsec_exporter/internal/record"
)

// sla is the value of a field for an SLA of Jira Service Management. A cycle begins and ends by the rules of the SLA; an issue that is reopened may begin
// another one.
type sla struct {
	Completed []slaCycle `json:"completedCycles"`
	Ongoing   *slaCycle  `json:"ongoingCycle"`
}

// slaCycle is a cycle. Elapsed leaves out pauses and what lies outside of the SLA's calendar.
type slaCycle struct {
	Start   slaTime `json:"startTime"`
	Stop    slaTime `json:"stopTime"`
	Breach  slaTime `json:"breachTime"`
	Elapsed struct {
		Millis int64 `json:"millis"`
	} `json:"elapsedTime"`
	Paused              bool  `json:"paused"`
	WithinCalendarHours *bool `json:"withinCalendarHours"`
}

// slaTime is an instant in the forms that Jira gives beside one another.
type slaTime struct {
	Millis int64  `json:"epochMillis"`
	ISO    moment `json:"iso8601"`
}

func (t slaTime) time() time.Time {
	if t.Millis > 0 {
		return time.UnixMilli(t.Millis).UTC()
	}
	return t.ISO.Time
}

// slaOf reads a field as an SLA; nil if it holds none.
func slaOf(raw json.RawMessage) *sla {
	var found map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &found) != nil {
		return nil
	}
	_, completed := found["completedCycles"]
	_, ongoing := found["ongoingCycle"]
	var s sla
	if !completed && !ongoing || json.Unmarshal(raw, &s) != nil {
		return nil
	}
	return &s
}

// edge is which instant of an SLA a field stands for.
type edge string

// The edges.
const (
	// edgeFirst is when the first cycle was completed: a first response is the first whatever follows.
	edgeFirst edge = "first completed"
	// edgeLast is when the last cycle was completed, while none runs: what was reopened is not done.
	edgeLast edge = "last completed"
	// edgeStart is when the first cycle began.
	edgeStart edge = "started"
	// edgeBreach is until when the cycle that runs, or else the last one, is to be completed.
	edgeBreach edge = "breached"
)

// edgeOf is the edge that a field for a purpose stands for.
func edgeOf(purpose string) edge {
	switch purpose {
	case "first_response":
		return edgeFirst
	case "opened":
		return edgeStart
	case "due", "expires":
		return edgeBreach
	default:
		return edgeLast
	}
}

// at is the instant of an edge; zero while there is none.
func (s *sla) at(e edge) time.Time {
	last := s.Ongoing
	if last == nil && len(s.Completed) > 0 {
		last = &s.Completed[len(s.Completed)-1]
	}
	switch {
	case last == nil:
		return time.Time{}
	case e == edgeBreach:
		return last.Breach.time()
	case e == edgeStart && len(s.Completed) > 0:
		return s.Completed[0].Start.time()
	case e == edgeStart:
		return last.Start.time()
	case e == edgeFirst && len(s.Completed) > 0:
		return s.Completed[0].Stop.time()
	case e == edgeLast && s.Ongoing == nil:
		return last.Stop.time()
	default:
		return time.Time{}
	}
}

// clock is what the SLA measured of the first cycle, as of when the issue was read.
func (s *sla) clock(read time.Time) *record.Clock {
	switch {
	case len(s.Completed) > 0:
		first := s.Completed[0]
		return &record.Clock{Elapsed: time.Duration(first.Elapsed.Millis) * time.Millisecond, AsOf: first.Stop.time()}
	case s.Ongoing != nil:
		running := !s.Ongoing.Paused && (s.Ongoing.WithinCalendarHours == nil || *s.Ongoing.WithinCalendarHours)
		return &record.Clock{Elapsed: time.Duration(s.Ongoing.Elapsed.Millis) * time.Millisecond, AsOf: read, Running: running}
	default:
		return nil
	}
}

// paused reports whether the SLA waits for somebody else.
func (s *sla) paused() bool { return s != nil && s.Ongoing != nil && s.Ongoing.Paused }

// sla reads a field as an SLA; nil if it holds none.
func (i *issue) sla(f *field) *sla { return slaOf(i.raw[i.fields[f]]) }
