package jira

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
)

// FuzzJQL: a query is understood or refused, and one that is understood can be asked.
func FuzzJQL(f *testing.F) {
	for _, jql := range []string{
		`project = PSEC AND (status in (Approved, "x") OR NOT updated >= -1d) ORDER BY key DESC, updated`, `status not in ('a')`, `created < "2026-01-02 03:04"`,
	} {
		f.Add(jql)
	}
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	ticket := issue{project: Project, number: 1, sequence: 1, created: now, status: string(world.StatusApproved), updated: now}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseJQL(text, now)
		if err != nil {
			if !strings.ContainsAny(err.Error(), ".") {
				t.Errorf("%q: %v is no sentence", text, err)
			}
			return
		}
		q.matches(ticket)
		if q.position(ticket).ID != 1 {
			t.Errorf("%q: no position", text)
		}
	})
}
