package numbers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// history is what the first pass over an organisation finds on day 120: 40 reports of two tools and 5 exceptions. The comments are the
// table from which the numbers below follow; windows of 30 days begin at noon of day 90, of 90 days at noon of day 30. A critical is
// due after 7 days, a high after 30, a medium after 90, a low never, each at the end of the day.
func history() (one, two []record.Finding, exceptions []record.Exception) {
	series := func(n int, name string, make func(id string, i int) record.Finding) {
		for i := range n {
			one = append(one, make(fmt.Sprint(name, i), i))
		}
	}
	inWeb := func(f record.Finding) record.Finding { f.Repository = "acme/web"; return f }
	high := func(f record.Finding) record.Finding { return of(f, record.SeverityHigh, 100) }

	// a: 8 criticals of api seen on days 100..107, each fixed after 5 days (105..112): met 8, 40 days in all.
	series(8, "a", func(id string, i int) record.Finding { return fixed(critical(id, 100+i), noon(105+i)) })
	// b: 4 criticals of api seen on days 40..43, fixed after 10 days (50..53), due on 47..50: missed 4, 40 days in all.
	series(4, "b", func(id string, i int) record.Finding { return fixed(critical(id, 40+i), noon(50+i)) })
	// c: 5 criticals of api, open, seen on days 117, 115, 113, 111 and 109, due at the end of 124, 122, 120, 118 and 116: the first two
	// are within (4.5 and 2.5 days are left), the third is due soon (half a day is left), the last two breached: missed 2, on 118 and 116.
	series(5, "c", func(id string, i int) record.Finding { return critical(id, 117-2*i) })
	// d: 6 highs of web seen on days 10..15, fixed after 20 days (30..35): met 6, 120 days in all. The one of noon of day 30 falls out
	// of the window of 90 days, whose start does not count.
	series(6, "d", func(id string, i int) record.Finding { return fixed(inWeb(high(critical(id, 10+i))), noon(30+i)) })
	// e: 3 highs of web, open, seen on days 85, 95 and 105, due at the end of 115, 125 and 135: missed 1 on 115; 125 is due soon
	// (5.5 days of 30 are left), 135 within.
	series(3, "e", func(id string, i int) record.Finding { return inWeb(high(critical(id, 85+10*i))) })
	// f: 4 criticals of api seen on day 95 and closed on day 98: as false positive and used in tests void, as won't fix and as risk accepted
	// missed at the end of day 102.
	for i, c := range []record.Closure{record.ClosureFalsePositive, record.ClosureUsedInTests, record.ClosureWontFix, record.ClosureRiskAccepted} {
		one = append(one, closed(critical(fmt.Sprint("f", i), 95), c, noon(98)))
	}
	// g: a medium and a low of no known repository, open since day 1: the medium was due on 91, missed; the low has no target.
	for i, severity := range []record.Severity{record.SeverityMedium, record.SeverityLow} {
		f := of(critical(fmt.Sprint("g", i), 1), severity, 1)
		f.Repository = "acme/nobody"
		one = append(one, f)
	}
	// h: a critical of api seen on day 100 and excepted from day 104 to noon of day 119: due at the end of 107 + 15 = 122, due soon? No:
	// 2.5 days are left, more than 1.75.
	one = append(one, critical("h", 100))
	// i: a critical of api seen on day 90, excepted without end from day 95: excepted.
	one = append(one, critical("i", 90))
	// j: an open high of api that both tools report, seen by one on day 110 and by the other on day 108 as a critical: one critical
	// of day 108, due at the end of 115: missed.
	one = append(one, high(advisory("j", 110, "CVE-7")))
	two = append(two, advisory("j", 108, "CVE-7", "GHSA-7"))
	// k: archived on day 111, seen on day 108: void.
	one = append(one, closed(critical("k", 108), record.ClosureRepositoryArchived, noon(111)))
	// l: 2 highs of web of the second tool, seen on days 60 and 61, fixed on days 91 and 91: due at the end of 90 and 91: missed 1, met 1.
	two = append(two, fixed(inWeb(high(critical("l0", 60))), noon(91)), fixed(inWeb(high(critical("l1", 61))), noon(91)))
	// m: a high of api seen on day 119 and fixed a day later, at the instant of the founding: met.
	one = append(one, fixed(high(critical("m", 119)), noon(120)))

	exceptions = []record.Exception{
		approved("1", noon(104), noon(119), "h"), // expired
		approved("2", noon(95), time.Time{}, "i"),
		{ID: "3", State: record.ExceptionRequested, Category: "legacy", Service: "web", Rules: []string{"r"}, RequestedAt: noon(118)},
		{ID: "4", State: record.ExceptionApproved, Category: "vendor", Service: "web", Rules: []string{"r"}, DecidedAt: noon(110), ExpiresAt: noon(125)},
		{ID: "5", State: record.ExceptionApproved, Category: "vendor", Service: "web", DecidedAt: noon(110), ExpiresAt: noon(140)}, // names nothing
	}
	return one, two, exceptions
}

// imported is that organisation, founded on day 120. The order in which its sources are read is given.
func imported(t *testing.T, order []int) *organisation {
	t.Helper()
	one, two, exceptions := history()
	if n := len(one) + len(two); n != 40 {
		t.Fatalf("the history has %d reports", n)
	}
	o := unfounded(t, nil)
	reads := []func(){
		func() { o.catalog(noon(120), api("red"), web()) },
		func() { o.sweep(noon(120), "one", one...) },
		func() { o.sweep(noon(120), "two", two...) },
		func() { o.decide(noon(120), exceptions...) },
	}
	for _, i := range order {
		reads[i]()
	}
	o.must(o.ledger.MarkFounded(t.Context(), noon(120)))
	return o
}

