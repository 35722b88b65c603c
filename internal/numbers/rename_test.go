package numbers_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/record"
)

// TestRenamedService: a service that its catalog says was renamed is the same service: nothing moves, its exceptions hold, its outcomes are its own, and
// the past knows it by the name that it had.
func TestRenamedService(t *testing.T) {
	o := founded(t, nil)
	f, g := critical("f", 2), critical("g", 2)
	g.Category = "CWE-89"
	o.sweep(noon(2), "one", f, g)
	o.decide(noon(3), tolerated(noon(3), noon(40)))
	o.daily(4, 12, f, g)
	o.expectSum(1, outcomesFamily, "service_name=api", "outcome=missed")
	renamed := api("red")
	renamed.Name, renamed.RenamedFrom = "api-core", []string{"api"}
	o.catalog(noon(20), renamed, web())
	o.sweep(at(20, 13, 0), "one", f, g)
	o.expectSum(1, outcomesFamily, "service_name=api-core", "outcome=missed")
	o.expectSum(1, openFamily, "service_name=api-core", "sla=excepted")
	if got := by(parse(t, o.text()), "event", eventsFamily); got != "excepted=1 opened=2" {
		t.Errorf("events %q: something moved or ended", got)
	}
	o.restart()
	o.decide(noon(21), tolerated(noon(3), noon(40)))
	o.daily(21, 30, f, g)
	o.expectSum(1, openFamily, "service_name=api-core", "sla=excepted")
	history, err := ledger.OpenHistory(t.Context(), o.path, nil)
	o.must(err)
	defer func() { _ = history.Close() }()
	for day, want := range map[int]string{19: "api", 25: "api-core"} {
		known, _, err := history.AsOf(t.Context(), noon(day))
		o.must(err)
		w := known.Weaknesses.At(0)
		if got := known.Services[w.Service].Name; got != want || known.Owners[known.Services[w.Service].Owner].Service != want {
			t.Errorf("as of day %d the service is %q, want %q", day, got, want)
		}
	}
}

// TestRenamedByIdentity: a catalog that knows a service by something else than its name tells of a rename by giving it another one, once, and the service keeps its
// former names for as long as it has that identity.
func TestRenamedByIdentity(t *testing.T) {
	named := func(name, identity string) record.Service {
		s := api("red")
		s.Name, s.Identity = name, identity
		return s
	}
	for name, c := range map[string]struct {
		became  []record.Service
		renamed bool
	}{
		"another name":                          {[]record.Service{named("api-core", "7")}, true},
		"another name and another identity":     {[]record.Service{named("api-core", "8")}, false},
		"another name and no identity":          {[]record.Service{named("api-core", "")}, false},
		"the name goes on under another":        {[]record.Service{named("api-core", "7"), {Name: "api", Identity: "8"}}, false},
		"two that both have the identity of it": {[]record.Service{named("api-core", "7"), {Name: "api-edge", Identity: "7"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			o.catalog(noon(2), named("api", "7"), web())
			f := critical("f", 2)
			o.sweep(noon(2), "one", f)
			o.decide(noon(3), tolerated(noon(3), noon(90)))
			o.daily(4, 19, f)
			for day := 20; day <= 22; day++ {
				o.catalog(noon(day), append(c.became, web())...)
				o.sweep(noon(day), "one", f)
				o.restart()
			}
			want := map[bool]string{true: "excepted=1", false: "within=1"}[c.renamed]
			o.expect("after the rename", "", "", want)
			o.expectSum(1, openFamily, "service_name=api-core")
			if got := by(parse(t, o.text()), "event", eventsFamily); c.renamed && got != "excepted=1 opened=1" {
				t.Errorf("events %q: something moved or ended", got)
			}
			if c.renamed { // and back
				o.catalog(noon(23), named("api", "7"), web())
				o.sweep(noon(23), "one", f)
				o.expectSum(1, openFamily, "service_name=api", "sla=excepted")
			}
		})
	}
}

// TestRenameAndExceptionInOneBatch: a catalog may bring exceptions with the services that they name; a batch that renames a service and changes its exception
// does both.
func TestRenameAndExceptionInOneBatch(t *testing.T) {
	renamed := api("red")
	renamed.Name, renamed.RenamedFrom = "api-core", []string{"api"}
	for name, c := range map[string]struct {
		change func(e *record.Exception)
		then   string
		due    int
	}{
		"by its old name":          {func(*record.Exception) {}, "excepted=1", 46},
		"by its new name":          {func(e *record.Exception) { e.Service = "api-core" }, "excepted=1", 46},
		"extended by its new name": {func(e *record.Exception) { e.Service, e.ExpiresAt, e.UpdatedAt = "api-core", noon(60), noon(20) }, "excepted=1", 66},
		"withdrawn": {func(e *record.Exception) {
			e.Service, e.State, e.EndedAt, e.UpdatedAt = "api-core", record.ExceptionEnded, noon(20), noon(20)
		}, "within=1", 26},
		"sent back": {func(e *record.Exception) {
			e.Service, e.State, e.DecidedAt, e.UpdatedAt = "api-core", record.ExceptionRequested, time.Time{}, noon(20)
		}, "within=1", 26},
	} {
		t.Run(name, func(t *testing.T) {
			o := founded(t, nil)
			tell := func(day int, s record.Service, e record.Exception) {
				o.apply(noon(day), "catalog", "main", record.Batch{
					Scope: "catalog:main", Mode: record.Full, Services: []record.Service{s, web()}, Exceptions: []record.Exception{e},
				})
			}
			f, e := critical("f", 2), tolerated(noon(3), noon(40))
			o.sweep(noon(2), "one", f)
			tell(3, api("red"), e)
			o.daily(4, 19, f)
			c.change(&e)
			tell(20, renamed, e)
			o.sweep(noon(20), "one", f)
			o.expect("renamed", "", "", c.then)
			o.expectSum(1, openFamily, "service_name=api-core")
			o.restart()
			o.daily(21, c.due-1, f)
			o.due(c.due, f)
		})
	}
}
