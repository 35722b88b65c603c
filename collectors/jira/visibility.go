package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// browse is the permission without which issues are missing from searches in silence.
const browse = "BROWSE_PROJECTS"

// watchedPermissions are those whose loss is an error of its own: without the second, members of groups cannot be read.
var watchedPermissions = map[string]string{browse: "Browse projects", "USER_PICKER": "Browse users and groups"}

// visibility is what the credential sees, and saw before.
type visibility struct {
	// granted are the watched permissions that it had.
	granted map[string]bool
	// projects are the keys of the projects in which each scope held issues at its last full sweep.
	projects map[string]map[string]bool
	// issues counts those of each scope, visible the projects; nil if they were not counted.
	issues  map[string]int
	visible *int
	expires time.Time
}

// checkPermissions reads what the credential may do, and fails when that is less than before: issues that it no longer sees have not vanished. It reports whether Jira
// answers the question at all.
func (c *Collector) checkPermissions(ctx context.Context, s *session) (answers bool, err error) {
	granted, err := c.permissions(ctx, s, "")
	if err != nil || granted == nil {
		return false, err
	}
	if has, reported := granted[browse]; reported && !has {
		return true, denied(browse, "the account may browse no project, so that every search finds nothing")
	}
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		if c.sight.granted[name] && !granted[name] {
			return true, denied(name, "the account lost this permission since the last full sweep; grant it again, or restart the collector or change its configuration to go on without it")
		}
	}
	c.sight.granted = granted
	return true, nil
}

func denied(permission, why string) error {
	return &record.Error{Reason: record.ReasonPermission, Permission: watchedPermissions[permission], Err: fmt.Errorf("%s", why)}
}

// errHiddenProject is Jira's answer about projects that are hidden, gone, or called so without having that key.
var errHiddenProject = errors.New("no project of this key is visible")

// permissions asks which of the watched permissions the credential has, in a project or, for an empty key, anywhere. Nil means that Jira does not say: an old
// version, or a scope that the token lacks.
func (c *Collector) permissions(ctx context.Context, s *session, project string) (map[string]bool, error) {
	names := slices.Sorted(maps.Keys(watchedPermissions))
	query := url.Values{"permissions": {strings.Join(names, ",")}}
	if project != "" {
		query = url.Values{"permissions": {browse}, "projectKey": {project}}
	}
	var answer struct {
		Permissions map[string]struct {
			Have bool `json:"havePermission"`
		} `json:"permissions"`
	}
	switch err := c.get(ctx, s.api("mypermissions"), query, &answer); record.ReasonOf(err) {
	case record.ReasonNotFound:
		if project != "" {
			return nil, errHiddenProject
		}
		return nil, nil
	case record.ReasonPermission, record.ReasonRejected:
		return nil, nil
	default:
		if err != nil {
			return nil, fmt.Errorf("read the credential's permissions: %w", err)
		}
	}
	granted := map[string]bool{}
	for name, p := range answer.Permissions {
		if _, watched := watchedPermissions[name]; watched {
			granted[name] = p.Have
		}
	}
	return granted, nil
}

// projectClause finds the projects that a query names by key.
var projectClause = regexp.MustCompile(`(?i)\bproject\s*(?:=|in)\s*(\([^)]*\)|"[^"]*"|'[^']*'|[A-Z][A-Z0-9_]*)`)

// searchedText is what a query searches texts for.
var searchedText = regexp.MustCompile(`~\s*("[^"]*"|'[^']*')`)

var projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)

// mostProjects bounds the projects of a query that are asked about.
const mostProjects = 20

// namedProjects are the keys of projects in a query.
func namedProjects(jql string) []string {
	var keys []string
	jql = searchedText.ReplaceAllString(jql, "")
	for _, clause := range projectClause.FindAllStringSubmatch(jql, -1) {
		for name := range strings.FieldsFuncSeq(clause[1], func(r rune) bool { return strings.ContainsRune(`()"', `, r) }) {
			if projectKey.MatchString(name) && !slices.Contains(keys, name) && len(keys) < mostProjects {
				keys = append(keys, name)
			}
		}
	}
	return keys
}

