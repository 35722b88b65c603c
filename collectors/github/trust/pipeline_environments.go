package trust

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// deployedQuery reads where a repository was deployed last, and by which runs. It costs one point.
const deployedQuery = `query Deployed($id:ID!){ node(id:$id){ ... on Repository{ deployments(first:50,orderBy:{field:CREATED_AT,direction:DESC}){nodes{ environment latestStatus{logUrl} }} } } }`

// runInLog finds the run in the address of a deployment's log; no field names it.
var runInLog = regexp.MustCompile(`/actions/runs/(\d+)`)

// environments are those that a workflow deployed to: those that its jobs name, and for jobs that find the name out when they run, those of deployments by its runs.
func (w *pipelineWalk) environments(ctx context.Context, file *workflow, runs []run) ([]string, error) {
	list := slices.Clone(file.environments)
	if !file.dynamic && !file.calls {
		return list, nil
	}
	if w.deployed == nil {
		if err := w.readDeployed(ctx); err != nil {
			return nil, err
		}
	}
	for _, r := range runs {
		list = append(list, w.deployed[r.ID]...)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// readDeployed gathers environments by the run that deployed to them; none where the credential may not see them.
func (w *pipelineWalk) readDeployed(ctx context.Context) error {
	w.deployed = map[int64][]string{}
	id := w.collector.workflowsOf(w.org, w.repository.Name).id
	var answer struct {
		Node *struct {
			Deployments *struct {
				Nodes []*struct {
					Environment  string `json:"environment"`
					LatestStatus *struct {
						LogURL string `json:"logUrl"`
					} `json:"latestStatus"`
				} `json:"nodes"`
			} `json:"deployments"`
		} `json:"node"`
	}
	if _, err := w.collector.API.GraphQL(ctx, deployedQuery, map[string]any{"id": id}, &answer); err != nil {
		return err
	}
	if answer.Node == nil || answer.Node.Deployments == nil {
		return nil
	}
	for _, d := range answer.Node.Deployments.Nodes {
		if d == nil || d.LatestStatus == nil {
			continue
		}
		if m := runInLog.FindStringSubmatch(d.LatestStatus.LogURL); m != nil {
			run, err := strconv.ParseInt(m[1], 10, 64)
			if err == nil && d.Environment != "" {
				w.deployed[run] = append(w.deployed[run], record.Text(d.Environment))
			}
		}
	}
	return nil
}

// pipelineWalk gathers the pipelines of a repository.
type pipelineWalk struct {
	collector  *Collector
	org        string
	repository api.Repository
	batch      record.Batch
	// releases are the last of the repository, read when they are needed first.
	releases     []*published
	releasesRead bool
	deployed     map[int64][]string
}
