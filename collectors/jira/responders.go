package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// RespondersConfig says whose answer counts. At least one of Group and Accounts is set. Accounts are named by account id, on Data
// Center by user name or key, or by e-mail address where Jira shows it; never by display name, which people choose themselves.
type RespondersConfig struct {
	// Group is a group in Jira whose members, past the ones who left it, answer.
	Group string `yaml:"group,omitempty"`
	// Accounts answer, too.
	Accounts []string `yaml:"accounts,omitempty"`
	// Bots never answer, even as members. Accounts of apps need not be named: Cloud marks them.
	Bots []string `yaml:"bots,omitempty"`
}

// person is an account as Jira shows it: by accountId on Cloud, by name and key on Data Center.
type person struct {
	AccountID   string `json:"accountId"`
	AccountType string `json:"accountType"`
	Name        string `json:"name"`
	Key         string `json:"key"`
	Email       string `json:"emailAddress"`
}

// ids are all that an account can be known by, folded; none for an account that Jira does not tell.
func (p person) ids() []string {
	var ids []string
	for _, id := range []string{p.AccountID, p.Name, p.Key, p.Email} {
		if id = fold(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// people reads fields that hold an account each.
func (i *issue) people(fields ...*field) []person {
	var all []person
	for _, f := range fields {
		var p person
		if raw := i.raw[i.fields[f]]; len(raw) > 0 && json.Unmarshal(raw, &p) == nil {
			all = append(all, p)
		}
	}
	return all
}

// groupPermission is what the credential needs for a group; without it, name accounts.
const groupPermission = "Browse users and groups (Data Center: Jira administrators), or list the responders under accounts"

// responders are the accounts whose answers count.
type responders struct {
	group    string
	accounts map[string]bool
	bots     map[string]bool

	mu      sync.Mutex
	members map[string]bool // of the group; nil until it was read
}

func newResponders(config RespondersConfig) (*responders, error) {
	if strings.TrimSpace(config.Group) == "" && len(config.Accounts) == 0 {
		return nil, errors.New("say whose answer is a response: name a group, or accounts by their ids")
	}
	return &responders{group: strings.TrimSpace(config.Group), accounts: foldedSet(config.Accounts), bots: foldedSet(config.Bots)}, nil
}

func foldedSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[fold(name)] = true
	}
	return set
}

// answers reports whether the words of p are an answer to what some people asked.
func (r *responders) answers(p person, asked []person) bool {
	if strings.EqualFold(p.AccountType, "app") {
		return false
	}
	ids := p.ids()
	if slices.ContainsFunc(ids, func(id string) bool { return r.bots[id] }) {
		return false
	}
	for _, other := range asked {
		if slices.ContainsFunc(other.ids(), func(id string) bool { return slices.Contains(ids, id) }) {
			return false
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(ids, func(id string) bool { return r.accounts[id] || r.members[id] })
}

// firstChange is the first change of status by a responder; zero when there is none.
func (r *responders) firstChange(i *issue, asked []person) time.Time {
	for _, c := range i.changes {
		if r.answers(c.by, asked) {
			return c.at
		}
	}
	return time.Time{}
}

// load reads the members of the group, once and then anew at each full sweep.
func (r *responders) load(ctx context.Context, c *Collector, s *session, anew bool) error {
	r.mu.Lock()
	known := r.group == "" || r.members != nil && !anew
	r.mu.Unlock()
	if known {
		return nil
	}
	members, err := c.members(ctx, s, r.group)
	if record.ReasonOf(err) == record.ReasonPermission {
		err = &record.Error{Reason: record.ReasonPermission, Permission: groupPermission, Err: err}
	}
	if err != nil {
		return fmt.Errorf("read the members of the group %q: %w", record.Text(r.group), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = members
	return nil
}

// members lists the accounts of a group. Inactive ones are among them: their answers were answers.
func (c *Collector) members(ctx context.Context, s *session, group string) (map[string]bool, error) {
	members := map[string]bool{}
	query := url.Values{"groupname": {group}, "includeInactiveUsers": {"true"}}
	err := c.pages(ctx, s.api("group/member"), query, "values", func(raw json.RawMessage) (bool, error) {
		var p person
		if err := json.Unmarshal(raw, &p); err != nil {
			return false, &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		for _, id := range p.ids() {
			members[id] = true
		}
		return false, nil
	})
	if err == nil && len(members) == 0 {
		return nil, &record.Error{Reason: record.ReasonNotFound, Err: errors.New("nobody is in it; nothing could ever be answered")}
	}
	return members, err
}

// firstComment is when the first comment by one of the chosen people was written; zero when there is none. Comments come oldest first.
// Internal notes of service desks are not read by those who asked, so they are no answer. A comment that cannot be understood garbles the issue:
// it may be the first answer.
func (c *Collector) firstComment(ctx context.Context, s *session, i *issue, chosen func(person) bool) (time.Time, error) {
	var first time.Time
	query := url.Values{"orderBy": {"created"}}
	err := c.pages(ctx, s.api("issue/"+url.PathEscape(i.id)+"/comment"), query, "comments", func(raw json.RawMessage) (bool, error) {
		var comment struct {
			Author  person `json:"author"`
			Created moment `json:"created"`
			Public  *bool  `json:"jsdPublic"`
		}
		if json.Unmarshal(raw, &comment) != nil || comment.Created.IsZero() {
			i.garbled = true
			return true, nil //nolint:nilerr // The issue is rejected and counted.
		}
		if (comment.Public == nil || *comment.Public) && chosen(comment.Author) {
			first = comment.Created.Time
		}
		return !first.IsZero(), nil
	})
	return first, err
}

// pages counts through a list that Jira gives by startAt and hands on each element until take reports that it has enough.
func (c *Collector) pages(ctx context.Context, path string, query url.Values, list string, take func(json.RawMessage) (enough bool, err error)) error {
	from := 0
	for range apiclient.DefaultMaxPages {
		query.Set("startAt", strconv.Itoa(from))
		query.Set("maxResults", strconv.Itoa(pageSize))
		var page map[string]json.RawMessage
		if err := c.get(ctx, path, query, &page); err != nil {
			return err
		}
		var elements []json.RawMessage
		var total int
		if json.Unmarshal(page[list], &elements) != nil || json.Unmarshal(page["total"], &total) != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: the answer has no %s or no total", path, list)}
		}
		for _, element := range elements {
			if enough, err := take(element); enough || err != nil {
				return err
			}
		}
		if from += len(elements); from >= total {
			return nil
		}
		if len(elements) == 0 {
			return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%s: the server ended after %d of %d", path, from, total)}
		}
	}
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%s: more than %d pages", path, apiclient.DefaultMaxPages)}
}
