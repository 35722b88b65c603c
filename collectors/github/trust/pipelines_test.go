package trust_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestPipelines(t *testing.T) {
	batches, _, _, _ := githubtest.Released(t, nil, nil)
	b := batches["pipelines:acme/api"]
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	want := []record.Pipeline{
		{
			// It was run by hand and its environment is known from what was deployed; the repository has attestations, but none of what the run kept.
			ID: "acme/api:.github/workflows/deploy.yaml", Repository: "acme/api", Name: ".github/workflows/deploy.yaml", Path: ".github/workflows/deploy.yaml",
			URL: "https://github.com/Acme/api/actions/runs/71", Environments: []string{"staging"}, Evidence: answers(githubtest.Unknown, githubtest.Unknown, githubtest.Unknown, githubtest.No),
		},
		{
			ID: "acme/api:.github/workflows/ship.yml", Repository: "acme/api", Name: "Ship it", Path: ".github/workflows/ship.yml", Publishes: githubtest.Yes,
			URL: "https://github.com/Acme/api/actions/runs/61", Environments: []string{"production"}, Evidence: answers(githubtest.Yes, githubtest.Yes, githubtest.Yes, githubtest.Yes),
		},
	}
	if diff := cmp.Diff(want, b.Pipelines, cmpopts.IgnoreFields(record.Pipeline{}, "LastRunAt", "LastSuccessAt", "UpdatedAt")); diff != "" {
		t.Errorf("pipelines (-want +got):\n%s", diff)
	}
	now := time.Now()
	for i, age := range [][2]time.Duration{{2 * time.Hour, 60 * githubtest.Day}, {time.Hour, 2*githubtest.Day - 5*time.Minute}} {
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
		{"readable", githubtest.Refused(http.StatusNotFound, "Not Found"), githubtest.No, ""},
		{"hidden", githubtest.Refused(http.StatusForbidden, "Resource not accessible by integration"), githubtest.Unknown, "attestations=read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := githubtest.Released(t, nil, func(s *collectorstest.Server) {
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
