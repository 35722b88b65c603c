package trust

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

const (
	// runsPerPipeline is how many of its last runs are read of a pipeline.
	runsPerPipeline = 50
	// noDigest is that of nothing: what GitHub answers says whether attestations of a repository can be seen at all.
	noDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	// settled is how long after its end a run's evidence is taken to be complete.
	settled = time.Hour
)

// isPipeline reports whether a workflow is one of the pipelines that are read: its name or path says so, or one of its jobs deploys to an environment. What only others
// call never runs by itself.
func (c *Collector) isPipeline(w *workflow) bool {
	return !w.onlyCalled && (w.matchesAny(c.config.PipelinePatterns) || w.deploys())
}

// hasPipelines says whether a repository has any.
func (c *Collector) hasPipelines(w repositoryWorkflows) bool {
	return slices.ContainsFunc(w.files, func(f workflow) bool { return c.isPipeline(&f) })
}

// readPipelines reads the last runs of the workflows of a repository that publish or deploy, and what the last one that succeeded left behind.
func (c *Collector) readPipelines(ctx context.Context, org string, r api.Repository, _ record.Cursor) record.Batch {
	workflows := c.workflowsOf(org, r.Name)
	if !workflows.known {
		if workflows.permission != "" {
			return record.Batch{Err: &record.Error{Reason: record.ReasonPermission, Permission: workflows.permission, Err: errors.New("workflows are hidden")}}
		}
		return record.Batch{Err: &record.Error{Reason: record.ReasonTruncated, Err: errors.New("GitHub left the repository's workflows out of its answer")}}
	}
	w := &pipelineWalk{
		collector: c, org: org, repository: r, batch: record.Batch{Mode: record.Full, Cursor: c.ReadAt(), Pipelines: []record.Pipeline{}},
	}
	for i := range workflows.files {
		file := &workflows.files[i]
		if !c.isPipeline(file) {
			continue
		}
		if err := w.add(ctx, file); err != nil {
			return record.Batch{Err: fmt.Errorf("pipeline %s: %w", file.path, err)}
		}
	}
	return w.batch
}

func (w *pipelineWalk) add(ctx context.Context, file *workflow) error {
	p := record.Pipeline{
		ID: api.PipelineID(w.repository.FullName, file.path), Repository: w.repository.Name, Name: file.name, Path: file.path, Publishes: file.publishes,
		Evidence: unknownEvidence(),
	}
	runs, refused, err := w.lastRuns(ctx, file)
	if err != nil {
		return err
	}
	p.MissingPermission = api.Permission(refused)
	if len(runs) > 0 {
		p.LastRunAt, p.URL, p.UpdatedAt = runs[0].UpdatedAt.Time, record.Text(runs[0].HTMLURL), runs[0].UpdatedAt.Time
	}
	if last := slices.IndexFunc(runs, func(r run) bool { return r.succeeded() }); last >= 0 {
		p.LastSuccessAt = runs[last].UpdatedAt.Time
		if err := w.readEvidence(ctx, &p, &runs[last]); err != nil {
			return err
		}
		if p.Environments, err = w.environments(ctx, file, runs); err != nil {
			return err
		}
	}
	w.batch.Pipelines = append(w.batch.Pipelines, p)
	return nil
}

func unknownEvidence() map[record.EvidenceKind]record.Answer {
	return map[record.EvidenceKind]record.Answer{
		record.EvidenceProvenance: record.AnswerUnknown, record.EvidenceSBOM: record.AnswerUnknown,
		record.EvidenceSignature: record.AnswerUnknown, record.EvidenceApproval: record.AnswerUnknown,
	}
}

