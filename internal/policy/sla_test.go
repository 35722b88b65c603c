package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// policyWith is the default policy after a change.
func policyWith(t *testing.T, change func(*Config)) *Policy {
	t.Helper()
	c := DefaultConfig()
	change(&c)
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func inZone(zone string) func(*Config) { return func(c *Config) { c.TimeZone = zone } }

// at reads a local time in a zone.
func at(t *testing.T, zone, text string) int64 {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := time.ParseInLocation("2006-01-02 15:04:05", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Unix()
}

const dayLength = int64(Day / time.Second)

// TestTargets: the rule with the most conditions wins, the shortest of equally specific ones, none means no target.
func TestTargets(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		severity  record.Severity
		service   record.Service
		exploited bool
		days      int64
	}{
		{record.SeverityCritical, record.Service{TrustTier: "tier3"}, false, 14},
		{record.SeverityCritical, record.Service{TrustTier: "tier3"}, true, 14},
		{record.SeverityCritical, record.Service{TrustTier: "tier0"}, false, 7},
		{record.SeverityCritical, record.Service{TrustTier: "tier2", InternetFacing: record.AnswerYes}, false, 7},
		{record.SeverityCritical, record.Service{TrustTier: "tier0", InternetFacing: record.AnswerYes}, true, 3},
		{record.SeverityCritical, record.Service{InternetFacing: record.AnswerUnknown}, true, 14},
		{record.SeverityCritical, record.Service{TrustTier: "never heard of"}, false, 14},
		{record.SeverityHigh, record.Service{TrustTier: "tier0"}, false, 30},
		{record.SeverityHigh, record.Service{TrustTier: "tier3"}, true, 14},
		{record.SeverityMedium, record.Service{}, true, 90},
		{record.SeverityLow, record.Service{CrownJewel: record.AnswerYes}, false, 180},
		{record.SeverityUnknown, record.Service{TrustTier: "tier0"}, true, 0},
	} {
		got := p.Target(IndexOfSeverity(c.severity), p.FactsOf(c.service), c.exploited)
		if got != c.days*dayLength {
			t.Errorf("%s, %+v, exploited %v: got %d days, want %d", c.severity, c.service, c.exploited, got/dayLength, c.days)
		}
	}
}

func TestMostSpecificRule(t *testing.T) {
	yes, no := true, false
	days := func(n int) Duration { return Duration(time.Duration(n) * Day) }
	p := policyWith(t, func(c *Config) {
		c.SLA.Targets = []Target{
			{Severity: record.SeverityHigh, TrustTiers: []string{"tier0", "tier1"}, CrownJewel: &yes, Within: days(20)},
			{Severity: record.SeverityHigh, CrownJewel: &yes, Within: days(5)},
			{Severity: record.SeverityHigh, InternetFacing: &yes, Within: days(9)},
			{Severity: record.SeverityHigh, InternetFacing: &no, CrownJewel: &no, Exploited: &no, Within: days(99)},
		}
	})
	for _, c := range []struct {
		facts     ServiceFacts
		exploited bool
		days      int64
		why       string
	}{
		{ServiceFacts{Tier: p.Tier("tier0"), CrownJewel: true}, false, 20, "two conditions beat one, although it is longer"},
		{ServiceFacts{Tier: p.Tier("tier2"), CrownJewel: true, InternetFacing: true}, false, 5, "of two with one condition, the shorter"},
		{ServiceFacts{Tier: p.Tier("tier2")}, false, 99, "three conditions on what is not"},
		{ServiceFacts{Tier: p.Tier("tier2")}, true, 0, "no rule matches"},
	} {
		if got := p.Target(IndexOfSeverity(record.SeverityHigh), c.facts, c.exploited); got != c.days*dayLength {
			t.Errorf("%+v: got %d days, want %d: %s", c.facts, got/dayLength, c.days, c.why)
		}
	}
}

// TestDue: the whole day on which the target runs out still counts, in the policy's time zone, whatever the clocks do.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		name, zone, start string
		days              int64
		pauses            [][2]string
		due               string
	}{
		{"the day counts", "UTC", "2026-01-05 00:00:01", 7, nil, "2026-01-12 23:59:59"},
		{"the day in the zone", "America/New_York", "2026-01-05 22:00:00", 7, nil, "2026-01-12 23:59:59"},
		{"across the start of summer time: 7 × 24 h from 23:30 end on the next day", "Europe/Berlin", "2026-03-26 23:30:00", 7, nil, "2026-04-03 23:59:59"},
		{"on the short day itself", "Europe/Berlin", "2026-03-22 12:00:00", 7, nil, "2026-03-29 23:59:59"},
		{"across the end of summer time: 7 × 24 h from 00:30 end on the day before", "Europe/Berlin", "2026-10-20 00:30:00", 7, nil, "2026-10-26 23:59:59"},
		{"on the long day itself", "America/New_York", "2026-10-25 12:00:00", 7, nil, "2026-11-01 23:59:59"},
		{"a day that has no midnight", "America/Sao_Paulo", "2018-10-27 12:00:00", 7, nil, "2018-11-03 23:59:59"},
		{"a pause within", "UTC", "2026-01-05 12:00:00", 7, [][2]string{{"2026-01-08 00:00:00", "2026-01-11 00:00:00"}}, "2026-01-15 23:59:59"},
		{"a pause from before the start", "UTC", "2026-01-05 12:00:00", 7, [][2]string{{"2026-01-01 00:00:00", "2026-01-06 12:00:00"}}, "2026-01-13 23:59:59"},
		{"a pause that was over before the start", "UTC", "2026-01-05 12:00:00", 7, [][2]string{{"2026-01-01 00:00:00", "2026-01-02 00:00:00"}}, "2026-01-12 23:59:59"},
		{"a pause that begins on the due day", "UTC", "2026-01-05 12:00:00", 7, [][2]string{{"2026-01-12 20:00:00", "2026-01-14 20:00:00"}}, "2026-01-14 23:59:59"},
		{"a pause that begins after it was due", "UTC", "2026-01-05 12:00:00", 7, [][2]string{{"2026-01-13 00:00:00", "2026-02-13 00:00:00"}}, "2026-01-12 23:59:59"},
		{
			"a second pause that only the first one lets begin in time", "UTC", "2026-01-05 12:00:00", 7,
			[][2]string{{"2026-01-10 00:00:00", "2026-01-15 00:00:00"}, {"2026-01-16 00:00:00", "2026-01-17 00:00:00"}}, "2026-01-18 23:59:59",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policyWith(t, inZone(c.zone))
			clock := Clock{Start: at(t, c.zone, c.start), Target: c.days * dayLength}
			for _, pause := range c.pauses {
				clock.Pauses = append(clock.Pauses, Pause{at(t, c.zone, pause[0]), at(t, c.zone, pause[1])})
			}
			got := time.Unix(p.Due(clock), 0).In(p.Location()).Format("2006-01-02 15:04:05")
			if got != c.due {
				t.Errorf("due %s, want %s", got, c.due)
			}
		})
	}
}

