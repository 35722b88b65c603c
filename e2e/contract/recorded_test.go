//go:build e2e

package contract

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// exchange is an exchange with GitHub that @octokit/fixtures recorded.
type exchange struct {
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	Status     int             `json:"status"`
	Response   json.RawMessage `json:"response"`
	RawHeaders []string        `json:"rawHeaders"`
}

const recordedHost = "https://api.github.com"

// replay serves the reading part of a recorded scenario with its headers, whose addresses lead here instead. An entity tag that was given is honoured.
func replay(t *testing.T, scenario string) (server *httptest.Server, reads []exchange) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(packages(t), "node_modules/@octokit/fixtures/scenarios/api.github.com", scenario, "raw-fixture.json"))
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []exchange
	if err := json.Unmarshal(data, &exchanges); err != nil {
		t.Fatal(err)
	}
	reads = slices.DeleteFunc(exchanges, func(e exchange) bool { return e.Method != "get" })
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := slices.IndexFunc(reads, func(e exchange) bool { return e.Path == r.URL.RequestURI() })
		if at < 0 {
			http.Error(w, `{"message":"not recorded"}`, http.StatusTeapot)
			return
		}
		reads[at].answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, reads
}

func (e *exchange) answer(w http.ResponseWriter, r *http.Request) {
	for i := 0; i+1 < len(e.RawHeaders); i += 2 {
		switch name := e.RawHeaders[i]; strings.ToLower(name) {
		case "content-length", "content-encoding", "transfer-encoding", "connection", "date":
		default:
			w.Header().Add(name, strings.ReplaceAll(e.RawHeaders[i+1], recordedHost, "http://"+r.Host))
		}
	}
	if tag := w.Header().Get("ETag"); tag != "" && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(e.Response)
}

// budgets notes what a client learns of its budgets.
type budgets struct {
	mu   sync.Mutex
	seen []string
}

func (*budgets) Requested(int, bool) {}

func (b *budgets) Budget(resource string, limit, remaining int, reset time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, fmt.Sprintf("%s %d %t %d", resource, limit, remaining > 0 && remaining < limit, reset.Year()))
}

