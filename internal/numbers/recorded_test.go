package numbers_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// recordedHistory is where pull requests, reviews and workflow runs of a public library are kept beside the repository, one JSON object a
// line, as GitHub's API returned them.
const recordedHistory = "../../../shared/fixtures/github"

type recordedPull struct {
	Number    int        `json:"number"`
	CreatedAt time.Time  `json:"created_at"`
	MergedAt  *time.Time `json:"merged_at"`
	MergedAs  string     `json:"merge_commit_sha"`
	User      struct {
		Login string `json:"login"`
	} `json:"user"`
}

type recordedReview struct {
	PullURL     string    `json:"pull_request_url"`
	SubmittedAt time.Time `json:"submitted_at"`
	User        struct {
		Login string `json:"login"`
	} `json:"user"`
}

type recordedRun struct {
	ID         int64     `json:"id"`
	Conclusion string    `json:"conclusion"`
	Event      string    `json:"event"`
	Branch     string    `json:"head_branch"`
	Commit     string    `json:"head_sha"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// recorded reads a file of the history; ok is false where there is none, which is a failure under CI.
func recorded[T any](t *testing.T, name string) (items []T, ok bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recordedHistory, name))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the recorded history is missing: %v", err)
		}
		t.Logf("no recorded history: %v", err)
		return nil, false
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var item T
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		items = append(items, item)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return items, true
}

func ants() record.Service {
	return record.Service{Name: "ants", BusinessUnit: "library", Team: "ants", TrustTier: "tier2", Repositories: []record.RepositoryPath{{Repository: "panjf2000/ants"}}}
}

// imports is an organisation that found a history when it was first read.
func imports(t *testing.T, now time.Time, windows []policy.Duration, deployments []record.Deployment, incidents []record.Incident) *organisation {
	t.Helper()
	o := unfounded(t, func(c *policy.Config) { c.Windows = append(windows, policy.RequiredWindows()...) })
	o.catalog(now, ants())
	o.deploys(now, deployments...)
	o.suffers(now, incidents...)
	o.must(o.ledger.MarkFounded(t.Context(), now))
	o.now = now // long before the days of the other stories
	return o
}

// merges are the recorded pull requests that were merged, each as what brought its change to the users of a library: the merge. The
// commits were not recorded, so that work begins with the pull request; whoever reviewed it and is not its author did so for security.
func merges(pulls []recordedPull, reviews []recordedReview) (deployments []record.Deployment) {
	for _, p := range pulls {
		if p.MergedAt == nil {
			continue
		}
		c := record.Change{ID: fmt.Sprint(p.Number), FirstCommitAt: p.CreatedAt, OpenedAt: p.CreatedAt, MergedAt: *p.MergedAt, SecurityReviewed: record.AnswerNo}
		for _, r := range reviews {
			if strings.HasSuffix(r.PullURL, fmt.Sprintf("/pulls/%d", p.Number)) && r.User.Login != p.User.Login {
				c.SecurityReviewed, c.SecurityReviewAt = record.AnswerYes, record.Earliest(c.SecurityReviewAt, r.SubmittedAt)
			}
		}
		deployments = append(deployments, live(p.MergedAs, "panjf2000/ants", *p.MergedAt, c))
	}
	return deployments
}

// TestRecordedPullRequests: lead time and frequency by their published definitions, the time from the beginning of the work on a change until its
// users have it and the number of deployments in a period. The numbers were made with Python from the files, e.g. the lead times with
//
//	sorted(t(p["merged_at"]) - t(p["created_at"]) for p in pulls if p["merged_at"])
//	139 8730 29720 38716 65591 67399 90256 132660 204119 1403416, of which 204119 is that of the only one that was reviewed
//
// whose median is (65591 + 67399) / 2: a little under a day.
func TestRecordedPullRequests(t *testing.T) {
	pulls, ok := recorded[recordedPull](t, "pull_requests.jsonl")
	if !ok {
		return
	}
	reviews, _ := recorded[recordedReview](t, "pull_request_reviews.jsonl")
	days := func(n int) policy.Duration { return policy.Duration(time.Duration(n) * policy.Day) }
	now := time.Date(2022, 2, 28, 0, 0, 0, 0, time.UTC)
	o := imports(t, now, []policy.Duration{days(30), days(180), days(365)}, merges(pulls, reviews), nil)
	for _, c := range []struct {
		want   float64
		series string
	}{
		{10, changesFamily + "{team=ants}"},
		{10, leadFamily + "_count{team=ants}"},
		{9, leadFamily + "_count{security_review=none}"},
		{1836627, leadFamily + "_sum{security_review=none}"},
		{1, leadFamily + "_count{security_review=early}"}, // at 15 % of its lead time
		{204119, leadFamily + "_sum{security_review=early}"},
		{1, leadFamily + "_bucket{security_review=none,le=3600}"},
		{2, leadFamily + "_bucket{security_review=none,le=14400}"},
		{4, leadFamily + "_bucket{security_review=none,le=43200}"},
		{6, leadFamily + "_bucket{security_review=none,le=86400}"},
		{8, leadFamily + "_bucket{security_review=none,le=172800}"},
		{8, leadFamily + "_bucket{security_review=none,le=1.2096e+06}"},
		{9, leadFamily + "_bucket{security_review=none,le=2.592e+06}"},
		{1, "prodsec_deployments_in_window{window=30d,environment=production}"},
		{3, "prodsec_deployments_in_window{window=180d,environment=production}"},
		{4, "prodsec_deployments_in_window{window=365d,environment=production}"},
		{4, "prodsec_change_lead_time_in_window_seconds_count{window=365d}"},
		{0, failuresFamily + "{team=ants}"},
	} {
		o.check(c.want, c.series)
	}
}

// check compares a sum of samples, written family{label=value,...}.
func (o *organisation) check(want float64, series string) {
	o.t.Helper()
	family, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	if got, found := sum(parse(o.t, o.text()), family, strings.Split(labels, ",")...); !found || got != want {
		o.t.Errorf("%s is %v (%v), want %v", series, got, found, want)
	}
}

// TestRecordedRuns: the workflow runs as attempts to deploy. The change failure rate is failed deployments by all, and the time to restore the time from a
// failed deployment to the next successful one. Of 18 recorded runs 10 succeeded, 2 failed (one by running out of time), and 6 did
// neither: they had not ended, or ended neutral or stale. The 2 failed at 2022-06-26T12:36:58Z; the next success was at 2022-06-27T01:30:55Z,
// 46437 s later.
func TestRecordedRuns(t *testing.T) {
	runs, ok := recorded[recordedRun](t, "workflow_runs.jsonl")
	if !ok {
		return
	}
	deployments := make([]record.Deployment, 0, len(runs))
	var incidents []record.Incident
	for _, r := range runs {
		d := live(fmt.Sprint(r.ID), "panjf2000/ants", r.UpdatedAt)
		d.Commit, d.Ref, d.Status = r.Commit, r.Branch, record.DeploymentOther
		switch r.Conclusion {
		case "success":
			d.Status = record.DeploymentSucceeded
		case "failure", "timed_out":
			d.Status = record.DeploymentFailed
			incidents = append(incidents, record.Incident{ID: d.ID, OpenedAt: r.UpdatedAt, RestoredAt: nextSuccess(runs, r.UpdatedAt), SecurityImpact: record.AnswerNo})
		case "":
			d.Status = record.DeploymentPending
		}
		deployments = append(deployments, d)
	}
	days := func(n int) policy.Duration { return policy.Duration(time.Duration(n) * policy.Day) }
	o := imports(t, time.Date(2022, 9, 4, 0, 0, 0, 0, time.UTC), []policy.Duration{days(30), days(60), days(90)}, deployments, incidents)
	for _, c := range []struct {
		want   float64
		series string
	}{
		{10, "prodsec_deployments_total{team=ants,environment=production}"},
		{12, changesFamily + "{team=ants}"},
		{2, failuresFamily + "{team=ants,cause=unknown}"}, // 2 of 12: one in six
		{0, failuresFamily + "{team=ants,cause=other}"},
		{3, "prodsec_changes_in_window{window=30d,team=ants}"},
		{5, "prodsec_changes_in_window{window=60d,team=ants}"},
		{12, "prodsec_changes_in_window{window=90d,team=ants}"},
		{0, "prodsec_change_failures_in_window{window=60d,team=ants}"},
		{2, "prodsec_change_failures_in_window{window=90d,team=ants}"},
		{2, restoreFamily + "_count{security_impact=false}"},
		{92874, restoreFamily + "_sum{security_impact=false}"},
		{0, restoreFamily + "_bucket{security_impact=false,le=28800}"},
		{2, restoreFamily + "_bucket{security_impact=false,le=86400}"},
	} {
		o.check(c.want, c.series)
	}
}

// nextSuccess is when the first run after an instant succeeded.
func nextSuccess(runs []recordedRun, after time.Time) (at time.Time) {
	for _, r := range runs {
		if r.Conclusion == "success" && r.UpdatedAt.After(after) {
			at = record.Earliest(at, r.UpdatedAt)
		}
	}
	return at
}
