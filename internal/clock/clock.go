// Package clock tells the time as far as the wall clock is plausible. A deadline that passes by a clock that is wrong for seconds is missed for good, so what
// is recorded by the calendar must not follow every jump of the wall clock.
//
// A jump shows against the monotonic clock of the process, or at a start against the last evaluation. Until it is confirmed, time goes on as before by the
// monotonic clock, so that nothing has to be undone when the jump is taken back. The dates of API answers (the header Date) are the witnesses: a machine
// that slept, or whose clock was set right, is believed as soon as an answer agrees with it. Without any witness a jump is believed
// after Patience.
//
// It imports the standard library alone, and everything that records by the calendar gets its Now. To let something else vouch for the wall clock: a method beside Answered.
package clock

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// Tolerance is by how much the wall clock may step at once without being doubted.
	Tolerance = time.Minute
	// Gap is how long an exporter may have been down at its start without the wall clock being doubted.
	Gap = time.Hour
	// Patience is for how long a jump is doubted that no answer confirms or contradicts.
	Patience = time.Hour
	// StartPatience is Patience at a start.
	StartPatience = 2 * time.Minute
	// apart is how far the wall clock may be from the dates of answers before anybody relies on it.
	apart = 10 * time.Minute
	// closer is how many times closer to one of two times an answer has to be to speak for it.
	closer = 4
	// memory is for how long what an answer says is remembered.
	memory = 10 * time.Minute
)

// Options make a Clock.
type Options struct {
	// Read reads the wall clock and the monotonic clock; nil reads the system's.
	Read func() (wall time.Time, monotonic time.Duration)
	// Logger is told of jumps; nil discards.
	Logger *slog.Logger
}

// Clock is safe for concurrent use.
type Clock struct {
	read   func() (time.Time, time.Duration)
	logger *slog.Logger

	mu sync.Mutex
	// from is the time that was right at the monotonic instant at; time goes on from there.
	from time.Time
	at   time.Duration
	// doubted says that the wall clock is somewhere else, and since when by the monotonic clock.
	doubted      bool
	doubtedSince time.Duration
	// begun says that the time does not follow from this process: it starts at the last evaluation, and may be any later one.
	begun bool
	// imports says that nothing was recorded by the calendar yet.
	imports bool
	// contradicted is when an answer last spoke against the wall clock, 0 if none did.
	contradicted time.Duration
	answers      map[string]answer
	jumps        uint64
}

// answer is the last date that a host gave, and when by the monotonic clock.
type answer struct {
	date time.Time
	at   time.Duration
	// advances says that the dates of the host go on as time does; one that is always the same is no witness.
	advances bool
}

