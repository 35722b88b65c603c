package sonarqube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// stored is an issue or hotspot of a large project.
type stored struct {
	severity string // or resolution
	created  time.Time
}

// large serves searches over many items as servers do: filtered, at most searchLimit of each search, and on Cloud with a total that
// stops there.
func large(list string, items []stored, capped bool) http.HandlerFunc {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprintf(`{"key":"k%d","rule":"java:S3649","creationDate":%q,"impacts":[{"softwareQuality":"SECURITY","severity":%q}]}`, i, item.created.Format(dateLayout), item.severity)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		number, _ := strconv.Atoi(q.Get("p"))
		size, _ := strconv.Atoi(q.Get("ps"))
		if size > 500 || number*size > searchLimit {
			http.Error(w, `{"errors":[{"msg":"Can return only the first 10000 results"}]}`, http.StatusBadRequest)
			return
		}
		if from, err := time.Parse(dateLayout, q.Get("createdAfter")); err == nil && from.After(time.Now()) {
			http.Error(w, `{"errors":[{"msg":"Start bound cannot be in the future"}]}`, http.StatusBadRequest)
			return
		}
		var found []string
		wanted := filter(q.Get)
		for i, item := range items {
			if wanted(item) {
				found = append(found, texts[i])
			}
		}
		total := len(found)
		if capped {
			total = min(total, searchLimit)
		}
		from := min((number-1)*size, len(found))
		collectorstest.WriteJSON(w, page(list, total, found[from:min(from+size, len(found))]...))
	}
}

// filter reads the filters of a search. Created after includes its instant, before does not.
func filter(get func(string) string) func(stored) bool {
	severity := get("impactSeverities") + get("resolution")
	after, errAfter := time.Parse(dateLayout, get("createdAfter"))
	before, errBefore := time.Parse(dateLayout, get("createdBefore"))
	return func(item stored) bool {
		switch {
		case severity != "" && severity != item.severity,
			get("status") == "TO_REVIEW" && item.severity != "", get("status") == "REVIEWED" && item.severity == "",
			errAfter == nil && item.created.Before(after), errBefore == nil && !item.created.Before(before):
			return false
		}
		return true
	}
}

// many makes n items of one severity, spread evenly over a span.
func many(n int, severity string, from time.Time, span time.Duration) []stored {
	items := make([]stored, n)
	for i := range items {
		items[i] = stored{severity: severity, created: from.Add(time.Duration(i) * span / time.Duration(n)).Truncate(time.Second)}
	}
	return items
}

func TestTheLimitOfTenThousand(t *testing.T) {
	year := 365 * 24 * time.Hour
	spread := append(many(10_200, "HIGH", day(1, 1), year/12), many(300, "LOW", day(1, 1).Add(-10*year), year)...)
	for name, tt := range map[string]struct {
		items  []stored
		reason record.ErrorReason
	}{
		"exactly at the limit":           {items: many(searchLimit, "MEDIUM", day(1, 1), year/12)},
		"one more, in one severity":      {items: many(searchLimit+1, "MEDIUM", day(1, 1), year/12)},
		"two severities":                 {items: spread},
		"made a moment ago":              {items: many(searchLimit+1, "HIGH", time.Now().UTC().Add(-time.Minute), time.Minute)},
		"made now":                       {items: many(searchLimit+1, "HIGH", time.Now().UTC().Add(-3*time.Second), 3*time.Second)},
		"all created in the same second": {items: many(searchLimit+1, "HIGH", day(1, 1), time.Nanosecond), reason: record.ReasonTruncated},
	} {
		for _, capped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, capped %t", name, capped), func(t *testing.T) {
				c, _ := bench(t, Config{Projects: rules, WithoutHotspots: true}, func(s *collectorstest.Server) {
					s.Handle("GET /api/issues/search", large("issues", tt.items, capped))
				})
				b := gather(t, c, nil)["issues:acme_api"]
				if tt.reason != "" {
					if record.ReasonOf(b.Err) != tt.reason {
						t.Errorf("error %v, want reason %q", b.Err, tt.reason)
					}
					return
				}
				if b.Err != nil || len(b.Findings) != len(tt.items) {
					t.Errorf("%d findings, %v; want %d", len(b.Findings), b.Err, len(tt.items))
				}
			})
		}
	}
}

func TestTheLimitOfHotspots(t *testing.T) {
	for name, tt := range map[string]struct {
		items  []stored
		reason record.ErrorReason
	}{
		"by review": {items: append(append(many(9_000, "", day(1, 1), time.Hour), many(800, "SAFE", day(1, 1), time.Hour)...), many(400, "ACKNOWLEDGED", day(1, 1), time.Hour)...)},
		"to review": {items: many(searchLimit, "", day(1, 1), time.Hour), reason: record.ReasonTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := bench(t, Config{Projects: rules}, func(s *collectorstest.Server) {
				s.Handle("GET /api/hotspots/search", large("hotspots", tt.items, true))
			})
			b := gather(t, c, nil)["hotspots:acme_api"]
			switch {
			case tt.reason != "" && record.ReasonOf(b.Err) != tt.reason:
				t.Errorf("error %v, want reason %q", b.Err, tt.reason)
			case tt.reason == "" && (b.Err != nil || len(b.Findings) != len(tt.items)):
				t.Errorf("%d findings, %v; want %d", len(b.Findings), b.Err, len(tt.items))
			}
		})
	}
}

