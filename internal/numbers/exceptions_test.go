package numbers_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// tolerated is an approved exception of api for CWE-79.
func tolerated(decided, until time.Time) record.Exception {
	return record.Exception{
		ID: "E", State: record.ExceptionApproved, Category: "legacy", Service: "api", Categories: []string{"CWE-79"}, RequestedAt: decided,
		DecidedAt: decided, ExpiresAt: until, UpdatedAt: decided,
	}
}

// daily reads a scanner every noon.
func (o *organisation) daily(from, to int, findings ...record.Finding) {
	o.t.Helper()
	for day := from; day <= to; day++ {
		o.sweep(noon(day), "one", findings...)
	}
}

// due checks that the deadline of the only weakness is the end of a day: it stands within its time at the last noon and is missed a day later.
func (o *organisation) due(day int, findings ...record.Finding) {
	o.t.Helper()
	o.sweep(at(day, 23, 59), "one", findings...)
	o.expect("on its due day", "", "", "due_soon=1")
	o.sweep(at(day+1, 0, 1), "one", findings...)
	o.expect("a day later", "missed=1", "missed=1", "breached=1")
}

// TestWhatWasLivedUnderStays: a critical of day 2, which is due on day 9, is excepted from noon of day 3. Whatever becomes of the exception at noon of day
// 20, its clock stood still for 17 days: due on day 26.
func TestWhatWasLivedUnderStays(t *testing.T) {
	changed := func(o *organisation, change func(e *record.Exception)) {
		e := tolerated(noon(3), noon(40))
		e.UpdatedAt = noon(20)
		change(&e)
		o.decide(noon(20), e)
	}
	renamed := api("red")
	renamed.Name = "api-core"
	for name, change := range map[string]func(o *organisation, f *record.Finding){
		"asked for anew": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) {
				e.State, e.DecidedAt, e.ExpiresAt = record.ExceptionRequested, time.Time{}, noon(80)
			})
		},
		"rejected": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) { e.State, e.DecidedAt = record.ExceptionRejected, noon(20) })
		},
		"withdrawn": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) { e.State, e.EndedAt = record.ExceptionEnded, noon(20) })
		},
		"withdrawn as of a day on which it was in force": func(o *organisation, _ *record.Finding) {
			o.decide(noon(19), tolerated(noon(3), noon(40)))
			changed(o, func(e *record.Exception) { e.State, e.EndedAt = record.ExceptionEnded, noon(5) })
		},
		"its end is moved to a day that has passed": func(o *organisation, _ *record.Finding) {
			o.decide(noon(19), tolerated(noon(3), noon(40)))
			changed(o, func(e *record.Exception) { e.ExpiresAt = noon(6) })
		},
		"a word nobody knows": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) { e.State = record.ExceptionOther })
		},
		"narrowed to another category": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) { e.Categories = []string{"CWE-89"} })
		},
		"given to another service": func(o *organisation, _ *record.Finding) {
			changed(o, func(e *record.Exception) { e.Service = "web" })
		},
		"deleted":            func(o *organisation, _ *record.Finding) { o.decide(noon(20)) },
		"the service is new": func(o *organisation, _ *record.Finding) { o.catalog(noon(20), renamed, web()) },
		"the finding has another category": func(o *organisation, f *record.Finding) {
			f.Category, f.UpdatedAt = "CWE-89", noon(20)
		},
		"tickets are not read any more": func(o *organisation, _ *record.Finding) {
			o.must(o.ledger.Configure(o.t.Context(), o.sources[:3], noon(20)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			f := critical("f", 2)
			o.sweep(noon(2), "one", f)
			o.decide(noon(3), tolerated(noon(3), noon(40)))
			o.daily(4, 19, f)
			change(o, &f)
			o.sweep(noon(20), "one", f)
			o.expect("after the change", "", "", "within=1")
			o.restart()
			o.daily(21, 25, f)
			o.due(26, f)
		})
	}
}

