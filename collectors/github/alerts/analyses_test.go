package alerts_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/record"
)

func TestScanningStates(t *testing.T) {
	refuse := func(code int, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			collectorstest.WriteJSON(w, map[string]string{"message": message})
		}
	}
	setup := func(state string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			collectorstest.WriteJSON(w, map[string]string{"state": state})
		}
	}
	tests := []struct {
		name            string
		analyses, setup http.HandlerFunc
		reason          record.ErrorReason
		enabled, sast   record.Answer
	}{
		{"never analysed, set up", refuse(404, "no analysis found"), setup("configured"), "", githubtest.Yes, githubtest.Yes},
		{"never analysed, not set up", refuse(404, "no analysis found"), setup("not-configured"), "", githubtest.No, githubtest.No},
		{"never analysed, set up in words that are not known", refuse(404, "no analysis found"), setup("maybe"), "", githubtest.Unknown, githubtest.Unknown},
		{"never analysed, set-up hidden", refuse(404, "no analysis found"), refuse(403, "Resource not accessible by integration"), "", githubtest.Unknown, githubtest.Unknown},
		{"switched off", refuse(403, "Code Security must be enabled for this repository to use code scanning."), setup("configured"), "", githubtest.No, githubtest.No},
		{"hidden", refuse(403, "Resource not accessible by integration"), setup("configured"), record.ReasonPermission, "", ""},
		{"hidden by 404", refuse(404, "Not Found"), setup("configured"), record.ReasonPermission, "", ""},
		{"analysed, not set up", nil, setup("not-configured"), "", githubtest.Unknown, githubtest.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
				if tt.analyses != nil {
					s.Handle("GET /repos/Acme/api/code-scanning/analyses", tt.analyses)
				}
				s.Handle("GET /repos/Acme/api/code-scanning/default-setup", tt.setup)
			})
			b := batches["scanning:acme/api"]
			if tt.reason != "" {
				if record.ReasonOf(b.Err) != tt.reason || strings.Contains(fmt.Sprint(b.Err), "missing permission") {
					t.Errorf("error %v, want %s with no permission named, which the other repository does not lack", b.Err, tt.reason)
				}
				return
			}
			if b.Err != nil {
				t.Fatal(b.Err)
			}
			if got := b.Repositories[0].Scanners[record.ClassSAST]; got != tt.sast {
				t.Errorf("SAST is %q, want %q", got, tt.sast)
			}
			if b.Scans[0].Tool != "codeql" || b.Scans[0].Enabled != tt.enabled {
				t.Errorf("scan %+v, want CodeQL %q", b.Scans[0], tt.enabled)
			}
		})
	}
}

func TestScanningStopsAtTheHorizon(t *testing.T) {
	batches, _, s, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
		s.LinkPages("GET /repos/Acme/api/code-scanning/analyses", "page",
			collectorstest.Items(fmt.Sprintf(githubtest.AnalysisJSON, time.Now().Add(-2*alerts.ScanHorizon).UTC().Format(time.RFC3339), "", "CodeQL")),
			collectorstest.Items(fmt.Sprintf(githubtest.AnalysisJSON, time.Now().Add(-3*alerts.ScanHorizon).UTC().Format(time.RFC3339), "", "Semgrep")))
	})
	if b := batches["scanning:acme/api"]; b.Err != nil || len(b.Scans) != 1 || b.Scans[0].SucceededAt.IsZero() {
		t.Errorf("batch %+v, want the one scan of the first page", b)
	}
	asked := 0
	for _, r := range s.Requests() {
		if r.Path == "/repos/Acme/api/code-scanning/analyses" {
			asked++
			if got := r.Query.Get("ref"); got != "refs/heads/main" {
				t.Errorf("asked for %q, want the default branch", got)
			}
		}
	}
	if asked != 1 {
		t.Errorf("%d pages were read, want 1", asked)
	}
}

func TestScanningReadsOnPastWhatItCannotUnderstand(t *testing.T) {
	batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
		s.LinkPages("GET /repos/Acme/api/code-scanning/analyses", "page", collectorstest.Items(`{"created_at":"soon"}`),
			collectorstest.Items(fmt.Sprintf(githubtest.AnalysisJSON, time.Now().UTC().Format(time.RFC3339), "", "CodeQL")))
	})
	if b := batches["scanning:acme/api"]; b.Err != nil || len(b.Scans) != 1 || b.Scans[0].SucceededAt.IsZero() || b.Rejected[record.RejectTimestamp] != 1 {
		t.Errorf("batch %+v, want one analysis rejected and the one of the second page", b)
	}
}

// TestOneLanguageThatFails makes the scan of its tool as old as its own last success; one that is not analysed any more does only if default setup has it.
func TestOneLanguageThatFails(t *testing.T) {
	at := func(ago time.Duration, category, failure string) string {
		return fmt.Sprintf(`{"created_at":%q,"category":%q,"error":%q,"tool":{"name":"CodeQL"}}`, githubtest.Ago(ago), category, failure)
	}
	const day = githubtest.Day
	for _, tt := range []struct {
		name, setup string
		analyses    []string
		want        time.Duration
	}{
		{"all succeed", `{"state":"not-configured"}`, []string{at(time.Hour, "/language:go", ""), at(2*time.Hour, "/language:python", "")}, time.Hour},
		{"one fails", `{"state":"not-configured"}`, []string{at(time.Hour, "/language:go", ""), at(2*time.Hour, "/language:python", "out of memory"), at(21*day, "/language:python", "")}, 21 * day},
		{"one never succeeded", `{"state":"not-configured"}`, []string{at(time.Hour, "/language:go", ""), at(2*time.Hour, "/language:python", "no code")}, 0},
		{"one is analysed no more", `{"state":"not-configured"}`, []string{at(time.Hour, "/language:go", ""), at(21*day, "/language:python", "")}, time.Hour},
		{"one is analysed no more and should be", `{"state":"configured","languages":["go","python"]}`, []string{at(time.Hour, "/language:go", ""), at(21*day, "/language:python", "")}, 21 * day},
		{"it succeeds again", `{"state":"not-configured"}`, []string{at(time.Hour, "/language:go", ""), at(2*time.Hour, "/language:python", ""), at(3*time.Hour, "/language:python", "out of memory")}, time.Hour},
	} {
		batches, _, _, _ := githubtest.Posture(t, nil, func(s *collectorstest.Server) {
			s.JSON("GET /repos/Acme/api/code-scanning/analyses", collectorstest.Items(tt.analyses...))
			s.JSON("GET /repos/Acme/api/code-scanning/default-setup", tt.setup)
		})
		b := batches["scanning:acme/api"]
		if b.Err != nil || len(b.Scans) != 1 || githubtest.Since(b.Scans[0].SucceededAt) != tt.want || githubtest.Since(b.Scans[0].AttemptedAt) != time.Hour {
			t.Errorf("%s: %+v, error %v; want the last success %s ago", tt.name, b.Scans, b.Err, tt.want)
		}
	}
}
