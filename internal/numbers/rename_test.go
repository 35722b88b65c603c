package numbers_test

import (
	"testing"

	"prodsec_exporter/internal/ledger"
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