// TestApprovedAnew: a ticket that is approved again, before or after it ran out, covers both spans and not what lies between them.
func TestApprovedAnew(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", f)
	o.decide(noon(3), tolerated(noon(3), noon(40)))
	o.daily(4, 19, f)
	o.decide(noon(20), tolerated(noon(20), noon(80)))
	o.daily(20, 79, f)
	o.expect("approved for longer", "", "", "excepted=1")
	o.daily(80, 85, f)
	o.due(86, f) // 9 + 77

	o = founded(t, nil)
	o.sweep(noon(2), "one", f)
	o.decide(noon(3), tolerated(noon(3), noon(8))) // due on day 14
	o.daily(4, 12, f)
	o.decide(noon(13), tolerated(noon(13), noon(16)))
	o.daily(14, 16, f)
	o.due(17, f) // 9 + 5 + 3
}

// TestAChangeBuysNoTimeBackwards: a critical of day 20 is due on day 27. An exception of day 20 until day 28 is made to cover it at noon of day 26: it has
// two days more and not eight.
func TestAChangeBuysNoTimeBackwards(t *testing.T) {
	early := tolerated(noon(20), noon(28))
	for name, c := range map[string]struct {
		before func(e *record.Exception)
		seen   func(f *record.Finding)
		change func(o *organisation, e *record.Exception, f *record.Finding)
	}{
		"widened to its category": {
			before: func(e *record.Exception) { e.Categories = []string{"CWE-89"} },
			change: func(o *organisation, e *record.Exception, _ *record.Finding) {
				e.Categories, e.UpdatedAt = []string{"CWE-89", "CWE-79"}, noon(26)
				o.decide(at(26, 13, 0), *e)
			},
		},
		"widened, by a source that dates no updates": {
			before: func(e *record.Exception) { e.Categories = []string{"CWE-89"} },
			change: func(o *organisation, e *record.Exception, _ *record.Finding) {
				e.Categories = []string{"CWE-79"}
				o.decide(noon(26), *e)
			},
		},
		"given its service": {
			before: func(e *record.Exception) { e.Service = "web" },
			change: func(o *organisation, e *record.Exception, _ *record.Finding) {
				e.Service, e.UpdatedAt = "api", noon(26)
				o.decide(noon(26), *e)
			},
		},
		"approved as of an earlier day": {
			before: func(e *record.Exception) { e.State, e.DecidedAt = record.ExceptionRequested, time.Time{} },
			change: func(o *organisation, e *record.Exception, _ *record.Finding) {
				o.decide(noon(25), *e)
				e.State, e.DecidedAt, e.UpdatedAt = record.ExceptionApproved, noon(20), noon(26)
				o.decide(noon(26), *e)
			},
		},
		"begun as of an earlier day": {
			before: func(e *record.Exception) { e.DecidedAt, e.ExpiresAt = noon(40), noon(50) },
			change: func(o *organisation, e *record.Exception, _ *record.Finding) {
				o.decide(noon(25), *e)
				e.DecidedAt, e.ExpiresAt, e.UpdatedAt = noon(20), noon(28), noon(26)
				o.decide(noon(26), *e)
			},
		},
		"the finding moves into its category": {
			seen: func(f *record.Finding) { f.Category = "CWE-89" },
			change: func(o *organisation, _ *record.Exception, f *record.Finding) {
				f.Category, f.UpdatedAt = "CWE-79", noon(26)
				o.sweep(at(26, 13, 0), "one", *f)
			},
		},
		"the finding moves to its service": {
			seen: func(f *record.Finding) { f.Repository = "acme/web" },
			change: func(o *organisation, _ *record.Exception, f *record.Finding) {
				moved := web()
				moved.Repositories = nil
				all := api("red")
				all.Repositories = append(all.Repositories, record.RepositoryPath{Repository: "acme/web"})
				o.catalog(noon(26), all, moved)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			e, f := early, critical("f", 20)
			if c.before != nil {
				c.before(&e)
			}
			if c.seen != nil {
				c.seen(&f)
			}
			o.sweep(noon(20), "one", f)
			o.decide(noon(20), e)
			o.daily(21, 25, f)
			c.change(o, &e, &f)
			o.sweep(at(26, 14, 0), "one", f)
			o.expect("covered now", "", "", "excepted=1")
			o.daily(27, 28, f)
			o.due(29, f)
		})
	}
}

