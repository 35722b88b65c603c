package snyk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// The permissions that requests need, in Snyk's words.
const (
	viewGroup    = "View Groups (group.read)"
	viewOrg      = "View Organization (org.read)"
	viewProject  = "View Project (org.project.read)"
	viewSnapshot = "View Project Snapshot (org.project.snapshot.read)"
	viewIgnores  = "View Project Ignores (org.project.ignore.read)"
	viewPolicies = "View Policies (org.policy.read)"
)

// document is a page of the REST API (JSON:API).
type document struct {
	Data  []json.RawMessage `json:"data"`
	Links struct {
		Next json.RawMessage `json:"next"`
	} `json:"links"`
}

// next is the address of the next page: text, or an object with an href. It is relative to the host, and may lack the path of the API; a last page may link to
// itself.
func (d *document) next(current string) (string, error) {
	if len(d.Links.Next) == 0 || string(d.Links.Next) == "null" {
		return "", nil
	}
	var address string
	if json.Unmarshal(d.Links.Next, &address) != nil {
		var object struct {
			Href string `json:"href"`
		}
		if err := json.Unmarshal(d.Links.Next, &object); err != nil {
			return "", &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the link to the next page: %w", err)}
		}
		address = object.Href
	}
	for _, bare := range []string{"/orgs/", "/groups/"} {
		if strings.HasPrefix(address, bare) {
			address = "/rest" + address
		}
	}
	if samePage(address, current) {
		return "", nil
	}
	return address, nil
}

// samePage reports whether two addresses are of one page, whatever they say about its form.
func samePage(a, b string) bool {
	parts := func(address string) (string, string) {
		u, err := url.Parse(address)
		if err != nil {
			return address, ""
		}
		query := u.Query()
		query.Del("version")
		query.Del("limit")
		return strings.TrimPrefix(strings.TrimPrefix(u.Path, "/"), "rest/"), query.Encode()
	}
	pathA, queryA := parts(a)
	pathB, queryB := parts(b)
	return pathA == pathB && queryA == queryB
}

func orgPath(org, list string) string { return "rest/orgs/" + url.PathEscape(org) + "/" + list }

// pages reads all pages of a list.
func (c *Collector) pages(ctx context.Context, path string, query url.Values, each func(json.RawMessage)) error {
	query.Set("version", apiVersion)
	query.Set("limit", strconv.Itoa(c.PageSize))
	return platform.List{Name: path, ID: func(raw json.RawMessage) string { return platform.Key(raw, "id") }, Take: each, Page: func(ctx context.Context, cursor string) (platform.Page, error) {
		address, q := path, query
		if cursor != "" {
			address, q = cursor, nil
		}
		var page *document
		resp, err := c.Source.Get(ctx, address, q, &page)
		if err != nil {
			return platform.Page{}, err
		}
		c.announce(path, resp.Header)
		if page == nil || page.Data == nil {
			return platform.Page{}, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("%s: the answer has no data", path)}
		}
		next, err := page.next(cmp.Or(cursor, path+"?"+query.Encode()))
		return platform.Page{Items: page.Data, Next: next}, err
	}}.Read(ctx)
}

// announce logs once that Snyk will switch off a version of a call.
func (c *Collector) announce(path string, h http.Header) {
	sunset, deprecation := record.Text(h.Get("Sunset")), record.Text(h.Get("Deprecation"))
	if sunset == "" && deprecation == "" {
		return
	}
	if _, known := c.announced.LoadOrStore(path+"\x00"+sunset+"\x00"+deprecation, true); !known {
		c.Env.Logger.Warn("Snyk announces the end of a call that this collector uses: update the exporter before",
			"call", path, "sunset", sunset, "deprecation", deprecation, "version", apiVersion)
	}
}

// resource is what every item of the REST API has.
type resource struct {
	ID string `json:"id"`
}

func (c *Collector) groupOrganizations(ctx context.Context, group string) ([]string, error) {
	var ids []string
	var bad error
	err := platform.Again(func() error {
		ids, bad = nil, nil
		return c.pages(ctx, "rest/groups/"+url.PathEscape(group)+"/orgs", url.Values{}, func(raw json.RawMessage) {
			org, err := translate.Decode[resource](raw)
			if err == nil && org.ID == "" {
				err = translate.ErrNoID
			}
			if err != nil {
				// An organisation that cannot be read would take its issues with it.
				bad = &record.Error{Reason: record.ReasonDecode, Err: err}
				return
			}
			ids = append(ids, org.ID)
		})
	})
	if err = cmp.Or(err, bad); err == nil && len(ids) == 0 {
		err = &record.Error{Reason: record.ReasonNotFound, Err: errors.New("the token sees no organisation in the group")}
	}
	return ids, translate.Needs(err, viewGroup)
}

// readIssues reads the issues of an organisation, those that changed since the cursor if there is one.
func (c *Collector) readIssues(ctx context.Context, org string, cursor record.Cursor, t *translation) record.Batch {
	scope := scopeIssues + ":" + org
	query := url.Values{}
	mode := record.Full
	var latest time.Time
	if since, ok := cursor.Time(); ok {
		mode, latest = record.Delta, since
		query.Set("updated_after", since.Add(-overlap).UTC().Format(time.RFC3339))
	}
	var found *translate.FindingSet
	err := platform.Again(func() error {
		found = translate.NewFindingSet()
		return c.pages(ctx, orgPath(org, "issues"), query, func(raw json.RawMessage) {
			f, err := c.issue(raw, t)
			if errors.Is(err, errLeftOut) {
				return
			}
			found.Take(f, err)
			if err == nil && f.UpdatedAt.After(latest) {
				latest = f.UpdatedAt
			}
		})
	})
	if err != nil {
		return translate.Failed(scope, fmt.Errorf("read the issues of organisation %s: %w", org, translate.Needs(err, viewSnapshot)))
	}
	b := found.Batch(scope)
	b.Mode = mode
	if !latest.IsZero() {
		b.Cursor = record.CursorAt(latest)
	}
	return b
}

// Check asks for one page of everything that is read.
func (c *Collector) Check(ctx context.Context) ([]collectors.CheckResult, error) {
	var results []collectors.CheckResult
	try := func(subject, path, permission, unknown string, out any) {
		_, err := c.Source.Get(ctx, path, url.Values{"version": {apiVersion}, "limit": {"10"}}, out)
		results = append(results, collectors.CheckResult{Subject: subject, Err: translate.Needs(err, permission), Unknown: unknown})
	}
	for _, group := range c.config.Groups {
		try("group "+group+": organisations", "rest/groups/"+url.PathEscape(group)+"/orgs", viewGroup, "every organisation of the group", nil)
	}
	for _, org := range c.config.Organizations {
		base := "rest/orgs/" + url.PathEscape(org)
		try("organisation "+org+": issues", base+"/issues", viewOrg+", "+viewSnapshot, "the issues of the organisation", nil)
		var projects document
		try("organisation "+org+": projects", base+"/projects", viewProject, "the repositories of issues, and when they were tested", &projects)
		if len(projects.Data) == 0 {
			continue
		}
		if project, err := translate.Decode[resource](projects.Data[0]); err == nil {
			try("organisation "+org+": ignores", ignoresPath(org, project.ID), viewIgnores, "why issues are ignored and until when", nil)
		}
	}
	return results, ctx.Err()
}
