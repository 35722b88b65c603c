package github

import (
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
)

// FuzzGraphQL: whatever is asked, the executor answers or refuses.
func FuzzGraphQL(f *testing.F) {
	f.Add(`query($org: String!) { organization(login: $org) { repositories(first: 100, isArchived: false) { nodes { name defaultBranchRef { name } } pageInfo { endCursor hasNextPage } } } }`)
	f.Add(`query q($a: Int = 1) { viewer { login } ...x @skip(if: true) } fragment x on Query { viewer { login } }`)
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	g := New(world.New(1, now), func() time.Time { return now }, "token", "http://demo.example").(*gitHub)
	f.Fuzz(func(t *testing.T, text string) {
		data, failures, cost := g.execute(text, "", map[string]any{"org": "meridian-labs"})
		if cost < 1 || data == nil && len(failures) == 0 {
			t.Errorf("%q: data %v, errors %v, cost %d", text, data, failures, cost)
		}
	})
}
