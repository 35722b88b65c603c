package trust_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestCloudIdentity(t *testing.T) {
	batches, _, _, _ := githubtest.Released(t, nil, nil)
	when := func(year int, month time.Month, day, hour, minute, second int) time.Time {
		return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	}
	want := []record.CloudIdentity{{
		Repository: "acme/api", OIDC: githubtest.Yes, CustomSubject: githubtest.Yes, SubjectClaims: []string{"repo", "environment"}, SecretsKnown: githubtest.Yes,
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
		{"GitHub's form", `{"use_default":true,"include_claim_keys":["ignored"]}`, `{"include_claim_keys":["repo"]}`, githubtest.No, nil},
		{"its own", `{"use_default":false,"include_claim_keys":["actor"]}`, `{"include_claim_keys":["repo"]}`, githubtest.Yes, []string{"actor"}},
		{"the organisation's", `{"use_default":false}`, `{"include_claim_keys":["repo"]}`, githubtest.Yes, []string{"repo"}},
		{"the organisation's, which has none", `{"use_default":false}`, `{"include_claim_keys":[]}`, githubtest.No, nil},
		{"hidden", "", "", githubtest.Unknown, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := githubtest.Released(t, nil, func(s *collectorstest.Server) {
				for path, body := range map[string]string{"/repos/Acme/api": tt.repository, "/orgs/acme": tt.organisation} {
					if body == "" {
						s.Handle("GET "+path+"/actions/oidc/customization/sub", githubtest.Refused(http.StatusForbidden, "no"))
						continue
					}
					s.JSON("GET "+path+"/actions/oidc/customization/sub", body)
				}
			})
			got := batches["cloud_identity:acme/api"].CloudIdentities[0]
			if got.CustomSubject != tt.custom || !slices.Equal(got.SubjectClaims, tt.claims) || (tt.custom == githubtest.Unknown) != (got.MissingPermission == "actions=read") {
				t.Errorf("identity %+v, want a custom subject %q of %v", got, tt.custom, tt.claims)
			}
		})
	}
}
