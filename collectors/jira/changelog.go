package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// change is a change of status.
type change struct {
	at    time.Time
	order int64
	// from and to are the names that the statuses had then, fromID and toID their ids. A changelog may lack any of them but to.
	from, fromID, to, toID string
	// before and after are the statuses as they are known today; see issue.identify.
	before, after status
	by            person
}

// led is the status that a change led to.
func (c change) led() status {
	if c.after.isZero() {
		return status{ID: loose(c.toID), Name: c.to}
	}
	return c.after
}

// left is the status that a change ended; nothing where the changelog does not tell.
func (c change) left() status {
	if c.before.isZero() {
		return status{ID: loose(c.fromID), Name: c.from}
	}
	return c.before
}

// edit is a change of another field that is followed.
type edit struct {
	at       time.Time
	order    int64
	from, to written
}

// written is a value as a changelog writes it: as the API does, which may be missing, and as people read it.
type written struct{ raw, text string }

// The fields of Jira's own that are followed.
const (
	statusField     = "status"
	resolutionField = "resolution"
	projectField    = "project"
	keyField        = "key"
)

// followed are the fields whose changes are read, by what changelogs call them.
type followed struct {
	ids map[string]bool
	// named are the ids by folded name: entries of Data Center, and old ones of Cloud, name the field alone.
	named map[string]string
}

// follower is a mapping that follows the changes of more than the status.
type follower interface {
	mapping
	// follows are the fields whose changes are asked for; resolution tells whether those of the resolution are, too.
	follows() (fields []*field, resolution bool)
}

// followedBy is what a mapping follows.
func (s *session) followedBy(m mapping, r resolved) followed {
	f := followed{
		ids:   map[string]bool{statusField: true, projectField: true},
		named: map[string]string{statusField: statusField, projectField: projectField, keyField: keyField},
	}
	more, ok := m.(follower)
	if !ok {
		return f
	}
	fields, resolution := more.follows()
	if resolution {
		f.ids[resolutionField], f.named[resolutionField] = true, resolutionField
	}
	for _, chosen := range fields {
		id := r[chosen]
		if id == "" {
			continue
		}
		f.ids[id], f.named[fold(id)] = true, id
		if name := s.nameOf(id); name != "" {
			f.named[fold(name)] = id
		}
	}
	return f
}

// id is that of the field of an entry; empty if nobody follows it.
func (f followed) id(id, name string) string {
	if strings.EqualFold(name, keyField) && f.named[keyField] != "" {
		return keyField // which has an id on some servers and none on others
	}
	if id == "" {
		return f.named[fold(name)]
	}
	if !f.ids[id] {
		return ""
	}
	return id
}

// list is what to ask for.
func (f followed) list() []string {
	all := make([]string, 0, len(f.ids))
	for id := range f.ids {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// history is an entry of the changelog.
type history struct {
	ID      loose  `json:"id"`
	Author  person `json:"author"`
	Created moment `json:"created"`
	Items   []struct {
		Field      string `json:"field"`
		FieldID    string `json:"fieldId"`
		From       loose  `json:"from"`
		FromString loose  `json:"fromString"`
		To         loose  `json:"to"`
		ToString   loose  `json:"toString"`
	} `json:"items"`
}

// order tells entries that bear the same time apart, of which the newest may come first: ids count up. Without an id it is what is given.
func (h history) order(otherwise int) int64 {
	n, err := strconv.ParseInt(string(h.ID), 10, 64)
	if err != nil {
		return int64(otherwise)
	}
	return n
}

// addHistory takes up an entry of the changelog; it reports false for one that cannot be understood.
func (i *issue) addHistory(raw json.RawMessage) bool {
	var h history
	if err := json.Unmarshal(raw, &h); err != nil {
		return false
	}
	order := h.order(len(i.changes))
	for _, item := range h.Items {
		id := i.followed.id(item.FieldID, item.Field)
		if id == "" {
			continue
		}
		if h.Created.IsZero() {
			return false
		}
		from, to := written{string(item.From), string(item.FromString)}, written{string(item.To), string(item.ToString)}
		if id == keyField {
			i.keyChange(from, order)
			continue
		}
		if id == statusField {
			i.changes = append(i.changes, change{
				at: h.Created.Time, order: order, from: from.text, fromID: from.raw, to: to.text, toID: to.raw, by: h.Author,
			})
			continue
		}
		if i.edits == nil {
			i.edits = map[string][]edit{}
		}
		i.edits[id] = append(i.edits[id], edit{h.Created.Time, order, from, to})
	}
	return true
}

// sortChanges puts what was changed into the order in which it was.
func (i *issue) sortChanges() {
	slices.SortStableFunc(i.changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	for _, edits := range i.edits {
		slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	}
}

// historiesPerRequest bounds the issues of one request for changelogs; the API allows 1,000.
const historiesPerRequest = 500

// addHistories fetches the changelogs of issues on Cloud, where a search holds only the last entries. Data Center has sent them along.
func (c *Collector) addHistories(ctx context.Context, s *session, issues []*issue, f followed) error {
	if !s.cloud {
		return nil
	}
	byID := make(map[string]*issue, len(issues))
	ids := make([]string, 0, len(issues))
	for _, i := range issues {
		i.changes, i.edits = nil, nil
		byID[i.id] = i
		ids = append(ids, i.id)
	}
	for chunk := range slices.Chunk(ids, historiesPerRequest) {
		if err := c.fetchHistories(ctx, chunk, byID, f); err != nil {
			return fmt.Errorf("read changelogs: %w", err)
		}
	}
	for _, i := range issues {
		i.partial = false
		i.sortChanges()
	}
	return nil
}

func (c *Collector) fetchHistories(ctx context.Context, ids []string, byID map[string]*issue, f followed) error {
	return apiclient.Walk(ctx, 0, func(ctx context.Context, token string) (string, error) {
		body := map[string]any{"issueIdsOrKeys": ids, "fieldIds": f.list(), "maxResults": 1000}
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
		if page.Logs == nil {
			return "", &record.Error{Reason: record.ReasonDecode, Err: errors.New("the answer has no list of changelogs, which is not the empty list")}
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