// lastRuns are the last runs of a workflow but for those of pull requests, and at the end the last one that succeeded where it was longer ago.
func (w *pipelineWalk) lastRuns(ctx context.Context, file *workflow) (runs []run, refused, err error) {
	runs, all, refused, err := w.runs(ctx, file, url.Values{"status": {"completed"}})
	for _, earlier := range []url.Values{{"status": {"success"}, "event": {"push"}}, {"status": {"success"}}} {
		if err != nil || all || refused != nil || slices.ContainsFunc(runs, func(r run) bool { return r.succeeded() }) {
			break
		}
		var more []run
		more, _, refused, err = w.runs(ctx, file, earlier)
		runs = append(runs, more...)
	}
	return runs, refused, err
}

// runs reads runs of a workflow, without those of pull requests, and says whether these are all; none where GitHub refuses to show them.
func (w *pipelineWalk) runs(ctx context.Context, file *workflow, query url.Values) (runs []run, all bool, refused, err error) {
	var rejected map[record.RejectReason]int
	query.Set("per_page", strconv.Itoa(runsPerPipeline))
	query.Set("exclude_pull_requests", "true") // which leaves out their description, not the runs
	address := "repos/" + api.EscapeName(w.repository.FullName) + "/actions/workflows/" + url.PathEscape(path.Base(file.path)) + "/runs"
	refused, err = w.collector.Questions.Ask(w.question("runs of workflows", api.RunsPermission), func() error {
		runs, rejected, err = w.collector.runsOf(ctx, address, query)
		return err
	})
	if refused != nil || err != nil {
		return nil, false, refused, err
	}
	read := len(runs)
	for reason, n := range rejected {
		if w.batch.Rejected == nil {
			w.batch.Rejected = map[record.RejectReason]int{}
		}
		w.batch.Rejected[reason] += n
		read += n
	}
	return slices.DeleteFunc(runs, func(r run) bool { return r.ofPullRequest() }), read < runsPerPipeline, nil, nil
}

// question is about the repository, whose scope fails with the server.
func (w *pipelineWalk) question(what, permission string) api.Question {
	return api.Question{Organisation: w.org, Repository: w.repository.FullName, What: what, Permission: permission, Strict: true}
}

// readEvidence reads the evidence of a run. A run does not change once it is over, so that what was found is kept until there is a later one.
func (w *pipelineWalk) readEvidence(ctx context.Context, p *record.Pipeline, last *run) error {
	c := w.collector
	var known runEvidence
	c.state.With(w.org, func(o *organisation) { known = o.runs[p.ID] })
	if known.run != last.ID || !known.complete() {
		var err error
		if known, err = w.evidence(ctx, last); err != nil {
			return err
		}
		if c.Now().Sub(last.UpdatedAt.Time) >= settled {
			c.state.With(w.org, func(o *organisation) {
				if o.runs == nil {
					o.runs = map[string]runEvidence{}
				}
				o.runs[p.ID] = known
			})
		}
	}
	if known.released {
		p.Publishes = record.AnswerYes
	}
	p.Evidence, p.MissingPermission = known.evidence, cmp.Or(p.MissingPermission, known.permission)
	return nil
}

// evidence is that of the release that a run made, if it made one; else of the artifacts that it kept.
func (w *pipelineWalk) evidence(ctx context.Context, last *run) (runEvidence, error) {
	c := w.collector
	e := runEvidence{run: last.ID, evidence: unknownEvidence()}
	approval, refused, err := c.approved(ctx, w.repository, last.ID, w.question("", ""))
	if err != nil {
		return e, err
	}
	releases, err := w.lastReleases(ctx)
	if err != nil {
		return e, err
	}
	at := slices.IndexFunc(releases, last.made)
	if at >= 0 {
		e.released = true
		if e.evidence, e.refusal, err = w.ofRelease(ctx, releases[at]); err != nil {
			return e, err
		}
	} else if err := w.fromArtifacts(ctx, last, &e); err != nil {
		return e, err
	}
	e.evidence[record.EvidenceApproval] = approval
	e.refuse(refused)
	return e, nil
}

