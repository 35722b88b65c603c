package github

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestPipelines(t *testing.T) {
	batches, _, _, _ := released(t, nil, nil)
	b := batches["pipelines:acme/api"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	want := []record.Pipeline{
		{
			// It was run by hand and its environment is known from what was deployed; the repository has attestations, but none of what the run kept.
			ID: "acme/api:.github/workflows/deploy.yaml", Repository: "acme/api", Name: ".github/workflows/deploy.yaml", Path: ".github/workflows/deploy.yaml",
			URL: "https://github.com/Acme/api/actions/runs/71", Environments: []string{"staging"}, Evidence: answers(unknown, unknown, unknown, no),
		},
		{
			ID: "acme/api:.github/workflows/ship.yml", Repository: "acme/api", Name: "Ship it", Path: ".github/workflows/ship.yml", Publishes: yes,
			URL: "https://github.com/Acme/api/actions/runs/61", Environments: []string{"production"}, Evidence: answers(yes, yes, yes, yes),
		},
	}
	if diff := cmp.Diff(want, b.Pipelines, cmpopts.IgnoreFields(record.Pipeline{}, "LastRunAt", "LastSuccessAt", "UpdatedAt")); diff != "" {
		t.Errorf("pipelines (-want +got):\n%s", diff)
	}
	now := time.Now()
	for i, age := range [][2]time.Duration{{2 * time.Hour, 60 * day}, {time.Hour, 2*day - 5*time.Minute}} {
		if p := b.Pipelines[i]; now.Sub(p.LastRunAt).Round(time.Minute) != age[0] || now.Sub(p.LastSuccessAt).Round(time.Minute) != age[1] {
			t.Errorf("%s ran %s ago and succeeded %s ago, want %v", p.Name, now.Sub(p.LastRunAt), now.Sub(p.LastSuccessAt), age)
		}
	}
}

// TestPipelinesOfRepositoriesWithoutAttestations: where nothing was ever attested, the last run attested nothing, if the credential would see it.
func TestPipelinesOfRepositoriesWithoutAttestations(t *testing.T) {
	for _, tt := range []struct {
		name       string
		single     http.HandlerFunc
		provenance record.Answer
		permission string
	}{
		{"readable", refused(http.StatusNotFound, "Not Found"), no, ""},
		{"hidden", refused(http.StatusForbidden, "Resource not accessible by integration"), unknown, attestationsPermission},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := released(t, nil, func(s *collectorstest.Server) {
				s.JSON("GET /orgs/acme/attestations/repositories", collectorstest.Items())
				s.Handle("GET /repos/Acme/api/attestations/{digest}", tt.single)
			})
			b := batches["pipelines:acme/api"]
			if b.Err != nil {
				t.Fatal(b.Err)
			}
			if p := b.Pipelines[0]; p.Evidence[record.EvidenceProvenance] != tt.provenance || p.MissingPermission != tt.permission || p.Evidence[record.EvidenceSignature].Known() {
				t.Errorf("pipeline %+v, want provenance %q, an unknown signature and the permission %q", p, tt.provenance, tt.permission)
			}
		})
	}
}

func TestPipelinesThatAreLookedAt(t *testing.T) {
	c := &Collector{config: Config{Trust: Trust{PipelinePatterns: []string{"*deploy*", "CI?CD", ".github/workflows/x-*.yml"}}}}
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
		if got := c.looksAt(&tt.w); got != tt.want {
			t.Errorf("%+v is looked at: %t, want %t", tt.w, got, tt.want)
		}
	}
}

func TestRunsThatMadeReleases(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	p := &published{release: release{Tag: "v1", PublishedAt: timestamp{at}}}
	ok := run{Conclusion: "success", Commit: "c1", Branch: "main", CreatedAt: timestamp{at.Add(-time.Hour)}, UpdatedAt: timestamp{at.Add(time.Minute)}}
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
		"over before":                           {change(func(r *run) { r.UpdatedAt = timestamp{at.Add(-time.Hour)} }), "", false},
		"begun after":                           {change(func(r *run) { r.CreatedAt = timestamp{at.Add(time.Minute)} }), "", false},
		"of the tag, whenever it was published": {change(func(r *run) { r.Branch, r.UpdatedAt = "v1", timestamp{at.Add(-time.Hour)} }), "", true},
		"of a pull request from such a branch":  {change(func(r *run) { r.Branch, r.Event, r.UpdatedAt = "v1", "pull_request", timestamp{at.Add(-time.Hour)} }), "", false},
		"failed":                                {change(func(r *run) { r.Conclusion = "failure" }), "", false},
	} {
		p.commit = tt.commit
		if got := tt.run.made(p); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

func TestCloudIdentity(t *testing.T) {
	batches, _, _, _ := released(t, nil, nil)
	when := func(year int, month time.Month, day, hour, minute, second int) time.Time {
		return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	}
	want := []record.CloudIdentity{{
		Repository: "acme/api", OIDC: yes, CustomSubject: yes, SubjectClaims: []string{"repo", "environment"}, SecretsKnown: yes,
		Secrets: []record.SecretName{
			{Name: "AWS_SECRET_ACCESS_KEY", Scope: record.SecretRepository, UpdatedAt: when(2024, 1, 2, 3, 4, 5)},
			{Name: "NPM_TOKEN", Scope: record.SecretRepository, UpdatedAt: when(2025, 1, 2, 3, 4, 5)},
			{Name: "REGISTRY", Scope: record.SecretOrganization, UpdatedAt: when(2025, 6, 1, 0, 0, 0)},
			{Name: "KUBECONFIG", Scope: record.SecretEnvironment, Environment: "prod/eu", UpdatedAt: when(2025, 6, 2, 0, 0, 0)},
		},
	}}
	if diff := cmp.Diff(want, batches["cloud_identity:acme/api"].CloudIdentities); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	if _, ok := batches["cloud_identity:acme/web"]; ok {
		t.Error("a repository without workflows has an identity")
	}
}

func TestSubjectsOfTokens(t *testing.T) {
	for _, tt := range []struct {
		name, repository, organisation string
		custom                         record.Answer
		claims                         []string
	}{
		{"GitHub's form", `{"use_default":true,"include_claim_keys":["ignored"]}`, `{"include_claim_keys":["repo"]}`, no, nil},
		{"its own", `{"use_default":false,"include_claim_keys":["actor"]}`, `{"include_claim_keys":["repo"]}`, yes, []string{"actor"}},
		{"the organisation's", `{"use_default":false}`, `{"include_claim_keys":["repo"]}`, yes, []string{"repo"}},
		{"the organisation's, which has none", `{"use_default":false}`, `{"include_claim_keys":[]}`, no, nil},
		{"hidden", "", "", unknown, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := released(t, nil, func(s *collectorstest.Server) {
				for path, body := range map[string]string{"/repos/Acme/api": tt.repository, "/orgs/acme": tt.organisation} {
					if body == "" {
						s.Handle("GET "+path+"/actions/oidc/customization/sub", refused(http.StatusForbidden, "no"))
						continue
					}
					s.JSON("GET "+path+"/actions/oidc/customization/sub", body)
				}
			})
			got := batches["cloud_identity:acme/api"].CloudIdentities[0]
			if got.CustomSubject != tt.custom || !slices.Equal(got.SubjectClaims, tt.claims) || (tt.custom == unknown) != (got.MissingPermission == oidcPermission) {
				t.Errorf("identity %+v, want a custom subject %q of %v", got, tt.custom, tt.claims)
			}
		})
	}
}
