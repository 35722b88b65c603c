package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func runnerJSON(id int, name, more string) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"os":"linux","status":"online","busy":false,"labels":[{"id":1,"name":"self-hosted"},{"id":2,"name":"linux"}]%s}`, id, name, more)
}

// list is a page of a list that GitHub holds in an object.
func list(name string, total int, items ...string) string {
	return fmt.Sprintf(`{"total_count":%d,%q:[%s]}`, total, name, strings.Join(items, ","))
}

func serveRunners(s *collectorstest.Server) {
	s.JSON("GET /orgs/acme/actions/runner-groups", list("runner_groups", 3,
		`{"id":1,"name":"Default","visibility":"all","default":true,"inherited":false,"allows_public_repositories":true,"restricted_to_workflows":false}`,
		`{"id":2,"name":"release","visibility":"selected","inherited":false,"allows_public_repositories":false,"restricted_to_workflows":true}`,
		`{"id":3,"name":"enterprise","visibility":"private","inherited":true,"allows_public_repositories":true,"inherited_allows_public_repositories":false}`))
	s.LinkPages("GET /orgs/acme/actions/runners", "page",
		list("runners", 4, runnerJSON(23, "default-1", `,"ephemeral":false`), runnerJSON(24, "release-1", `,"ephemeral":true`)), list("runners", 4, runnerJSON(29, "loose", "")))
	s.JSON("GET /orgs/acme/actions/runner-groups/1/runners", list("runners", 1, runnerJSON(23, "default-1", `,"ephemeral":false`)))
	s.JSON("GET /orgs/acme/actions/runner-groups/2/runners", list("runners", 1, runnerJSON(24, "release-1", `,"ephemeral":true`)))
	s.JSON("GET /orgs/acme/actions/runner-groups/3/runners", list("runners", 1, runnerJSON(23, "ent-1", "")))
	s.JSON("GET /orgs/acme/actions/runner-groups/2/repositories", list("repositories", 1, `{"id":1,"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}`))
	s.JSON("GET /repos/Acme/api/actions/runners", list("runners", 1, runnerJSON(5, "own", `,"ephemeral":false`)))
	s.JSON("GET /repos/Acme/web/actions/runners", list("runners", 0))
}

func runnerScopes() []collectorstest.Scope {
	return []collectorstest.Scope{
		{Name: "runners:acme", Records: 4, Requests: at("/orgs/acme/actions/runners"), Pages: 2, Cursor: true, Links: true},
		{Name: "runners:acme/api", Records: 1, Requests: at("/repos/Acme/api/actions/runners"), Pages: 1},
		{Name: "runners:acme/web", Records: 0, Requests: at("/repos/Acme/web/actions/runners"), Pages: 1},
	}
}

func alteredRunners() []collectorstest.Altered {
	return []collectorstest.Altered{
		{Name: "runner without number", Scope: "runners:acme/api", Records: 0, Rejected: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/runners", list("runners", 1, `{"name":"nameless"}`))
		}},
		{Name: "runner in a state that is not known", Scope: "runners:acme/api", Records: 1, Serve: func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/actions/runners", list("runners", 1, `{"id":5,"name":"own","status":"asleep"}`))
		}, Check: func(b record.Batch) error {
			if r := b.Runners[0]; r.Online.Known() || r.Ephemeral.Known() {
				return fmt.Errorf("runner %+v, want unknown whether it is online or ephemeral", r)
			}
			return nil
		}},
	}
}

// released collects once, with all scopes about building and releasing.
func released(t *testing.T, change func(*Config), alter func(*collectorstest.Server)) (map[string]record.Batch, *Collector, *collectorstest.Server, *collectorstest.Clock) {
	t.Helper()
	c, s, clock := setup(t, func(cfg *Config) {
		*cfg = trustOn(*cfg)
		if change != nil {
			change(cfg)
		}
	})
	servePosture(s)
	serveTrust(s)
	if alter != nil {
		alter(s)
	}
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return batches, c, s, clock
}

func refused(code int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		collectorstest.WriteJSON(w, map[string]string{"message": message})
	}
}

func TestRunners(t *testing.T) {
	labels := []string{"self-hosted", "linux"}
	want := []record.Runner{
		{ID: "acme#23", Name: "default-1", Group: "Default", Visibility: record.RunnerAll, PublicRepositories: yes, RestrictedToWorkflows: no, Ephemeral: no, Online: yes, Labels: labels},
		{
			ID: "acme#24", Name: "release-1", Group: "release", Visibility: record.RunnerSelected, PublicRepositories: no, RestrictedToWorkflows: yes, Ephemeral: yes,
			Online: yes, Labels: labels, Repositories: []record.RepositoryName{"acme/api"},
		},
		{ID: "acme#inherited-23", Name: "ent-1", Group: "enterprise", Visibility: record.RunnerPrivate, PublicRepositories: no, Online: yes, Labels: labels},
		{ID: "acme#29", Name: "loose", Online: yes, Labels: labels},
	}
	batches, _, _, _ := released(t, nil, nil)
	if diff := cmp.Diff(want, batches["runners:acme"].Runners); diff != "" {
		t.Errorf("runners (-want +got):\n%s", diff)
	}
	own := []record.Runner{{
		ID: "acme/api#5", Name: "own", Visibility: record.RunnerRepository, PublicRepositories: no, RestrictedToWorkflows: no, Ephemeral: no, Online: yes, Labels: labels,
		Repositories: []record.RepositoryName{"acme/api"},
	}}
	if diff := cmp.Diff(own, batches["runners:acme/api"].Runners); diff != "" {
		t.Errorf("runners of a repository (-want +got):\n%s", diff)
	}
}

// TestRunnersOfGroupsThatCannotBeRead: who may use them is unknown, which is not nobody.
func TestRunnersOfGroupsThatCannotBeRead(t *testing.T) {
	batches, _, _, _ := released(t, nil, func(s *collectorstest.Server) {
		s.Handle("GET /orgs/acme/actions/runner-groups", refused(http.StatusForbidden, "Resource not accessible by integration"))
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
	batches, _, _, _ := released(t, nil, func(s *collectorstest.Server) {
		s.JSON("GET /orgs/acme/actions/runner-groups/2/repositories", list("repositories", 101, `{"id":1,"full_name":"Acme/api","html_url":"https://github.com/Acme/api"}`))
	})
	if got := batches["runners:acme"].Runners[1].Repositories; got != nil {
		t.Errorf("repositories %v, want none of them listed", got)
	}
}
