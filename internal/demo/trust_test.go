package demo_test

import (
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

// checkTrust wants every answer about building and releasing to occur in what the collectors learned, and what they may not read to be unknown.
func checkTrust(t *testing.T, batches map[string]record.Batch) {
	t.Helper()
	releases, pipelines := map[string]int{}, map[string]int{}
	var identities, runners []string
	for scope, b := range batches {
		for _, r := range b.Releases {
			count(releases, r.Evidence, r.MissingPermission)
		}
		for _, p := range b.Pipelines {
			count(pipelines, p.Evidence, p.MissingPermission)
			if p.LastRunAt.Before(p.LastSuccessAt) || p.ID != strings.ToLower(string(p.Repository)+":"+p.Path) {
				t.Errorf("%s: pipeline %+v", scope, p)
			}
		}
		for _, i := range b.CloudIdentities {
			identities = append(identities, identityOf(i))
		}
		for _, r := range b.Runners {
			runners = append(runners, strings.Join([]string{string(r.Visibility), string(r.PublicRepositories), string(r.Ephemeral)}, "/"))
		}
	}
	t.Logf("releases: %v; pipelines: %v", releases, pipelines)
	t.Logf("identities: %v; runners: %v", tally(identities), tally(runners))
	for what, counts := range map[string]map[string]int{"releases": releases, "pipelines": pipelines} {
		for _, want := range []string{"provenance=yes", "provenance=no", "provenance=", "sbom=yes", "sbom=no", "sbom=", "approval=yes", "approval=no", "missing attestations=read"} {
			if counts[want] < 2 {
				t.Errorf("%d %s with %s", counts[want], what, want)
			}
		}
	}
	for _, want := range []string{"oidc", "key", "oidc+key", "neither", "unknown"} {
		if tally(identities)[want] < 3 {
			t.Errorf("%d repositories whose pipelines sign in by %s", tally(identities)[want], want)
		}
	}
	for _, want := range []string{"all/yes/no", "private/no/no", "private/no/yes", "selected/no/yes", "selected/no/no", "//no"} {
		if tally(runners)[want] < 3 {
			t.Errorf("%d runners that are %s", tally(runners)[want], want)
		}
	}
}

func count(counts map[string]int, evidence map[record.EvidenceKind]record.Answer, permission string) {
	for kind, answer := range evidence {
		counts[string(kind)+"="+string(answer)]++
	}
	if permission != "" {
		counts["missing "+permission]++
	}
}

// identityOf is how pipelines sign in, where a key is what AWS, Azure and Google Cloud call theirs.
func identityOf(i record.CloudIdentity) string {
	key := slices.ContainsFunc(i.Secrets, func(s record.SecretName) bool {
		return slices.Contains([]string{"AWS_SECRET_ACCESS_KEY", "AZURE_CREDENTIALS", "GCP_SA_KEY"}, s.Name)
	})
	switch {
	case i.SecretsKnown != record.AnswerYes || !i.OIDC.Known():
		return "unknown"
	case i.OIDC == record.AnswerYes && key:
		return "oidc+key"
	case i.OIDC == record.AnswerYes:
		return "oidc"
	case key:
		return "key"
	default:
		return "neither"
	}
}

func tally(list []string) map[string]int {
	counts := map[string]int{}
	for _, item := range list {
		counts[item]++
	}
	return counts
}
