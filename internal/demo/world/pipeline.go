package world

import (
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// CloudAuth is how the pipelines of a repository prove who they are to a cloud.
type CloudAuth string

// The ways. AuthBoth is a move to OpenID Connect whose old keys nobody has deleted.
const (
	AuthOIDC   CloudAuth = "oidc"
	AuthStatic CloudAuth = "static"
	AuthBoth   CloudAuth = "both"
	AuthNone   CloudAuth = "none"
)

// Workflow is a file that GitHub Actions runs in a repository.
type Workflow struct {
	File string
	Name string
	Text string
	// Deploys says that it deploys to the environments of the repository, Releases that it makes releases.
	Deploys, Releases bool
}

// Path is where it is in the repository.
func (w Workflow) Path() string { return ".github/workflows/" + w.File }

// Secret is a secret that the workflows of a repository can read.
type Secret struct {
	Name        string
	Scope       record.SecretScope
	Environment string
	UpdatedAt   time.Time
}

// Deploys says whether a repository is deployed by a workflow of its own.
func (r *Repository) Deploys() bool {
	return !r.Archived && len(r.Hosts) > 0 && (r.Purpose == PurposeApplication || r.Purpose == PurposeInfrastructure)
}

// Releases says whether versions are published from a repository: libraries, what other pipelines are built of, and the most trusted services.
func (r *Repository) Releases() bool {
	switch {
	case r.Archived || r.Fork:
		return false
	case r.Purpose == PurposeLibrary:
		return true
	case len(r.Hosts) > 0:
		return r.Purpose == PurposeApplication && r.Hosts[0].TrustTier == "tier0"
	default:
		return r.Name == "platform-actions" || r.Name == "terraform-modules"
	}
}

// CloudAuth is how the pipelines of a repository sign in to a cloud, which those that deploy nothing do not.
func (w *World) CloudAuth(r *Repository) CloudAuth {
	if !r.Deploys() {
		return AuthNone
	}
	ways := []choice[CloudAuth]{{AuthOIDC, 42}, {AuthStatic, 38}, {AuthBoth, 8}, {AuthNone, 12}}
	if r.Hosts[0].TrustTier == "tier0" {
		ways = []choice[CloudAuth]{{AuthOIDC, 74}, {AuthStatic, 16}, {AuthBoth, 10}}
	}
	return draw(w.random("cloud identity", r.FullName(), 0), ways)
}

// CustomSubject says whether a repository asks for tokens whose subject names more than the branch.
func (r *Repository) CustomSubject() bool { return r.Index%3 == 0 }

// WorkflowsOf lists the workflows of a repository. One is too large to be read whole.
func (w *World) WorkflowsOf(r *Repository) []Workflow {
	if r.Archived || r.Purpose == PurposeDocumentation {
		return nil
	}
	list := []Workflow{{File: "test.yml", Name: "Test", Text: "name: Test\non: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n" +
		"      - uses: actions/checkout@v5\n      - run: make test\n"}}
	if r.Deploys() {
		list = append(list, w.deployment(r))
	}
	if r.Releases() {
		list = append(list, Workflow{File: "release.yml", Name: "Release", Releases: true, Text: w.releaseText(r)})
	}
	return list
}

// deployment is the workflow that deploys a repository, to staging and then to production, each where there is one.
func (w *World) deployment(r *Repository) Workflow {
	auth := w.CloudAuth(r)
	permissions := "contents: read"
	if auth == AuthOIDC || auth == AuthBoth {
		permissions += ", id-token: write"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "name: Deploy\non: {push: {branches: [main]}}\npermissions: {contents: read}\njobs:\n")
	environments := r.Environments
	if len(environments) == 0 {
		environments = []Environment{{Name: ""}}
	}
	for i, e := range environments {
		fmt.Fprintf(&text, "  deploy-%d:\n    runs-on: [self-hosted, linux]\n    permissions: {%s}\n", i, permissions)
		if e.Name != "" {
			fmt.Fprintf(&text, "    environment: {name: %s, url: 'https://%s.example.com'}\n", e.Name, r.Name)
		}
		text.WriteString("    steps:\n      - uses: actions/checkout@v5\n      - run: ./deploy.sh\n")
	}
	return Workflow{File: "deploy.yml", Name: "Deploy", Text: text.String(), Deploys: true}
}

func (w *World) releaseText(r *Repository) string {
	permissions := "contents: write"
	if w.adopted(r, "provenance") < longAway {
		permissions += ", id-token: write, attestations: write"
	}
	return "name: Release\non: {push: {tags: ['v*']}}\njobs:\n  release:\n    runs-on: [self-hosted, release]\n    permissions: {" + permissions + "}\n    steps:\n" +
		"      - uses: actions/checkout@v5\n      - run: make dist\n      - uses: softprops/action-gh-release@v2\n"
}

// SecretsOf lists the secrets that the workflows of a repository can read. Keys of clouds are seldom renewed.
func (w *World) SecretsOf(r *Repository) []Secret {
	random := w.random("secrets", r.FullName(), 0)
	set := func(name string, scope record.SecretScope, environment string) Secret {
		return Secret{Name: name, Scope: scope, Environment: environment, UpdatedAt: epoch.Add(between(random, 300*day, 1900*day))}
	}
	var list []Secret
	for _, name := range []string{"ARTIFACTORY_TOKEN", "DATADOG_API_KEY"} {
		list = append(list, Secret{Name: name, Scope: record.SecretOrganization, UpdatedAt: epoch.Add(1800 * day)})
	}
	if r.Ecosystem == "npm" && r.Releases() {
		list = append(list, set("NPM_TOKEN", record.SecretRepository, ""))
	}
	if r.Index%4 == 0 {
		list = append(list, set("SLACK_WEBHOOK", record.SecretRepository, ""))
	}
	auth := w.CloudAuth(r)
	if auth != AuthStatic && auth != AuthBoth {
		return list
	}
	scope, environment := record.SecretRepository, ""
	if len(r.Environments) > 0 && r.Index%3 == 1 {
		scope, environment = record.SecretEnvironment, r.Environments[len(r.Environments)-1].Name
	}
	switch r.Index % 5 {
	case 0:
		list = append(list, set("AZURE_CREDENTIALS", scope, environment))
	case 1:
		list = append(list, set("GCP_SA_KEY", scope, environment))
	default:
		list = append(list, set("AWS_ACCESS_KEY_ID", scope, environment), set("AWS_SECRET_ACCESS_KEY", scope, environment))
	}
	return list
}
