package trust

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// What the parts of a repository's cloud identity need.
const (
	secretsPermission            = "secrets=read"
	environmentSecretsPermission = "environments=read"
	oidcPermission               = "actions=read"
	orgOIDCPermission            = "organization_administration=read"
)

// identityWalk gathers how the pipelines of a repository prove who they are.
type identityWalk struct {
	collector  *Collector
	org        string
	repository api.Repository
	identity   record.CloudIdentity
	rejected   map[record.RejectReason]int
}

// readCloudIdentity reads whether the workflows of a repository ask for tokens of GitHub's issuer, and which secrets they can read by name.
func (c *Collector) readCloudIdentity(ctx context.Context, org string, r api.Repository, _ record.Cursor) record.Batch {
	w := &identityWalk{collector: c, org: org, repository: r, identity: record.CloudIdentity{Repository: r.Name}}
	workflows := c.workflowsOf(org, r.Name)
	w.identity.OIDC = workflows.asksForToken()
	if !workflows.known {
		w.lacks(workflows.permission)
	}
	for _, part := range []func(context.Context, repositoryWorkflows) error{w.readSecrets, w.readSubject} {
		if err := part(ctx, workflows); err != nil {
			return record.Batch{Err: err}
		}
	}
	return record.Batch{Mode: record.Full, Cursor: c.ReadAt(), CloudIdentities: []record.CloudIdentity{w.identity}, Rejected: w.rejected}
}

// asksForToken says whether one of the workflows may ask for an OpenID Connect token.
func (w repositoryWorkflows) asksForToken() record.Answer {
	if !w.known {
		return record.AnswerUnknown
	}
	answer := record.AnswerNo
	for _, f := range w.files {
		if !f.onlyCalled { // else its callers need the permission, too
			answer = answer.Or(f.idToken)
		}
	}
	return answer
}

// lacks names the first permission that is missing.
func (w *identityWalk) lacks(permission string) {
	w.identity.MissingPermission = cmp.Or(w.identity.MissingPermission, permission)
}

// secretSource is a list of the names of secrets.
type secretSource struct {
	path        string
	scope       record.SecretScope
	environment string
	permission  string
}

// readSecrets reads the names of the secrets that workflows can read: those of the repository, of the organisation where it shares them, and of environments.
func (w *identityWalk) readSecrets(ctx context.Context, workflows repositoryWorkflows) error {
	base := "repos/" + api.EscapeName(w.repository.FullName)
	sources := []secretSource{
		{base + "/actions/secrets", record.SecretRepository, "", secretsPermission},
		{base + "/actions/organization-secrets", record.SecretOrganization, "", secretsPermission},
	}
	for _, e := range workflows.environments {
		sources = append(sources, secretSource{
			base + "/environments/" + url.PathEscape(e) + "/secrets", record.SecretEnvironment, record.Text(e), environmentSecretsPermission,
		})
	}
	w.identity.SecretsKnown = record.AnswerYes
	if !workflows.environmentsKnown {
		w.identity.SecretsKnown = record.AnswerUnknown
		w.lacks(environmentSecretsPermission)
	}
	for _, s := range sources {
		question := w.question("secrets of "+string(s.scope), s.permission)
		question.Item = s.scope == record.SecretEnvironment
		refused, err := w.collector.Questions.Ask(question, func() error { return w.names(ctx, s) })
		switch {
		case refused != nil:
			w.identity.SecretsKnown = record.AnswerUnknown
			w.lacks(api.Permission(refused))
		case err != nil:
			return err
		}
	}
	return nil
}

// names reads one list.
func (w *identityWalk) names(ctx context.Context, s secretSource) error {
	found := []record.SecretName{}
	err := w.collector.API.List(ctx, s.path, "secrets", func(item json.RawMessage) {
		var secret struct {
			Name      string        `json:"name"`
			UpdatedAt api.Timestamp `json:"updated_at"`
		}
		err := json.Unmarshal(item, &secret)
		if err == nil && secret.Name == "" {
			err = api.Reject(record.RejectNoID, errors.New("the secret has no name"))
		}
		if err != nil {
			if w.rejected == nil {
				w.rejected = map[record.RejectReason]int{}
			}
			w.rejected[api.RejectReasonOf(err)]++
			w.identity.SecretsKnown = record.AnswerUnknown
			return
		}
		found = append(found, record.SecretName{
			Name: record.Text(secret.Name), Scope: s.scope, Environment: s.environment, UpdatedAt: secret.UpdatedAt.Time,
		})
	})
	if err == nil {
		w.identity.Secrets = append(w.identity.Secrets, found...)
	}
	return err
}

// subjectTemplate is how the subject of a token is made.
type subjectTemplate struct {
	UseDefault *bool    `json:"use_default"`
	Claims     []string `json:"include_claim_keys"`
}

// readSubject reads by which claims a cloud can tell the repository's tokens apart, where it asks for any. A repository uses GitHub's own form unless it opts out, and
// then the organisation's unless it has one itself.
func (w *identityWalk) readSubject(ctx context.Context, _ repositoryWorkflows) error {
	if w.identity.OIDC == record.AnswerNo {
		return nil
	}
	own, ok, err := w.template(ctx, w.question("subject of repository", oidcPermission), "repos/"+api.EscapeName(w.repository.FullName))
	if err != nil || !ok {
		return err
	}
	if own.UseDefault == nil {
		return api.MissingField("repos/"+w.repository.FullName+"/actions/oidc/customization/sub", "use_default")
	}
	if *own.UseDefault {
		w.identity.CustomSubject = record.AnswerNo
		return nil
	}
	if len(own.Claims) == 0 {
		question := w.question("subject of organisation", orgOIDCPermission)
		question.Repository = w.org
		above, ok, err := w.template(ctx, question, "orgs/"+url.PathEscape(w.org))
		if err != nil || !ok {
			return err
		}
		own = above
	}
	w.identity.CustomSubject = record.AnswerOf(len(own.Claims) > 0)
	for _, claim := range own.Claims {
		w.identity.SubjectClaims = append(w.identity.SubjectClaims, record.Text(claim))
	}
	return nil
}

// question is about the repository, whose scope fails with the server.
func (w *identityWalk) question(what, permission string) api.Question {
	return api.Question{Organisation: w.org, Repository: w.repository.FullName, What: what, Permission: permission, Strict: true}
}

// template reads the template below a path; ok is false where the credential may not see it.
func (w *identityWalk) template(ctx context.Context, question api.Question, path string) (t subjectTemplate, ok bool, err error) {
	refused, err := w.collector.Questions.Ask(question, func() error {
		_, err := w.collector.API.Get(ctx, path+"/actions/oidc/customization/sub", &t)
		return err
	})
	if refused != nil {
		w.lacks(api.Permission(refused))
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("subject of tokens: %w", err)
	}
	return t, true, nil
}
