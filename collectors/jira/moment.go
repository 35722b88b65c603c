package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// moment is an instant in any of the forms that Jira writes: with "+0000", "+00:00" or "Z", with or without fractions, a plain
// date, a number of seconds or milliseconds; null and "" are no instant.
type moment struct {
	time.Time
	// day says that only a date was given, local that the clock was but not its zone. The time is then what the clock shows, in UTC.
	day, local bool
}

// The forms: with a zone, with a clock alone, and with neither.
var (
	momentForms = []string{
		"2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04-0700", "2006-01-02T15:04Z07:00",
	}
	localForms = []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "02/Jan/06 3:04 PM"}
	dayForms   = []string{time.DateOnly, "2006/01/02", "02/Jan/06", "2/Jan/2006"}
)

// UnmarshalJSON reads any of the forms.
func (m *moment) UnmarshalJSON(data []byte) error {
	*m = moment{}
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	if data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		return m.parse(s)
	}
	n, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("%.40q is no time", data)
	}
	return m.number(n)
}

// number reads seconds or milliseconds: seconds reach 1e11 in the year 5138, milliseconds passed it in 1973.
func (m *moment) number(n float64) error {
	const border, most = 1e11, 1e14
	switch {
	case n <= 0 || n >= most || n != n:
		return errors.New("the number is no time")
	case n < border:
		m.Time = time.Unix(int64(n), 0).UTC()
	default:
		m.Time = time.UnixMilli(int64(n)).UTC()
	}
	return nil
}

func (m *moment) parse(s string) error {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	for _, form := range momentForms {
		if at, err := time.Parse(form, s); err == nil {
			m.Time = at.UTC()
			return nil
		}
	}
	for _, form := range localForms {
		if at, err := time.Parse(form, s); err == nil {
			m.Time, m.local = at, true
			return nil
		}
	}
	for _, form := range dayForms {
		if at, err := time.Parse(form, s); err == nil {
			m.Time, m.day = at, true
			return nil
		}
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return m.number(n)
	}
	return fmt.Errorf("%.40q is no time", s)
}

// begins is the instant at which the moment begins: of a plain date the first of that day in the zone.
func (m moment) begins(zone *time.Location) time.Time {
	switch {
	case m.IsZero():
		return time.Time{}
	case m.day:
		return record.DayStart(m.Time, zone)
	case m.local && zone != nil:
		year, month, day := m.Date()
		return time.Date(year, month, day, m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), zone).UTC()
	default:
		return m.Time
	}
}

// ends is the first instant after the moment: of a plain date the first after that day in the zone, of any other the moment itself.
func (m moment) ends(zone *time.Location) time.Time {
	if m.day {
		return record.DayEnd(m.Time, zone)
	}
	return m.begins(zone)
}
