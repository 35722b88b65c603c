package record

import "time"

// Interval is the half-open span of time [From, Until). A zero Until means that it has not ended.
type Interval struct {
	From  time.Time
	Until time.Time
}

// Contains reports whether t lies in the interval.
func (i Interval) Contains(t time.Time) bool {
	return !t.Before(i.From) && (i.Until.IsZero() || t.Before(i.Until))
}
