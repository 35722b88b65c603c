package delivery_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/delivery"
	"prodsec_exporter/collectors/github/githubtest"
)

func TestNamesThatLookLikeProduction(t *testing.T) {
	for name, want := range map[string]bool{
		"live": true, "Production – web": true, "eu-prod": true, "PRD": true, "prod2": true, "prodeu": true, "acme_production": true, "Live (EU)": true, "producción": true,
		"staging": false, "non-prod": false, "preprod": false, "pre-production": false, "nonprod-eu": false, "prod-like-test": false, "production-staging": false, "delivery": false,
		"product-docs": false, "olive": false, "github-pages": false, "dev": false, "prod-sandbox": false, "": false,
	} {
		if got := delivery.LooksLikeProduction(name); got != want {
			t.Errorf("%q looks like production: %t, want %t", name, got, want)
		}
	}
}

// TestCheckNamesWhatLooksLikeProduction: deployments to an environment that no pattern matches are in no number, which nobody would notice.
func TestCheckNamesWhatLooksLikeProduction(t *testing.T) {
	_, c, s, _ := githubtest.Posture(t, nil, nil)
	s.Handle("POST /graphql", githubtest.ByQueryAnd(githubtest.Pages(githubtest.ProtectionNode("api", githubtest.BareRef)), map[string]http.HandlerFunc{
		"query EnvironmentNames(": githubtest.Pages(githubtest.NamesNode("api", "production", "live", "staging"), githubtest.NamesNode("web", "Production \u2013 web", "live")),
	}))
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(results, func(r collectors.CheckResult) bool { return r.Subject == "organisation acme: names of environments" })
	if i < 0 || results[i].Err != nil {
		t.Fatalf("check: %+v", results)
	}
	notes := strings.Join(results[i].Notes, "\n")
	for _, want := range []string{`"live" looks like production and matches nothing of deployment_environments: Acme/api, Acme/web`, "\"Production \u2013 web\" looks like", "policy.protection.production_environments"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if strings.Contains(notes, "staging") || strings.Contains(notes, `"production"`) {
		t.Errorf("notes name what matches or is none:\n%s", notes)
	}
}
