package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// runner is a runner in the REST API; who may use it is in the answer about one runner alone.
type runner struct {
	ID          int64    `json:"id"`
	Description string   `json:"description"`
	Type        string   `json:"runner_type"`
	Online      *bool    `json:"online"`
	Paused      *bool    `json:"paused"`
	Tags        []string `json:"tag_list"`
	Access      string   `json:"access_level"`
	Projects    []struct {
		ID int64 `json:"id"`
	} `json:"projects"`
}

// Runner types.
const (
	instanceRunner = "instance_type"
	groupRunner    = "group_type"
	projectRunner  = "project_type"
)

// readRunners reads the self-hosted runners that a group's projects can use. Those that gitlab.com itself hosts are nobody's in the group.
func (c *Collector) readRunners(ctx context.Context, group string, projects []*project) record.Batch {
	b := record.Batch{Scope: scopeRunners + ":" + group, Mode: record.Full, Runners: []record.Runner{}, Rejected: map[record.RejectReason]int{}}
	names := map[int64]record.RepositoryName{}
	for _, p := range projects {
		names[p.ID] = p.name
	}
	seen := map[int64]bool{}
	err := c.api.list(ctx, "groups/"+segment(group)+"/runners", url.Values{}, func(raw json.RawMessage) error {
		r, err := translate.Decode[runner](raw)
		if err == nil && r.ID == 0 {
			err = fmt.Errorf("runner: %w", translate.ErrNoID)
		}
		if err != nil {
			b.Rejected[translate.Reason(err)]++
			return nil
		}
		if seen[r.ID] || r.Type == instanceRunner && c.hostedByGitLab() {
			return nil
		}
		seen[r.ID] = true
		detailed, err := c.runnerDetail(ctx, r)
		if err != nil {
			return err
		}
		b.Runners = append(b.Runners, translateRunner(detailed, names))
		return nil
	})
	if err != nil {
		return translate.Failed(b.Scope, fmt.Errorf("list the runners of group %s: %w", group, needs(err, asGroupOwner)))
	}
	return b
}

// hostedByGitLab reports whether instance runners are GitLab's own.
func (c *Collector) hostedByGitLab() bool { return strings.TrimRight(c.config.URL, "/") == defaultURL }

// runnerDetail reads who may use a runner; one whose details are not shown is as the list has it.
func (c *Collector) runnerDetail(ctx context.Context, r *runner) (*runner, error) {
	var detail runner
	_, err := c.api.get(ctx, "runners/"+strconv.FormatInt(r.ID, 10), nil, &detail)
	switch {
	case unread(err):
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("runner %d: %w", r.ID, err)
	case detail.ID == 0:
		return r, nil
	default:
		return &detail, nil
	}
}

// translateRunner says who may use a runner. A pipeline of somebody else's merge request runs in the fork, with the fork's runners, so that only runners of the whole instance can be
// reached from outside of the group.
func translateRunner(r *runner, names map[int64]record.RepositoryName) record.Runner {
	out := record.Runner{
		ID: "runner:" + strconv.FormatInt(r.ID, 10), Name: record.Text(r.Description), Group: record.Text(r.Type), Labels: r.Tags, Online: answer(r.Online),
		PublicRepositories: record.AnswerNo,
	}
	switch r.Type {
	case instanceRunner:
		out.Visibility, out.PublicRepositories = record.RunnerAll, record.AnswerUnknown
	case groupRunner:
		out.Visibility = record.RunnerAll
	case projectRunner:
		out.Visibility = record.RunnerSelected
		for _, p := range r.Projects {
			if name, known := names[p.ID]; known {
				out.Repositories = append(out.Repositories, name)
			}
		}
		if len(r.Projects) == 1 {
			out.Visibility = record.RunnerRepository
		}
	default:
		out.PublicRepositories = record.AnswerUnknown
	}
	return out
}
