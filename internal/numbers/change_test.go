package numbers_test

import (
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// expectSum compares the sum of the samples with some labels; want is absent for a family that must not say anything.
const absent = -1.0

func (o *organisation) expectSum(want float64, family string, labels ...string) {
	o.t.Helper()
	got, found := sum(parse(o.t, o.text()), family, labels...)
	if !found {
		got = absent
	}
	if got != want {
		o.t.Errorf("%s: %s%v is %v, want %v", o.now.Format("2 Jan 15:04"), family, labels, got, want)
	}
}

func (o *organisation) expectEvents(want string, labels ...string) {
	o.t.Helper()
	if got := by(parse(o.t, o.text()), "event", eventsFamily, labels...); got != want {
		o.t.Errorf("%s: events%v are %q, want %q", o.now.Format("2 Jan 15:04"), labels, got, want)
	}
}

// TestServiceChangesHands: red's weakness moves to blue. Red keeps what happened while it was red's.
func TestServiceChangesHands(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2), fixed(critical("g", 2), noon(2)))
	o.catalog(noon(4), api("blue"), web())
	o.expectEvents("fixed=1 moved_out=1 opened=2", "team=red")
	o.expectEvents("moved_in=1", "team=blue")
	o.expectSum(absent, openFamily, "team=red")
	o.expectSum(1, openFamily, "team=blue", "severity=critical")
	o.sweep(at(10, 0, 0), "one", critical("f", 2))
	o.expectSum(1, outcomesFamily, "team=blue", "outcome=missed")
	o.expectSum(1, outcomesFamily, "team=red", "outcome=met")
	o.expectSum(absent, outcomesFamily, "team=red", "outcome=missed")
	o.catalog(noon(11), api("red"), web())
	o.expectEvents("fixed=1 moved_in=1 moved_out=1 opened=2", "team=red")
	o.expectSum(1, outcomesFamily, "team=blue", "outcome=missed")
}

// TestTierChange: at tier0 a critical has two days. What that makes late is missed from the change on, under the new tier.
func TestTierChange(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	tier0 := api("red")
	tier0.TrustTier = "tier0"
	o.sweep(noon(6), "one", critical("f", 2))
	o.catalog(noon(6), tier0, web())
	o.expect("four days old, due after two", "missed=1", "missed=1", "breached=1")
	o.expectSum(1, outcomesFamily, "trust_tier=tier0", "outcome=missed")
	o.expectEvents("moved_out=1 opened=1", "trust_tier=tier1")
	o.expectEvents("moved_in=1", "trust_tier=tier0")
	o.catalog(noon(7), api("red"), web())
	o.expect("back at tier1 the miss stays", "missed=1", "missed=1", "within=1")
}

// TestServiceDeleted: what it had becomes unattributed, and is still open.
func TestServiceDeleted(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	o.catalog(noon(3), web())
	o.expectSum(1, openFamily, "team=unattributed", "severity=critical")
	o.expectSum(absent, openFamily, "service_name=api")
	o.expectEvents("moved_out=1 opened=1", "team=red")
	o.expectEvents("moved_in=1", "team=unattributed")
}

// TestRepositoryGone: none of the ways in which a repository goes is a fix.
func TestRepositoryGone(t *testing.T) {
	for _, c := range []record.Closure{record.ClosureRepositoryArchived, record.ClosureRepositoryDeleted, record.ClosureManifestDeleted} {
		t.Run(string(c), func(t *testing.T) {
			o := founded(t, nil)
			o.sweep(noon(2), "one", critical("f", 2))
			o.sweep(noon(3), "one", closed(critical("f", 2), c, noon(3)))
			o.expectEvents("opened=1 out_of_scope=1")
			o.expect("gone", "void=1", "void=1", "")
			o.expectSum(0, "prodsec_finding_remediation_seconds_count", "team=red", "severity=critical")
		})
	}
}

