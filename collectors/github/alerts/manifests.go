package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// GitHub keeps a Dependabot alert open when the manifest it is about is deleted or moved (dependabot-core#16140): nobody can fix it any more, and it counts as
// open for ever. So each sweep asks which manifests of open alerts the default branch still has.
//
// A path that the branch lacks is not yet a deleted manifest: dependency submission names manifests that never were files. Only what the
// branch's history knows, and its present does not, is gone, and it went with the last commit that touched it.

const (
	// manifestsAtOnce and historiesAtOnce are how many paths one query asks about; histories cost the server more.
	manifestsAtOnce = 100
	historiesAtOnce = 20
)

func manifestOf(f *record.Finding) manifest { return manifest{f.Repository, f.Place} }

// deletedManifests are those of the manifests that are gone, with the time at which they went.
func (c *Collector) deletedManifests(ctx context.Context, asked map[manifest]bool) (map[manifest]time.Time, error) {
	list := make([]manifest, 0, len(asked))
	for m := range asked {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b manifest) int {
		return cmp.Or(cmp.Compare(a.repository, b.repository), cmp.Compare(a.path, b.path))
	})
	var missing []manifest
	err := c.askAbout(ctx, presence, manifestsAtOnce, list, func(m manifest, r *pathAnswer, at int) {
		if r.Root.Type == "Tree" && r.lacks(at) {
			missing = append(missing, m)
		}
	})
	if err != nil {
		return nil, err
	}
	deleted := map[manifest]time.Time{}
	err = c.askAbout(ctx, history, historiesAtOnce, missing, func(m manifest, r *pathAnswer, at int) {
		if commits := r.history(at); len(commits) > 0 && !r.hidden["target"] {
			deleted[m] = commits[0].CommittedDate.Time
		}
	})
	return deleted, err
}

// pathQuery is a question about paths on default branches; %d is the number of the path.
type pathQuery struct {
	name string
	// repository is what is asked of a repository: around the paths, and of each path.
	before, path, after string
	// prefix comes before the path in the variable.
	prefix string
}

var (
	// The tree at the root tells a file that is not there from contents that may not be read.
	presence = pathQuery{"Manifests", `root:object(expression:"HEAD:"){__typename} `, `p%d:object(expression:$p%d){__typename} `, "", "HEAD:"}
	history  = pathQuery{
		"ManifestHistories", `defaultBranchRef{target{__typename ...on Commit{ `, `p%d:history(first:1,path:$p%d){nodes{committedDate}} `, `}}}`, "",
	}
)

// pathAnswer is what a pathQuery learns about one repository.
type pathAnswer struct {
	Root struct {
		Type string `json:"__typename"`
	} `json:"root"`
	Branch struct {
		Target map[string]json.RawMessage `json:"target"`
	} `json:"defaultBranchRef"`

	paths  map[string]json.RawMessage
	hidden map[string]bool
}

// UnmarshalJSON keeps the answers about paths, whose names are numbered.
func (r *pathAnswer) UnmarshalJSON(data []byte) error {
	type plain pathAnswer
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	return json.Unmarshal(data, &r.paths)
}

// lacks reports whether the answer says that there is no such path: null, with no error that explains it.
func (r *pathAnswer) lacks(at int) bool {
	name := pathName(at)
	return string(r.paths[name]) == "null" && !r.hidden[name]
}

type commit struct {
	CommittedDate api.Timestamp `json:"committedDate"`
}

// history is the last commit that touched a path.
func (r *pathAnswer) history(at int) []commit {
	var connection struct {
		Nodes []commit `json:"nodes"`
	}
	name := pathName(at)
	if err := json.Unmarshal(r.Branch.Target[name], &connection); err != nil || r.hidden[name] {
		return nil // it was not answered, so it stays open
	}
	return connection.Nodes
}

// askAbout asks a question about manifests, many in one query and fewer when the server cannot cope. Each is given the answers of the repositories that could
// be read. A single history that is too much for the server stays unknown.
func (c *Collector) askAbout(ctx context.Context, q pathQuery, size int, list []manifest, each func(m manifest, r *pathAnswer, at int)) error {
	for len(list) > 0 {
		n := min(size, len(list))
		answers, err := c.askPaths(ctx, q, list[:n])
		switch {
		case err == nil:
			for i, m := range list[:n] {
				if r := answers[m.repository]; r != nil {
					each(m, r, i)
				}
			}
		case !api.TooHeavy(err) || n == 1 && q.name == presence.name:
			return err
		case n > 1:
			size = n / 2
			continue
		}
		list = list[n:]
	}
	return nil
}

