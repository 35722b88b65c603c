package jira

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
)

var writtenIn = regexp.MustCompile(`updated >= "([^"]+)"`)

// TestDeltasOverChangesOfTheClock: whatever instant Jira takes the reading of the clock for, it does not lie after the cursor, and not hours before it.
func TestDeltasOverChangesOfTheClock(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "America/Havana", "America/Santiago", "Antarctica/Troll", "Africa/Casablanca", "Asia/Shanghai", "UTC"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		readings := map[string][]time.Time{}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for at := start; at.Before(start.AddDate(1, 0, 0)); at = at.Add(5 * time.Minute) {
			text := at.In(location).Format("2006-01-02 15:04")
			readings[text] = append(readings[text], at)
		}
		for since := start.Add(24 * time.Hour); since.Before(start.AddDate(1, 0, 0)); since = since.Add(15 * time.Minute) {
			text := writtenIn.FindStringSubmatch(updatedSince("a = 1", since, location))[1]
			meant := readings[text]
			if len(meant) != 1 {
				t.Fatalf("%s: since %s is written as %s, which exists %d times", zone, since, text, len(meant))
			}
			if back := since.Sub(meant[0]); back < 15*time.Minute || back > 6*time.Hour {
				t.Fatalf("%s: since %s is written as %s, %s before", zone, since, text, back)
			}
		}
	}
}

// TestDeltaAfterTheAccountMoved: the zone that the account has when the query is sent is the one in which Jira reads it.
func TestDeltaAfterTheAccountMoved(t *testing.T) {
	s := collectorstest.NewServer(t)
	cloud(s, ticket(1, ""))
	c := collector(t, s, Config{Exceptions: &ExceptionsConfig{JQL: query}})
	cursors := collectors.Cursors{"exceptions:default": "2026-03-01T00:00:00Z"}
	for zone, want := range map[string]string{"Asia/Shanghai": "2026-03-01 06:45", "America/New_York": "2026-02-28 17:45", "": "2026-02-27 22:00", "Mars/Olympus": "2026-02-27 22:00"} {
		s.JSON("GET /rest/api/2/myself", `{"timeZone": "`+zone+`"}`)
		before := len(searched(s))
		if _, err := collectorstest.Gather(t.Context(), c, cursors); err != nil {
			t.Fatal(err)
		}
		if got := searched(s)[before].Get("jql"); !strings.Contains(got, `updated >= "`+want+`"`) {
			t.Errorf("%q: asked for %s, want since %s", zone, got, want)
		}
	}
}
