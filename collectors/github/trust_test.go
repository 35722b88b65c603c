package github

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
)

// trustOn is a configuration with every scope about building and releasing.
func trustOn(c Config) Config {
	c.Trust = defaultTrust()
	c.RepositoryRunners = true
	return c
}

func serveTrust(s *collectorstest.Server) {
	serveRunners(s)
}

func trustScopes() []collectorstest.Scope {
	return runnerScopes()
}

func alteredTrust() []collectorstest.Altered {
	return alteredRunners()
}

// needListOfTrust are the scopes that need the list of repositories.
func needListOfTrust() []string {
	return []string{"runners:acme/api", "runners:acme/web"}
}

func TestTrustIsChecked(t *testing.T) {
	_, c, s, _ := released(t, nil, nil)
	check := func() []collectors.CheckResult {
		t.Helper()
		results, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	for _, r := range check() {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Subject, r.Err)
		}
	}
	s.Inject(&collectorstest.Fault{Apply: collectorstest.Status(http.StatusForbidden), Match: func(r collectorstest.Request) bool {
		return r.Path != "/orgs/acme/repos"
	}})
	results := check()
	for subject, permission := range map[string]string{
		"self-hosted runners": orgRunnersPermission, "runner groups": orgRunnersPermission, "runners of single repositories": repoRunnersPermission,
	} {
		at := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: "+subject })
		if at < 0 {
			t.Errorf("nothing is said about %s", subject)
			continue
		}
		if r := results[at]; r.Err == nil || !strings.Contains(r.Err.Error(), permission) || r.Unknown == "" {
			t.Errorf("%s: %+v, want the permission %s and what it makes unknown", subject, r, permission)
		}
	}
}
