package ledger_test

import (
	"testing"

	"prodsec_exporter/internal/ledger"
	"prodsec_exporter/internal/ledger/ledgertest"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// claim gives a repository, or paths in it, to a service.
func claim(repository record.RepositoryName, paths ...string) []record.RepositoryPath {
	return []record.RepositoryPath{{Repository: repository, Paths: paths}}
}

func (s *story) catalog(n int, instance string, services ...record.Service) {
	s.t.Helper()
	s.must(s.Apply(s.t.Context(), "catalog", instance,
		record.Batch{Scope: "catalog:" + instance, Mode: record.Full, Services: append([]record.Service{}, services...)}, day(n)))
}

// TestCatalogsMerge shows that per field the first catalog that knows it wins, in the order of policy.
func TestCatalogsMerge(t *testing.T) {
	s := newStory(t, func(c *policy.Config) { c.Precedence = []string{"catalog/best"} })
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "catalog", Instance: "other"}, {Collector: "catalog", Instance: "best"}}, day(1)))
	s.catalog(1, "other", record.Service{Name: "api", Team: "wrong", BusinessUnit: "bank", CrownJewel: record.AnswerNo, TrustTier: "tier1"})
	s.catalog(1, "best", record.Service{Name: "api", Team: "right", CrownJewel: record.AnswerYes})
	known := s.Snapshot()
	if len(known.Services) != 2 || known.Services[0].Name != record.Unattributed {
		t.Fatalf("services %+v", known.Services)
	}
	api := known.Services[1]
	want := snapshot.Owner{BusinessUnit: "bank", Team: "right", Service: "api", TrustTier: "tier1"}
	if known.Owners[api.Owner] != want || api.CrownJewel != record.AnswerYes || !api.Facts.CrownJewel {
		t.Errorf("api is %+v of %+v, want %+v", api, known.Owners[api.Owner], want)
	}
}

// TestPathsDecide attributes findings of a repository that several services share.
func TestPathsDecide(t *testing.T) {
	s := newStory(t, nil)
	s.catalog(1, "a",
		record.Service{Name: "whole", Repositories: claim("acme/mono")},
		record.Service{Name: "api", Repositories: claim("acme/mono", "services/api/**")},
		record.Service{Name: "auth", Repositories: claim("acme/mono", "services/api/auth/")},
		record.Service{Name: "infra", Repositories: claim("acme/mono", "*.tf")})
	for place, want := range map[string]string{
		"services/api/main.go":       "api",
		"services/api/auth/token.go": "auth",
		"services/api/authority.go":  "api",
		"deploy/main.tf":             "infra",
		"main.tf":                    "infra",
		"README.md":                  "whole",
		"other/services/api/main.go": "whole",
		"":                           "whole",
		"services/apiary/main.go":    "whole",
		"/services/api/from/root.go": "api",
	} {
		f := critical("at "+place, 2)
		f.Repository, f.Place = "acme/mono", place
		s.apply(2, "one", record.Batch{Scope: "alerts:acme", Mode: record.Full, Findings: []record.Finding{f}})
		known := s.Snapshot()
		w := known.Weaknesses.At(known.Weaknesses.Len() - 1)
		if got := known.Services[w.Service].Name; got != want {
			t.Errorf("%q belongs to %s, want %s", place, got, want)
		}
	}
}

// TestMoves shows that a change of owner moves what is open, and nothing else, and that the past keeps its owner.
func TestMoves(t *testing.T) {
	s := newStory(t, nil)
	service := record.Service{Name: "api", Team: "red", Repositories: claim("acme/api")}
	s.catalog(1, "a", service)
	s.says(1)
	s.must(s.MarkFounded(t.Context(), day(1)))
	s.says(2, critical("f", 2), closed(critical("g", 2), record.ClosureFixed, 2))
	s.next()
	service.Team = "blue"
	s.catalog(3, "a", service)
	s.expect("moved_out critical 3/3, moved_in critical 3/3")
	known := s.Snapshot()
	n := known.Events.Len()
	if from, to := known.Owners[known.Events.At(n-2).Owner].Team, known.Owners[known.Events.At(n-1).Owner].Team; from != "red" || to != "blue" {
		t.Errorf("moved from %q to %q, want red to blue", from, to)
	}
	if first := known.Owners[known.Events.At(0).Owner].Team; first != "red" {
		t.Errorf("the opening belongs to %q now, want red as it was", first)
	}
	s.catalog(4, "a")
	s.expect("moved_out critical 4/4, moved_in critical 4/4")
	known = s.Snapshot()
	if w := known.Weaknesses.At(0); w.Service != 0 || len(known.Services) != 1 || known.Repositories[0].Unmapped != snapshot.UnmappedNoHost {
		t.Errorf("without a catalog the weakness belongs to service %d of %d", w.Service, len(known.Services))
	}
}

