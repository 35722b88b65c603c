//go:build e2e

package contract

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
)

const recordedRuns = "../../../shared/fixtures/github/workflow_runs.jsonl"

// TestRecordedRuns: runs of workflows as GitHub sent them decode without loss, whatever they ended as.
func TestRecordedRuns(t *testing.T) {
	data, err := os.ReadFile(recordedRuns)
	if err != nil {
		t.Fatal(err)
	}
	runs := []json.RawMessage{}
	var newest, succeeded time.Time
	for line := range bytes.Lines(data) {
		var r struct {
			Path, Status, Conclusion string
			UpdatedAt                time.Time `json:"updated_at"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(r.Path, "/codeql.yml") {
			continue
		}
		runs = append(runs, bytes.TrimSpace(line))
		if newest.IsZero() {
			newest = r.UpdatedAt
		}
		if succeeded.IsZero() && r.Conclusion == "success" {
			succeeded = r.UpdatedAt
		}
	}
	s := collectorstest.NewServer(t)
	s.JSON("GET /orgs/panjf2000/repos", `[{"full_name":"panjf2000/ants","html_url":"https://github.com/panjf2000/ants","visibility":"public","default_branch":"master"}]`)
	s.JSON("GET /repos/panjf2000/ants/actions/workflows/codeql.yml/runs", map[string]any{"total_count": len(runs), "workflow_runs": runs})
	s.JSON("GET /repos/panjf2000/ants/actions/runs/{id}/approvals", `[]`)
	s.JSON("GET /repos/panjf2000/ants/releases", `[]`)
	s.Handle("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		question, _ := io.ReadAll(r.Body)
		if strings.Contains(string(question), "query WorkflowTrees(") {
			collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[{"nameWithOwner":"panjf2000/ants",`+
				`"url":"https://github.com/panjf2000/ants","id":"R_1","object":{"oid":"1"},"environments":{"totalCount":0,"nodes":[]}}]}}}}`)
			return
		}
		collectorstest.WriteJSON(w, `{"data":{"nodes":[{"id":"R_1","object":{"oid":"1","entries":[{"name":"codeql.yml","type":"blob","object":{"text":"name: CodeQL\njobs: {}"}}]}}]}}`)
	})
	config := github.Default()
	config.Name, config.URL, config.Organizations, config.Token = "recorded", s.URL(), []string{"panjf2000"}, collectorstest.Secret(t, "token")
	config.Trust.PipelinePatterns, config.Trust.Attestations = []string{"codeql*"}, false
	collector, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["pipelines:panjf2000/ants"]
	if b.Err != nil || len(b.Rejected) > 0 || len(b.Pipelines) != 1 {
		t.Fatalf("batch %+v, want the one workflow and nothing rejected", b)
	}
	if p := b.Pipelines[0]; !p.LastRunAt.Equal(newest) || !p.LastSuccessAt.Equal(succeeded) || len(runs) < 10 {
		t.Errorf("pipeline %+v of %d runs, want the last at %s and the last success at %s", p, len(runs), newest, succeeded)
	}
}
