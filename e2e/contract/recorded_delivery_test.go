//go:build e2e

package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/alerts"
	"prodsec_exporter/collectors/github/protection"
	"prodsec_exporter/collectors/github/trust"
	"prodsec_exporter/internal/record"
)

const recordedFolder = "../../../shared/fixtures/github"

type recordedUser struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

type recordedPull struct {
	Number   int          `json:"number"`
	User     recordedUser `json:"user"`
	Created  time.Time    `json:"created_at"`
	Merged   time.Time    `json:"merged_at"`
	MergeSHA string       `json:"merge_commit_sha"`
}

type recordedReview struct {
	URL       string       `json:"pull_request_url"`
	State     string       `json:"state"`
	User      recordedUser `json:"user"`
	Submitted time.Time    `json:"submitted_at"`
	raw       string
}

type recordedRun struct {
	ID     int64        `json:"id"`
	Path   string       `json:"path"`
	Branch string       `json:"head_branch"`
	SHA    string       `json:"head_sha"`
	Actor  recordedUser `json:"actor"`
	raw    string
}

// recordedLines decodes each line of a recording; raw gets the line itself.
func recordedLines[T any](t *testing.T, name string, raw func(*T, string)) (list []*T) {
	t.Helper()
	file, err := os.Open(filepath.Join(recordedFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // Only read.
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		item := new(T)
		if err := json.Unmarshal(lines.Bytes(), item); err != nil {
			t.Fatal(err)
		}
		raw(item, lines.Text())
		list = append(list, item)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// recordedDelivery is a GitHub where each recorded run deployed, and the last brought all recorded pull requests.
type recordedDelivery struct {
	pulls   map[int]*recordedPull
	reviews map[int][]*recordedReview
	runs    []*recordedRun
}

const (
	recordedName = "panjf2000/ants"
	// nobody wrote any recorded pull request or review.
	nobody = "nobody-at-all"
)

func newRecordedDelivery(t *testing.T) *recordedDelivery {
	t.Helper()
	d := &recordedDelivery{pulls: map[int]*recordedPull{}, reviews: map[int][]*recordedReview{}}
	for _, p := range recordedLines(t, "pull_requests.jsonl", func(*recordedPull, string) {}) {
		d.pulls[p.Number] = p
	}
	for _, v := range recordedLines(t, "pull_request_reviews.jsonl", func(v *recordedReview, raw string) { v.raw = raw }) {
		number, err := strconv.Atoi(v.URL[strings.LastIndex(v.URL, "/")+1:])
		if err != nil {
			t.Fatal(err)
		}
		d.reviews[number] = append(d.reviews[number], v)
		if d.pulls[number] == nil { // Of some pull requests only the reviews were recorded.
			d.pulls[number] = &recordedPull{
				Number: number, User: recordedUser{nobody, "User"}, Created: v.Submitted.Add(-time.Hour), Merged: v.Submitted.Add(30 * 24 * time.Hour), MergeSHA: commitOf(int64(number)),
			}
		}
	}
	d.runs = recordedLines(t, "workflow_runs.jsonl", func(r *recordedRun, raw string) { r.raw = raw })
	return d
}

func commitOf(n int64) string { return fmt.Sprintf("%040x", n) }

// deployedAt is when a run deployed: they ran in the order of their numbers.
func deployedAt(i int) time.Time {
	return time.Date(2026, time.January, 1, 0, i, 0, 0, time.UTC)
}

var recordedAlias = regexp.MustCompile(`([cp]\d+):(?:object\(oid:"([0-9a-f]+)"\)|pullRequest\(number:(\d+)\))`)

func (d *recordedDelivery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	repository := `"full_name":"` + recordedName + `","html_url":"https://github.com/` + recordedName + `"`
	base := "/repos/" + recordedName
	switch path := r.URL.Path; {
	case path == "/graphql":
		d.graphql(w, r)
	case path == "/orgs/panjf2000/repos":
		collectorstest.WriteJSON(w, `[{`+repository+`,"default_branch":"master"}]`)
	case path == base+"/environments":
		collectorstest.WriteJSON(w, `{"environments":[{"name":"production"}]}`)
	case strings.HasPrefix(path, base+"/compare/"):
		collectorstest.WriteJSON(w, d.comparison(path))
	case strings.HasPrefix(path, base+"/actions/runs/"):
		at := slices.IndexFunc(d.runs, func(run *recordedRun) bool { return strings.HasSuffix(path, fmt.Sprint("/", run.ID)) })
		collectorstest.WriteJSON(w, d.runs[at].raw)
	case strings.HasSuffix(path, "/reviews"):
		number, _ := strconv.Atoi(strings.Split(path, "/")[5])
		var items []string
		for _, v := range d.reviews[number] {
			items = append(items, v.raw)
		}
		collectorstest.WriteJSON(w, collectorstest.Items(items...))
	default:
		http.NotFound(w, r)
	}
}

// comparison is what a run's commit has that the one of the run before lacks: nothing, but for the last.
func (d *recordedDelivery) comparison(path string) string {
	if strings.Contains(path, "/master...") || !strings.HasSuffix(path, commitOf(d.runs[len(d.runs)-1].ID)) {
		return `{"status":"ahead","total_commits":0,"commits":[]}`
	}
	var list []string
	for _, p := range d.pulls {
		list = append(list, fmt.Sprintf(`{"sha":%q,"parents":[{}]}`, p.MergeSHA))
	}
	return fmt.Sprintf(`{"status":"ahead","total_commits":%d,"commits":[%s]}`, len(list), strings.Join(list, ","))
}

func (d *recordedDelivery) graphql(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var q struct{ Query string }
	_ = json.Unmarshal(body, &q)
	if strings.HasPrefix(q.Query, "query Deployments(") {
		var nodes []string
		for i, run := range d.runs {
			at := deployedAt(i).Format(time.RFC3339)
			nodes = append(nodes, fmt.Sprintf(`{"id":"D%d","createdAt":%q,"commitOid":%q,"environment":"production","statuses":{"totalCount":1,"nodes":[`+
				`{"state":"SUCCESS","createdAt":%q,"logUrl":"https://github.com/%s/actions/runs/%d/job/1"}]}}`, run.ID, at, commitOf(run.ID), at, recordedName, run.ID))
		}
		collectorstest.WriteJSON(w, `{"data":{"organization":{"repositories":{"pageInfo":{"hasNextPage":false},"nodes":[{"nameWithOwner":"`+recordedName+`","url":"https://github.com/`+
			recordedName+`","deployments":{"pageInfo":{"hasNextPage":false},"nodes":[`+strings.Join(nodes, ",")+`]}}]}}}}`)
		return
	}
	var fields []string
	for _, m := range recordedAlias.FindAllStringSubmatch(q.Query, -1) {
		for _, p := range d.pulls {
			switch {
			case m[2] != "" && p.MergeSHA == m[2]:
				fields = append(fields, fmt.Sprintf(`%q:{"associatedPullRequests":{"nodes":[{"number":%d,"mergedAt":%s}]}}`, m[1], p.Number, jsonTime(p.Merged)))
			case m[3] == strconv.Itoa(p.Number):
				fields = append(fields, fmt.Sprintf(`%q:{"number":%[2]d,"createdAt":%s,"mergedAt":%s,"author":{"__typename":%q,"login":%q},"reviews":{"totalCount":%d,"nodes":[]}}`,
					m[1], p.Number, jsonTime(p.Created), jsonTime(p.Merged), p.User.Type, p.User.Login, len(d.reviews[p.Number])))
			}
		}
	}
	collectorstest.WriteJSON(w, `{"data":{"repository":{`+strings.Join(fields, ",")+`}}}`)
}

func jsonTime(at time.Time) string {
	if at.IsZero() {
		return "null"
	}
	return strconv.Quote(at.Format(time.RFC3339))
}

// TestRecordedDelivery lets recorded runs deploy recorded pull requests, and loses nothing of what a record has a place for.
func TestRecordedDelivery(t *testing.T) {
	d := newRecordedDelivery(t)
	server := httptest.NewServer(d)
	defer server.Close()
	config := github.Default()
	config.Name, config.URL, config.Organizations, config.Token = "recorded", server.URL, []string{"panjf2000"}, collectorstest.Secret(t, "token")
	config.Alerts, config.Protection, config.Inventory.Properties = alerts.Config{}, protection.Config{}, false
	config.Trust = trust.Config{}
	config.Delivery.DeploymentEnvironments, config.Delivery.DeploymentHistory = []string{"production"}, collectors.Duration(100*365*24*time.Hour)
	collector, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.NewTextHandler(t.Output(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["deployments:"+recordedName]
	if b.Err != nil || len(b.Rejected) > 0 || len(b.Deployments) != len(d.runs) || len(d.runs) == 0 {
		t.Fatalf("%d of %d deployments, rejected %v, error %v", len(b.Deployments), len(d.runs), b.Rejected, b.Err)
	}
	for i, run := range d.runs {
		got := b.Deployments[i]
		want := record.Deployment{Pipeline: recordedName + ":" + strings.ToLower(run.Path), Ref: run.Branch, FromProtectedBranch: record.AnswerOf(run.Branch == "master")}
		if got.Pipeline != want.Pipeline || got.Ref != want.Ref || got.FromProtectedBranch != want.FromProtectedBranch {
			t.Errorf("run %d became %+v, want %+v", run.ID, got, want)
		}
	}
	d.compare(t, b.Deployments[len(b.Deployments)-1])
}

// compare holds the changes of the last deployment against all that were merged.
func (d *recordedDelivery) compare(t *testing.T, last record.Deployment) {
	t.Helper()
	type change struct{ Opened, Merged, FirstReview, Approved string }
	want, got := map[string]change{}, map[string]change{}
	for number, p := range d.pulls {
		if p.Merged.IsZero() { // Its commit reached the trunk by no pull request that was merged: a direct push.
			want[recordedName+"@"+p.MergeSHA] = change{"null", "null", "null", "null"}
			continue
		}
		var first, approved time.Time
		for _, v := range d.reviews[number] {
			if v.User.Type == "User" && v.User.Login != p.User.Login {
				first = record.Earliest(first, v.Submitted)
				if v.State == "APPROVED" {
					approved = record.Earliest(approved, v.Submitted)
				}
			}
		}
		want[fmt.Sprintf("%s#%d", recordedName, number)] = change{jsonTime(p.Created), jsonTime(p.Merged), jsonTime(first), jsonTime(approved)}
	}
	for _, c := range last.Changes {
		got[c.ID] = change{jsonTime(c.OpenedAt), jsonTime(c.MergedAt), jsonTime(c.FirstReviewAt), jsonTime(c.ApprovedAt)}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 12 || last.ChangesKnown != record.AnswerYes {
		t.Errorf("%d changes, known: %q (-want +got):\n%s", len(want), last.ChangesKnown, diff)
	}
}
