package gitlab

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// defaultConfiguration is the file of a project's pipeline where it names no other.
const defaultConfiguration = ".gitlab-ci.yml"

var (
	// idTokens is the keyword by which a job asks for an OpenID Connect token, releases the one by which it makes a release. Both are keys of the merged
	// configuration, which GitLab writes as YAML.
	idTokens = regexp.MustCompile(`(?m)^\s+id_tokens:`)
	releases = regexp.MustCompile(`(?m)^\s+release:\s*$`)
	// provenance switches on the runner's own provenance of artifacts.
	provenance = regexp.MustCompile(`(?m)^\s+RUNNER_GENERATE_ARTIFACTS_METADATA:\s*["']?(true|1)["']?\s*$`)
)

// readConfiguration reads the pipeline configuration with everything it includes.
func (c *Collector) readConfiguration(ctx context.Context, p *posture) error {
	if p.DefaultBranch == "" || p.BuildsAccess == "disabled" {
		return nil
	}
	var lint struct {
		Merged string `json:"merged_yaml"`
	}
	_, err := c.api.get(ctx, numbered(p.ID, "ci/lint"), url.Values{"content_ref": {p.DefaultBranch}}, &lint)
	if unread(err) {
		return nil
	}
	p.merged = lint.Merged
	return err
}

// run is a pipeline in the sense of GitLab: one run.
type run struct {
	ID         int64          `json:"id"`
	URL        string         `json:"web_url"`
	UpdatedAt  translate.Time `json:"updated_at"`
	FinishedAt translate.Time `json:"finished_at"`
}

// readPipelines reads the project's pipeline, of which GitLab has one a project, and its last runs.
func (c *Collector) readPipelines(ctx context.Context, p *posture) error {
	if p.merged == "" {
		return nil
	}
	configuration := p.CIConfig
	if configuration == "" {
		configuration = defaultConfiguration
	}
	pipeline := record.Pipeline{
		ID: p.scope("pipeline"), Repository: p.name, Name: record.Text(configuration), Path: record.Text(configuration), URL: record.Text(p.URL + "/-/pipelines"),
		Publishes: record.AnswerOf(releases.MatchString(p.merged)),
		Evidence: map[record.EvidenceKind]record.Answer{
			record.EvidenceProvenance: record.AnswerOf(provenance.MatchString(p.merged)), record.EvidenceSBOM: record.AnswerUnknown,
			record.EvidenceSignature: record.AnswerUnknown, record.EvidenceApproval: record.AnswerUnknown,
		},
	}
	for _, e := range p.repository.Environments {
		pipeline.Environments = append(pipeline.Environments, e.Environment)
	}
	succeeded := int64(0)
	for _, last := range []struct {
		query url.Values
		into  func(*run)
	}{
		{url.Values{"scope": {"finished"}}, func(r *run) { pipeline.LastRunAt = finished(r) }},
		{url.Values{"status": {"success"}}, func(r *run) { pipeline.LastSuccessAt, succeeded = finished(r), r.ID }},
	} {
		last.query.Set("ref", p.DefaultBranch)
		last.query.Set("per_page", "1")
		var runs []run
		_, err := c.api.get(ctx, numbered(p.ID, "pipelines"), last.query, &runs)
		if unread(err) {
			pipeline.MissingPermission = asReporter
			continue
		}
		if err != nil {
			return err
		}
		if len(runs) > 0 {
			last.into(&runs[0])
		}
	}
	if err := c.readRunEvidence(ctx, p, &pipeline, succeeded); err != nil {
		return err
	}
	p.batch.Pipelines = append(p.batch.Pipelines, pipeline)
	return nil
}

// finished is when a run ended; the list of runs has only when it changed last.
func finished(r *run) time.Time {
	if r.FinishedAt.IsZero() {
		return r.UpdatedAt.Time
	}
	return r.FinishedAt.Time
}

// readVariables reads the names of the variables that the project's pipelines can see, and whether they ask for OpenID Connect tokens. The API sends values beside the names;
// they are not decoded.
func (c *Collector) readVariables(ctx context.Context, p *posture) error {
	identity := record.CloudIdentity{Repository: p.name, SecretsKnown: record.AnswerYes}
	if p.merged != "" {
		identity.OIDC = record.AnswerOf(idTokens.MatchString(p.merged))
	}
	err := c.api.list(ctx, numbered(p.ID, "variables"), nil, func(raw json.RawMessage) error {
		v, err := translate.Decode[struct {
			Key         string `json:"key"`
			Environment string `json:"environment_scope"`
		}](raw)
		if err != nil {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		s := record.SecretName{Name: record.Text(v.Key), Scope: record.SecretRepository}
		if v.Environment != "" && v.Environment != "*" {
			s.Scope, s.Environment = record.SecretEnvironment, record.Text(v.Environment)
		}
		identity.Secrets = append(identity.Secrets, s)
		return nil
	})
	switch {
	case unread(err):
		identity.SecretsKnown, identity.MissingPermission = record.AnswerNo, asMaintainer
	case err != nil:
		return err
	}
	p.batch.CloudIdentities = append(p.batch.CloudIdentities, identity)
	return nil
}
