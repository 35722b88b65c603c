package github

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Webhook lets GitHub say that something changed, so that it is read at once instead of at the next interval.
type Webhook struct {
	// Secret is the one that the webhook was made with. Without it no delivery is taken.
	Secret apiclient.Secret `yaml:"secret,omitempty"`
}

// signaturePrefix names the algorithm. Older ones are not taken: SHA-1 signatures come in a header of their own, which is not looked at.
const signaturePrefix = "sha256="

var _ collectors.Hinted = (*Collector)(nil)

// TakesHints reports whether a webhook's secret is configured.
func (c *Collector) TakesHints() bool { return !c.config.Webhook.Secret.IsZero() }

// delivery is what is read of a webhook's payload: what it is about. Everything else is asked of the API.
type delivery struct {
	Organization struct {
		Login string `json:"login"`
	} `json:"organization"`
	Repository struct {
		FullName string `json:"full_name"`
		Owner    struct {
			Login string `json:"login"`
		} `json:"owner"`
	} `json:"repository"`
}

// hintedKinds are the kinds of scope that an event concerns. Events that are not here concern nothing that is read.
var hintedKinds = map[string][]string{
	"dependabot_alert":                {string(Dependabot)},
	"repository_vulnerability_alert":  {string(Dependabot)},
	"code_scanning_alert":             {string(CodeScanning)},
	"secret_scanning_alert":           {string(SecretScanning)},
	"secret_scanning_alert_location":  {string(SecretScanning)},
	"branch_protection_rule":          {scopeProtection},
	"branch_protection_configuration": {scopeProtection},
	"repository_ruleset":              {scopeProtection},
	"repository":                      {scopeRepositories},
	"security_and_analysis":           {scopeRepositories},
	"custom_property":                 {scopeProperties, scopeCatalog},
	"custom_property_values":          {scopeProperties, scopeCatalog},
	"release":                         {scopeReleases},
}

// hintedRepositoryKinds are the kinds of scope of one repository that an event concerns.
var hintedRepositoryKinds = map[string][]string{
	"code_scanning_alert": {scopeScanning},
}

// Hint proves a delivery by its HMAC-SHA256 and finds the scopes that it concerns.
func (c *Collector) Hint(header http.Header, body []byte) (collectors.Hint, error) {
	secret, err := c.config.Webhook.Secret.Read()
	if err != nil {
		return collectors.Hint{}, fmt.Errorf("webhook.secret: %w", err)
	}
	if !signed(header.Get("X-Hub-Signature-256"), secret, body) {
		return collectors.Hint{}, collectors.ErrHintForged
	}
	payload, err := payloadOf(header.Get("Content-Type"), body)
	if err != nil {
		return collectors.Hint{}, fmt.Errorf("%w: %w", collectors.ErrHintMalformed, err)
	}
	var d delivery
	if err := json.Unmarshal(payload, &d); err != nil {
		return collectors.Hint{}, fmt.Errorf("%w: %w", collectors.ErrHintMalformed, err)
	}
	return collectors.Hint{ID: record.Text(header.Get("X-GitHub-Delivery")), Scopes: c.concerned(header.Get("X-GitHub-Event"), &d)}, nil
}

// signed compares in constant time. An empty secret signs nothing.
func signed(signature, secret string, body []byte) bool {
	text, ok := strings.CutPrefix(signature, signaturePrefix)
	if !ok || secret == "" {
		return false
	}
	given, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // a hash never fails
	return hmac.Equal(given, mac.Sum(nil))
}

// payloadOf is the JSON of a delivery, which comes as it is or as the field of a form.
func payloadOf(contentType string, body []byte) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return nil, fmt.Errorf("content type: %w", err)
	case media == "application/json":
		return body, nil
	case media == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fmt.Errorf("form: %w", err)
		}
		return []byte(form.Get("payload")), nil
	default:
		return nil, fmt.Errorf("content type %s is neither JSON nor a form", record.Text(media))
	}
}

// concerned are the scopes of this instance that an event is about.
func (c *Collector) concerned(event string, d *delivery) []string {
	org := strings.ToLower(firstOf(d.Organization.Login, d.Repository.Owner.Login))
	if !slices.ContainsFunc(c.config.Organizations, func(o string) bool { return strings.EqualFold(o, org) }) {
		return nil
	}
	var scopes []string
	for _, kind := range hintedKinds[event] {
		name := kind + ":" + org
		if slices.ContainsFunc(c.scopes(org), func(s scope) bool { return s.name == name }) {
			scopes = append(scopes, name)
		}
	}
	repository := strings.ToLower(d.Repository.FullName)
	for _, kind := range hintedRepositoryKinds[event] {
		if repository != "" && slices.ContainsFunc(c.repositoryScopes(), func(s repositoryScope) bool { return s.kind == kind }) {
			scopes = append(scopes, kind+":"+repository)
		}
	}
	return scopes
}

// CollectScopes reads the named scopes, whether or not they are due.
func (c *Collector) CollectScopes(ctx context.Context, scopes []string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	wanted := map[string]bool{}
	for _, name := range scopes {
		wanted[name] = true
	}
	for _, org := range c.config.Organizations {
		for _, s := range c.scopes(org) {
			if !wanted[s.name] {
				continue
			}
			if err := visit(ctx, s, cursors[s.name], emit); err != nil {
				return err
			}
		}
		if err := c.collectRepositoryScopes(ctx, strings.ToLower(org), wanted, cursors, emit); err != nil {
			return err
		}
	}
	return nil
}

func (c *Collector) collectRepositoryScopes(ctx context.Context, org string, wanted map[string]bool, cursors collectors.Cursors, emit func(record.Batch) error) error {
	var list []head
	c.remember(org, func(o *organisation) { list = o.heads })
	for _, s := range c.repositoryScopes() {
		for _, r := range list {
			if name := s.scope(r); !r.archived && wanted[name] {
				one := scope{name: name, read: func(ctx context.Context, cursor record.Cursor) record.Batch { return s.from(ctx, org, r, cursor) }}
				if err := visit(ctx, one, cursors[name], emit); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