// checkProjects fails a full sweep in which a project has no issue that had some at the last one, or that the query names, unless the credential still sees the
// project.
func (c *Collector) checkProjects(ctx context.Context, s *session, m mapping, issues []*issue) error {
	present := map[string]bool{}
	for _, i := range issues {
		if key, _, ok := strings.Cut(i.key, "-"); ok {
			present[key] = true
		}
	}
	c.mu.Lock()
	before := c.sight.projects[m.scope()]
	c.mu.Unlock()
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(before)), func(key string) bool { return present[key] })
	for _, key := range namedProjects(m.jql()) {
		if !present[key] && !slices.Contains(missing, key) {
			missing = append(missing, key)
		}
	}
	if s.reportsPermissions {
		for _, key := range missing {
			granted, err := c.permissions(ctx, s, key)
			hidden := errors.Is(err, errHiddenProject)
			if err != nil && !hidden {
				return err
			}
			// What a query names may be the name of a project, and not its key.
			if has, reported := granted[browse]; reported && !has || hidden && before[key] {
				return denied(browse, fmt.Sprintf("the account does not see project %s, %s; grant it, or, if the project is gone, restart the collector or change its configuration",
					record.Text(key), map[bool]string{true: "in which issues were found at the last full sweep", false: "which the query names"}[before[key]]))
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sight.projects[m.scope()], c.sight.issues[m.scope()] = present, len(issues)
	return nil
}

// lookAround counts what the credential sees, for the check. What cannot be counted is left out.
func (c *Collector) lookAround(ctx context.Context, s *session) {
	var visible *int
	if s.cloud {
		var page struct {
			Total *int `json:"total"`
		}
		if c.get(ctx, s.api("project/search"), url.Values{"maxResults": {"1"}}, &page) == nil {
			visible = page.Total
		}
	} else {
		var all []json.RawMessage
		if c.get(ctx, s.api("project"), nil, &all) == nil {
			n := len(all)
			visible = &n
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sight.visible = visible
}

// countIssues asks how many issues a mapping has; page is a sample of them.
func (c *Collector) countIssues(ctx context.Context, s *session, m mapping, page *samplePage) {
	var count *int
	switch {
	case page.Total != nil:
		count = page.Total
	case page.IsLast:
		n := len(page.Issues)
		count = &n
	default:
		var answer struct {
			Count *int `json:"count"`
		}
		body := map[string]string{"jql": withoutOrder(m.jql())}
		if c.send(apiclient.Idempotent(ctx), http.MethodPost, "rest/api/3/search/approximate-count", body, &answer) == nil {
			count = answer.Count
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if count != nil {
		c.sight.issues[m.scope()] = *count
	}
}

// readExpiry finds out when a personal access token of Data Center ends. Jira lists the tokens of the account without saying which one asks: it is the one that was used
// last, and of several that were, the one that ends first.
func (c *Collector) readExpiry(ctx context.Context, s *session) {
	if s.cloud || c.config.Auth.PersonalAccessToken.IsZero() {
		return
	}
	var tokens []struct {
		Used    moment `json:"lastAccessed"`
		Expires moment `json:"expiringAt"`
	}
	if c.get(ctx, "rest/pat/latest/tokens", nil, &tokens) != nil {
		return // Unknown, as with versions that have no such list.
	}
	var last, expires time.Time
	for _, t := range tokens {
		switch used := t.Used.Truncate(24 * time.Hour); { // Jira notes the use of a token now and then
		case used.After(last):
			last, expires = used, t.Expires.Time
		case used.Equal(last):
			expires = record.Earliest(expires, t.Expires.Time)
		}
	}
	c.sight.expires = expires
}

// Credentials tells what the credential sees and when it ends.
func (c *Collector) Credentials() []collectors.Credential {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := collectors.Credential{ExpiresAt: c.sight.expires}
	if c.sight.visible != nil {
		known.Sees = append(known.Sees, collectors.Sight{What: "projects", Count: *c.sight.visible})
	}
	scopes := slices.Sorted(maps.Keys(c.sight.issues))
	for _, scope := range scopes {
		known.Sees = append(known.Sees, collectors.Sight{What: "issues of " + scope, Count: c.sight.issues[scope]})
	}
	if len(known.Sees) == 0 && known.ExpiresAt.IsZero() {
		return nil
	}
	return []collectors.Credential{known}
}