func newClient(t *testing.T, server *httptest.Server, observer apiclient.Observer) *apiclient.Client {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{BaseURL: server.URL, Observer: observer, FollowRedirects: true, Auth: apiclient.Bearer(collectorstest.Secret(t, "token"))})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRecordedPaging(t *testing.T) {
	server, reads := replay(t, "paginate-issues")
	var observed budgets
	client := newClient(t, server, &observed)
	fresh := 0
	get := func(ctx context.Context, address string, out any) (*apiclient.Response, error) {
		resp, err := client.Do(ctx, http.MethodGet, address, nil, nil, out)
		if err == nil && !resp.NotModified {
			fresh++
		}
		return resp, err
	}
	for range 2 {
		var pages []int
		var numbers []int
		err := apiclient.Follow(t.Context(), 0, reads[0].Path, get, func(items []json.RawMessage) (bool, error) {
			pages = append(pages, len(items))
			for _, item := range items {
				var issue struct{ Number int }
				if err := json.Unmarshal(item, &issue); err != nil {
					return false, err
				}
				numbers = append(numbers, issue.Number)
			}
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{3, 3, 3, 3, 1}, pages) + cmp.Diff([]int{13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, numbers); diff != "" {
			t.Errorf("pages and issues (-want +got):\n%s", diff)
		}
	}
	if fresh != 5 {
		t.Errorf("%d pages were sent whole, want 5: the second reading is answered by entity tags", fresh)
	}
	if len(observed.seen) != 10 || slices.ContainsFunc(observed.seen, func(s string) bool { return s != "core 5000 true 2022" }) {
		t.Errorf("budgets %q, want that of the resource core ten times", observed.seen)
	}
}

func TestRecordedRename(t *testing.T) {
	server, reads := replay(t, "rename-repository")
	var repository struct{ ID int64 }
	if _, err := newClient(t, server, nil).Do(t.Context(), http.MethodGet, reads[0].Path, nil, nil, &repository); err != nil {
		t.Fatal(err)
	}
	if reads[0].Status != http.StatusMovedPermanently || repository.ID == 0 || !strings.HasSuffix(reads[1].Path, fmt.Sprint(repository.ID)) {
		t.Errorf("repository %d by way of %+v, want the one that was renamed", repository.ID, reads)
	}
}

func TestRecordedUnprotectedBranch(t *testing.T) {
	server, reads := replay(t, "branch-protection")
	_, err := newClient(t, server, nil).Do(t.Context(), http.MethodGet, reads[0].Path, nil, nil, nil)
	if record.ReasonOf(err) != record.ReasonNotFound || !strings.Contains(fmt.Sprint(err), "Branch not protected") {
		t.Errorf("error %v, want what GitHub says", err)
	}
}

const recordedPullRequests = "../../../shared/fixtures/github/pull_requests.jsonl"

// recordedRepository is what a repository in a recorded pull request says.
type recordedRepository struct {
	FullName   string    `json:"full_name"`
	Visibility string    `json:"visibility"`
	Archived   bool      `json:"archived"`
	Fork       bool      `json:"fork"`
	Branch     string    `json:"default_branch"`
	Topics     []string  `json:"topics"`
	PushedAt   time.Time `json:"pushed_at"`
}

// TestRecordedRepositories reads the repositories that recorded pull requests carry, and loses nothing of what a record has a place for.
func TestRecordedRepositories(t *testing.T) {
	items, want := pullRequestRepositories(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		collectorstest.WriteJSON(w, collectorstest.Items(items...))
	}))
	defer server.Close()
	config := github.Config{
		Common: github.Default().Common, URL: server.URL, Organizations: []string{"recorded"}, Token: collectorstest.Secret(t, "token"), Inventory: inventory.Config{Repositories: github.Default().Inventory.Repositories},
		PostureInterval: github.Default().PostureInterval, RepositoriesPerCollection: 1,
	}
	collector, err := github.New(config, collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	batches, err := collectorstest.Gather(t.Context(), collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := batches["repositories:recorded"]
	if b.Err != nil || len(b.Rejected) > 0 || len(b.Repositories) != len(want) || len(want) == 0 {
		t.Fatalf("%d of %d repositories, rejected %v, error %v", len(b.Repositories), len(want), b.Rejected, b.Err)
	}
	for i, w := range want {
		r := b.Repositories[i]
		got := recordedRepository{w.FullName, string(r.Visibility), r.Archived, r.Fork, r.DefaultBranch, r.Topics, r.PushedAt}
		w.Topics = append([]string{}, w.Topics...)
		if diff := cmp.Diff(w, got); diff != "" || !strings.EqualFold(string(r.Name), w.FullName) {
			t.Errorf("%s became %s (-want +got):\n%s", w.FullName, r.Name, diff)
		}
	}
}

// pullRequestRepositories lists the different repositories of recorded pull requests.
func pullRequestRepositories(t *testing.T) (items []string, want []recordedRepository) {
	t.Helper()
	file, err := os.Open(recordedPullRequests)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // Only read.
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 8<<20)
	known := map[string]bool{}
	for lines.Scan() {
		var pull struct {
			Base, Head struct {
				Repo json.RawMessage `json:"repo"`
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &pull); err != nil {
			t.Fatal(err)
		}
		for _, repo := range []json.RawMessage{pull.Base.Repo, pull.Head.Repo} {
			var r recordedRepository
			if err := json.Unmarshal(repo, &r); err != nil {
				t.Fatal(err)
			}
			if r.FullName != "" && !known[strings.ToLower(r.FullName)] {
				known[strings.ToLower(r.FullName)] = true
				items, want = append(items, string(repo)), append(want, r)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return items, want
}
