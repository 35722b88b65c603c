package record

import "time"

// DayStart is the first instant of a day in a zone. The day is the one that t names on its own clock, as time.Parse makes it of a plain date. A nil zone is UTC.
// Where the clocks are put forward over midnight the day begins with that change; where midnight comes twice, with the first.
func DayStart(t time.Time, zone *time.Location) time.Time {
	year, month, day := t.Date()
	if zone == nil || zone == time.UTC {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	// The periods of constant offset that can hold the midnight of any zone on earth.
	for at := midnight.Add(-26 * time.Hour).In(zone); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		start := midnight.Add(-time.Duration(offset) * time.Second).In(zone)
		switch {
		case start.Before(at): // the clock was put forward over midnight
			return at.UTC()
		case end.IsZero() || start.Before(end):
			return start.UTC()
		}
		at = end
	}
}

// DayEnd is the first instant after a day, as DayStart has it.
func DayEnd(t time.Time, zone *time.Location) time.Time {
	year, month, day := t.Date()
	return DayStart(time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC), zone)
}
