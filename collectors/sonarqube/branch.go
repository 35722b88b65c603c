package sonarqube

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// project is a Sonar project, or one of its branches, while it is read.
type project struct {
	key string
	// branch is empty for the main branch.
	branch string
	owner  translate.Owner
	by     SecurityBy
}

// branchMark stands between a project's key and the name of a branch in the names of scopes: keys cannot hold it.
const branchMark = "@"

// scope is the name of the project's scope of a kind.
func (p project) scope(kind string) string {
	if p.branch == "" {
		return kind + ":" + p.key
	}
	return kind + ":" + p.key + branchMark + record.Text(p.branch)
}

// on adds the branch to a query.
func (p project) on(query url.Values) url.Values {
	if p.branch != "" {
		query.Set("branch", p.branch)
	}
	return query
}

// branches are the names of the branches of a project besides the main one that the configuration wants.
func (c *Collector) branches(ctx context.Context, key string) ([]string, error) {
	if len(c.config.Branches) == 0 {
		return nil, nil
	}
	var list struct {
		Branches *[]struct {
			Name string `json:"name"`
			Main bool   `json:"isMain"`
		} `json:"branches"`
	}
	if _, err := c.Source.Get(ctx, "api/project_branches/list", url.Values{"project": {key}}, &list); err != nil {
		return nil, fmt.Errorf("list the branches of project %s: %w", key, translate.Needs(err, browse))
	}
	if list.Branches == nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer about the branches of project %s has no list", key)}
	}
	var names []string
	for _, b := range *list.Branches {
		if !b.Main && slices.ContainsFunc(c.config.Branches, func(pattern string) bool { return matches(pattern, b.Name) }) {
			names = append(names, b.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// matches reports whether a pattern fits a name; a star at its end stands for anything, slashes included.
func matches(pattern, name string) bool {
	if prefix, open := strings.CutSuffix(pattern, "*"); open && !strings.ContainsAny(prefix, `*?[\`) {
		return strings.HasPrefix(name, prefix)
	}
	fits, err := path.Match(pattern, name)
	return err == nil && fits
}
