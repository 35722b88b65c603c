package jira

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// said is a comment in JSON.
func said(account, when, rest string) string {
	return fmt.Sprintf(`{"author": {"accountId": %q%s}, "created": "2026-01-%sT00:00:00.000+0000"}`, account, rest, when)
}

// conversation scripts the comments of every issue, two a page, and counts the requests for them.
func conversation(s *collectorstest.Server, comments ...string) *int {
	requests := new(int)
	s.Handle("GET /rest/api/3/issue/{id}/comment", func(w http.ResponseWriter, r *http.Request) {
		*requests++
		from, err := strconv.Atoi(r.URL.Query().Get("startAt"))
		if err != nil || r.URL.Query().Get("orderBy") != "created" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		from = min(from, len(comments))
		collectorstest.WriteJSON(w, map[string]any{"total": len(comments), "comments": raw(comments[from:min(from+2, len(comments))])})
	})
	return requests
}

// TestFirstResponse: only a member of the group or a named account answers; never who asked, and never a bot.
func TestFirstResponse(t *testing.T) {
	const app = `, "accountType": "app"`
	moved := func(account string) string {
		return `{"issueChangeLogs": [{"issueId": "1001", "changeHistories": [{"author": {"accountId": "` + account + `"},
			"created": "2026-01-12T00:00:00.000+0000", "items": [{"fieldId": "status", "to": "5", "toString": "In review"}]}]}]}`
	}
	for name, tt := range map[string]struct {
		comments []string
		mover    string
		want     string // day of January, "" for none
		state    record.ReviewState
	}{
		"nobody":                            {nil, "someone", "", record.ReviewWaiting},
		"a member comments":                 {[]string{said("acc-1", "15", "")}, "someone", "15", record.ReviewInProgress},
		"a member in other letters":         {[]string{said("Acc-1", "15", "")}, "someone", "15", record.ReviewInProgress},
		"a named account comments":          {[]string{said("acc-9", "15", "")}, "someone", "15", record.ReviewInProgress},
		"a member takes it up":              {nil, "acc-1", "12", record.ReviewInProgress},
		"taken up before a comment":         {[]string{said("acc-1", "15", "")}, "acc-1", "12", record.ReviewInProgress},
		"a comment before it is taken up":   {[]string{said("acc-1", "11", "")}, "acc-1", "11", record.ReviewInProgress},
		"others only":                       {[]string{said("x", "11", ""), said("y", "12", ""), said("", "13", "")}, "z", "", record.ReviewWaiting},
		"who asked is a member":             {[]string{said("acc-asked", "11", ""), said("acc-made", "12", "")}, "acc-asked", "", record.ReviewWaiting},
		"a bot of the group":                {[]string{said("acc-bot", "11", "")}, "acc-bot", "", record.ReviewWaiting},
		"an app that is named":              {[]string{said("acc-9", "11", app)}, "someone", "", record.ReviewWaiting},
		"on the second page":                {[]string{said("x", "11", ""), said("acc-asked", "12", ""), said("y", "13", ""), said("acc-1", "14", "")}, "x", "14", record.ReviewInProgress},
		"an internal note":                  {[]string{strings.TrimSuffix(said("acc-1", "11", ""), "}") + `, "jsdPublic": false}`, said("acc-1", "16", "")}, "x", "16", record.ReviewInProgress},
		"by display name, which anyone has": {[]string{said("mallory", "11", `, "displayName": "acc-1"`)}, "x", "", record.ReviewWaiting},
	} {
		s := collectorstest.NewServer(t)
		cloud(s, ticket(1, `"reporter": {"accountId": "acc-asked"}, "creator": {"accountId": "acc-made"}`))
		people(s, "3")
		s.JSON("GET /rest/api/3/group/member", `{"total": 4, "values": [{"accountId": "ACC-1"}, {"accountId": "acc-bot"}, {"accountId": "acc-asked"}, {"accountId": "acc-made"}]}`)
		s.JSON("POST /rest/api/3/changelog/bulkfetch", moved(tt.mover))
		conversation(s, tt.comments...)
		b := gatherAll(t, s, Config{Reviews: everyKind().Reviews}, nil)["reviews:default"]
		if b.Err != nil || len(b.Reviews) != 1 {
			t.Errorf("%s: %d reviews, %v", name, len(b.Reviews), b.Err)
			continue
		}
		var want time.Time
		if tt.want != "" {
			want = at("2026-01-" + tt.want + "T00:00:00Z")
		}
		if got := b.Reviews[0]; !got.FirstResponseAt.Equal(want) || got.State != tt.state {
			t.Errorf("%s: first response %v, %s; want %v, %s", name, got.FirstResponseAt, got.State, want, tt.state)
		}
	}
}

