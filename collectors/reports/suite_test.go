package reports

import (
	"context"
	"errors"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// renamed gives scopes, which carry the test server's port, fixed names.
type renamed struct{ collectors.Collector }

func (r renamed) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	return r.Collector.Collect(ctx, cursors, func(b record.Batch) error {
		path, _ := parseScope(b.Scope)
		b.Scope = "report:" + path[strings.LastIndexByte(path, '/')+1:]
		return emit(b)
	})
}

const (
	sarifReport = `{"version": "2.1.0", "runs": [{
		"tool": {"driver": {"name": "CodeQL", "rules": [{"id": "go/sql", "properties": {"security-severity": "8.8", "tags": ["external/cwe/cwe-089"]}}]}},
		"versionControlProvenance": [{"repositoryUri": "https://github.com/acme/api"}],
		"invocations": [{"executionSuccessful": true, "endTimeUtc": "2026-01-02T03:04:05Z"}],
		"results": [{"ruleId": "go/sql", "message": {"text": "SQL injection"}}, {"ruleId": "go/sql", "message": {"text": "another"}}]}]}`
	trivyReportText = `{"SchemaVersion": 2, "CreatedAt": "2026-01-02T03:04:05Z", "ArtifactName": "https://github.com/acme/api", "ArtifactType": "repository",
		"Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "x", "Severity": "HIGH"}]}]}`
)

func TestConformance(t *testing.T) {
	path := func(name string) func(collectorstest.Request) bool {
		return func(r collectorstest.Request) bool { return r.Path == "/"+name }
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(base string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			c, err := New(Config{URLs: []string{base + "/a.sarif", base + "/b.json"}, Token: token}, env)
			return renamed{c}, err
		},
		Serve: func(s *collectorstest.Server) {
			s.JSON("GET /a.sarif", sarifReport)
			s.JSON("GET /b.json", trivyReportText)
		},
		Scopes: []collectorstest.Scope{
			// Old versions of Trivy write null when they found nothing.
			{Name: "report:a.sarif", Records: 3, Requests: path("a.sarif"), Pages: 1, Nothing: "null"},
			{Name: "report:b.json", Records: 2, Requests: path("b.json"), Pages: 1, Nothing: "null"},
		},
		Altered: []collectorstest.Altered{
			{
				Name: "unknown severity, class and status", Scope: "report:b.json", Records: 2,
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /b.json", strings.NewReplacer(`"HIGH"`, `"SPICY", "Status": "pondered"`, `"lang-pkgs"`, `"astral-pkgs"`, `"gomod"`, `""`).Replace(trivyReportText)+" ")
				},
				Check: func(b record.Batch) error {
					if b.Findings[0].Severity != record.SeverityUnknown || b.Findings[0].Closure != record.ClosureNone {
						return errors.New("an unknown severity must be unknown and an unknown status open")
					}
					return nil
				},
			},
			{
				Name: "a bad result", Scope: "report:a.sarif", Records: 2, Rejected: 1,
				Serve: func(s *collectorstest.Server) {
					s.JSON("GET /a.sarif", strings.Replace(sarifReport, `{"ruleId": "go/sql", "message": {"text": "another"}}`, `"nonsense"`, 1))
				},
			},
		},
		Fixed: "the configuration names the addresses", Readme: "README.md",
	})
}
