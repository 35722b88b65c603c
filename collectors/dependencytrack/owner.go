package dependencytrack

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// family is the projects of the server, with the parents of listed ones that are not listed themselves.
type family struct {
	c    *Collector
	byID map[string]*project
}

// inherit gives every project its owner: its own, else that of the nearest project above it that has one. The repository and the service may come from
// different ones.
func (c *Collector) inherit(ctx context.Context, projects map[string]*project) error {
	f := &family{c: c, byID: make(map[string]*project, len(projects))}
	for id, p := range projects {
		f.byID[id] = p
	}
	for _, p := range projects {
		owner := c.ownerOf(p)
		seen := map[string]bool{p.ID: true}
		for at := p; (owner.Repository == "" || owner.Service == "") && at.parentID() != "" && !seen[at.parentID()]; {
			seen[at.parentID()] = true
			parent, err := f.find(ctx, at.parentID())
			if err != nil {
				return err
			}
			if parent == nil {
				break
			}
			above := c.ownerOf(parent)
			if owner == (translate.Owner{}) {
				owner = above
			} else if owner.Service == "" && above.Repository == "" {
				owner.Service = above.Service
			}
			at = parent
		}
		p.owner = owner
	}
	return nil
}

// find is a project that may be inactive, and is then no part of the list; nil if it is gone or hidden.
func (f *family) find(ctx context.Context, id string) (*project, error) {
	if p, known := f.byID[id]; known {
		return p, nil
	}
	var p *project
	_, err := f.c.Source.Get(ctx, projectsPath+"/"+url.PathEscape(id), nil, &p)
	switch record.ReasonOf(err) {
	case record.ReasonNotFound, record.ReasonPermission:
		p = nil
	default:
		if err != nil {
			return nil, fmt.Errorf("read project %s, which others are below: %w", id, err)
		}
	}
	f.byID[id] = p
	return p, nil
}

func (p *project) parentID() string {
	if p.Parent == nil {
		return ""
	}
	return strings.ToLower(record.Text(p.Parent.ID))
}

// ownerOf is where a project itself says that it belongs: by a rule of the configuration, else by its tags, else by its version-control reference.
func (c *Collector) ownerOf(p *project) translate.Owner {
	if owner := c.Projects.Of(p.ID, p.fullName()+"@"+p.Version, p.fullName(), p.Name); owner != (translate.Owner{}) {
		return owner
	}
	var owner translate.Owner
	for _, tag := range p.Tags {
		if name, ok := cutPrefixFold(tag.Name, c.config.RepositoryTag); ok && owner.Repository == "" {
			if repository, err := record.ParseRepository(name); err == nil {
				owner.Repository = repository
			}
		}
		if name, ok := cutPrefixFold(tag.Name, c.config.ServiceTag); ok && owner.Service == "" {
			owner.Service = record.Text(name)
		}
	}
	for _, reference := range p.References {
		if strings.EqualFold(reference.Type, "vcs") && owner.Repository == "" {
			if repository, err := record.ParseRepository(strings.TrimPrefix(reference.URL, "git+")); err == nil {
				owner.Repository = repository
			}
		}
	}
	return owner
}

// cutPrefixFold is strings.CutPrefix without regard to case: the server writes tags in lower case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// latestOnly leaves out the versions of a project beside the one that is marked as the latest. Where none is marked, as on servers before 4.12, all are kept.
func latestOnly(projects map[string]*project) {
	marked := map[string]bool{}
	for _, p := range projects {
		if p.Latest {
			marked[p.fullName()] = true
		}
	}
	for id, p := range projects {
		if !p.Latest && marked[p.fullName()] {
			delete(projects, id)
		}
	}
}