func TestFirstResponseOnDataCenter(t *testing.T) {
	s := collectorstest.NewServer(t)
	dataCenter(s, strings.TrimSuffix(ticket(1, `"reporter": {"name": "ada", "key": "JIRAUSER1"}`), "}")+`, "changelog": {"histories": [
		{"author": {"name": "Tom", "key": "JIRAUSER2"}, "created": "2026-01-09T10:00:00.000+0000", "items": [{"field": "status", "to": "5", "toString": "In review"}]},
		{"author": {"name": "renamed", "key": "JIRAUSER1"}, "created": "2026-01-05T10:00:00.000+0000", "items": [{"field": "status", "to": "5", "toString": "In review"}]}]}}`)
	people(s, "2")
	b := gatherAll(t, s, Config{Reviews: []ReviewsConfig{{Issues: Issues{JQL: query}, Responders: RespondersConfig{Accounts: []string{"tom", "renamed"}}}}}, nil)["reviews:default"]
	if b.Err != nil || !b.Reviews[0].FirstResponseAt.Equal(at("2026-01-09T10:00:00Z")) {
		t.Errorf("got %+v, %v; want Tom's change, not that of who asked under a new name", b.Reviews, b.Err)
	}
}

// TestCommentsAreReadOnce: of a review that has been answered, or has not changed since, they are not read again.
func TestCommentsAreReadOnce(t *testing.T) {
	s := collectorstest.NewServer(t)
	people(s, "3")
	cloud(s, ticket(1, ""), ticket(2, ""))
	requests := conversation(s)
	c := collector(t, s, Config{Reviews: everyKind().Reviews})
	collect := func(cursors collectors.Cursors, want int, what string) record.Batch {
		t.Helper()
		*requests = 0
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if b := batches["reviews:default"]; err != nil || b.Err != nil || *requests != want {
			t.Errorf("%s: %d requests for comments, want %d; %v, %v", what, *requests, want, err, b.Err)
		}
		return batches["reviews:default"]
	}
	delta := collectors.Cursors{"reviews:default": "2026-02-01T00:00:00Z"}
	collect(nil, 2, "at first")
	collect(delta, 0, "unchanged")
	if got := c.Forecast()[""]; got != 24 {
		t.Errorf("forecast without news: %v requests per hour, want 24", got)
	}
	cloud(s, strings.Replace(ticket(1, ""), "2026-02-01", "2026-02-03", 1), ticket(2, ""))
	requests = conversation(s, said("acc-1", "20", ""))
	b := collect(delta, 1, "one changed")
	if b.Mode != record.Delta || b.Reviews[0].FirstResponseAt.IsZero() || !b.Reviews[1].FirstResponseAt.IsZero() {
		t.Errorf("got %+v", b.Reviews)
	}
	if got := c.Forecast()[""]; got != 36 {
		t.Errorf("forecast after a comment was read: %v requests per hour, want 36", got)
	}
	cloud(s, strings.Replace(ticket(1, ""), "2026-02-01", "2026-02-05", 1))
	if b := collect(nil, 0, "answered"); b.Reviews[0].FirstResponseAt.IsZero() {
		t.Error("the answer was forgotten")
	}
	cloud(s, ticket(2, ""))
	collect(nil, 1, "one that had left the query")
}

func TestReviewStatesAndKinds(t *testing.T) {
	m, err := newReviews(ReviewsConfig{
		Issues: Issues{JQL: "a = 1"}, Responders: RespondersConfig{Accounts: []string{"a"}},
		Statuses: ReviewStatuses{StatusNames: StatusNames{Open: []string{"Live"}, Done: []string{"已完成"}}, Blocked: []string{"Geparkt"}},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		status, category string
		answered         bool
		want             record.ReviewState
	}{
		{"To Do", "new", false, record.ReviewWaiting},
		{"In progress", "indeterminate", false, record.ReviewWaiting}, // a robot may have moved it
		{"进行中", "indeterminate", true, record.ReviewInProgress},
		{"已完成", "new", true, record.ReviewDone},
		{"完成", "done", false, record.ReviewDone},
		{"LIVE", "done", true, record.ReviewInProgress},
		{"geparkt", "indeterminate", false, record.ReviewBlocked},
		{"Blocked", "indeterminate", true, record.ReviewBlocked},
		{"Unblocked", "indeterminate", true, record.ReviewInProgress},
		{"", "", false, record.ReviewWaiting},
		{"Closed", "undefined", false, record.ReviewDone},
		{"To be closed", "undefined", false, record.ReviewWaiting},
	} {
		i := &issue{key: "A-1", updated: at("2026-02-01T00:00:00Z")}
		i.status.Name, i.status.Category.Key = tt.status, tt.category
		if tt.answered {
			i.answered = at("2026-01-01T00:00:00Z")
		}
		var b record.Batch
		if reason := m.add(i, &b); reason != "" || b.Reviews[0].State != tt.want || b.Reviews[0].ClosedAt.IsZero() != (tt.want != record.ReviewDone) {
			t.Errorf("%s (%s): %s, got %+v, want %s", tt.status, tt.category, reason, b.Reviews, tt.want)
		}
	}
	for text, want := range map[string]record.ReviewKind{
		"Threat Model": record.ReviewThreatModel, "Architecture review": record.ReviewDesign, "Secure code review": record.ReviewCode, "代码评审": record.ReviewCode, "Story": "",
	} {
		if got := usual(reviewWords, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
