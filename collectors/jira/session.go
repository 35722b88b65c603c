package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// session is what has to be known about a Jira before its issues can be read.
type session struct {
	cloud bool
	// location is the time zone of the credential's user, in which Jira reads dates in JQL; nil if it could not be found out.
	location *time.Location
	// ids are the ids of fields by name in lower case; a name may belong to several. Names and types are by id.
	ids          map[string][]string
	names, types map[string]string
	// statuses are those of today by id.
	statuses map[string]status
	// reportsPermissions is whether Jira reports what the credential may do.
	reportsPermissions bool
}

// open proves the credential and finds out what has to be known; what hardly changes is only asked anew at a full sweep.
func (c *Collector) open(ctx context.Context, anew bool) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := session{}
	if c.known != nil && !anew {
		s = *c.known
	}
	anew = anew || c.known == nil
	var err error
	if anew {
		if s.cloud, err = c.isCloud(ctx); err != nil {
			return nil, fmt.Errorf("jira: find out the deployment: %w", err)
		}
	}
	if s.location, err = c.location(ctx); err != nil {
		return nil, fmt.Errorf("jira: read the credential's user: %w%s", err, c.gatewayHint(err))
	}
	if anew && c.namesFields() {
		if err = c.listFields(ctx, &s); err != nil {
			return nil, fmt.Errorf("jira: list fields: %w", err)
		}
	}
	if anew {
		if s.statuses, err = c.statuses(ctx, &s); err != nil {
			return nil, fmt.Errorf("jira: list statuses: %w", err)
		}
	}
	if anew {
		if s.reportsPermissions, err = c.checkPermissions(ctx, &s); err != nil {
			c.known = nil // so that it is asked again the next time
			return nil, fmt.Errorf("jira: %w", err)
		}
		c.readExpiry(ctx, &s)
	}
	c.known = &s
	return &s, nil
}

// gatewayHint is what a site of Jira Cloud does not say when it refuses a token: those with scopes must go through the gateway.
func (c *Collector) gatewayHint(err error) string {
	site, unusable := url.Parse(c.config.URL)
	if unusable != nil || !isCloudSite(site) || c.config.CloudID != "" || record.ReasonOf(err) != record.ReasonUnauthorized {
		return ""
	}
	return "; a token with scopes, the only kind that service accounts have, is refused here: set cloud_id, which " + site.JoinPath("_edge/tenant_info").String() + " tells"
}

// statuses lists the statuses of today by id.
func (c *Collector) statuses(ctx context.Context, s *session) (map[string]status, error) {
	var all []status
	if err := c.get(ctx, s.api("status"), nil, &all); err != nil {
		return nil, err
	}
	byID := make(map[string]status, len(all))
	for _, known := range all {
		byID[string(known.ID)] = known
	}
	return byID, nil
}

// get sends a GET request made by the SDK through our client, which classifies what comes back.
func (c *Collector) get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.send(ctx, http.MethodGet, path, nil, out)
}

func (c *Collector) send(ctx context.Context, method, path string, body, out any) error {
	req, err := c.sdk.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	_, err = c.client.Send(req, out)
	return err
}

func (c *Collector) isCloud(ctx context.Context) (bool, error) {
	if c.config.Deployment != DeploymentAuto {
		return c.config.Deployment == DeploymentCloud, nil
	}
	var info struct {
		DeploymentType string `json:"deploymentType"`
	}
	if err := c.get(ctx, "rest/api/2/serverInfo", nil, &info); err != nil {
		return false, err
	}
	return strings.EqualFold(info.DeploymentType, "Cloud"), nil
}

// location asks who we are: it proves the credential, because Jira answers searches of unknown users with nothing instead of 401.
func (c *Collector) location(ctx context.Context) (*time.Location, error) {
	var me struct {
		TimeZone string `json:"timeZone"`
	}
	if err := c.get(ctx, "rest/api/2/myself", nil, &me); err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(me.TimeZone)
	if err != nil || me.TimeZone == "" {
		return nil, nil //nolint:nilerr,nilnil // An unknown zone is allowed for by a longer overlap.
	}
	return location, nil
}

// namesFields reports whether names of fields matter: those that are configured or guessed, and those by which changelogs may name a field.
func (c *Collector) namesFields() bool {
	return slices.ContainsFunc(c.mappings, func(m mapping) bool {
		_, follows := m.(follower)
		return follows || slices.ContainsFunc(m.fields(), func(f *field) bool { return f.byName() })
	})
}

// listFields notes the names of all fields.
func (c *Collector) listFields(ctx context.Context, s *session) error {
	var fields []struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Schema struct {
			Type string `json:"type"`
		} `json:"schema"`
	}
	if err := c.get(ctx, s.api("field"), nil, &fields); err != nil {
		return err
	}
	s.ids, s.names, s.types = map[string][]string{}, map[string]string{}, map[string]string{}
	for _, f := range fields {
		s.ids[fold(f.Name)] = append(s.ids[fold(f.Name)], f.ID)
		s.names[f.ID], s.types[f.ID] = f.Name, f.Schema.Type
	}
	return nil
}

// nameOf is the name of a field today; empty if it is not known.
func (s *session) nameOf(id string) string { return s.names[id] }

// api is a path of the API version that we read: 3 on Cloud, where 2 is being retired, and 2 on Data Center, which has no other.
func (s *session) api(path string) string {
	if s.cloud {
		return "rest/api/3/" + path
	}
	return "rest/api/2/" + path
}