// TestExtendedAfterItRanOut: an end that is moved on without a new decision covers from when it was moved.
func TestExtendedAfterItRanOut(t *testing.T) {
	o := founded(t, nil)
	f, e := critical("f", 2), tolerated(noon(3), noon(8))
	o.sweep(noon(2), "one", f)
	o.decide(noon(3), e)
	o.daily(4, 12, f)
	e.ExpiresAt, e.UpdatedAt = noon(15), noon(12)
	o.decide(noon(12), e)
	o.daily(13, 16, f)
	o.due(17, f) // 9 + 5 + 3
}

// TestHistoryOfTheSource: where the source keeps when an exception was in force, that decides, and not when we looked or what the last decision was.
func TestHistoryOfTheSource(t *testing.T) {
	history := []record.Interval{{From: noon(3), Until: noon(8)}, {From: noon(10), Until: noon(13)}}
	for _, imported := range []bool{true, false} {
		o := unfounded(t, nil)
		o.catalog(noon(1), api("red"), web())
		if !imported {
			o.decide(noon(1))
			o.must(o.ledger.MarkFounded(t.Context(), noon(1)))
		}
		f, e := critical("f", 2), tolerated(noon(10), noon(13))
		e.InForce = history
		o.sweep(noon(2), "one", f)
		if !imported {
			o.decide(noon(4), record.Exception{ID: "E", State: record.ExceptionRequested, Service: "api", Categories: []string{"CWE-79"}, InForce: []record.Interval{}})
			o.sweep(noon(9), "one", f)
		}
		o.now = noon(11)
		o.decide(noon(11), e)
		o.sweep(noon(11), "one", f)
		if imported {
			o.must(o.ledger.MarkFounded(t.Context(), noon(11)))
			o.pass(noon(11))
		}
		o.expect("in force for the second time", "", "", "excepted=1")
		o.daily(12, 16, f)
		o.due(17, f) // 9 + 5 + 3
	}
}

// TestDecidedInTheFuture: an exception that is approved from a later day on is not active before.
func TestDecidedInTheFuture(t *testing.T) {
	o := founded(t, nil)
	f := critical("f", 2)
	o.sweep(noon(2), "one", f)
	o.decide(noon(3), tolerated(noon(5), noon(40)))
	o.expect("before it begins", "", "", "within=1")
	if got := by(parse(t, o.text()), "state", "prodsec_exceptions"); got != "requested=1" {
		t.Errorf("before it begins it is %q", got)
	}
	o.daily(4, 5, f)
	o.expect("from its day on", "", "", "excepted=1")
	if got := by(parse(t, o.text()), "state", "prodsec_exceptions"); got != "active=1" {
		t.Errorf("from its day on it is %q", got)
	}
}

// TestAcceptancesThatPolicyCountsFromADay: a policy that takes a scanner's acceptances does so from when it is in force.
func TestAcceptancesThatPolicyCountsFromADay(t *testing.T) {
	o := founded(t, nil)
	f, e := critical("f", 20), tolerated(noon(20), noon(28))
	e.VendorAcceptance, e.Tool = true, "dojo"
	o.sweep(noon(20), "one", f)
	o.decide(noon(20), e)
	o.daily(21, 26, f)
	o.expect("not counted", "", "", "due_soon=1")
	o.policy = standardPolicy(t, func(c *policy.Config) { c.Exceptions.VendorAcceptances = []string{"dojo"} })
	o.must(o.ledger.SetPolicy(t.Context(), o.policy, noon(26)))
	o.expect("counted", "", "", "excepted=1")
	o.daily(27, 28, f)
	o.due(29, f)
}
