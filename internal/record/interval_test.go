package record_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

func TestIntervalContains(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	closed := record.Interval{From: day(2), Until: day(4)}
	open := record.Interval{From: day(2)}
	for _, c := range []struct {
		name     string
		interval record.Interval
		at       time.Time
		want     bool
	}{
		{"before it begins", closed, day(1), false},
		{"its first instant", closed, day(2), true},
		{"within", closed, day(3), true},
		{"its end is no part of it", closed, day(4), false},
		{"an open one goes on", open, day(30), true},
		{"an open one has a beginning", open, day(1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.interval.Contains(c.at); got != c.want {
				t.Errorf("%+v contains %s: got %t, want %t", c.interval, c.at, got, c.want)
			}
		})
	}
}