// TestRepositoryRenamed: the source goes on under another name, which no catalog knows yet.
func TestRepositoryRenamed(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", f)
	f.Repository, f.UpdatedAt = "acme/api2", noon(3)
	o.sweep(noon(3), "one", f)
	o.expectEvents("moved_out=1 opened=1", "team=red")
	o.expectSum(1, openFamily, "team=unattributed", "severity=critical")
	renamed := api("red")
	renamed.Repositories[0].Repository = "acme/api2"
	o.catalog(noon(4), renamed, web())
	o.expectEvents("moved_in=1 moved_out=1 opened=1", "team=red")
	o.expectSum(1, openFamily, "service_name=api", "severity=critical")
	o.passDays(at(9, 23, 0))
	o.sweep(at(10, 0, 0), "one", f)
	o.expect("the clock went on", "missed=1", "missed=1", "breached=1")
}

// advisory is a report of one package's advisory.
func advisory(id string, seen int, aliases ...string) record.Finding {
	f := critical(id, seen)
	f.Package, f.Aliases = "npm/left-pad", aliases
	return f
}

// TestTwoToolsOneWeakness: it closes with the last tool, counts once, and has the worst severity of the two.
func TestTwoToolsOneWeakness(t *testing.T) {
	o := founded(t, nil)
	one, two := of(advisory("f", 3, "CVE-1"), record.SeverityHigh, 3), advisory("g", 2, "CVE-1", "GHSA-1")
	o.sweep(noon(3), "one", one)
	o.sweep(noon(4), "two", two)
	o.expectSum(1, openFamily, "severity=critical")
	o.expectSum(absent, openFamily, "severity=high", "sla=due_soon")
	o.expectSum(1, "prodsec_duplicate_findings")
	o.expectSum(2, "prodsec_records", "kind=finding")
	o.expectEvents("opened=1 severity_left=1", "severity=high")
	o.expectEvents("severity_raised=1", "severity=critical")
	o.sweep(noon(5), "two", fixed(two, noon(5)))
	o.expect("one of them still sees it, as a high", "", "", "within=1")
	o.expectSum(1, openFamily, "severity=high", "sla=within")
	o.sweep(noon(8), "one", fixed(one, noon(7)))
	o.expect("the other is done too", "met=1", "met=1", "")
	o.expectSum(5*policy.Day.Seconds(), "prodsec_finding_remediation_seconds_sum") // day 2 to day 7
	o.expectSum(1, "prodsec_finding_remediation_seconds_count")
}

// TestThirdReportBridges: two weaknesses turn out to be one.
func TestThirdReportBridges(t *testing.T) {
	o := founded(t, nil)
	a, b := advisory("a", 2, "CVE-1"), advisory("b", 3, "GHSA-1")
	o.sweep(noon(3), "one", a, b)
	o.expectSum(2, openFamily)
	o.sweep(noon(4), "two", advisory("c", 4, "CVE-1", "GHSA-1"))
	o.expectSum(1, openFamily)
	o.expectEvents("duplicate=1 opened=2")
	o.expect("one of them is void", "void=1", "void=1", "within=1")
	o.expectSum(2, "prodsec_duplicate_findings")
	o.sweep(noon(5), "two")
	o.expectSum(1, openFamily) // what is gone still says that they are the same
}

// TestClosedAsDuplicate: a tool's own word that a report is another's.
func TestClosedAsDuplicate(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2), critical("g", 2))
	o.sweep(noon(3), "one", critical("f", 2), closed(critical("g", 2), record.ClosureDuplicate, noon(3)))
	o.expectEvents("duplicate=1 opened=2")
	o.expect("closed as a duplicate", "void=1", "void=1", "within=1")
}

// TestPolicyChange: outcomes that fell stay, deadlines that did not pass move.
func TestPolicyChange(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2), critical("g", 2))
	o.sweep(noon(5), "one", critical("f", 2), fixed(critical("g", 2), noon(5)))
	o.expect("one is fixed after three days", "met=1", "met=1", "within=1")
	o.policy = standardPolicy(t, func(c *policy.Config) { c.SLA.Targets[0].Within = policy.Duration(2 * policy.Day) })
	o.must(o.ledger.SetPolicy(t.Context(), o.policy, noon(6)))
	o.pass(noon(6))
	o.sweep(at(6, 13, 0), "one", critical("f", 2), fixed(critical("g", 2), noon(5)))
	o.expect("two days are allowed now", "met=1 missed=1", "met=1 missed=1", "breached=1")
	o.expectSum(1, "prodsec_counting_changes_total", "kind=policy")
	o.policy = standardPolicy(t, nil)
	o.must(o.ledger.SetPolicy(t.Context(), o.policy, noon(7)))
	o.pass(noon(7))
	o.expect("the old policy takes nothing back", "met=1 missed=1", "met=1 missed=1", "within=1")
}

