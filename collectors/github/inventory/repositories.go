package inventory

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// Repository is a repository in the REST API. Alerts carry a short form of it.
type Repository struct {
	FullName      string        `json:"full_name"`
	HTMLURL       string        `json:"html_url"`
	Visibility    string        `json:"visibility"`
	Private       bool          `json:"private"`
	Archived      bool          `json:"archived"`
	Fork          bool          `json:"fork"`
	Template      bool          `json:"is_template"`
	DefaultBranch string        `json:"default_branch"`
	Topics        []string      `json:"topics"`
	PushedAt      api.Timestamp `json:"pushed_at"`
	// Security is absent where the credential may not see it.
	Security map[string]struct {
		Status string `json:"status"`
	} `json:"security_and_analysis"`
}

// listQuery asks for all repositories of an organisation in the order of their names.
func listQuery() url.Values {
	return url.Values{"type": {"all"}, "sort": {"full_name"}, "direction": {"asc"}, "per_page": {api.PageSize}}
}

// readRepositories reads the list of an organisation's repositories, which is always read whole.
func (c *Inventory) readRepositories(ctx context.Context, org string) record.Batch {
	b := record.Batch{Mode: record.Full, Repositories: []record.Repository{}, Scans: []record.Scan{}, Cursor: c.ReadAt()}
	rejected := map[record.RejectReason]int{}
	archived, repositories, left := map[record.RepositoryName]bool{}, []api.Repository{}, map[record.RepositoryName]Leaving{}
	_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/repos", listQuery(), func(items []json.RawMessage) bool {
		for _, item := range items {
			r, identity, why, err := c.repositoryRecord(item)
			if err != nil {
				rejected[api.RejectReasonOf(err)]++
				continue
			}
			if why != "" {
				if left[r.Name] == "" {
					rejected[record.RejectExcluded]++
				}
				left[r.Name] = why
				continue
			}
			// A page may repeat what a new repository pushed down the list.
			if n := len(b.Repositories); n > 0 && b.Repositories[n-1].Name == r.Name {
				continue
			}
			b.Repositories = append(b.Repositories, r)
			if a := r.Scanners[record.ClassSecret]; a.Known() {
				b.Scans = append(b.Scans, record.Scan{
					Tool: ToolSecretScanning, Class: record.ClassSecret, Repository: r.Name, Continuous: true, Enabled: a,
				})
			}
			archived[r.Name] = r.Archived
			repositories = append(repositories, identity)
		}
		return true
	})
	c.state.With(org, func(o *organisation) { o.failure = err })
	if err != nil {
		return record.Batch{Err: err}
	}
	if len(rejected) > 0 {
		b.Rejected = rejected
	}
	c.state.With(org, func(o *organisation) {
		o.archived, o.repositories, o.left, o.count = archived, repositories, left, len(repositories)+len(left)
	})
	return b
}

// repositoryRecord decodes a repository. Why is the key of the configuration that leaves it out, empty if none does.
func (c *Inventory) repositoryRecord(item json.RawMessage) (result record.Repository, identity api.Repository, why Leaving, err error) {
	var r Repository
	if err := json.Unmarshal(item, &r); err != nil {
		return record.Repository{}, api.Repository{}, "", err
	}
	name, err := c.API.RepositoryName(r.HTMLURL, r.FullName)
	if err != nil {
		return record.Repository{}, api.Repository{}, "", api.Reject(record.RejectNoID, err)
	}
	result = record.Repository{
		Name: name, URL: record.Text(r.HTMLURL), Visibility: c.Visibility(r.Visibility), Archived: r.Archived, Fork: r.Fork,
		DefaultBranch: record.Text(r.DefaultBranch), PushedAt: r.PushedAt.Time, Topics: []string{},
	}
	if r.Visibility == "" && r.Private {
		result.Visibility = record.VisibilityPrivate
	}
	for _, topic := range r.Topics {
		result.Topics = append(result.Topics, record.Text(topic))
	}
	result.Scanners, result.Settings = r.security(result.Visibility)
	identity = api.Repository{Name: name, FullName: r.FullName, Branch: result.DefaultBranch, Archived: r.Archived, Visibility: result.Visibility, PushedAt: r.PushedAt.Time}
	return result, identity, c.config.Repositories.leaves(&r, result.Visibility), nil
}

// Visibility maps the word for who sees a repository, in the form of REST or of GraphQL.
func (c *Inventory) Visibility(v string) record.Visibility {
	switch v {
	case "public", "PUBLIC":
		return record.VisibilityPublic
	case "internal", "INTERNAL":
		return record.VisibilityInternal
	case "private", "PRIVATE":
		return record.VisibilityPrivate
	case "":
	default:
		c.UnknownValue("repository visibility", v)
	}
	return record.VisibilityUnknown
}

// security reads security_and_analysis. That says nothing about which scans run, only what is switched on; where code security is off and the code is not
// public, GitHub's own code scanning cannot run.
func (r *Repository) security(visibility record.Visibility) (map[record.Class]record.Answer, map[string]record.Answer) {
	if r.Security == nil {
		return nil, nil
	}
	scanners, settings := map[record.Class]record.Answer{}, map[string]record.Answer{}
	if a := r.status("secret_scanning"); a.Known() {
		scanners[record.ClassSecret] = a
	}
	if code := r.status("code_security").Or(r.status("advanced_security")); code == record.AnswerNo ||
		r.status("advanced_security") == record.AnswerNo && !r.status("code_security").Known() {
		if visibility == record.VisibilityPrivate || visibility == record.VisibilityInternal {
			scanners[record.ClassSAST] = record.AnswerNo
		}
	}
	for setting, key := range map[string]string{
		SettingPushProtection: "secret_scanning_push_protection", SettingSecurityUpdates: "dependabot_security_updates",
		SettingValidityChecks: "secret_scanning_validity_checks",
	} {
		if a := r.status(key); a.Known() {
			settings[setting] = a
		}
	}
	return scanners, settings
}

func (r *Repository) status(feature string) record.Answer {
	return SwitchedOn(r.Security[feature].Status)
}

// leaves is the key that leaves out a repository, empty if none does.
func (s *Selection) leaves(r *Repository, visibility record.Visibility) Leaving {
	if why := s.leavesName(r.FullName); why != "" {
		return why
	}
	switch {
	case r.Fork && !s.Forks:
		return "forks"
	case r.Template && !s.Templates:
		return "templates"
	case r.Archived && !s.Archived:
		return "archived"
	case len(s.Visibility) > 0 && !slices.Contains(s.Visibility, visibility):
		return "visibility"
	case len(s.Topics) > 0 && !slices.ContainsFunc(r.Topics, func(topic string) bool { return matches(s.Topics, topic) }):
		return "topics"
	default:
		return ""
	}
}

// Sample is a repository that is not archived, nil when there is none. It is asked for anew.
func (c *Inventory) Sample(ctx context.Context, org string) (*api.Repository, error) {
	var found *api.Repository
	_, err := c.API.Pages(ctx, "orgs/"+url.PathEscape(org)+"/repos", listQuery(), func(items []json.RawMessage) bool {
		for _, item := range items {
			r, identity, why, err := c.repositoryRecord(item)
			if err == nil && why == "" && !r.Archived {
				found = &identity
				return false
			}
		}
		return true
	})
	return found, err
}
