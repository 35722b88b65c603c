package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// readAPI is the scope of a token, guest and reporter... the roles that requests need, in GitLab's words.
const (
	readAPI       = "scope read_api"
	asReporter    = readAPI + ", role Reporter"
	asDeveloper   = readAPI + ", role Developer"
	asMaintainer  = readAPI + ", role Maintainer"
	asGroupOwner  = readAPI + ", role Owner of the group"
	premiumOrRole = asMaintainer + ", or the instance's tier lacks it (Premium)"
	// premiumOrGroupRole is what the rules of a group for deployments need.
	premiumOrGroupRole = asMaintainer + " of the groups above the project, or the instance's tier lacks it (Premium)"
)

// project is a project in the REST API. A flag is nil where the credential or the version does not show it.
type project struct {
	ID            int64          `json:"id"`
	Path          string         `json:"path_with_namespace"`
	URL           string         `json:"web_url"`
	Visibility    string         `json:"visibility"`
	Archived      bool           `json:"archived"`
	DeletionAt    string         `json:"marked_for_deletion_at"`
	DefaultBranch string         `json:"default_branch"`
	Topics        []string       `json:"topics"`
	LastActivity  translate.Time `json:"last_activity_at"`
	Fork          *struct {
		ID int64 `json:"id"`
	} `json:"forked_from_project"`
	SecretPushProtection *bool  `json:"pre_receive_secret_detection_enabled"`
	PipelineMustSucceed  *bool  `json:"only_allow_merge_if_pipeline_succeeds"`
	TriggererApproves    *bool  `json:"allow_pipeline_trigger_approve_deployment"`
	CIConfig             string `json:"ci_config_path"`
	BuildsAccess         string `json:"builds_access_level"`

	// name is the canonical name of the repository.
	name record.RepositoryName
}

// ended reports whether a project is archived or waits for its deletion: nothing in it moves any more.
func (p *project) ended() bool { return p.Archived || p.DeletionAt != "" }

// scope is the name of one of the project's scopes.
func (p *project) scope(kind string) string { return kind + ":" + strconv.FormatInt(p.ID, 10) }

// readProjects lists the projects of a group and its subgroups.
func (c *Collector) readProjects(ctx context.Context, group string) (record.Batch, []*project) {
	b := record.Batch{Scope: scopeProjects + ":" + group, Mode: record.Full, Repositories: []record.Repository{}, Rejected: map[record.RejectReason]int{}}
	var found []*project
	seen := map[int64]bool{}
	query := url.Values{"include_subgroups": {"true"}, "with_shared": {"false"}, "order_by": {"id"}, "sort": {"asc"}}
	err := c.api.list(ctx, "groups/"+segment(group)+"/projects", query, func(raw json.RawMessage) error {
		p, err := c.project(raw)
		if err != nil {
			b.Rejected[translate.Reason(err)]++
			return nil
		}
		if seen[p.ID] {
			// A list that moves between pages repeats one item and hides another.
			return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("project %d is listed twice: the list changed while it was read", p.ID)}
		}
		seen[p.ID] = true
		if c.excluded(p.Path) {
			return nil
		}
		found = append(found, p)
		b.Repositories = append(b.Repositories, c.repository(p))
		return nil
	})
	if err != nil {
		return translate.Failed(b.Scope, fmt.Errorf("list the projects of group %s: %w", group, needs(err, asReporter))), nil
	}
	return b, found
}

func (c *Collector) project(raw json.RawMessage) (*project, error) {
	p, err := translate.Decode[project](raw)
	if err != nil {
		return nil, err
	}
	if p.ID == 0 || p.Path == "" {
		return nil, fmt.Errorf("project: %w", translate.ErrNoID)
	}
	if p.name, err = c.repositoryName(p.URL, p.Path); err != nil {
		return nil, fmt.Errorf("project: %w: %w", translate.ErrNoTarget, err)
	}
	return p, nil
}

// repositoryName is that of a project: its address names the host that people clone from.
func (c *Collector) repositoryName(address, path string) (record.RepositoryName, error) {
	if address == "" {
		address = c.config.URL + "/" + path
	}
	return record.ParseRepository(address)
}

func (c *Collector) excluded(fullPath string) bool {
	return slices.ContainsFunc(c.config.Exclude, func(pattern string) bool {
		ok, err := path.Match(pattern, fullPath)
		return err == nil && ok || strings.HasSuffix(pattern, "/**") && strings.HasPrefix(fullPath, strings.TrimSuffix(pattern, "**"))
	})
}

var visibilities = translate.Vocabulary[record.Visibility]{
	Name: "gitlab visibility",
	Words: map[string]record.Visibility{
		"public": record.VisibilityPublic, "internal": record.VisibilityInternal, "private": record.VisibilityPrivate, "": record.VisibilityUnknown,
	},
	Other: record.VisibilityUnknown,
}

func (c *Collector) repository(p *project) record.Repository {
	r := record.Repository{
		Name: p.name, URL: record.Text(p.URL), Visibility: visibilities.Of(c.words, p.Visibility), Archived: p.ended(), Fork: p.Fork != nil,
		DefaultBranch: record.Text(p.DefaultBranch), PushedAt: p.LastActivity.Time, Topics: []string{},
	}
	for _, topic := range p.Topics {
		r.Topics = append(r.Topics, record.Text(topic))
	}
	if p.SecretPushProtection != nil {
		r.Settings = map[string]record.Answer{"push_protection": record.AnswerOf(*p.SecretPushProtection)}
	}
	return r
}
