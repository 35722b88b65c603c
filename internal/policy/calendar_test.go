package policy

import (
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func calendar(t *testing.T, c CalendarConfig) *Calendar {
	t.Helper()
	config := DefaultConfig()
	config.Calendars.Reviews = c
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p.Calendar(CalendarReviews)
}

var workdays = []Weekday{"mon", "tue", "wed", "thu", "fri"}

func moment(t *testing.T, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestBusinessSeconds(t *testing.T) {
	berlin := CalendarConfig{
		TimeZone: "Europe/Berlin", Days: workdays, Opens: "09:00", Closes: "17:00",
		Holidays: []Date{"2026-12-25", "2026-12-26", "2027-01-01"},
	}
	nights := CalendarConfig{TimeZone: "Europe/Berlin", Days: Weekdays(), Closes: "06:00"}
	newYork := CalendarConfig{TimeZone: "America/New_York", Days: workdays, Opens: "08:30", Closes: "17:15"}
	// In Beirut summer time begins at midnight: the 29th of March 2026 starts at 01:00.
	beirut := CalendarConfig{TimeZone: "Asia/Beirut", Days: Weekdays()}
	for _, tt := range []struct {
		name     string
		calendar CalendarConfig
		zone     string
		from, to string
		hours    float64
	}{
		{"within a day", berlin, "Europe/Berlin", "2026-11-23 10:00:00", "2026-11-23 12:30:00", 2.5},
		{"before opening to after closing", berlin, "Europe/Berlin", "2026-11-23 06:00:00", "2026-11-23 23:00:00", 8},
		{"over night", berlin, "Europe/Berlin", "2026-11-23 16:00:00", "2026-11-24 10:00:00", 2},
		{"over a weekend", berlin, "Europe/Berlin", "2026-11-20 16:00:00", "2026-11-23 09:30:00", 1.5},
		{"within a weekend", berlin, "Europe/Berlin", "2026-11-21 10:00:00", "2026-11-22 20:00:00", 0},
		{"from a weekend", berlin, "Europe/Berlin", "2026-11-21 10:00:00", "2026-11-23 10:00:00", 1},
		{"a whole week", berlin, "Europe/Berlin", "2026-11-16 12:00:00", "2026-11-23 12:00:00", 40},
		{"Christmas and New Year", berlin, "Europe/Berlin", "2026-12-24 15:00:00", "2027-01-04 10:00:00", 2 + 4*8 + 1},
		{"a holiday that is a Saturday counts once", berlin, "Europe/Berlin", "2026-12-25 09:00:00", "2026-12-28 17:00:00", 8},
		{"instants in another zone", berlin, "Asia/Tokyo", "2026-11-23 17:00:00", "2026-11-23 19:00:00", 2},
		{"hours of a week with the clock put forward", berlin, "Europe/Berlin", "2026-03-27 09:00:00", "2026-03-30 17:00:00", 16},
		{"hours of a week with the clock put back", berlin, "Europe/Berlin", "2026-10-23 09:00:00", "2026-10-26 17:00:00", 16},
		{"a night that lacks an hour", nights, "Europe/Berlin", "2026-03-29 00:00:00", "2026-03-29 12:00:00", 5},
		{"a night that has an hour twice", nights, "Europe/Berlin", "2026-10-25 00:00:00", "2026-10-25 12:00:00", 7},
		{"an ordinary night", nights, "Europe/Berlin", "2026-10-24 00:00:00", "2026-10-24 12:00:00", 6},
		{"quarters of hours", newYork, "America/New_York", "2026-07-06 00:00:00", "2026-07-08 00:00:00", 17.5},
		{"a day without midnight", beirut, "UTC", "2026-03-28 22:00:00", "2026-03-29 21:00:00", 23},
		{"a mistyped year", nights, "UTC", "2000-01-01 00:00:00", "9999-01-01 00:00:00", 6 * 20 * 365.25},
		{"nothing", berlin, "Europe/Berlin", "2026-11-23 10:00:00", "2026-11-23 10:00:00", 0},
		{"backwards", berlin, "Europe/Berlin", "2026-11-24 10:00:00", "2026-11-23 10:00:00", 0},
		{"calendar time", CalendarConfig{}, "Europe/Berlin", "2026-03-28 10:00:00", "2026-03-30 10:00:00", 47},
		{"calendar time, backwards", CalendarConfig{}, "UTC", "2026-03-30 10:00:00", "2026-03-28 10:00:00", 0},
	} {
		got := calendar(t, tt.calendar).BusinessSeconds(moment(t, tt.zone, tt.from), moment(t, tt.zone, tt.to))
		if got != tt.hours*3600 {
			t.Errorf("%s: got %v hours, want %v", tt.name, got/3600, tt.hours)
		}
	}
}

// TestEdgesOfTheWorkingDayInChangesOfTheClock: an edge in an hour that the clock skips lies at the change; an hour that comes twice counts each
// time that the clock shows working hours.
func TestEdgesOfTheWorkingDayInChangesOfTheClock(t *testing.T) {
	for _, tt := range []struct {
		zone, day     string
		opens, closes WallTime
		hours         float64
	}{
		{"Europe/Berlin", "2026-03-29", "02:30", "10:00", 7},   // opens at three, when 02:30 would have been
		{"Europe/Berlin", "2026-03-29", "00:30", "02:30", 1.5}, // closes at the change
		{"Europe/Berlin", "2026-03-29", "02:10", "02:50", 0},   // no such hours
		{"Europe/Berlin", "2026-10-25", "02:30", "10:00", 8},   // half past two comes twice
		{"Europe/Berlin", "2026-10-25", "00:30", "02:30", 2.5},
		{"America/New_York", "2026-03-08", "02:30", "12:00", 9},
		{"America/New_York", "2026-11-01", "01:30", "12:00", 11},
		{"Australia/Lord_Howe", "2026-10-04", "02:15", "09:00", 6.5}, // half an hour
		{"Australia/Lord_Howe", "2026-04-05", "01:45", "09:00", 7.5},
		{"Australia/Sydney", "2026-10-04", "02:30", "09:00", 6},
		{"Australia/Sydney", "2026-04-05", "02:30", "09:00", 7},
		{"America/Santiago", "2026-09-06", "00:30", "06:00", 5},
		{"America/Santiago", "2026-04-04", "22:00", "24:00", 3},
		{"Antarctica/Troll", "2026-03-29", "01:30", "09:00", 6}, // two hours
	} {
		c := calendar(t, CalendarConfig{TimeZone: tt.zone, Days: Weekdays(), Opens: tt.opens, Closes: tt.closes})
		noon := moment(t, tt.zone, tt.day+" 12:00:00")
		from, to := noon.Add(-15*time.Hour), noon.Add(15*time.Hour)
		// Only the hours of the day itself: what belongs to its neighbours is taken away.
		got := c.BusinessSeconds(from, to)
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			if at.In(noon.Location()).Day() != noon.Day() {
				got -= c.BusinessSeconds(at, at.Add(time.Minute))
			}
		}
		if got != tt.hours*3600 {
			t.Errorf("%s in %s, %s to %s: got %v hours, want %v", tt.day, tt.zone, tt.opens, tt.closes, got/3600, tt.hours)
		}
	}
}

// TestWorkingTimeIsWhatTheClockShows compares with looking at the clock on the wall every five minutes, in both hemispheres and with changes of half
// an hour, an hour and two, at midnight and in Ramadan.
func TestWorkingTimeIsWhatTheClockShows(t *testing.T) {
	hours := [][2]WallTime{{"", ""}, {"02:15", "09:00"}, {"00:00", "02:30"}, {"01:45", "02:45"}, {"08:00", "24:00"}, {"00:30", "23:30"}}
	for _, zone := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland", "America/Santiago", "America/Havana", "Asia/Beirut", "Africa/Casablanca",
		"Antarctica/Troll", "Pacific/Chatham", "Asia/Kathmandu", "America/St_Johns", "UTC",
	} {
		location := moment(t, zone, "2026-01-01 12:00:00").Location()
		for _, h := range hours {
			c := calendar(t, CalendarConfig{TimeZone: zone, Days: []Weekday{"mon", "wed", "sat", "sun"}, Opens: h[0], Closes: h[1], Holidays: []Date{"2026-10-03"}})
			opens, _ := wallTime(h[0], 0)
			closes, _ := wallTime(h[1], 24*60)
			start := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
			for month := range 13 {
				from, want := start.AddDate(0, month, 0), time.Duration(0)
				to := from.AddDate(0, 1, 0)
				for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
					local := at.In(location)
					minutes := local.Hour()*60 + local.Minute()
					if c.works(local) && minutes >= opens && minutes < closes {
						want += 5 * time.Minute
					}
				}
				if got := c.BusinessSeconds(from, to); got != want.Seconds() {
					t.Errorf("%s, %s to %s, from %s to %s: got %v hours, want %v", zone, h[0], h[1], from, to, got/3600, want.Hours())
				}
			}
		}
	}
}

