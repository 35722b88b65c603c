package inventory_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

func TestSecuritySettings(t *testing.T) {
	c := inventory.New(inventory.Default(), githubtest.Env(t))
	settings := func(more string) string {
		return githubtest.RepositoryJSON("api", `,"security_and_analysis":{`+more+`}`)
	}
	tests := []struct {
		name, item   string
		wantScanners map[record.Class]record.Answer
		wantSettings map[string]record.Answer
	}{
		{"not shown", githubtest.RepositoryJSON("api", ""), nil, nil},
		{"all on", settings(`"advanced_security":{"status":"enabled"},"secret_scanning":{"status":"enabled"},"secret_scanning_push_protection":{"status":"enabled"}`),
			map[record.Class]record.Answer{record.ClassSecret: githubtest.Yes}, map[string]record.Answer{"push_protection": githubtest.Yes}},
		{"all off", settings(`"advanced_security":{"status":"disabled"},"secret_scanning":{"status":"disabled"},"dependabot_security_updates":{"status":"disabled"}`),
			map[record.Class]record.Answer{record.ClassSecret: githubtest.No, record.ClassSAST: githubtest.No}, map[string]record.Answer{"dependabot_security_updates": githubtest.No}},
		{"code security replaces advanced security", settings(`"advanced_security":{"status":"disabled"},"code_security":{"status":"enabled"}`),
			map[record.Class]record.Answer{}, map[string]record.Answer{}},
		{"public code can always be scanned", strings.Replace(settings(`"advanced_security":{"status":"disabled"}`), `"private"`, `"public"`, 1),
			map[record.Class]record.Answer{}, map[string]record.Answer{}},
		{"unknown status", settings(`"secret_scanning":{"status":"half"}`), map[record.Class]record.Answer{}, map[string]record.Answer{}},
	}
	for _, tt := range tests {
		r, err := c.Decode(json.RawMessage(tt.item))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.wantScanners, r.Scanners) + cmp.Diff(tt.wantSettings, r.Settings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWholeRepository(t *testing.T) {
	c := inventory.New(inventory.Default(), githubtest.Env(t))
	got, err := c.Decode(json.RawMessage(`{"full_name":"Acme/API","html_url":"https://github.com/Acme/API","private":true,"visibility":"internal","archived":true,` +
		`"fork":true,"default_branch":"trunk","topics":["go","tier-0"],"pushed_at":"2026-02-01T00:00:00Z"}`))
	want := record.Repository{
		Name: "acme/api", URL: "https://github.com/Acme/API", Visibility: record.VisibilityInternal, Archived: true, Fork: true, DefaultBranch: "trunk",
		Topics: []string{"go", "tier-0"}, PushedAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestPostureFacts(t *testing.T) {
	batches, _, _, _ := githubtest.Posture(t, nil, nil)
	repositories := func(scope string) []record.Repository { return batches[scope].Repositories }
	want := map[string][]record.Repository{
		"properties:acme": {
			{Name: "acme/api", Properties: map[string]string{"tier": "tier1", "regions": "eu,us"}}, {Name: "acme/web", Properties: map[string]string{}},
		},
		"environments:acme": {
			{Name: "acme/api", Settings: map[string]record.Answer{"codeowners": githubtest.Yes, "codeowners_valid": githubtest.Yes}, Environments: []record.EnvironmentProtection{{
				Environment: "production", RequiredReviewers: githubtest.Yes, SelfReviewPrevented: githubtest.Yes, BranchPolicy: githubtest.Yes, AdminsBound: githubtest.Yes, WaitTimer: 30 * time.Minute,
			}}},
			{Name: "acme/web", Settings: map[string]record.Answer{"codeowners": githubtest.No}, Environments: []record.EnvironmentProtection{}},
		},
		"security_configurations:acme": {
			{Name: "acme/api", Settings: map[string]record.Answer{"security_configuration": githubtest.Yes, "security_configuration_enforced": githubtest.Yes, "push_protection": githubtest.Yes},
				Scanners: map[record.Class]record.Answer{record.ClassSAST: githubtest.Yes, record.ClassSCA: githubtest.No}},
			{Name: "acme/web", Settings: map[string]record.Answer{"security_configuration": githubtest.No}, Scanners: map[record.Class]record.Answer{}},
			{Name: "acme/old", Settings: map[string]record.Answer{"security_configuration": githubtest.No}},
		},
		"scanning:acme/api": {{Name: "acme/api", Settings: map[string]record.Answer{"code_scanning_default_setup": githubtest.Yes}, Scanners: map[record.Class]record.Answer{record.ClassSAST: githubtest.Yes}}},
		"actions:acme/api": {{Name: "acme/api", Settings: map[string]record.Answer{
			"actions_enabled": githubtest.Yes, "actions_restricted": githubtest.Yes, "actions_pinned": githubtest.No, "actions_token_read_only": githubtest.No, "actions_token_cannot_approve": githubtest.Yes,
		}}},
	}
	for scope, list := range want {
		if diff := cmp.Diff(list, repositories(scope)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", scope, diff)
		}
	}
	now := time.Now()
	scans := batches["scanning:acme/api"].Scans
	for i, w := range []struct {
		tool             string
		class            record.Class
		enabled          record.Answer
		success, attempt time.Duration
	}{{"codeql", record.ClassSAST, githubtest.Yes, 48 * time.Hour, time.Hour}, {"trivy", record.ClassContainer, githubtest.Unknown, 72 * time.Hour, 72 * time.Hour}} {
		near := func(at time.Time, ago time.Duration) bool { return now.Add(-ago).Sub(at).Abs() < time.Minute }
		if s := scans[i]; s.Tool != w.tool || s.Class != w.class || s.Enabled != w.enabled || !near(s.SucceededAt, w.success) || !near(s.AttemptedAt, w.attempt) {
			t.Errorf("scan %d = %+v, want %+v", i, s, w)
		}
	}
}