// ofRelease is the evidence of a release, as the last reading of releases found it, else asked for.
func (w *pipelineWalk) ofRelease(ctx context.Context, p *published) (map[record.EvidenceKind]record.Answer, refusal, error) {
	var known runEvidence
	w.collector.state.With(w.org, func(o *organisation) { known = o.evidence[p.key()] })
	if known.evidence == nil {
		if err := w.collector.findEvidence(ctx, w.org, []*published{p}); err != nil {
			return nil, refusal{}, err
		}
		known = runEvidence{evidence: p.evidence, refusal: p.refusal}
	}
	return maps.Clone(known.evidence), known.refusal, nil
}

// lastReleases are the last releases of the repository; none where the credential may not see them.
func (w *pipelineWalk) lastReleases(ctx context.Context) ([]*published, error) {
	none := false
	w.collector.state.With(w.org, func(o *organisation) { none = o.releasing != nil && !o.releasing[w.repository.Name] })
	if w.releasesRead || none {
		return w.releases, nil
	}
	var list []release
	_, err := w.collector.API.Get(ctx, "repos/"+api.EscapeName(w.repository.FullName)+"/releases?per_page="+strconv.Itoa(lastReleases), &list)
	if reason := record.ReasonOf(err); err != nil && reason != record.ReasonPermission && reason != record.ReasonNotFound {
		return nil, err
	}
	w.releasesRead = true
	for _, r := range list {
		if !r.Draft && r.ID > 0 {
			w.releases = append(w.releases, &published{release: r, repository: w.repository})
		}
	}
	return w.releases, nil
}

// fromArtifacts looks for attestations of the artifacts that a run kept. Where the repository has no attestation at all, the run left none; where it has some, they may be
// of something that GitHub does not keep, such as an image.
func (w *pipelineWalk) fromArtifacts(ctx context.Context, last *run, e *runEvidence) error {
	c := w.collector
	if !c.config.Attestations {
		return nil
	}
	attested, err := c.attestedRepositories(ctx, w.org)
	if err != nil {
		return err
	}
	if !attested.known {
		e.merge(attested.refusal)
		return nil
	}
	if _, name, _ := strings.Cut(strings.ToLower(w.repository.FullName), "/"); !attested.names[name] {
		none, refused, err := c.unattested(ctx, w.org, w.repository, noDigest)
		e.evidence[record.EvidenceProvenance], e.evidence[record.EvidenceSBOM] = none, none
		e.merge(refused)
		return err
	}
	digests, refused, err := w.artifacts(ctx, last)
	e.refuse(refused)
	if err != nil || len(digests) == 0 {
		return err
	}
	found, err := c.attestations(ctx, w.org, digests, predicateProvenance, predicateSBOM)
	if err != nil {
		return err
	}
	for kind, p := range map[record.EvidenceKind]predicate{record.EvidenceProvenance: predicateProvenance, record.EvidenceSBOM: predicateSBOM} {
		if len(found[p]) > 0 {
			e.evidence[kind] = record.AnswerYes
		}
	}
	return nil
}

// artifacts are the digests of the artifacts that a run kept; none where GitHub refuses to list them.
func (w *pipelineWalk) artifacts(ctx context.Context, last *run) (digests []string, refused, err error) {
	question := w.question("artifacts of runs", api.RunsPermission)
	question.Item = true
	var page struct {
		Artifacts *[]asset `json:"artifacts"`
	}
	address := "repos/" + api.EscapeName(w.repository.FullName) + "/actions/runs/" + strconv.FormatInt(last.ID, 10) + "/artifacts"
	refused, err = w.collector.Questions.Ask(question, func() error {
		_, err := w.collector.API.Get(ctx, address+"?per_page="+api.PageSize, &page)
		return err
	})
	switch {
	case refused != nil || err != nil:
		return nil, refused, err
	case page.Artifacts == nil:
		return nil, nil, api.MissingField(address, "artifacts")
	}
	for _, a := range *page.Artifacts {
		if a.digest() != "" {
			digests = append(digests, a.digest())
		}
	}
	return digests, nil, nil
}
