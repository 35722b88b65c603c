package clock

import (
	"testing"
	"time"
)

// machine is a wall clock that may be set, and the time that passes.
type machine struct {
	start  time.Time
	passed time.Duration
	// asleep is how long the monotonic clock stood still, wrong by how much the wall clock is ahead.
	asleep, wrong time.Duration
	clock         *Clock
}

func newMachine(wrong ...time.Duration) *machine {
	m := &machine{start: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	for _, d := range wrong {
		m.wrong = d
	}
	m.clock = New(Options{Read: m.read})
	return m
}

func (m *machine) read() (time.Time, time.Duration) { return m.truth().Add(m.wrong), m.passed }

func (m *machine) truth() time.Time { return m.start.Add(m.passed + m.asleep) }

func (m *machine) pass(d time.Duration) { m.passed += d }

// expect compares the clock with the truth.
func (m *machine) expect(t *testing.T, what string, off time.Duration) {
	t.Helper()
	if got := m.clock.Now().Sub(m.truth()); got != off {
		t.Errorf("%s: the clock is off by %s, want %s", what, got, off)
	}
}

// answers lets hosts answer with a date every ten seconds of a time.
func (m *machine) answers(d time.Duration, date func() time.Time, hosts ...string) {
	for ; d > 0; d -= 10 * time.Second {
		m.pass(10 * time.Second)
		for _, host := range hosts {
			m.clock.Answered(host, date().Truncate(time.Second))
		}
	}
}

func TestJumpThatIsTakenBack(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forward": 40 * 24 * time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			m := newMachine()
			m.clock.Resume(m.truth().Add(-time.Minute))
			m.pass(time.Minute)
			m.expect(t, "before", 0)
			m.wrong = jump
			m.pass(time.Second)
			m.expect(t, "at once", 0)
			if got := m.clock.Offset(); got != jump {
				t.Errorf("the offset is %s, want %s", got, jump)
			}
			m.answers(2*time.Hour, m.truth, "api")
			m.expect(t, "after two hours of answers", 0)
			m.wrong = 0
			m.pass(time.Second)
			m.expect(t, "taken back", 0)
			if m.clock.Offset() != 0 || m.clock.Jumps() != 1 {
				t.Errorf("offset %s and %d jumps, want none and one", m.clock.Offset(), m.clock.Jumps())
			}
		})
	}
}

func TestSmallStepsAreFollowed(t *testing.T) {
	m := newMachine()
	m.wrong = 50 * time.Second
	m.expect(t, "a step", 50*time.Second)
	m.pass(time.Minute)
	m.wrong = 0
	m.expect(t, "and back", 0)
	if m.clock.Jumps() != 0 {
		t.Error("a step is a jump")
	}
}

// TestSleep: the monotonic clock stands still while a machine sleeps. Its wall clock is right, and the first answer says so.
func TestSleep(t *testing.T) {
	m := newMachine()
	m.clock.Resume(m.truth())
	m.expect(t, "before", 0)
	m.asleep = 8 * time.Hour
	m.pass(time.Second)
	m.expect(t, "awake", -8*time.Hour)
	m.clock.Answered("api", m.truth())
	m.expect(t, "answered", 0)
}

// TestNobodyAnswers: where only files are read, a jump is believed after a while.
func TestNobodyAnswers(t *testing.T) {
	m := newMachine()
	m.wrong = 3 * time.Hour
	m.expect(t, "at once", 0)
	m.pass(59 * time.Minute)
	m.expect(t, "nearly an hour later", 0)
	m.pass(2 * time.Minute)
	m.expect(t, "an hour later", 3*time.Hour)
}

func TestResume(t *testing.T) {
	long := 21 * 24 * time.Hour
	t.Run("soon", func(t *testing.T) {
		m := newMachine()
		m.clock.Resume(m.truth().Add(-time.Minute))
		m.expect(t, "after a minute", 0)
	})
	t.Run("after weeks, and an answer agrees", func(t *testing.T) {
		m := newMachine()
		m.clock.Resume(m.truth().Add(-long))
		m.pass(time.Second)
		m.expect(t, "until an answer", -long)
		m.clock.Answered("api", m.truth())
		m.expect(t, "answered", 0)
	})
	t.Run("after weeks, and nobody answers", func(t *testing.T) {
		m := newMachine()
		m.clock.Resume(m.truth().Add(-long))
		m.expect(t, "at first", -long)
		m.pass(StartPatience + time.Second)
		m.expect(t, "later", 0)
	})
	t.Run("by a clock that is ahead", func(t *testing.T) {
		m := newMachine(40 * 24 * time.Hour)
		m.clock.Resume(m.truth().Add(-time.Minute))
		m.expect(t, "at first", -time.Minute)
		m.clock.Answered("api", m.truth())
		m.expect(t, "answered", 0)
		m.answers(2*time.Hour, m.truth, "api")
		m.expect(t, "later", 0)
		m.wrong = 0
		m.expect(t, "set right", 0)
	})
	t.Run("an answer from before the last evaluation says nothing", func(t *testing.T) {
		m := newMachine()
		m.clock.Resume(m.truth().Add(-long))
		m.clock.Answered("api", m.truth().Add(-2*long))
		m.expect(t, "at first", -long)
	})
}

// TestWrongFromTheBeginning: a new ledger is imported by a clock that is far ahead. Answers correct it; one host whose dates never change does not.
func TestWrongFromTheBeginning(t *testing.T) {
	m := newMachine(40 * 24 * time.Hour)
	m.clock.Resume(time.Time{})
	m.clock.Answered("api", m.truth())
	if m.clock.Settled() {
		t.Error("the import may end by a clock that an answer disagrees with")
	}
	m.answers(20*time.Second, m.truth, "api")
	if got := m.clock.Now().Sub(m.truth()).Abs(); got > time.Second || !m.clock.Settled() {
		t.Errorf("after three answers the clock is off by %s", got)
	}
	m = newMachine()
	fixed := m.truth().Add(-1000 * time.Hour)
	m.clock.Resume(time.Time{})
	m.answers(time.Minute, func() time.Time { return fixed }, "recorded")
	m.expect(t, "an answer that is always the same", 0)
	m.pass(StartPatience)
	if !m.clock.Settled() {
		t.Error("it keeps the import from ending for good")
	}
	m = newMachine()
	m.clock.Resume(time.Time{})
	m.answers(time.Minute, func() time.Time { return m.truth().Add(-time.Hour) }, "slow")
	m.answers(time.Minute, m.truth, "right")
	m.clock.Founded()
	m.answers(time.Hour, func() time.Time { return m.truth().Add(-time.Hour) }, "slow")
	if got := m.clock.Now().Sub(m.truth()); got != 0 {
		t.Errorf("once a ledger is founded the wall clock is off by %s because of one host", got)
	}
}
