package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// issue is an issue as far as it is read.
type issue struct {
	id, key    string
	summary    string
	status     status
	resolution string
	created    time.Time
	updated    time.Time
	resolved   time.Time
	raw        map[string]json.RawMessage
	fields     resolved
	// changes are the changes of status, oldest first.
	changes []change
	// answered is the first response, of mappings that ask for it.
	answered time.Time
	// garbled says that the issue's changes or comments, which are asked for apart, cannot be understood.
	garbled bool
}

// status is a status and the category that Jira itself puts it into, which does not depend on language.
type status struct {
	Name     string `json:"name"`
	Category struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
}

// change is a change of status.
type change struct {
	at time.Time
	// to is the name that the status had, toID its id, by which its category is found.
	to, toID, category string
	by                 person
}

type history struct {
	Author  person `json:"author"`
	Created moment `json:"created"`
	Items   []struct {
		Field    string `json:"field"`
		FieldID  string `json:"fieldId"`
		To       string `json:"to"`
		ToString string `json:"toString"`
	} `json:"items"`
}

// readIssue decodes one issue, or says why it cannot be taken up.
func readIssue(data json.RawMessage, r resolved) (*issue, record.RejectReason) {
	var wire struct {
		ID        string                     `json:"id"`
		Key       string                     `json:"key"`
		Fields    map[string]json.RawMessage `json:"fields"`
		Changelog struct {
			Histories []json.RawMessage `json:"histories"`
		} `json:"changelog"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, record.RejectDecode
	}
	if wire.Key == "" {
		return nil, record.RejectNoID
	}
	i := &issue{id: cmp.Or(wire.ID, wire.Key), key: record.Text(wire.Key), raw: wire.Fields, fields: r}
	for _, t := range []struct {
		name string
		into *time.Time
	}{{"created", &i.created}, {"updated", &i.updated}, {"resolutiondate", &i.resolved}} {
		var m moment
		if raw := wire.Fields[t.name]; len(raw) > 0 {
			if err := m.UnmarshalJSON(raw); err != nil {
				return nil, record.RejectTimestamp
			}
		}
		*t.into = m.Time
	}
	var resolution struct {
		Name string `json:"name"`
	}
	for _, part := range []struct {
		name string
		into any
	}{{"summary", &i.summary}, {"status", &i.status}, {"resolution", &resolution}} {
		if raw := wire.Fields[part.name]; len(raw) > 0 {
			if err := json.Unmarshal(raw, part.into); err != nil {
				return nil, record.RejectDecode
			}
		}
	}
	i.resolution = resolution.Name
	for _, raw := range wire.Changelog.Histories {
		if !i.addHistory(raw) {
			return nil, record.RejectDecode
		}
	}
	i.sortChanges()
	return i, ""
}

// addHistory takes up an entry of the changelog; it reports false for one that cannot be understood.
func (i *issue) addHistory(raw json.RawMessage) bool {
	var h history
	if err := json.Unmarshal(raw, &h); err != nil {
		return false
	}
	for _, item := range h.Items {
		// The field's name is translated on some servers; its id is not, but old entries lack it.
		if item.FieldID == "status" || item.FieldID == "" && strings.EqualFold(item.Field, "status") {
			i.changes = append(i.changes, change{at: h.Created.Time, to: item.ToString, toID: item.To, by: h.Author})
		}
	}
	return true
}

func (i *issue) sortChanges() {
	slices.SortStableFunc(i.changes, func(a, b change) int { return a.at.Compare(b.at) })
}

// text and list read a field of the mapping; a field that is not there has no values.
func (i *issue) list(f *field) []string { return f.values(i.raw[i.fields[f]]) }

func (i *issue) text(f *field) string {
	if all := i.list(f); len(all) > 0 {
		return record.Text(all[0])
	}
	return ""
}

// issueKey reads a field that names another issue: the key of the parent, of the first linked issue, or what a text field says.
func (i *issue) issueKey(f *field) string {
	var parent struct {
		Key string `json:"key"`
	}
	if raw := i.raw[i.fields[f]]; len(raw) > 0 && json.Unmarshal(raw, &parent) == nil && parent.Key != "" {
		return record.Text(parent.Key)
	}
	return i.text(f)
}

// moment reads a field that holds a time.
func (i *issue) moment(f *field) (moment, error) {
	var m moment
	raw := i.raw[i.fields[f]]
	if len(raw) == 0 {
		return m, nil
	}
	values := f.values(raw)
	if len(values) == 0 {
		return m, nil
	}
	return m, m.parse(values[0])
}

// historiesPerRequest bounds the issues of one request for changelogs; the API allows 1,000.
const historiesPerRequest = 500

// addHistories fetches the changes of status of issues on Cloud, where a search holds only the last ones. Data Center has sent them along.
func (c *Collector) addHistories(ctx context.Context, s *session, issues []*issue) error {
	if !s.cloud {
		return nil
	}
	byID := make(map[string]*issue, len(issues))
	ids := make([]string, 0, len(issues))
	for _, i := range issues {
		byID[i.id] = i
		ids = append(ids, i.id)
	}
	for chunk := range slices.Chunk(ids, historiesPerRequest) {
		if err := c.fetchHistories(ctx, chunk, byID); err != nil {
			return fmt.Errorf("read changes of status: %w", err)
		}
	}
	for _, i := range issues {
		i.sortChanges()
	}
	return nil
}

func (c *Collector) fetchHistories(ctx context.Context, ids []string, byID map[string]*issue) error {
	return apiclient.Walk(ctx, 0, func(ctx context.Context, token string) (string, error) {
		body := map[string]any{"issueIdsOrKeys": ids, "fieldIds": []string{"status"}, "maxResults": 1000}
		if token != "" {
			body["nextPageToken"] = token
		}
		var page struct {
			Logs []struct {
				IssueID   string            `json:"issueId"`
				Histories []json.RawMessage `json:"changeHistories"`
			} `json:"issueChangeLogs"`
			NextPageToken string `json:"nextPageToken"`
		}
		if err := c.send(apiclient.Idempotent(ctx), http.MethodPost, "rest/api/3/changelog/bulkfetch", body, &page); err != nil {
			return "", err
		}
		for _, entry := range page.Logs {
			i := byID[entry.IssueID]
			if i == nil {
				continue
			}
			for _, raw := range entry.Histories {
				if !i.addHistory(raw) {
					i.garbled = true
				}
			}
		}
		return page.NextPageToken, nil
	})
}