func TestDueWithoutEnd(t *testing.T) {
	p := Default()
	if got := p.Due(Clock{Start: 100}); got != 0 {
		t.Errorf("no target: due %d, want 0 for none", got)
	}
	forever := Clock{Start: 100, Target: dayLength, Pauses: []Pause{{Start: 200, End: Forever}}}
	if got := p.Due(forever); got != Forever {
		t.Errorf("paused without end: due %d, want never", got)
	}
	late := Clock{Start: 100, Target: dayLength, Pauses: []Pause{{Start: 10 * dayLength, End: Forever}}}
	if got := p.Due(late); got != 2*dayLength-1 {
		t.Errorf("a pause without end after it was due: due %d, want %d", got, 2*dayLength-1)
	}
}

// TestEndOfDay: in every zone, the end of a day is its last second.
func TestEndOfDay(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia"} {
		p := policyWith(t, inZone(zone))
		date := func(unix int64) string { return time.Unix(unix, 0).In(p.Location()).Format(time.DateOnly) }
		for range 20_000 {
			instant := int64(rng.IntN(60 * 366 * 86400)) // 1970 to 2030
			end := p.endOfDay(instant)
			if end < instant || date(end) != date(instant) || date(end+1) == date(instant) {
				t.Fatalf("%s: end of the day of %v is %v", zone, time.Unix(instant, 0).In(p.Location()), time.Unix(end, 0).In(p.Location()))
			}
		}
	}
}

