package world_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/demo/world"
)

// TestReleasesFollowFromTheSeed: whenever the demo was started, a release or run is what it is.
func TestReleasesFollowFromTheSeed(t *testing.T) {
	at := starts[1]
	early, late := world.New(7, at.Add(-40*day)), world.New(7, at)
	ids := map[int64]bool{}
	releases, attested := 0, 0
	for i, r := range early.Repositories {
		other := late.Repositories[i]
		first, second := early.ReleasesAt(r, at), late.ReleasesAt(other, at)
		if len(first) != len(second) {
			t.Fatalf("%s: %d releases and %d", r.Name, len(first), len(second))
		}
		for j, x := range first {
			y := second[j]
			if diff := cmp.Diff(x.Assets, y.Assets); diff != "" || x.ID != y.ID || x.Tag != y.Tag || !x.PublishedAt.Equal(y.PublishedAt) || x.Immutable != y.Immutable {
				t.Fatalf("%s %s: %s", r.Name, x.Tag, diff)
			}
			if ids[x.ID] || x.PublishedAt.After(at) || j > 0 && x.PublishedAt.After(first[j-1].PublishedAt) {
				t.Errorf("%s %s: given away twice, in the future or out of order", r.Name, x.Tag)
			}
			ids[x.ID] = true
			releases++
			if len(x.Assets) > 0 && x.Assets[0].Provenance {
				attested++
			}
		}
		for _, workflow := range early.WorkflowsOf(r) {
			runs := early.RunsAt(r, workflow, at)
			for j, run := range runs {
				if ids[run.ID] || run.EndedAt.After(at) || j > 0 && run.EndedAt.After(runs[j-1].EndedAt) {
					t.Errorf("run %d of %s: given away twice, in the future or out of order", run.ID, r.Name)
				}
				ids[run.ID] = true
			}
			if diff := cmp.Diff(workflow, late.WorkflowsOf(other)[indexOf(early.WorkflowsOf(r), workflow)]); diff != "" {
				t.Errorf("%s: %s", r.Name, diff)
			}
		}
		if diff := cmp.Diff(early.SecretsOf(r), late.SecretsOf(other)); diff != "" {
			t.Errorf("secrets of %s: %s", r.Name, diff)
		}
	}
	if releases < 150 || attested < releases/5 || attested > releases*4/5 {
		t.Errorf("%d releases, %d of them attested", releases, attested)
	}
}

func indexOf(list []world.Workflow, w world.Workflow) int {
	for i := range list {
		if list[i].File == w.File {
			return i
		}
	}
	return -1
}

// TestPracticesSpread: in a year more releases are attested than before.
func TestPracticesSpread(t *testing.T) {
	share := func(at time.Time) float64 {
		w := world.New(3, at)
		all, attested := 0.0, 0.0
		for _, r := range w.Repositories {
			for _, x := range w.ReleasesAt(r, at) {
				if len(x.Assets) == 0 {
					continue
				}
				all++
				if x.Assets[0].Provenance {
					attested++
				}
			}
		}
		return attested / all
	}
	if before, after := share(starts[0]), share(starts[0].Add(540*day)); after < before+0.2 {
		t.Errorf("%.2f of releases are attested, after %.2f a year and a half ago", after, before)
	}
}
