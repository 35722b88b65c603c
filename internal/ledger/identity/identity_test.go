package identity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// reported is a report of a dependency, first seen at a minute of its own.
func reported(tool, id, pkg, place string, aliases ...string) *Report {
	return &Report{
		Source: store.SourceID{Collector: tool, Instance: "i"},
		Finding: record.Finding{
			ID: id, Tool: tool, Class: record.ClassSCA, Repository: "acme/api", Package: pkg, Place: place, Aliases: aliases, FirstSeen: time.Unix(60*int64(len(id)), 0),
		},
	}
}

// folded writes weaknesses as the ids of their reports.
func folded(weaknesses [][]*Report) []string {
	lines := make([]string, 0, len(weaknesses))
	for _, w := range weaknesses {
		ids := make([]string, 0, len(w))
		for _, d := range w {
			ids = append(ids, d.Source.Collector+":"+d.Finding.ID)
		}
		slices.Sort(ids)
		lines = append(lines, strings.Join(ids, " "))
	}
	slices.Sort(lines)
	return lines
}

// TestIdentity folds by hand-made cases; each line of want is one weakness.
func TestIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		reports []*Report
		want    []string
	}{
		"one package, one advisory": {
			[]*Report{reported("a", "1", "npm/x", "package.json", "CVE-1"), reported("b", "2", "npm/x", "package.json", "CVE-1", "GHSA-1")},
			[]string{"a:1 b:2"},
		},
		"without an ecosystem it is the package of its advisory": {
			[]*Report{reported("a", "1", "npm/x", "package.json", "CVE-1"), reported("dojo", "2", "generic/x", "", "CVE-1")},
			[]string{"a:1 dojo:2"},
		},
		"the spelling of an ecosystem does not matter": {
			[]*Report{
				reported("a", "1", "pip/typing-extensions", "", "CVE-1"), reported("dojo", "2", "generic/Typing_Extensions", "", "CVE-1"),
				reported("a", "3", "maven/org.apache:log4j", "", "CVE-2"), reported("dojo", "4", "generic/org.apache/log4j", "", "CVE-2"),
			},
			[]string{"a:1 dojo:2", "a:3 dojo:4"},
		},
		"it connects advisories of one package": {
			[]*Report{
				reported("a", "1", "npm/x", "package.json", "GHSA-1"), reported("b", "2", "npm/x", "package.json", "CVE-1"),
				reported("dojo", "3", "generic/x", "", "CVE-1", "GHSA-1"),
			},
			[]string{"a:1 b:2 dojo:3"},
		},
		"two ecosystems with one name are never one": {
			[]*Report{reported("a", "1", "npm/x", "", "CVE-1"), reported("a", "2", "pip/x", "", "CVE-1"), reported("dojo", "3", "generic/x", "", "CVE-1")},
			[]string{"a:1", "a:2", "dojo:3"},
		},
		"nor do two reports without an ecosystem join them": {
			[]*Report{
				reported("a", "1", "npm/x", "", "CVE-1"), reported("a", "2", "pip/x", "", "CVE-2"),
				reported("dojo", "3", "generic/x", "", "CVE-1", "CVE-3"), reported("snyk", "4", "generic/x", "", "CVE-2", "CVE-3"),
			},
			[]string{"a:1", "a:2", "dojo:3 snyk:4"},
		},
		"another advisory, another weakness": {
			[]*Report{reported("a", "1", "npm/x", "", "CVE-1"), reported("dojo", "2", "generic/x", "", "CVE-2")},
			[]string{"a:1", "dojo:2"},
		},
		"another name": {
			[]*Report{reported("a", "1", "npm/x", "", "CVE-1"), reported("dojo", "2", "generic/y", "", "CVE-1")},
			[]string{"a:1", "dojo:2"},
		},
		"two manifests": {
			[]*Report{
				reported("a", "1", "npm/x", "web/package.json", "CVE-1"), reported("a", "2", "npm/x", "api/package.json", "CVE-1"),
				reported("dojo", "3", "generic/x", "", "CVE-1"),
			},
			[]string{"a:1", "a:2 dojo:3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 50 {
				if d := cmp.Diff(tt.want, folded(Cluster(slices.Clone(tt.reports)))); d != "" {
					t.Fatalf("(-want +got):\n%s", d)
				}
				rng.Shuffle(len(tt.reports), func(i, j int) { tt.reports[i], tt.reports[j] = tt.reports[j], tt.reports[i] })
			}
		})
	}
}

// TestIdentityIsAFunctionOfTheSet folds random reports in several orders: the weaknesses are the same, hold every report once, and none of
// them holds two packages, two places or reports that no chain of advisories connects.
func TestIdentityIsAFunctionOfTheSet(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var reports []*Report
		for i := range 2 + rng.IntN(9) {
			pick := func(values ...string) string { return values[rng.IntN(len(values))] }
			d := reported(pick("a", "b", "dojo"), fmt.Sprint(i), pick("npm/x", "pip/x", "generic/x", "generic/X", "npm/y"), pick("", "web/p.json", "api/p.json"))
			for _, alias := range []string{"CVE-1", "CVE-2", "GHSA-3"} {
				if rng.IntN(2) == 0 {
					d.Finding.Aliases = append(d.Finding.Aliases, alias)
				}
			}
			reports = append(reports, d)
		}
		var want []string
		for order := range 5 {
			weaknesses := Cluster(slices.Clone(reports))
			for _, w := range weaknesses {
				checkSound(t, seed, w)
			}
			got := folded(weaknesses)
			if order == 0 {
				want = got
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d: another order gives other weaknesses (-first +now):\n%s", seed, d)
			}
			if n := len(strings.Fields(strings.Join(got, " "))); n != len(reports) {
				t.Fatalf("seed %d: %d of %d reports are in a weakness", seed, n, len(reports))
			}
			rng.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		}
	}
}

func checkSound(t *testing.T, seed uint64, w []*Report) {
	t.Helper()
	packages, places := map[string]bool{}, map[string]bool{}
	for _, d := range w {
		if name := d.Finding.Package; !strings.HasPrefix(name, "generic/") {
			packages[name] = true
		}
		if place := placeOf(&d.Finding); place != "" {
			places[place] = true
		}
	}
	if len(packages) > 1 || len(places) > 1 {
		t.Fatalf("seed %d: one weakness in packages %v at places %v", seed, packages, places)
	}
	for _, d := range w[1:] {
		if len(d.Finding.Aliases) == 0 {
			t.Fatalf("seed %d: a report without an advisory was folded: %v", seed, d.Finding)
		}
	}
}
