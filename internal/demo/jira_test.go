package demo

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/jira"
)

func (d *Demo) jiraAsk(t *testing.T, method, path string, body any) answer {
	t.Helper()
	credential := base64.StdEncoding.EncodeToString([]byte(jira.Email + ":" + d.token))
	return ask(t, method, d.urls.jira+path, body, "Authorization: Basic "+credential)
}

// tickets walks a search to its end.
func (d *Demo) tickets(t *testing.T, jql string, size int) []map[string]any {
	t.Helper()
	var all []map[string]any
	token := ""
	for {
		var page struct {
			Issues        []map[string]any
			NextPageToken string
			IsLast        bool
			Total         *int
		}
		a := d.jiraAsk(t, http.MethodPost, "/rest/api/3/search/jql", map[string]any{
			"jql": jql, "maxResults": size, "nextPageToken": token, "fields": []string{"status", "updated", "created"},
		})
		if a.code != http.StatusOK {
			t.Fatalf("%s: %d %s", jql, a.code, a.body)
		}
		a.decode(t, &page)
		all = append(all, page.Issues...)
		if page.Total != nil || page.IsLast != (page.NextPageToken == "") {
			t.Fatalf("total %v, isLast %v, token %q", page.Total, page.IsLast, page.NextPageToken)
		}
		if page.IsLast {
			return all
		}
		token = page.NextPageToken
	}
}

func keys(list []map[string]any) []string {
	all := make([]string, len(list))
	for i, item := range list {
		all[i] = item["key"].(string)
	}
	return all
}

func TestJiraPagesJoin(t *testing.T) {
	d, _ := start(t, 1)
	for _, order := range []string{"", " ORDER BY updated DESC", " order by created asc, key", " ORDER BY key"} {
		jql := `project = PSEC AND issuetype = "Security Exception"` + order
		whole, small := keys(d.tickets(t, jql, 5000)), keys(d.tickets(t, jql, 7))
		if len(whole) < 130 || !slices.Equal(whole, small) {
			t.Errorf("%s: %d tickets at once, %d in pages of 7", jql, len(whole), len(small))
		}
	}
}

func TestJQL(t *testing.T) {
	d, c := start(t, 1)
	all := d.tickets(t, "project in (PSEC, SREV, INC, REL)", 100)
	count := func(jql string) int { return len(d.tickets(t, jql, 100)) }
	since := testNow.Add(-48 * time.Hour)
	updated := 0
	for _, i := range all {
		at, err := time.Parse(jira.Layout, at(t, i, "fields", "updated").(string))
		if err != nil {
			t.Fatal(err)
		}
		if !at.Truncate(time.Minute).Before(since) {
			updated++
		}
	}
	if updated == 0 || updated == len(all) {
		t.Fatalf("%d of %d tickets changed in two days", updated, len(all))
	}
	for jql, want := range map[string]int{
		fmt.Sprintf(`NOT project = X AND updated >= "%s"`, since.Format("2006-01-02 15:04")): updated,
		"updated >= -2d":                                                      updated,
		"(project = OTHER) OR updated >= -48h":                                updated,
		"project = OTHER":                                                     0,
		"project not in (PSEC, SREV, INC,REL)":                                0,
		`status in (Approved, "Awaiting decision") AND NOT key = X-1`:         count("status = Approved") + count(`status = "Awaiting decision"`),
		`status not in (Approved, "Awaiting decision") AND issuetype = other`: 0,
	} {
		if got := count(jql); got != want {
			t.Errorf("%s: got %d, want %d", jql, got, want)
		}
	}
	for _, jql := range []string{"", "order by key", "colour = red", "project =", `project = "PSEC`, "project = PSEC ORDER BY colour", "updated >= never", "project ~ P", "project = PSEC status"} {
		if a := d.jiraAsk(t, http.MethodGet, "/rest/api/3/search/jql?jql="+url.QueryEscape(jql), nil); a.code != http.StatusBadRequest {
			t.Errorf("%q: got %d, want 400", jql, a.code)
		}
	}
	c.move(96 * time.Hour)
	if count(fmt.Sprintf(`project = PSEC AND updated >= "%s"`, testNow.Format("2006-01-02 15:04"))) == 0 {
		t.Error("nothing happened in Jira in four days")
	}
}

func TestJiraAnswersOnlyWhatIsAsked(t *testing.T) {
	d, _ := start(t, 1)
	var page struct{ Issues []map[string]any }
	d.jiraAsk(t, http.MethodGet, "/rest/api/3/search/jql?jql=project=PSEC&maxResults=3", nil).decode(t, &page)
	if len(page.Issues) != 3 || len(page.Issues[0]) != 1 {
		t.Errorf("without fields Jira gives ids only: %v", page.Issues)
	}
	d.jiraAsk(t, http.MethodGet, "/rest/api/3/search/jql?jql=project=PSEC&maxResults=1&fields=status,customfield_10107,nothing", nil).decode(t, &page)
	if fields := at(t, page.Issues[0], "fields").(map[string]any); len(fields) != 2 {
		t.Errorf("fields: %v", fields)
	}
	if a := d.jiraAsk(t, http.MethodGet, "/rest/api/3/search?jql=project=PSEC", nil); a.code != http.StatusGone {
		t.Errorf("the old search: %d, want 410", a.code)
	}
	var info map[string]any
	ask(t, http.MethodGet, d.urls.jira+"/rest/api/2/serverInfo", nil).decode(t, &info)
	if info["deploymentType"] != "Cloud" {
		t.Errorf("serverInfo: %v", info)
	}
}

// TestChangelogsTellEveryDecision: the bulk call and the call for one ticket agree, page by page.
func TestChangelogsTellEveryDecision(t *testing.T) {
	d, _ := start(t, 1)
	approved := keys(d.tickets(t, "status = Approved", 100))
	got, token := 0, ""
	for {
		var page struct {
			IssueChangeLogs []struct {
				IssueID         string
				ChangeHistories []map[string]any
			}
			NextPageToken string
		}
		d.jiraAsk(t, http.MethodPost, "/rest/api/3/changelog/bulkfetch", map[string]any{
			"issueIdsOrKeys": approved, "fieldIds": []string{"status"}, "maxResults": 4, "nextPageToken": token,
		}).decode(t, &page)
		for _, log := range page.IssueChangeLogs {
			got += len(log.ChangeHistories)
			if created := at(t, log.ChangeHistories[0], "created"); created.(float64) < 1e12 {
				t.Fatalf("created: %v is not in milliseconds", created)
			}
			if to := at(t, log.ChangeHistories[0], "items", 0, "toString"); to != "Approved" {
				t.Errorf("%s became %v", log.IssueID, to)
			}
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if got != len(approved) || got == 0 {
		t.Errorf("%d changes of %d approved tickets", got, len(approved))
	}
	var single struct {
		Total  int
		Values []map[string]any
	}
	d.jiraAsk(t, http.MethodGet, "/rest/api/3/issue/"+approved[0]+"/changelog", nil).decode(t, &single)
	if single.Total != 1 || len(single.Values) != 1 {
		t.Errorf("%+v", single)
	}
}
