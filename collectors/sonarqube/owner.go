package sonarqube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// ownerOf is where a project belongs: by a rule of the configuration; else the repository by its binding and the service by the application that it is
// part of. What the server says is asked for anew when the project is read whole.
func (c *Collector) ownerOf(ctx context.Context, key string, fresh bool) (translate.Owner, error) {
	if owner := c.Projects.Of(key); owner != (translate.Owner{}) {
		return owner, nil
	}
	c.mu.Lock()
	owner, known := c.bindings[key]
	service := c.services[key]
	c.mu.Unlock()
	if c.config.ALMBindings && (!known || fresh) {
		repository, err := c.binding(ctx, key)
		if err != nil {
			return translate.Owner{}, err
		}
		owner = translate.Owner{Repository: repository}
		c.mu.Lock()
		c.bindings[key] = owner
		c.mu.Unlock()
	}
	owner.Service = service
	return owner, nil
}

// wireBinding is a project's binding to a DevOps platform. What its fields hold differs: on GitHub the repository is owner/name, on GitLab a number, on Azure DevOps and
// Bitbucket a name; the slug is the project on Azure DevOps and the repository on Bitbucket Server, whose repository is the project's key.
type wireBinding struct {
	ALM        string       `json:"alm"`
	Repository translate.ID `json:"repository"`
	Slug       string       `json:"slug"`
	URL        string       `json:"url"`
}

// binding is the repository that a project is bound to; empty where it is bound to nothing, or to something without a name.
func (c *Collector) binding(ctx context.Context, key string) (record.RepositoryName, error) {
	var w wireBinding
	_, err := c.Source.Get(ctx, "api/alm_settings/get_binding", url.Values{"project": {key}}, &w)
	switch {
	case err != nil && record.ReasonOf(err) != record.ReasonNotFound: // Not found: bound to nothing.
		return "", translate.Needs(err, browse)
	case err == nil:
		if name := w.repository(); name != "" {
			return name, nil
		}
	}
	return c.linked(ctx, key)
}

func (w *wireBinding) repository() record.RepositoryName {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	host, name := u.Hostname(), ""
	switch strings.ToLower(w.ALM) {
	case "github":
		// On the host of an API such as https://api.github.com or https://git.example.com/api/v3.
		if strings.Count(string(w.Repository), "/") == 1 {
			name = string(w.Repository)
			host = cmp.Or(host, "github.com")
		}
	case "gitlab":
		if strings.Contains(string(w.Repository), "/") {
			name = string(w.Repository)
		}
	case "azure":
		organisation := strings.Trim(u.Path, "/")
		if account, hosted := strings.CutSuffix(host, ".visualstudio.com"); hosted {
			host, organisation = "dev.azure.com", account
		}
		if organisation != "" && w.Slug != "" && w.Repository != "" {
			name = organisation + "/" + w.Slug + "/" + string(w.Repository)
		}
	case "bitbucket":
		if w.Repository != "" && w.Slug != "" {
			name = string(w.Repository) + "/" + w.Slug
		}
	case "bitbucketcloud":
		host = "bitbucket.org"
		workspace := strings.Trim(strings.TrimPrefix(strings.Trim(u.Path, "/"), "2.0/repositories"), "/")
		switch {
		case strings.Contains(string(w.Repository), "/"):
			name = string(w.Repository)
		case workspace != "" && w.Repository != "":
			name = workspace + "/" + string(w.Repository)
		}
	}
	if name == "" || host == "" {
		return ""
	}
	parsed, err := record.ParseRepository(host + "/" + name)
	if err != nil {
		return ""
	}
	return parsed
}

// linked is the repository that a project's link to its source names. Scanners set it from what a build says, and it is the only name of a repository on GitLab.
func (c *Collector) linked(ctx context.Context, key string) (record.RepositoryName, error) {
	var list struct {
		Links []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"links"`
	}
	if _, err := c.Source.Get(ctx, "api/project_links/search", url.Values{"projectKey": {key}}, &list); err != nil {
		if record.ReasonOf(err) == record.ReasonNotFound {
			return "", nil
		}
		return "", translate.Needs(err, browse)
	}
	for _, link := range list.Links {
		if link.Type != "scm" {
			continue
		}
		address := strings.TrimPrefix(strings.TrimPrefix(link.URL, "scm:"), "git:")
		if name, err := record.ParseRepository(address); err == nil && strings.Contains(address, ":") {
			return name, nil
		}
	}
	return "", nil
}

// readApplications reads which projects the applications hold, whose names then name the services of their projects. A project that several
// applications hold belongs to none of them.
func (c *Collector) readApplications(ctx context.Context) error {
	if !c.config.Applications {
		return nil
	}
	services := map[string]string{}
	var applications []sonarFile
	err := platform.Again(func() error {
		applications = nil
		return c.run(ctx, search{
			path: componentsPath, query: url.Values{"qualifiers": {"APP"}}, items: projectsOf,
			each: func(raw json.RawMessage, _ *answer) {
				if found, err := translate.Decode[sonarFile](raw); err == nil {
					applications = append(applications, *found)
				}
			},
		})
	})
	if err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	for _, a := range applications {
		var shown struct {
			Application struct {
				Name     string `json:"name"`
				Projects []struct {
					Key string `json:"key"`
				} `json:"projects"`
			} `json:"application"`
		}
		if _, err := c.Source.Get(ctx, "api/applications/show", url.Values{"application": {a.Key}}, &shown); err != nil {
			return fmt.Errorf("read application %s: %w", a.Key, translate.Needs(err, browse))
		}
		for _, p := range shown.Application.Projects {
			name := record.Text(shown.Application.Name)
			if other, taken := services[p.Key]; taken && other != name {
				name = ""
			}
			services[p.Key] = name
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.services = services
	return nil
}
