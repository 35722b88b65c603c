package jira

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

// statusAlone is what most mappings follow.
var statusAlone = followed{ids: map[string]bool{statusField: true}, named: map[string]string{statusField: statusField}}

func TestClosing(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	life, err := newLifecycle(StatusNames{Done: []string{"Erledigt-X"}}, nil, nil, newField("closed", "customfield_8"))
	if err != nil {
		t.Fatal(err)
	}
	today := map[string]status{}
	for _, known := range [][3]string{{"1", "Offen", "new"}, {"2", "Läuft", "indeterminate"}, {"3", "Fertig", "done"}, {"4", "Archiv", "done"}} {
		s := status{ID: loose(known[0]), Name: known[1]}
		s.Category.Key = known[2]
		today[known[0]] = s
	}
	to := func(n int, name, id string) change { return change{at: day(n), to: name, toID: id} }
	for name, tt := range map[string]struct {
		now, category string
		changes       []change
		configured    string
		resolved      time.Time
		want          time.Time
	}{
		"closed once":                         {"Fertig", "done", []change{to(2, "Läuft", "2"), to(3, "Fertig", "3")}, "", day(9), day(3)},
		"closed, then archived":               {"Archiv", "done", []change{to(3, "Fertig", "3"), to(7, "Archiv", "4")}, "", day(9), day(3)},
		"reopened and closed again":           {"Fertig", "done", []change{to(3, "Fertig", "3"), to(4, "Läuft", "2"), to(8, "Fertig", "3")}, "", day(3), day(8)},
		"reopened":                            {"Läuft", "indeterminate", []change{to(3, "Fertig", "3"), to(4, "Läuft", "2")}, "", day(3), time.Time{}},
		"field":                               {"Fertig", "done", []change{to(3, "Fertig", "3")}, `"2026-01-05"`, day(9), day(5)},
		"field of an open one":                {"Läuft", "indeterminate", nil, `"2026-01-05"`, time.Time{}, time.Time{}},
		"no changes":                          {"Fertig", "done", nil, "", day(9), day(9)},
		"no dates":                            {"Fertig", "done", nil, "", time.Time{}, day(21)},
		"changes that end elsewhere":          {"Fertig", "done", []change{to(4, "Läuft", "2")}, "", day(9), day(9)},
		"present status that is new to us":    {"Neu", "done", []change{to(3, "Neu", "77")}, "", day(9), day(3)},
		"a status that was deleted since":     {"已完成", "done", []change{to(3, "Closed", "66"), to(8, "已完成", "77")}, "", day(3), day(3)},
		"a deleted one of which nobody knows": {"Fertig", "done", []change{to(3, "Limbo", "66"), to(8, "Fertig", "3")}, "", day(8), day(8)},
		"named":                               {"erledigt-x", "new", []change{to(6, "Erledigt-X", "1")}, "", time.Time{}, day(6)},
	} {
		i := &issue{changes: tt.changes, resolved: tt.resolved, updated: day(21), raw: map[string]json.RawMessage{}, fields: resolved{life.closed: "customfield_8"}}
		i.status.Name, i.status.Category.Key = tt.now, tt.category
		if tt.configured != "" {
			i.raw["customfield_8"] = json.RawMessage(tt.configured)
		}
		var former formerNames
		former.learn([]*issue{i})
		i.identify(today, &former)
		p, got, err := life.closing(i)
		if err != nil || !got.Equal(tt.want) || (p == phaseDone) == tt.want.IsZero() {
			t.Errorf("%s: got %s, %v, %v; want %v", name, p, got, err, tt.want)
		}
	}
	i := &issue{raw: map[string]json.RawMessage{"customfield_8": json.RawMessage(`"soon"`)}, fields: resolved{life.closed: "customfield_8"}}
	if _, _, err := life.closing(i); err == nil {
		t.Error("a date that is none was read")
	}
}

func TestAnswers(t *testing.T) {
	a, err := newAnswers(AnswerNames{Yes: []string{"Integrity", "no"}, No: []string{"Keine"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		values []string
		want   record.Answer
	}{
		{nil, record.AnswerUnknown}, {[]string{"perhaps"}, record.AnswerUnknown}, {[]string{" YES "}, record.AnswerYes}, {[]string{"keine"}, record.AnswerNo},
		{[]string{"none"}, record.AnswerNo}, {[]string{"perhaps", "integrity"}, record.AnswerYes}, {[]string{"none", "perhaps"}, record.AnswerUnknown},
		{[]string{"No"}, record.AnswerYes}, {[]string{"false", "nein"}, record.AnswerNo},
	} {
		if got := a.of(tt.values); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.values, got, tt.want)
		}
	}
}

