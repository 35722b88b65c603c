package jira

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// cycle is a cycle of an SLA in JSON; times are hours of 6 January, -1 for none.
func cycle(start, stop, breach int, elapsed time.Duration, more string) string {
	parts := []string{fmt.Sprintf(`"elapsedTime": {"millis": %d, "friendly": "?"}`, elapsed.Milliseconds())}
	for name, hour := range map[string]int{"startTime": start, "stopTime": stop, "breachTime": breach} {
		if hour >= 0 {
			at := time.Date(2026, 1, 6, hour, 0, 0, 0, time.UTC)
			parts = append(parts, fmt.Sprintf(`%q: {"iso8601": %q, "jira": %q, "friendly": "?", "epochMillis": %d}`, name, at.Format("2006-01-02T15:04:05-0700"), at.Format("2006-01-02T15:04:05.000-0700"), at.UnixMilli()))
		}
	}
	return "{" + strings.Join(append(parts, more), ", ") + "}"
}

func slaJSON(completed []string, ongoing string) string {
	text := `{"id": "1", "name": "Time to first response", "_links": {}, "completedCycles": [` + strings.Join(completed, ", ") + `]`
	if ongoing != "" {
		text += `, "ongoingCycle": ` + ongoing
	}
	return text + "}"
}

// TestSLAs: an SLA tells the instants that its field stands for.
func TestSLAs(t *testing.T) {
	done, again := cycle(9, 11, 13, time.Hour, `"breached": false`), cycle(14, 17, 18, 2*time.Hour, `"breached": false`)
	running := cycle(19, -1, 23, time.Hour, `"paused": false, "withinCalendarHours": true`)
	hour := func(n int) time.Time { return time.Date(2026, 1, 6, n, 0, 0, 0, time.UTC) }
	for name, tt := range map[string]struct {
		raw                        string
		first, last, start, breach time.Time
	}{
		"none yet":                  {slaJSON(nil, ""), time.Time{}, time.Time{}, time.Time{}, time.Time{}},
		"running":                   {slaJSON(nil, running), time.Time{}, time.Time{}, hour(19), hour(23)},
		"completed":                 {slaJSON([]string{done}, ""), hour(11), hour(11), hour(9), hour(13)},
		"completed twice":           {slaJSON([]string{done, again}, ""), hour(11), hour(17), hour(9), hour(18)},
		"completed and runs again":  {slaJSON([]string{done}, running), hour(11), time.Time{}, hour(9), hour(23)},
		"times without a number":    {strings.ReplaceAll(slaJSON([]string{done}, ""), "epochMillis", "ignored"), hour(11), hour(11), hour(9), hour(13)},
		"only the cycle that runs":  {`{"ongoingCycle": ` + running + `}`, time.Time{}, time.Time{}, hour(19), hour(23)},
		"a cycle that tells little": {slaJSON([]string{`{}`}, ""), time.Time{}, time.Time{}, time.Time{}, time.Time{}},
	} {
		for purpose, want := range map[string]time.Time{"first_response": tt.first, "closed": tt.last, "restored": tt.last, "opened": tt.start, "due": tt.breach, "expires": tt.breach} {
			f := newField(purpose, "customfield_9")
			i := &issue{raw: map[string]json.RawMessage{"customfield_9": json.RawMessage(tt.raw)}, fields: resolved{f: f.id}}
			if m, err := i.moment(f); err != nil || !m.Equal(want) {
				t.Errorf("%s, %s: got %v, %v; want %v", name, purpose, m.Time, err, want)
			}
		}
	}
	for _, raw := range []string{`null`, `[]`, `"text"`, `{"value": "x"}`, `{"completedCycles": 7}`, ``} {
		if s := slaOf(json.RawMessage(raw)); s != nil {
			t.Errorf("%q was read as an SLA", raw)
		}
	}
}

// TestReviewsBySLA: the SLA says when a review was answered and how long that took; one that is paused blocks it. No comment is asked for.
func TestReviewsBySLA(t *testing.T) {
	read := collectorstest.NewClock().Now()
	clock := func(elapsed time.Duration, asOf time.Time, running bool) *record.Clock {
		return &record.Clock{Elapsed: elapsed, AsOf: asOf, Running: running}
	}
	eleven := at("2026-01-06T11:00:00Z")
	for name, tt := range map[string]struct {
		response, resolution string
		state                record.ReviewState
		answered             time.Time
		clock                *record.Clock
		asks                 bool
	}{
		"answered":            {slaJSON([]string{cycle(9, 11, 13, time.Hour, `"breached": false`)}, ""), "null", record.ReviewInProgress, eleven, clock(time.Hour, eleven, false), false},
		"waits":               {slaJSON(nil, cycle(9, -1, 13, time.Hour, `"paused": false, "withinCalendarHours": true`)), "null", record.ReviewWaiting, time.Time{}, clock(time.Hour, read, true), false},
		"waits over night":    {slaJSON(nil, cycle(9, -1, 13, time.Hour, `"paused": false, "withinCalendarHours": false`)), "null", record.ReviewWaiting, time.Time{}, clock(time.Hour, read, false), false},
		"waits for the asker": {slaJSON(nil, cycle(9, -1, 13, time.Hour, `"paused": true`)), "null", record.ReviewBlocked, time.Time{}, clock(time.Hour, read, false), false},
		"answered, and the resolution is paused": {
			slaJSON([]string{cycle(9, 11, 13, time.Hour, `"breached": false`)}, ""), slaJSON(nil, cycle(9, -1, 23, time.Hour, `"paused": true`)), record.ReviewBlocked, eleven, clock(time.Hour, eleven, false), false,
		},
		"the SLA is not about it": {"null", "null", record.ReviewWaiting, time.Time{}, nil, true},
	} {
		s := collectorstest.NewServer(t)
		cloud(s, strings.Replace(ticket(1, `"customfield_8": `+tt.response+`, "customfield_9": `+tt.resolution), "Approved", "Open", 1))
		people(s, "3")
		config := Config{Reviews: everyKind().Reviews}
		config.Reviews[0].Fields = ReviewFields{FirstResponse: "customfield_8", Closed: "customfield_9"}
		b := gatherAll(t, s, config, nil)["reviews:default"]
		if b.Err != nil || len(b.Reviews) != 1 {
			t.Fatalf("%s: %+v, %v", name, b.Reviews, b.Err)
		}
		r := b.Reviews[0]
		if d := gocmp.Diff(tt.clock, r.Response); d != "" || r.State != tt.state || !r.FirstResponseAt.Equal(tt.answered) {
			t.Errorf("%s: %s, answered %v, clock (-want +got):\n%s", name, r.State, r.FirstResponseAt, d)
		}
		asked := false
		for _, request := range s.Requests() {
			asked = asked || strings.HasSuffix(request.Path, "/comment")
		}
		if asked != tt.asks {
			t.Errorf("%s: comments were asked for: %t", name, asked)
		}
	}
}