// TestNewScope: counters have that what was there before the first reading came into view; windows have its history on its dates.
func TestNewScope(t *testing.T) {
	o := founded(t, nil)
	b := record.Batch{Scope: "alerts:new", Mode: record.Full, Findings: []record.Finding{
		critical("f", 2), fixed(critical("g", 2), noon(4)), critical("h", -20),
	}}
	o.apply(noon(5), "scanner", "one", b)
	o.expectEvents("scope_gained=2")
	o.expectSum(1, "prodsec_counting_changes_total", "kind=scope")
	o.expectSum(3, flowFamily, "window=30d", "event=opened", "team=red", "severity=critical")
	o.expectSum(-1, flowFamily, "window=30d", "event=scope_gained", "team=red", "severity=critical")
	o.expect("one was due long ago, one was fixed", "", "met=1 missed=1", "breached=1 within=1")
}

// TestScopeDropsAndReturns: a source that is silent too long says nothing, which is not zero, and changes no counter.
func TestScopeDropsAndReturns(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	o.sweep(noon(5), "two")
	o.fail(noon(4), "one")
	o.pass(noon(5))
	o.expectSum(1, openFamily, "severity=critical", "service_name=api")
	before := counters(parse(t, o.text()))
	o.pass(at(5, 12, 1))
	for _, family := range []string{openFamily, "prodsec_finding_age_seconds_count", "prodsec_finding_oldest_opened_timestamp_seconds"} {
		o.expectSum(absent, family, "severity=critical", "team=red")
	}
	o.expectSum(1, "prodsec_scopes", "collector=scanner", "status=dropped")
	after := counters(parse(t, o.text()))
	for series, value := range before {
		if after[series] != value {
			t.Errorf("%s was %v and is %v", series, value, after[series])
		}
	}
	o.sweep(noon(6), "two")
	o.sweep(noon(6), "one", critical("f", 2))
	o.expectSum(1, openFamily, "severity=critical", "service_name=api")
	o.expectSum(0, openFamily, "severity=critical", "service_name=web")
	o.expectEvents("opened=1")
}

// TestInstanceRemoved: what only it knew leaves by scope_lost, and comes back by scope_gained.
func TestInstanceRemoved(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(2), "one", critical("f", 2))
	all := o.sources
	o.sources = []ledger.Source{all[0], all[2], all[3]}
	o.must(o.ledger.Configure(t.Context(), o.sources, noon(3)))
	o.pass(noon(3))
	o.expectEvents("opened=1 scope_lost=1")
	o.expect("gone with its source", "void=1", "void=1", "")
	o.restart()
	o.sources = all
	o.must(o.ledger.Configure(t.Context(), o.sources, noon(4)))
	o.sweep(noon(5), "one", critical("f", 2))
	o.expectEvents("opened=1 scope_gained=1 scope_lost=1")
	o.expect("back with its source and its clock", "void=1", "void=1", "within=1")
	o.sweep(at(10, 0, 0), "one", critical("f", 2))
	o.expect("and past its deadline", "missed=1 void=1", "missed=1 void=1", "breached=1")
}

// TestClockStepsBack: the ledger's time does not, and nothing is counted twice or lost.
func TestClockStepsBack(t *testing.T) {
	o := founded(t, nil)
	o.sweep(noon(10), "one", critical("f", 9))
	o.sweep(noon(9), "one", critical("f", 9), critical("g", 9))
	o.expectEvents("opened=2")
	o.expectSum(2, openFamily, "severity=critical")
	o.restart()
	o.sweep(at(10, 11, 0), "one", fixed(critical("f", 9), at(10, 10, 0)), critical("g", 9))
	o.expectEvents("fixed=1 opened=2")
	o.expect("fixed by the clock that went back", "met=1", "met=1", "within=1")
}