// New makes a clock that believes the wall clock as it is.
func New(o Options) *Clock {
	c := &Clock{read: o.Read, logger: o.Logger, answers: map[string]answer{}, imports: true}
	if c.read == nil {
		start := time.Now()
		c.read = func() (time.Time, time.Duration) {
			now := time.Now()
			return now.Round(0), now.Sub(start)
		}
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	c.from, c.at = c.read()
	return c
}

// Resume says at which instant a former process evaluated last, zero if none did, and returns the time. A wall clock that is far ahead of it
// is doubted until an answer agrees; so long time goes on from that instant.
func (c *Clock) Resume(last time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last.IsZero() {
		return c.now()
	}
	wall, monotonic := c.read()
	c.imports = false
	if wall.Sub(last) > Gap {
		c.from, c.at, c.begun = last, monotonic, true
		c.doubt(monotonic)
		c.logger.Warn("The last evaluation was long ago; deadlines wait until the date of an answer agrees with the clock", "last", last.UTC(), "clock", wall.UTC())
	}
	return c.now()
}

// Founded says that from now on outcomes are recorded by this clock.
func (c *Clock) Founded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.imports = false
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now brings the clock up to date with the wall clock, as far as that is plausible.
func (c *Clock) now() time.Time {
	wall, monotonic := c.read()
	expected := c.expected(monotonic)
	jump := wall.Sub(expected)
	switch {
	case jump.Abs() <= Tolerance:
		if c.doubted {
			c.logger.Warn("The clock agrees with the time again; nothing was recorded by the jump", "clock", wall.UTC())
		}
		c.believe(wall, monotonic)
		return wall
	case !c.doubted:
		c.doubt(monotonic)
		c.jumps++
		c.logger.Error("The clock jumped; deadlines wait until the dates of answers agree with it, and time goes on as before", "by", jump.Round(time.Second),
			"clock", wall.UTC(), "time", expected.UTC())
	case monotonic-c.doubtedSince > c.patience() && !c.denied(monotonic):
		c.logger.Warn("The clock is believed, since no answer says otherwise", "by", jump.Round(time.Second), "clock", wall.UTC(), "after", c.patience())
		c.believe(wall, monotonic)
		return wall
	}
	return expected
}

// patience is for how long the wall clock is doubted without an answer.
func (c *Clock) patience() time.Duration {
	if c.begun {
		return StartPatience
	}
	return Patience
}

func (c *Clock) expected(monotonic time.Duration) time.Time { return c.from.Add(monotonic - c.at) }

func (c *Clock) believe(wall time.Time, monotonic time.Duration) {
	c.from, c.at, c.doubted, c.begun = wall, monotonic, false, false
}

func (c *Clock) doubt(monotonic time.Duration) {
	c.doubted, c.doubtedSince, c.contradicted = true, monotonic, 0
	clear(c.answers) // what they said was about the time before
}

// denied reports whether an answer spoke against the wall clock not long ago.
func (c *Clock) denied(monotonic time.Duration) bool {
	return c.contradicted > 0 && monotonic-c.contradicted < Patience
}

// Answered takes the date of an answer of a host.
func (c *Clock) Answered(host string, date time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now()
	wall, monotonic := c.read()
	last, known := c.answers[host]
	a := answer{date: date, at: monotonic, advances: last.advances}
	if passed := monotonic - last.at; known && passed >= 2*time.Second {
		a.advances = (date.Sub(last.date) - passed).Abs() <= 2*time.Second+passed/10
	} else if known {
		a.date, a.at = last.date, last.at // so close to each other dates in seconds say nothing
	}
	c.answers[host] = a
	switch {
	case c.doubted && c.begun:
		c.place(date, wall, monotonic)
	case c.doubted:
		c.weigh(date, wall, monotonic)
	case c.imports:
		c.correct(wall, monotonic)
	}
}

// weigh takes an answer for the wall clock that jumped, or for the time as it went on.
func (c *Clock) weigh(date, wall time.Time, monotonic time.Duration) {
	toWall, toExpected := date.Sub(wall).Abs(), date.Sub(c.expected(monotonic)).Abs()
	switch {
	case toWall*closer < toExpected:
		c.logger.Warn("The clock is believed: the date of an answer agrees with it", "clock", wall.UTC(), "answer", date.UTC())
		c.believe(wall, monotonic)
	case toExpected*closer < toWall:
		c.contradicted = monotonic
	}
}

// place finds the time after a start: it is any that is not before the last evaluation, and answers know which.
func (c *Clock) place(date, wall time.Time, monotonic time.Duration) {
	switch gap := wall.Sub(c.expected(monotonic)); {
	case date.Sub(wall).Abs() <= max(2*Tolerance, min(gap/10, apart)), date.After(wall):
		c.logger.Info("The date of an answer agrees with the clock", "clock", wall.UTC(), "answer", date.UTC())
		c.believe(wall, monotonic)
	case date.After(c.expected(monotonic).Add(-Tolerance)):
		c.jumps++
		c.logger.Error("The clock is ahead of the dates of answers; time goes on from those", "clock", wall.UTC(), "answer", date.UTC())
		c.from, c.at, c.begun = date, monotonic, false
		c.contradicted = monotonic
	}
}

// correct takes the dates of answers for the time where the wall clock was wrong from the beginning and nothing was recorded yet: if all hosts
// whose dates advance disagree with it.
func (c *Clock) correct(wall time.Time, monotonic time.Duration) {
	var nearest *answer
	for host := range c.answers {
		a := c.answers[host]
		if !a.advances || monotonic-a.at > memory {
			continue
		}
		if off := wall.Sub(a.date.Add(monotonic - a.at)); off.Abs() <= apart {
			return
		} else if nearest == nil || off.Abs() < wall.Sub(nearest.date.Add(monotonic-nearest.at)).Abs() {
			nearest = &a
		}
	}
	if nearest == nil {
		return
	}
	right := nearest.date.Add(monotonic - nearest.at)
	c.jumps++
	c.logger.Error("The clock is wrong: the dates of all answers disagree with it; time goes on from those", "clock", wall.UTC(), "answers", right.UTC())
	c.from, c.at = right, monotonic
	c.doubt(monotonic)
	c.contradicted = monotonic
}

// Settled reports whether the import may end by this clock: no answer disagrees with it, or it was corrected, or it ran for StartPatience.
func (c *Clock) Settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if _, monotonic := c.read(); monotonic > StartPatience {
		return true
	}
	disagree := false
	for _, a := range c.answers {
		_, monotonic := c.read()
		if now.Sub(a.date.Add(monotonic-a.at)).Abs() <= apart {
			return true
		}
		disagree = true
	}
	return !disagree
}

// Offset is how far the wall clock is ahead of the time, 0 while it is believed.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	wall, _ := c.read()
	if !c.doubted {
		return 0
	}
	return wall.Sub(now)
}

// Jumps counts how often the wall clock was found to be wrong.
func (c *Clock) Jumps() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jumps
}