// TestBusinessSecondsAdd: time that is split anywhere adds up, and working time is never longer than time.
func TestBusinessSecondsAdd(t *testing.T) {
	c := calendar(t, CalendarConfig{TimeZone: "America/Sao_Paulo", Days: workdays, Opens: "08:00", Closes: "18:00", Holidays: []Date{"2018-11-15"}})
	start := time.Date(2018, 10, 1, 0, 0, 0, 0, time.UTC) // summer time begins at midnight of the 4th of November
	property := func(a, b, d uint32) bool {
		const span = 90 * 24 * 3600
		from, middle, to := start.Add(time.Duration(a%span)*time.Second), time.Duration(b%span)*time.Second, time.Duration(d%span)*time.Second
		whole := c.BusinessSeconds(from, from.Add(middle+to))
		parts := c.BusinessSeconds(from, from.Add(middle)) + c.BusinessSeconds(from.Add(middle), from.Add(middle+to))
		return whole == parts && whole <= (middle+to).Seconds()
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

func TestCalendarOfThePolicy(t *testing.T) {
	config := DefaultConfig()
	config.TimeZone = "Asia/Tokyo"
	config.Calendars.Decisions = CalendarConfig{Days: workdays, Opens: "09:00", Closes: "10:00"}
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // a Monday, 09:00 in Tokyo
	if got := p.Calendar(CalendarDecisions).BusinessSeconds(from, from.Add(24*time.Hour)); got != 3600 {
		t.Errorf("decisions: got %v s, want an hour in the policy's zone", got)
	}
	if got := p.Calendar(CalendarReviews).BusinessSeconds(from, from.Add(24*time.Hour)); got != 86400 {
		t.Errorf("reviews: got %v s, want calendar time", got)
	}
}

func TestCalendarErrors(t *testing.T) {
	for want, c := range map[string]CalendarConfig{
		"calendars.reviews.time_zone":   {TimeZone: "Mars/Olympus", Days: workdays},
		"calendars.reviews.days:":       {Opens: "09:00", Closes: "17:00"},
		"calendars.reviews.days[1]":     {Days: []Weekday{"mon", "Monday"}},
		"calendars.reviews.closes":      {Days: workdays, Opens: "17:00", Closes: "09:00"},
		"calendars.reviews.holidays[0]": {Days: workdays, Holidays: []Date{"2026-02-30"}},
	} {
		config := DefaultConfig()
		config.Calendars.Reviews = c
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), "policy."+want) {
			t.Errorf("%+v: got %v, want an error about %s", c, err, want)
		}
	}
	var w WallTime
	for _, text := range []string{"9:00", "24:01", "noon", "", "09:60"} {
		if err := w.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for a time of day", text)
		}
	}
	var d Date
	if err := d.UnmarshalText([]byte("25.12.2026")); err == nil {
		t.Error("25.12.2026 was taken for a date")
	}
}