func TestLinkedIssue(t *testing.T) {
	for raw, want := range map[string]string{
		`{"id": "7", "key": "INC-7", "fields": {"summary": "Outage"}}`:                        "INC-7",
		`[{"type": {"name": "Causes"}, "outwardIssue": {"id": "8", "key": "INC-8"}}]`:         "INC-8",
		`[{"inwardIssue": {"key": "INC-9"}, "type": {}}, {"outwardIssue": {"key": "INC-8"}}]`: "INC-9",
		`"INC-3"`: "INC-3", `null`: "", `[]`: "",
	} {
		f := newField("incident", "links")
		i := &issue{raw: map[string]json.RawMessage{"issuelinks": json.RawMessage(raw)}, fields: resolved{f: f.id}}
		if got := i.issueKey(f); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

// recorded yields the lines of a recorded answer of a real Jira. They are no part of this repository; under CI they must be there.
func recorded(t *testing.T, name string, yield func(n int, line []byte)) {
	t.Helper()
	file, err := os.ReadFile("../../../shared/fixtures/jira/" + name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the recorded answers are missing: %v", err)
		}
		t.Logf("no recorded answers: %v", err)
		return
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	lines.Buffer(nil, 16<<20)
	n := 0
	for lines.Scan() {
		n++
		yield(n, lines.Bytes())
	}
	if lines.Err() != nil || n == 0 {
		t.Errorf("%s: %d lines, %v", name, n, lines.Err())
	}
}

// TestRecordedChangelogs: every entry is understood, with its author, its time and its changes of status. The numbers were counted
// with jq.
func TestRecordedChangelogs(t *testing.T) {
	i, entries, authors := &issue{followed: statusAlone}, 0, 0
	recorded(t, "issue_changelogs.jsonl", func(n int, line []byte) {
		var h history
		if err := json.Unmarshal(line, &h); err != nil || h.Created.IsZero() || !i.addHistory(line) {
			t.Errorf("line %d: %+v, %v", n, h, err)
		}
		if h.Author.AccountID != "" {
			authors++
		}
		entries++
	})
	if entries == 0 {
		return
	}
	var statuses []string
	for _, c := range i.changes {
		if c.at.IsZero() || c.toID == "" || len(c.by.ids()) == 0 {
			t.Errorf("a change without time, status or author: %+v", c)
		}
		statuses = append(statuses, c.toID+" "+c.to)
	}
	want := []string{"10074 开发中", "6 Closed", "10075 Code Review", "10084 测试中"}
	if d := cmp.Diff(want, statuses); d != "" || entries != 140 || authors != 139 {
		t.Errorf("%d entries by %d authors; changes of status (-want +got):\n%s", entries, authors, d)
	}
}

// TestRecordedLives: when issues of a Jira whose workflow was replaced, and whose statuses were deleted, were done.
func TestRecordedLives(t *testing.T) {
	m, err := newFollowups(FollowupsConfig{Issues: Issues{JQL: "a = 1"}, Statuses: StatusNames{Done: []string{"已完成"}}}, "https://jira.example")
	if err != nil {
		t.Fatal(err)
	}
	fields := resolved{m.incident: "parent", m.due: "duedate"}
	var b record.Batch
	recorded(t, "issues.jsonl", func(n int, line []byte) {
		i, reason := readIssue(line, fields, statusAlone)
		if reason == "" {
			i.identify(nil, &formerNames{})
			reason = m.add(i, &b)
		}
		if reason != "" {
			t.Errorf("line %d was rejected: %s", n, reason)
		}
	})
	if len(b.Followups) == 0 {
		return
	}
	closed, parents := 0, 0
	migration := at("2021-03-28T08:06:09Z") // when the workflow was replaced: nobody finished anything then
	for _, f := range b.Followups {
		if !f.ClosedAt.IsZero() {
			closed++
			if !f.ClosedAt.Before(migration.Add(-time.Hour)) || f.ClosedAt.Before(f.CreatedAt) {
				t.Errorf("%s, created %v: done at %v", f.ID, f.CreatedAt, f.ClosedAt)
			}
		}
		if f.Incident != "" {
			parents++
		}
	}
	if len(b.Followups) != 17 || closed != 15 || parents != 7 {
		t.Errorf("%d issues, %d done, %d with a parent; want 17, 15, 7", len(b.Followups), closed, parents)
	}
}