func TestDeltaBeyondTheLimitIsASweep(t *testing.T) {
	items := many(searchLimit+1, "HIGH", day(1, 1), 24*time.Hour)
	c, _ := bench(t, Config{Projects: rules, WithoutHotspots: true}, func(s *collectorstest.Server) { s.Handle("GET /api/issues/search", large("issues", items, true)) })
	b := gather(t, c, collectors.Cursors{"issues:acme_api": "2020-01-01T00:00:00Z"})["issues:acme_api"]
	if b.Err != nil || b.Mode != record.Full || len(b.Findings) != len(items) {
		t.Errorf("mode %q, %d findings, %v; want a full batch of %d", b.Mode, len(b.Findings), b.Err, len(items))
	}
}

func TestTooManyProjects(t *testing.T) {
	c, _ := bench(t, Config{}, func(s *collectorstest.Server) {
		s.JSON("GET /api/components/search", `{"paging":{"total":10000},"components":[{"key":"a"}]}`)
	})
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonTruncated {
		t.Errorf("10,000 projects = %v, want truncated", err)
	}
}

// TestRecordedAnswers reads real answers of servers through the collector.
func TestRecordedAnswers(t *testing.T) {
	scans := filepath.Join("..", "..", "..", "shared", "fixtures", "scans")
	load := func(t *testing.T, name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(scans, name))
		if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
			t.Logf("no recorded answer %s: nothing to read", name)
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, want := range map[string]struct { // counted with jq, by unique key
		scope    string
		findings int
		sca, cwe int
	}{
		"sonarqube/findings_over_api.json":                      {"issues:acme_api", 4, 2, 2},
		"sonarqube/findings_over_api_multi_cwe_fabricated.json": {"issues:acme_api", 3, 1, 1},
		"sonarqube/findings_over_api_empty.json":                {"issues:acme_api", 0, 0, 0},
		"sonarqube/findings_over_api_hotspots.json":             {"hotspots:acme_api", 4, 0, 0},
		"api_sonarqube/issues.json":                             {"issues:acme_api", 3, 0, 0},
		"api_sonarqube/many_vulns.json":                         {"hotspots:acme_api", 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			data := load(t, name)
			if data == nil {
				return
			}
			kind, _, _ := strings.Cut(want.scope, ":")
			body := recordedPage(t, kind, data)
			c, _ := bench(t, Config{}, func(s *collectorstest.Server) {
				s.JSON("GET /api/"+kind+"/search", body)
				s.Handle("GET /api/rules/show", http.NotFound)
			})
			b := gather(t, c, nil)[want.scope]
			sca, cwe := 0, 0
			for _, f := range b.Findings {
				if f.Class == record.ClassSCA && len(f.Aliases) == 1 {
					sca++
				}
				if strings.HasPrefix(f.Category, "CWE-") {
					cwe++
				}
				if f.Severity == record.SeverityUnknown || f.FirstSeen.IsZero() || f.Category == "" {
					t.Errorf("%+v lacks something", f)
				}
			}
			if b.Err != nil || len(b.Findings) != want.findings || len(b.Rejected) > 0 || sca != want.sca || cwe != want.cwe {
				t.Errorf("%d findings, %d of class sca with an alias, %d with a CWE, %v, %v; want %+v", len(b.Findings), sca, cwe, b.Rejected, b.Err, want)
			}
			if unknown := c.Words.List(); len(unknown) > 0 {
				t.Errorf("words of a real answer are unknown: %v", unknown)
			}
		})
	}
}

// recordedPage is a recorded answer with a total that fits its items, which recordings were cut to. Some hold the bare list.
func recordedPage(t *testing.T, list string, data []byte) string {
	t.Helper()
	var whole map[string]json.RawMessage
	if json.Unmarshal(data, &whole) != nil {
		whole = map[string]json.RawMessage{list: data, "components": json.RawMessage(`[]`)}
	}
	var items []json.RawMessage
	if err := json.Unmarshal(whole[list], &items); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"paging":{"total":%d},%q:%s,"components":%s}`, len(items), list, whole[list], whole["components"])
}

// TestRecordedRule reads the CWE out of real rules: one that has a description, and one that has none.
func TestRecordedRule(t *testing.T) {
	for name, want := range map[string]string{"rule_multi_cwe_fabricated.json": "CWE-563", "rule_wo_html_desc.json": ""} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "fixtures", "scans", "api_sonarqube", name))
		if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
			t.Logf("no recorded rule %s: nothing to read", name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c, _ := bench(t, Config{}, func(s *collectorstest.Server) { s.JSON("GET /api/rules/show", `{"rule":`+string(data)+`}`) })
		if got, err := c.cweOf(t.Context(), "typescript:S1854"); err != nil || got != want {
			t.Errorf("%s: cweOf() = %q, %v; want %q", name, got, err, want)
		}
	}
}
