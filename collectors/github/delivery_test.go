package github

import (
	"fmt"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// serveDelivery serves what was deployed and what went past rules.
func serveDelivery(s *collectorstest.Server) {
	serveSuites(s)
}

func deliveryScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "bypasses:acme/api", Records: 2, Requests: at(suitesOfAPI), Pages: 2, Cursor: true, Links: true},
		{Name: "bypasses:acme/web", Records: 0, Requests: at("/repos/Acme/web/rulesets/rule-suites"), Pages: 1, Links: true},
	}
}

func alteredDelivery() []collectorstest.Altered {
	suites := func(items ...string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) { s.JSON("GET "+suitesOfAPI, collectorstest.Items(items...)) }
	}
	return []collectorstest.Altered{
		{Name: "suite that passed", Scope: "bypasses:acme/api", Records: 0, Serve: suites(`{"id":12,"ref":"refs/heads/main","pushed_at":"2026-01-02T03:04:05Z","result":"pass"}`)},
		{Name: "suites that cannot be understood", Scope: "bypasses:acme/api", Records: 1, Rejected: 3, Serve: suites(
			`{"id":"twelve"}`, `{"id":1,"result":"bypass"}`, `{"pushed_at":"2026-01-02T03:04:05Z","result":"bypass"}`, suiteJSON(12, time.Hour, "")), Check: func(b record.Batch) error {
			if b.Bypasses[0].ID != "acme/api:12" {
				return fmt.Errorf("%+v", b.Bypasses)
			}
			return nil
		}},
	}
}
