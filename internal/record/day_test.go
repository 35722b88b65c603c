package record_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestDaysBeginWithTheFirstInstantThatTheirZoneHas(t *testing.T) {
	for _, test := range []struct{ zone, day, start, end string }{
		{"UTC", "2026-01-20", "2026-01-20T00:00:00Z", "2026-01-21T00:00:00Z"},
		{"America/New_York", "2026-01-20", "2026-01-20T05:00:00Z", "2026-01-21T05:00:00Z"},
		{"Pacific/Kiritimati", "2026-01-20", "2026-01-19T10:00:00Z", "2026-01-20T10:00:00Z"},
		{"Pacific/Pago_Pago", "2026-01-20", "2026-01-20T11:00:00Z", "2026-01-21T11:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		// Midnight is skipped: the day begins at one o'clock.
		{"Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		// Midnight comes twice: at one o'clock in Havana, and in Santiago the evening before does.
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z"},
		// Half an hour.
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"},
		// A day that Samoa never had lasts no time.
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		day, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		location := zone(t, test.zone)
		if got := record.DayStart(day, location).UTC().Format(time.RFC3339); got != test.start {
			t.Errorf("%s begins in %s at %s, want %s", test.day, test.zone, got, test.start)
		}
		if got := record.DayEnd(day, location).UTC().Format(time.RFC3339); got != test.end {
			t.Errorf("%s ends in %s at %s, want %s", test.day, test.zone, got, test.end)
		}
	}
}

// Each instant lies in the day that the zone's own clock shows, found here by looking at the clock every ten minutes of three years.
func TestEveryInstantLiesInItsDay(t *testing.T) {
	for _, name := range []string{"America/New_York", "Asia/Beirut", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"} {
		location := zone(t, name)
		last := time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
		for at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(last); at = at.Add(10 * time.Minute) {
			local := at.In(location)
			// Where the clock falls back over midnight, the evening comes again after the next day has begun for an instant of no length.
			if at.Before(record.DayStart(local, location)) || !at.Before(record.DayEnd(local, location)) {
				t.Fatalf("%s: %s lies outside of its day, %s to %s", name, local, record.DayStart(local, location), record.DayEnd(local, location))
			}
		}
	}
}

func TestDaysWithoutAZoneAreThoseOfUTC(t *testing.T) {
	day := time.Date(2026, 1, 20, 13, 0, 0, 0, time.UTC)
	if got, want := record.DayStart(day, nil), time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := record.DayEnd(day, nil), time.Date(2026, 1, 21, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