func TestStanding(t *testing.T) {
	p := Default()
	// Due at the end of day 7; due soon in the last quarter of 7 days, 1.75 days, before that.
	clock := Clock{Start: 0, Target: 7 * dayLength}
	due := 8*dayLength - 1
	soon := due - 7*dayLength/4
	excepted := clock
	excepted.Pauses = []Pause{{Start: 10 * dayLength, End: 20 * dayLength}}
	paused := clock
	paused.Pauses = []Pause{{Start: dayLength, End: 11 * dayLength}}
	for _, c := range []struct {
		name  string
		clock Clock
		at    int64
		want  SLA
	}{
		{"at the start", clock, 0, SLAWithin},
		{"one second before it is due soon", clock, soon - 1, SLAWithin},
		{"due soon", clock, soon, SLADueSoon},
		{"the last second", clock, due, SLADueSoon},
		{"one second late", clock, due + 1, SLABreached},
		{"no target", Clock{}, 1 << 40, SLANone},
		{"breached before the exception", excepted, 9 * dayLength, SLABreached},
		{"excepted from its first second", excepted, 10 * dayLength, SLAExcepted},
		{"excepted until its end, exclusive", excepted, 20*dayLength - 1, SLAExcepted},
		{"breached again: the exception came too late to move the deadline", excepted, 20 * dayLength, SLABreached},
		{"within after an exception that moved the deadline by ten days", paused, 12 * dayLength, SLAWithin},
		{"breached after that", paused, due + 10*dayLength + 1, SLABreached},
	} {
		if got := p.Standing(c.clock, c.at); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestContinues(t *testing.T) {
	p := Default()
	restart := policyWith(t, func(c *Config) { c.SLA.Reopen = ReopenRestart })
	for _, c := range []struct {
		policy *Policy
		days   int64
		want   bool
	}{{p, 0, true}, {p, 30, true}, {p, 31, false}, {restart, 1, false}} {
		if got := c.policy.Continues(1000, 1000+c.days*dayLength); got != c.want {
			t.Errorf("reopened after %d days (%s): got %v, want %v", c.days, c.policy.Config().SLA.Reopen, got, c.want)
		}
	}
}

// TestTreat: only a fix is remediation, and a closure that nobody listed is not a way out.
func TestTreat(t *testing.T) {
	want := map[record.Closure]Treatment{
		record.ClosureFixed: Remediated, record.ClosureFalsePositive: Void, record.ClosureUsedInTests: Void, record.ClosureDuplicate: Void,
		record.ClosureOutOfScope: Void, record.ClosureAutoDismissed: Void, record.ClosureRepositoryArchived: Void,
		record.ClosureRepositoryDeleted: Void, record.ClosureManifestDeleted: Void, record.ClosureVanished: Void,
		record.ClosureWontFix: Accepted, record.ClosureRiskAccepted: Accepted, record.ClosureMitigated: Accepted, record.ClosureOther: Accepted,
	}
	for _, closure := range record.Closures() {
		if treatment, ok := want[closure]; !ok || Treat(closure) != treatment {
			t.Errorf("%s: got %d, want %d (listed: %v)", closure, Treat(closure), treatment, ok)
		}
	}
	if Treat("something new") != Accepted {
		t.Error("an unknown closure must not count as fixed or void")
	}
}

func TestLabelValues(t *testing.T) {
	var names []string
	for _, s := range SLAs() {
		names = append(names, s.String())
	}
	if got := strings.Join(names, " "); got != "within due_soon breached excepted none" {
		t.Errorf("standings: %s", got)
	}
	for i, s := range record.Severities() {
		if IndexOfSeverity(s) != SeverityIndex(i) || SeverityIndex(i).Severity() != s {
			t.Errorf("%s does not survive its index", s)
		}
	}
	if IndexOfSeverity("catastrophic").Severity() != record.SeverityUnknown {
		t.Error("a severity that is not listed must count as unknown")
	}
}