// TestGoneFindingsFollowTheCatalog shows that a finding that vanished before its catalog came is owned all the same.
func TestGoneFindingsFollowTheCatalog(t *testing.T) {
	s := newStory(t, nil)
	s.says(1, critical("f", 1))
	s.says(2)
	s.catalog(3, "a", record.Service{Name: "other", Repositories: claim("acme/other")})
	s.catalog(3, "b", record.Service{Name: "other", Repositories: claim("acme/other")})
	s.catalog(4, "a", record.Service{Name: "other", Repositories: claim("acme/api")})
	s.catalog(4, "b")
	known := s.Snapshot()
	if w := known.Weaknesses.At(0); known.Services[w.Service].Name != "other" || w.Open() || w.Repository != -1 {
		t.Errorf("%+v, want it closed, without a repository, and owned by the service that claims where it was", *w)
	}
}

// TestSourceNamesService shows that a service named by the source wins if a catalog knows it, as soon as one does.
func TestSourceNamesService(t *testing.T) {
	s := begun(t, nil)
	f := critical("f", 2)
	f.Service = "billing"
	s.catalog(2, "a", record.Service{Name: "api", Repositories: claim("acme/api")})
	s.says(2, f)
	service := func() string {
		known := s.Snapshot()
		return known.Services[known.Weaknesses.At(0).Service].Name
	}
	if got := service(); got != "api" {
		t.Errorf("attributed to %s, want api by repository: no catalog knows billing", got)
	}
	s.catalog(3, "a", record.Service{Name: "api", Repositories: claim("acme/api")}, record.Service{Name: "billing"})
	if got := service(); got != "billing" {
		t.Errorf("attributed to %s, want billing as the source says", got)
	}
}

// TestRepositories merges what scopes say, and lets go of what nobody names.
func TestRepositories(t *testing.T) {
	s := begun(t, nil)
	yes := record.AnswerYes
	s.apply(2, "one", record.Batch{Scope: "repositories:acme", Mode: record.Full, Repositories: []record.Repository{{Name: "acme/api", Topics: []string{"x"}}, {Name: "acme/old", Archived: true}}})
	s.apply(2, "one", record.Batch{Scope: "protection:acme", Mode: record.Full, Repositories: []record.Repository{{Name: "acme/api", Branches: []record.BranchProtection{{Branch: "main", PullRequest: yes}}}}})
	s.catalog(2, "a", record.Service{Name: "api", Repositories: claim("acme/api")}, record.Service{Name: "web", Team: "t", Repositories: claim("acme/web")})
	want := map[record.RepositoryName]snapshot.UnmappedReason{
		"acme/api": snapshot.UnmappedNoOwner, "acme/old": snapshot.UnmappedArchived, "acme/web": "",
	}
	known := s.Snapshot()
	if len(known.Repositories) != len(want) {
		t.Errorf("%d repositories, want %d", len(known.Repositories), len(want))
	}
	for _, r := range known.Repositories {
		if reason, ok := want[r.Name]; !ok || r.Unmapped != reason {
			t.Errorf("%s is unmapped for %q, want %q", r.Name, r.Unmapped, reason)
		}
		if r.Name == "acme/api" && (len(r.Topics) != 1 || len(r.Branches) != 1) {
			t.Errorf("%+v is not what both scopes say", r.Repository)
		}
	}
	s.apply(3, "one", record.Batch{Scope: "repositories:acme", Mode: record.Full, Repositories: []record.Repository{{Name: "acme/api"}}})
	if got := len(s.Snapshot().Repositories); got != 2 {
		t.Errorf("%d repositories after one was deleted, want 2", got)
	}
}

// TestRemovedSource shows that what an instance knew leaves with it.
func TestRemovedSource(t *testing.T) {
	s := newStory(t, nil)
	both := []ledger.Source{{Collector: "scanner", Instance: "one"}, {Collector: "scanner", Instance: "two"}}
	s.must(s.Configure(t.Context(), both, day(1)))
	s.says(1, critical("f", 1))
	s.apply(1, "two", record.Batch{Scope: "alerts:two", Mode: record.Full, Findings: []record.Finding{critical("g", 1)}, Scans: []record.Scan{{Tool: "x"}}})
	s.must(s.MarkFounded(t.Context(), day(1)))
	s.next()
	s.must(s.Configure(t.Context(), both[:1], day(2)))
	s.expect("scope_lost critical 2/2, void critical 2/2")
	known := s.Snapshot()
	if len(known.Scopes) != 1 || len(known.Scans) != 0 || known.Scopes[0].Name != "alerts:acme" {
		t.Errorf("scopes %+v and %d scans remain", known.Scopes, len(known.Scans))
	}
	if n := len(known.CountingChanges); n != 1 || known.CountingChanges[0].Kind != snapshot.CountingSource {
		t.Errorf("counting changes %v, want one of a source", known.CountingChanges)
	}
}

