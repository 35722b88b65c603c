package dependencytrack

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

var ruled = translate.Project{Name: "ruled", Service: "by-rule"}

const otherUUID = "dddddddd-0000-0000-0000-000000000004"

func projectJSON(uuid, name, version, more string) string {
	return fmt.Sprintf(`{"uuid":%q,"name":%q,"version":%q,"active":true%s}`, uuid, name, version, more)
}

// projectsOf serves a list of projects, each with a finding of its own.
func projectsOf(projects ...string) func(*collectorstest.Server) {
	return func(s *collectorstest.Server) {
		serve(s)
		s.Handle("GET /api/v1/project", numbered("["+strings.Join(projects, ",")+"]"))
		s.Handle("GET /api/v1/finding", numbered(collectorstest.Items(
			findingJSON(apiUUID, "c1", "CVE-2026-0001", "HIGH", `{}`), findingJSON(shopUUID, "c2", "CVE-2026-0001", "HIGH", `{}`), findingJSON(otherUUID, "c3", "CVE-2026-0001", "HIGH", `{}`))))
	}
}

// TestOwnersAreInherited: a project belongs where the nearest project above it does, which may be a collection, inactive, or somewhere in a circle.
func TestOwnersAreInherited(t *testing.T) {
	tags := func(names ...string) string {
		for i, n := range names {
			names[i] = fmt.Sprintf(`{"name":%q}`, n)
		}
		return `,"tags":[` + strings.Join(names, ",") + `]`
	}
	below := func(uuid string) string {
		return fmt.Sprintf(`,"parent":{"uuid":%q,"name":"x"}`, strings.ToUpper(uuid))
	}
	const inactive = "eeeeeeee-0000-0000-0000-000000000005"
	for name, tt := range map[string]struct {
		projects            []string
		more                func(*collectorstest.Server)
		repository, service string // of the first project's finding
	}{
		"its own":            {[]string{projectJSON(apiUUID, "api", "1", tags("repository:acme/api")+below(shopUUID)), projectJSON(shopUUID, "suite", "", tags("repository:acme/suite"))}, nil, "acme/api", ""},
		"its parent's":       {[]string{projectJSON(apiUUID, "api", "1", below(shopUUID)), projectJSON(shopUUID, "suite", "", tags("repository:acme/suite", "service:suite"))}, nil, "acme/suite", "suite"},
		"further above":      {[]string{projectJSON(apiUUID, "api", "1", below(shopUUID)), projectJSON(shopUUID, "suite", "", below(otherUUID)), projectJSON(otherUUID, "all", "", tags("SERVICE:everything"))}, nil, "", "everything"},
		"service from above": {[]string{projectJSON(apiUUID, "api", "1", tags("repository:acme/api")+below(shopUUID)), projectJSON(shopUUID, "suite", "", tags("service:suite"))}, nil, "acme/api", "suite"},
		"in a circle":        {[]string{projectJSON(apiUUID, "api", "1", below(shopUUID)), projectJSON(shopUUID, "suite", "", below(apiUUID))}, nil, "", ""},
		"of an inactive one": {[]string{projectJSON(apiUUID, "api", "1", below(inactive))}, func(s *collectorstest.Server) {
			s.JSON("GET /api/v1/project/"+inactive, projectJSON(inactive, "suite", "", tags("repository:acme/old")))
		}, "acme/old", ""},
		"of one that is gone": {[]string{projectJSON(apiUUID, "api", "1", below(inactive))}, nil, "", ""},
		"of a hidden one": {[]string{projectJSON(apiUUID, "api", "1", below(inactive))}, func(s *collectorstest.Server) {
			s.Handle("GET /api/v1/project/"+inactive, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, "", ""},
		"a rule before it all": {[]string{projectJSON(apiUUID, "ruled", "1", below(shopUUID)), projectJSON(shopUUID, "suite", "", tags("repository:acme/suite"))}, nil, "", "by-rule"},
	} {
		config := Config{Projects: nil}
		if tt.service == "by-rule" {
			config.Projects = append(config.Projects, ruled)
		}
		batches, _, err := gather(t, config, func(s *collectorstest.Server) {
			projectsOf(tt.projects...)(s)
			if tt.more != nil {
				tt.more(s)
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f := batches["findings:"+apiUUID].Findings[0]; string(f.Repository) != tt.repository || f.Service != tt.service {
			t.Errorf("%s: repository %q and service %q, want %q and %q", name, f.Repository, f.Service, tt.repository, tt.service)
		}
	}
	_, _, err := gather(t, Config{}, func(s *collectorstest.Server) {
		projectsOf(projectJSON(apiUUID, "api", "1", below(inactive)))(s)
		s.Handle("GET /api/v1/project/"+inactive, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	})
	if record.ReasonOf(err) != record.ReasonServer {
		t.Errorf("a parent that cannot be read: %v, want the failure", err)
	}
}

// TestOnlyTheLatestVersion: where a version is marked as the latest the others are not read, and end.
func TestOnlyTheLatestVersion(t *testing.T) {
	read := func(config Config, projects ...string) []string {
		s := collectorstest.NewServer(t)
		projectsOf(projects...)(s)
		s.JSON("GET /api/v1/project/"+apiUUID, projectJSON(apiUUID, "shop", "1", ""))
		config.URL, config.APIKey = s.URL(), collectorstest.Secret(t, collectorstest.Token)
		c, err := New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, collectors.Cursors{"findings:" + apiUUID: ""})
		if err != nil {
			t.Fatal(err)
		}
		var scopes []string
		for scope, b := range batches {
			if uuid, ok := strings.CutPrefix(scope, "findings:"); ok {
				scopes = append(scopes, fmt.Sprintf("%s %t", uuid[:1], b.Retired))
			}
		}
		slices.Sort(scopes)
		return scopes
	}
	old, latest, alone := projectJSON(apiUUID, "shop", "1", ""), projectJSON(shopUUID, "shop", "2", `,"isLatest":true`), projectJSON(otherUUID, "pay", "1", "")
	for name, tt := range map[string]struct {
		config   Config
		projects []string
		want     string
	}{
		"all":            {Config{}, []string{old, latest, alone}, "[a false b false d false]"},
		"only latest":    {Config{OnlyLatest: true}, []string{old, latest, alone}, "[a true b false d false]"},
		"none is marked": {Config{OnlyLatest: true}, []string{old, alone}, "[a false d false]"},
	} {
		if got := fmt.Sprint(read(tt.config, tt.projects...)); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestMovedFindingsAreReadByProject: where the portfolio's pages would not hold still, each project is asked for what it has, which the server answers at once.
func TestMovedFindingsAreReadByProject(t *testing.T) {
	same := findingJSON(apiUUID, "c1", "CVE-2026-0001", "HIGH", `{}`)
	moving := func(s *collectorstest.Server) {
		serve(s)
		s.Handle("GET /api/v1/finding", numbered(collectorstest.Items(same), collectorstest.Items(same)))
	}
	batches, _, err := gather(t, Config{}, func(s *collectorstest.Server) {
		moving(s)
		s.JSON("GET /api/v1/finding/project/"+apiUUID, collectorstest.Items(same, findingJSON(apiUUID, "c2", "CVE-2026-0002", "LOW", `{}`)))
		s.Handle("GET /api/v1/finding/project/"+shopUUID, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	})
	if err != nil {
		t.Fatal(err)
	}
	if b := batches["findings:"+apiUUID]; b.Err != nil || len(b.Findings) != 2 || b.Absence != record.ClosureFixed {
		t.Errorf("a project by itself: %+v, want both findings", b)
	}
	if b := batches["findings:"+shopUUID]; record.ReasonOf(b.Err) != record.ReasonServer {
		t.Errorf("a project that cannot be read: %+v, want it to fail alone", b)
	}
	batches, _, err = gather(t, Config{}, moving)
	if err != nil {
		t.Fatal(err)
	}
	for _, uuid := range []string{apiUUID, shopUUID} {
		if b := batches["findings:"+uuid]; record.ReasonOf(b.Err) != record.ReasonTruncated {
			t.Errorf("a server without a call for one project: %+v, want what is wrong with the portfolio's list", b)
		}
	}
}