// TestImport compares every family about weaknesses and exceptions with the table.
func TestImport(t *testing.T) {
	samples := parse(t, imported(t, []int{0, 1, 2, 3}).text())
	for _, c := range []struct{ family, label, labels, want string }{
		// open: c 5, e 3, g 2, h, i, j = 13
		{openFamily, "severity", "", "critical=8 high=3 low=1 medium=1"},
		{openFamily, "sla", "severity=critical", "breached=3 due_soon=1 excepted=1 within=3"},
		{openFamily, "sla", "severity=high", "breached=1 due_soon=1 within=1"},
		{openFamily, "sla", "service_name=unattributed", "breached=1 none=1"},
		{openFamily, "service_name", "", "api=8 unattributed=2 web=3"},
		{"prodsec_finding_age_seconds_count", "team", "", "green=3 red=8 unattributed=2"},
		// younger than 7 days at noon of day 120: c0 3, c1 5, c2 7 (a bucket holds its bound)
		{"prodsec_finding_age_seconds_bucket", "team", "severity=critical,le=604800", "red=3"},
		{"prodsec_finding_oldest_opened_timestamp_seconds", "service_name", "severity=critical", fmt.Sprintf("api=%d", noon(90).Unix())},
		// opened: 39 weaknesses of 40 reports; b, d, l, g and e0 before day 90, and i at its very start
		{eventsFamily, "event", "", "dismissed_false_positive=1 dismissed_used_in_tests=1 dismissed_wont_fix=2 excepted=2 exception_ended=1 fixed=21 opened=39 out_of_scope=1"},
		// opened in 30 d: a 8, c 5, e1 e2, f 4, h, j, k, m = 23; fixed: a 8, l 2, m
		{flowFamily, "event", "window=30d", "dismissed_false_positive=1 dismissed_used_in_tests=1 dismissed_wont_fix=2 excepted=2 exception_ended=1 fixed=11 opened=23 out_of_scope=1"},
		// fixed in 90 d: also b 4 and d without its first, 5
		{flowFamily, "event", "window=90d,event=fixed", "fixed=20"},
		{flowFamily, "team", "window=90d,event=fixed", "green=7 red=13"},
		// met: a 8, d 6, l1, m; missed: b 4, c 2, e 1, f 2, g 1, j 1, l0; void: f 2, k
		{outcomesFamily, "outcome", "", "met=16 missed=12 void=3"},
		{outcomesFamily, "outcome", "service_name=web", "met=7 missed=2"},
		{outcomesFamily, "outcome", "service_name=unattributed", "missed=1"},
		// since noon of day 90: a 8, l1, m; c 2, e, f 2, g (end of 91), j, l0 (end of 90)
		{windowFamily, "outcome", "window=30d", "met=10 missed=8 void=3"},
		{windowFamily, "outcome", "window=30d,severity=high", "met=2 missed=2"},
		{windowFamily, "outcome", "window=90d", "met=15 missed=12 void=3"},
		// days to fix: a 8 of 5, b 4 of 10, m 1; d 6 of 20, l 31 and 30
		{"prodsec_finding_remediation_seconds_count", "team", "", "green=8 red=13"},
		{"prodsec_finding_remediation_seconds_sum", "team", "", fmt.Sprintf("green=%d red=%d", (120+61)*86400, 81*86400)},
		{"prodsec_finding_remediation_seconds_bucket", "team", "le=604800", "red=9"},
		{"prodsec_finding_remediation_seconds_bucket", "team", "le=2.592e+06", "green=7 red=13"},
		{"prodsec_duplicate_findings", "class", "", "sca=1"},
		{"prodsec_records", "kind", "kind=finding", "finding=40"},
		{"prodsec_exceptions", "state", "", "active=2 expired=1 requested=1 unscoped=1"},
		{"prodsec_exceptions", "expires", "category=legacy", "expired=1 never=2"},
		{"prodsec_exceptions", "expires", "category=vendor", "30d=1 7d=1"},
		{"prodsec_exception_age_seconds_count", "category", "", "legacy=2 vendor=2"},
		{"prodsec_exception_next_expiry_timestamp_seconds", "service_name", "", fmt.Sprintf("web=%d", noon(125).Unix())},
	} {
		var labels []string
		if c.labels != "" {
			labels = strings.Split(c.labels, ",")
		}
		if got := by(samples, c.label, c.family, labels...); got != c.want {
			t.Errorf("%s by %s where %q is %q, want %q", c.family, c.label, c.labels, got, c.want)
		}
	}
}

// TestImportInAnyOrder: which source was read first leaves no trace, and a restart neither.
func TestImportInAnyOrder(t *testing.T) {
	strip := func(text string) string { // scopes are listed in the order in which they were read
		lines := slices.Collect(strings.Lines(text))
		slices.Sort(lines)
		return strings.Join(lines, "")
	}
	first := imported(t, []int{0, 1, 2, 3})
	want := first.text()
	first.restart()
	if got := first.text(); got != want {
		t.Errorf("a restart changed the text:\n%s", diffLines(want, got))
	}
	for _, order := range [][]int{{3, 2, 1, 0}, {1, 0, 3, 2}, {2, 3, 0, 1}, {0, 2, 1, 3}} {
		if got := imported(t, order).text(); strip(got) != strip(want) {
			t.Errorf("order %v changed the text:\n%s", order, diffLines(want, got))
		}
	}
}