// TestExceptionsCover matches exceptions that name things in every way.
func TestExceptionsCover(t *testing.T) {
	for name, c := range map[string]struct {
		exception record.Exception
		want      bool
	}{
		"service and category":               {record.Exception{Service: "api", Categories: []string{"cwe-79"}}, true},
		"service and other category":         {record.Exception{Service: "api", Categories: []string{"CWE-1"}}, false},
		"repository and advisory":            {record.Exception{Repository: "acme/api", Advisories: []string{"CVE-1"}}, true},
		"repository and rule":                {record.Exception{Repository: "acme/api", Rules: []string{"r"}}, true},
		"other repository":                   {record.Exception{Repository: "acme/web", Rules: []string{"r"}}, false},
		"finding alone":                      {record.Exception{Findings: []string{"f"}}, true},
		"nothing":                            {record.Exception{Service: "api"}, false},
		"a scanner's own acceptance":         {record.Exception{Findings: []string{"f"}, VendorAcceptance: true, Tool: "dojo"}, false},
		"a scanner's that policy lets count": {record.Exception{Findings: []string{"f"}, VendorAcceptance: true, Tool: "trusted"}, true},
	} {
		for order, first := range map[string]bool{"exception first": true, "finding first": false} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				s := begun(t, func(c *policy.Config) { c.Exceptions.VendorAcceptances = []string{"trusted"} })
				s.catalog(2, "a", record.Service{Name: "api", Repositories: claim("acme/api")})
				f := critical("f", 2)
				f.Aliases, f.Rule, f.Package = []string{"CVE-1"}, "r", "npm/p"
				e := c.exception
				e.ID, e.State, e.DecidedAt = "E", record.ExceptionApproved, day(2)
				if first {
					s.decides(3, e)
				}
				s.says(3, f)
				s.decides(3, e)
				if got := len(s.Snapshot().Pauses) == 1; got != c.want {
					t.Errorf("covered: %v, want %v", got, c.want)
				}
			})
		}
	}
}

// TestMonorepoOwnedByPaths: a repository whose parts all have a team has an owner, and one with a part that has none has not.
func TestMonorepoOwnedByPaths(t *testing.T) {
	part := func(name, team, pattern string) record.Service {
		return record.Service{Name: name, Team: team, Repositories: []record.RepositoryPath{{Repository: "acme/mono", Paths: []string{pattern}}}}
	}
	s := newStory(t, nil)
	s.apply(1, "one", record.Batch{Scope: "repositories:acme", Mode: record.Full, Repositories: []record.Repository{{Name: "acme/mono"}}})
	for _, c := range []struct {
		team string
		want snapshot.UnmappedReason
	}{{"blue", ""}, {"", snapshot.UnmappedNoOwner}} {
		s.next()
		s.catalog(2, "a", part("api", "red", "api/**"), part("web", c.team, "web/**"))
		if got := s.Snapshot().Repositories[0].Unmapped; got != c.want {
			t.Errorf("team %q: got %q, want %q", c.team, got, c.want)
		}
	}
}

// TestNewOwnerAtThePositionOfTheOld: a service that leaves and one that takes over its repository and its position in the catalog are two, after a restart,
// too.
func TestNewOwnerAtThePositionOfTheOld(t *testing.T) {
	s := newStory(t, nil)
	s.must(s.Configure(t.Context(), []ledger.Source{{Collector: "catalog", Instance: "a"}, {Collector: "scanner", Instance: "one"}}, day(1)))
	s.catalog(1, "a", record.Service{Name: "api", Repositories: claim("acme/api")}, record.Service{Name: "mid"}, record.Service{Name: "web"})
	f := critical("f", 1)
	f.Repository = "acme/api"
	s.says(1, f)
	s.must(s.MarkFounded(t.Context(), day(1)))
	s.catalog(2, "a", record.Service{Name: "api"}, record.Service{Name: "mid", Repositories: claim("acme/api")}, record.Service{Name: "web"})
	s.catalog(3, "a", record.Service{Name: "api"}, record.Service{Name: "web", Repositories: claim("acme/api")})
	s.must(s.Close())
	s.Ledger = ledgertest.MustOpen(t, s.open, s.policy)
	known := s.Snapshot()
	if got := known.Services[known.Weaknesses.At(0).Service].Name; got != "web" {
		t.Errorf("after a restart the weakness belongs to %s, want web", got)
	}
}
