package trust

import (
	"testing"
	"time"

	"prodsec_exporter/collectors/github/api"
)

func TestPipelinesThatAreLookedAt(t *testing.T) {
	c := &Collector{config: Config{PipelinePatterns: []string{"*deploy*", "CI?CD", ".github/workflows/x-*.yml"}}}
	for _, tt := range []struct {
		w    workflow
		want bool
	}{
		{workflow{path: ".github/workflows/deploy.yml", name: "x"}, true},
		{workflow{path: ".github/workflows/a.yml", name: "Deploy to production"}, true},
		{workflow{path: ".github/workflows/a.yml", name: "ci/cd"}, true},
		{workflow{path: ".github/workflows/x-1.yml", name: "x"}, true},
		{workflow{path: ".github/workflows/test.yml", name: "Test"}, false},
		{workflow{path: ".github/workflows/test.yml", name: "Test", environments: []string{"staging"}}, true},
		{workflow{path: ".github/workflows/test.yml", name: "Test", dynamic: true}, true},
		{workflow{path: ".github/workflows/test.yml", name: "Test", calls: true}, false},
		{workflow{path: ".github/workflows/deploy.yml", name: "x", environments: []string{"staging"}, onlyCalled: true}, false},
	} {
		if got := c.isPipeline(&tt.w); got != tt.want {
			t.Errorf("%+v is looked at: %t, want %t", tt.w, got, tt.want)
		}
	}
}

func TestRunsThatMadeReleases(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p := &published{release: release{Tag: "v1", PublishedAt: api.Timestamp{Time: at}}}
	ok := run{Conclusion: "success", Commit: "c1", Branch: "main", CreatedAt: api.Timestamp{Time: at.Add(-time.Hour)}, UpdatedAt: api.Timestamp{Time: at.Add(time.Minute)}}
	change := func(f func(*run)) run {
		r := ok
		f(&r)
		return r
	}
	for name, tt := range map[string]struct {
		run    run
		commit string
		want   bool
	}{
		"under way when it was published":       {ok, "", true},
		"of the same commit":                    {ok, "c1", true},
		"of another commit":                     {ok, "c2", false},
		"over before":                           {change(func(r *run) { r.UpdatedAt = api.Timestamp{Time: at.Add(-time.Hour)} }), "", false},
		"begun after":                           {change(func(r *run) { r.CreatedAt = api.Timestamp{Time: at.Add(time.Minute)} }), "", false},
		"of the tag, whenever it was published": {change(func(r *run) { r.Branch, r.UpdatedAt = "v1", api.Timestamp{Time: at.Add(-time.Hour)} }), "", true},
		"of a pull request from such a branch": {change(func(r *run) {
			r.Branch, r.Event, r.UpdatedAt = "v1", "pull_request", api.Timestamp{Time: at.Add(-time.Hour)}
		}), "", false},
		"failed": {change(func(r *run) { r.Conclusion = "failure" }), "", false},
	} {
		p.commit = tt.commit
		if got := tt.run.made(p); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
