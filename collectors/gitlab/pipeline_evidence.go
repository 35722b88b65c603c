package gitlab

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// cyclonedxReport is the type of the artifact that is a bill of materials (artifacts:reports:cyclonedx).
const cyclonedxReport = "cyclonedx"

// lastDeployments is how many of the latest deployments are looked at to find one to production.
const lastDeployments = "20"

// job is a job of a run, with what it kept.
type job struct {
	Artifacts []struct {
		Type string `json:"file_type"`
	} `json:"artifacts"`
}

// readRunEvidence reads what the last successful run of the default branch left behind, and whether somebody approved the last deployment to production.
func (c *Collector) readRunEvidence(ctx context.Context, p *posture, pipeline *record.Pipeline, last int64) error {
	if last != 0 {
		if err := c.readArtifacts(ctx, p, pipeline, last); err != nil {
			return err
		}
	}
	return c.readPipelineApproval(ctx, p, pipeline)
}

// readArtifacts looks for evidence among the artifacts of a run's jobs. A bill of materials is one that a job reports as such; what is in an archive is not looked at.
func (c *Collector) readArtifacts(ctx context.Context, p *posture, pipeline *record.Pipeline, last int64) error {
	bill := false
	err := c.api.list(ctx, numbered(p.ID, "pipelines/"+strconv.FormatInt(last, 10)+"/jobs"), url.Values{"scope[]": {"success"}}, func(raw json.RawMessage) error {
		j, err := translate.Decode[job](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		for _, a := range j.Artifacts {
			bill = bill || a.Type == cyclonedxReport
		}
		return nil
	})
	switch {
	case unread(err):
		pipeline.MissingPermission = asReporter
		return nil
	case err != nil:
		return err
	}
	pipeline.Evidence[record.EvidenceSBOM] = record.AnswerOf(bill)
	return nil
}

// readPipelineApproval reads how the last deployment to production passed release control; a pipeline that deploys nowhere, or nowhere lately, has no answer.
func (c *Collector) readPipelineApproval(ctx context.Context, p *posture, pipeline *record.Pipeline) error {
	var list []deployment
	query := url.Values{"status": {"success"}, "order_by": {"id"}, "sort": {"desc"}, "per_page": {lastDeployments}}
	_, err := c.api.get(ctx, numbered(p.ID, "deployments"), query, &list)
	switch {
	case unread(err):
		pipeline.MissingPermission = asReporter
		return nil
	case err != nil:
		return err
	}
	at := slices.IndexFunc(list, func(d deployment) bool { return d.Environment.production() })
	if at < 0 {
		return nil
	}
	var r record.Deployment
	w := &deploymentWalk{Collector: c, project: p.project}
	if err := w.approval(ctx, &list[at], &r); err != nil {
		return err
	}
	switch r.Approval {
	case record.ApprovalApproved:
		pipeline.Evidence[record.EvidenceApproval] = record.AnswerYes
	case record.ApprovalNone, record.ApprovalBypassed:
		pipeline.Evidence[record.EvidenceApproval] = record.AnswerNo
	case record.ApprovalUnknown:
	}
	if r.MissingPermission != "" {
		pipeline.MissingPermission = r.MissingPermission
	}
	return nil
}
