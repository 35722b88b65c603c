package policy

import (
	"fmt"
	"slices"
	"time"
)

// CalendarsConfig says which times count in working hours. A calendar that names no days is calendar time: every second counts. SLAs are
// always calendar time.
type CalendarsConfig struct {
	// Reviews is the clock of security reviews, Decisions the one of decisions on exceptions.
	Reviews   CalendarConfig `yaml:"reviews,omitempty" json:"reviews,omitzero"`
	Decisions CalendarConfig `yaml:"decisions,omitempty" json:"decisions,omitzero"`
}

// CalendarConfig is a working week and its exceptions.
type CalendarConfig struct {
	// TimeZone is the IANA name of the zone in which people work; that of the policy if nothing is said.
	TimeZone string `yaml:"time_zone,omitempty" json:"time_zone,omitempty"`
	// Days are the working days; none means calendar time.
	Days []Weekday `yaml:"days,omitempty" json:"days,omitempty"`
	// Opens and Closes bound the working day by the clock on the wall; without them it is the whole day.
	Opens  WallTime `yaml:"opens,omitempty" json:"opens,omitempty"`
	Closes WallTime `yaml:"closes,omitempty" json:"closes,omitempty"`
	// Holidays are days on which nobody works.
	Holidays []Date `yaml:"holidays,omitempty" json:"holidays,omitempty"`
}

func (c CalendarConfig) isZero() bool {
	return c.TimeZone == "" && len(c.Days) == 0 && c.Opens == "" && c.Closes == "" && len(c.Holidays) == 0
}

// Weekday is a day of the week, by its first three letters.
type Weekday string

// Weekdays lists the days of the week in the order of time.Weekday.
func Weekdays() []Weekday { return []Weekday{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// WallTime is a time of day as HH:MM, 00:00 to 24:00.
type WallTime string

// UnmarshalText refuses what is no time of day.
func (w *WallTime) UnmarshalText(text []byte) error {
	*w = WallTime(text)
	if _, ok := w.minutes(); !ok {
		return fmt.Errorf("%.20q is not a time of day such as 09:00, up to 24:00", text)
	}
	return nil
}

func (w WallTime) minutes() (int, bool) {
	if w == "24:00" {
		return 24 * 60, true
	}
	at, err := time.Parse("15:04", string(w))
	return at.Hour()*60 + at.Minute(), err == nil && len(w) == len("15:04")
}

// Date is a day as YYYY-MM-DD.
type Date string

// UnmarshalText refuses what is no date.
func (d *Date) UnmarshalText(text []byte) error {
	if _, err := time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("%.20q is not a date such as 2026-12-25", text)
	}
	*d = Date(text)
	return nil
}

// CalendarUse is what a calendar is for.
type CalendarUse string

// The uses of calendars.
const (
	CalendarReviews   CalendarUse = "reviews"
	CalendarDecisions CalendarUse = "decisions"
)

// Calendar measures how much working time passes between two instants. Its zero value is calendar time. It is immutable.
type Calendar struct {
	location      *time.Location
	working       [7]bool
	opens, closes int // minutes after midnight
	holidays      map[civil]bool
}

// civil is a day in some zone.
type civil struct {
	year  int
	month time.Month
	day   int
}

// Calendar is the clock of a use.
func (p *Policy) Calendar(use CalendarUse) *Calendar {
	if c, ok := p.calendars[use]; ok {
		return c
	}
	return &Calendar{}
}

func (p *Policy) compileCalendars(fail failFunc) {
	p.calendars = map[CalendarUse]*Calendar{}
	for use, c := range map[CalendarUse]CalendarConfig{
		CalendarReviews: p.config.Calendars.Reviews, CalendarDecisions: p.config.Calendars.Decisions,
	} {
		if c.isZero() {
			continue
		}
		p.calendars[use] = p.compileCalendar("calendars."+string(use), c, fail)
	}
}

func (p *Policy) compileCalendar(key string, c CalendarConfig, fail failFunc) *Calendar {
	made := &Calendar{location: p.location, closes: 24 * 60, holidays: map[civil]bool{}}
	if c.TimeZone != "" {
		location, err := time.LoadLocation(c.TimeZone)
		if err != nil || location == time.Local {
			fail(key+".time_zone", "%q is not an IANA time zone such as Europe/Berlin", c.TimeZone)
			location = time.UTC
		}
		made.location = location
	}
	if len(c.Days) == 0 {
		fail(key+".days", "name the working days, e.g. [mon, tue, wed, thu, fri], or leave the calendar out for calendar time")
	}
	for i, d := range c.Days {
		n := slices.Index(Weekdays(), d)
		if n < 0 {
			fail(fmt.Sprintf("%s.days[%d]", key, i), "%q is none of %v", d, Weekdays())
			continue
		}
		made.working[n] = true
	}
	var opens, closes bool
	made.opens, opens = wallTime(c.Opens, 0)
	made.closes, closes = wallTime(c.Closes, 24*60)
	if !opens || !closes || made.opens >= made.closes {
		fail(key+".closes", "the working day must open before it closes, at times such as 09:00 and 17:30")
	}
	for i, d := range c.Holidays {
		at, err := time.Parse(time.DateOnly, string(d))
		if err != nil {
			fail(fmt.Sprintf("%s.holidays[%d]", key, i), "%q is not a date such as 2026-12-25", d)
			continue
		}
		made.holidays[civil{at.Year(), at.Month(), at.Day()}] = true
	}
	return made
}

func wallTime(w WallTime, fallback int) (minutes int, ok bool) {
	if w == "" {
		return fallback, true
	}
	return w.minutes()
}

// BusinessSeconds is the working time in seconds between two instants; 0 when to is not after from. It is the time in which the clock on
// the wall shows working hours of a working day: an hour that the clock skips is not worked, one that it repeats is worked twice, and an edge of the
// working day within such an hour cuts it. Of more than twenty years only the first twenty count: days are counted one by one, and such times
// come from mistyped dates.
func (c *Calendar) BusinessSeconds(from, to time.Time) float64 {
	if !to.After(from) {
		return 0
	}
	if c.location == nil {
		return to.Sub(from).Seconds()
	}
	if latest := from.AddDate(20, 0, 0); to.After(latest) {
		to = latest
	}
	var total time.Duration
	for at := from; at.Before(to); {
		// Between two changes of the clock its hands move as those of UTC do, at a constant distance.
		local := at.In(c.location)
		_, seconds := local.Zone()
		_, until := local.ZoneBounds()
		if until.IsZero() || until.After(to) {
			until = to
		}
		offset := time.Duration(seconds) * time.Second
		total += c.between(at.UTC().Add(offset), until.UTC().Add(offset))
		at = until
	}
	return total.Seconds()
}

// between is the working time between two positions of the hands of a clock that nobody touches, written as times in UTC.
func (c *Calendar) between(from, to time.Time) time.Duration {
	var total time.Duration
	year, month, day := from.Date()
	for midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); midnight.Before(to); midnight = midnight.AddDate(0, 0, 1) {
		if !c.works(midnight) {
			continue
		}
		start, end := midnight.Add(time.Duration(c.opens)*time.Minute), midnight.Add(time.Duration(c.closes)*time.Minute)
		if start.Before(from) {
			start = from
		}
		if end.After(to) {
			end = to
		}
		if end.After(start) {
			total += end.Sub(start)
		}
	}
	return total
}

func (c *Calendar) works(day time.Time) bool {
	return c.working[day.Weekday()] && !c.holidays[civil{day.Year(), day.Month(), day.Day()}]
}