// askPaths sends one query.
func (c *Collector) askPaths(ctx context.Context, q pathQuery, list []manifest) (map[record.RepositoryName]*pathAnswer, error) {
	text, variables, repositories := q.write(list)
	var data map[string]*pathAnswer
	failures, err := c.API.GraphQL(ctx, text, variables, &data)
	if err != nil {
		return nil, err
	}
	answers, err := hide(failures, repositories, data)
	if err != nil {
		return nil, err
	}
	for i, m := range list {
		// Neither an answer nor an error is half an answer.
		if r := answers[m.repository]; r != nil && q.name == presence.name && len(r.paths[pathName(i)]) == 0 && !r.hidden[pathName(i)] {
			return nil, &record.Error{Reason: record.ReasonDecode, Err: errors.New("GraphQL left out paths that it was asked about")}
		}
	}
	return answers, nil
}

// hide notes what errors[] says could not be read. A repository that could not be read at all is left out.
func hide(failures []api.QueryError, repositories []record.RepositoryName, data map[string]*pathAnswer) (map[record.RepositoryName]*pathAnswer, error) {
	hidden := map[string]map[string]bool{}
	for _, f := range failures {
		if len(f.Path) == 0 {
			return nil, api.QueryFailure([]api.QueryError{f})
		}
		first, _ := f.Path[0].(string)
		last, _ := f.Path[len(f.Path)-1].(string)
		if hidden[first] == nil {
			hidden[first] = map[string]bool{}
		}
		hidden[first][last] = true
	}
	answers := map[record.RepositoryName]*pathAnswer{}
	for i, name := range repositories {
		key := fmt.Sprintf("r%d", i)
		switch r := data[key]; {
		case r != nil:
			r.hidden = hidden[key]
			answers[name] = r
		case hidden[key] == nil:
			return nil, &record.Error{Reason: record.ReasonDecode, Err: errors.New("GraphQL left out repositories that it was asked about")}
		}
	}
	return answers, nil
}

func pathName(at int) string { return fmt.Sprintf("p%d", at) }

// write makes the text of a query, with paths and names as variables, and lists the repositories by their numbers. The list is ordered by repository.
func (q pathQuery) write(list []manifest) (text string, variables map[string]any, repositories []record.RepositoryName) {
	variables = map[string]any{}
	var head, body strings.Builder
	for i, m := range list {
		if i == 0 || list[i-1].repository != m.repository {
			if i > 0 {
				body.WriteString(q.after + "}")
			}
			n := len(repositories)
			repositories = append(repositories, m.repository)
			owner, name := ownerAndName(m.repository)
			variables[fmt.Sprintf("o%d", n)], variables[fmt.Sprintf("n%d", n)] = owner, name
			fmt.Fprintf(&head, "$o%d:String!,$n%d:String!,", n, n)
			fmt.Fprintf(&body, "\n r%d:repository(owner:$o%d,name:$n%d){ %s", n, n, n, q.before)
		}
		variables[fmt.Sprintf("p%d", i)] = q.prefix + m.path
		fmt.Fprintf(&head, "$p%d:String!,", i)
		fmt.Fprintf(&body, q.path, i, i)
	}
	body.WriteString(q.after + "}")
	return fmt.Sprintf("query %s(%s){%s }", q.name, strings.TrimSuffix(head.String(), ","), body.String()), variables, repositories
}

// ownerAndName are the last two parts of a repository's name; the host, if any, comes before.
func ownerAndName(r record.RepositoryName) (owner, name string) {
	parts := strings.Split(string(r), "/")
	if len(parts) < 2 {
		return "", string(r)
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// probeManifests looks for a file in one repository.
func (c *Collector) probeManifests(ctx context.Context, sample *api.Repository) error {
	answers, err := c.askPaths(ctx, presence, []manifest{{sample.Name, "README.md"}})
	if err != nil {
		return api.ScopeError(err, api.ContentsPermission)
	}
	if r := answers[sample.Name]; r == nil || r.hidden["root"] || r.hidden[pathName(0)] {
		return &record.Error{Reason: record.ReasonPermission, Permission: api.ContentsPermission, Err: errors.New("the contents of repositories are hidden")}
	}
	return nil
}
