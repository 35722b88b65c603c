package trust_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestRunners(t *testing.T) {
	labels := []string{"self-hosted", "linux"}
	want := []record.Runner{
		{ID: "acme#23", Name: "default-1", Group: "Default", Visibility: record.RunnerAll, PublicRepositories: githubtest.Yes, RestrictedToWorkflows: githubtest.No, Ephemeral: githubtest.No, Online: githubtest.Yes, Labels: labels},
		{
			ID: "acme#24", Name: "release-1", Group: "release", Visibility: record.RunnerSelected, PublicRepositories: githubtest.No, RestrictedToWorkflows: githubtest.Yes, Ephemeral: githubtest.Yes,
			Online: githubtest.Yes, Labels: labels, Repositories: []record.RepositoryName{"acme/api"},
		},
		{ID: "acme#inherited-23", Name: "ent-1", Group: "enterprise", Visibility: record.RunnerPrivate, PublicRepositories: githubtest.No, Online: githubtest.Yes, Labels: labels},
		{ID: "acme#29", Name: "loose", Online: githubtest.Yes, Labels: labels},
	}
	batches, _, _, _ := githubtest.Released(t, nil, nil)
	if diff := cmp.Diff(want, batches["runners:acme"].Runners); diff != "" {
		t.Errorf("runners (-want +got):\n%s", diff)
	}
	own := []record.Runner{{
		ID: "acme/api#5", Name: "own", Visibility: record.RunnerRepository, PublicRepositories: githubtest.No, RestrictedToWorkflows: githubtest.No, Ephemeral: githubtest.No, Online: githubtest.Yes, Labels: labels,
		Repositories: []record.RepositoryName{"acme/api"},
	}}
	if diff := cmp.Diff(own, batches["runners:acme/api"].Runners); diff != "" {
		t.Errorf("runners of a repository (-want +got):\n%s", diff)
	}
}

// TestRunnersOfGroupsThatCannotBeRead: who may use them is unknown, which is not nobody.
func TestRunnersOfGroupsThatCannotBeRead(t *testing.T) {
	batches, _, _, _ := githubtest.Released(t, nil, func(s *collectorstest.Server) {
		s.Handle("GET /orgs/acme/actions/runner-groups", githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"))
	})
	b := batches["runners:acme"]
	if b.Err != nil || len(b.Runners) != 3 {
		t.Fatalf("batch %+v, want the three runners of the organisation", b)
	}
	for _, r := range b.Runners {
		if r.Visibility != record.RunnerUnknown || r.PublicRepositories.Known() || r.Group != "" {
			t.Errorf("runner %+v, want unknown who may use it", r)
		}
	}
}

// TestRepositoriesOfLargeGroups: a list that is cut would look like all there are.
func TestRepositoriesOfLargeGroups(t *testing.T) {
	batches, _, _, _ := githubtest.Released(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/actions/runner-groups/2/repositories", githubtest.NamedList("repositories", 101, `{"id":1,"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}`))
	})
	if got := batches["runners:acme"].Runners[1].Repositories; got != nil {
		t.Errorf("repositories %v, want none of them listed", got)
	}
}
