package github

import (
	"cmp"
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
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/collectors/github/part"
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

// TakesHints reports whether a webhook's secret is configured.
func (c *Collector) TakesHints() bool { return !c.config.Webhook.Secret.IsZero() }

// webhookPayload is what is read of a webhook's payload: what it is about. Everything else is asked of the API.
type webhookPayload struct {
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
	var d webhookPayload
	if err := json.Unmarshal(payload, &d); err != nil {
		return collectors.Hint{}, fmt.Errorf("%w: %w", collectors.ErrHintMalformed, err)
	}
	return collectors.Hint{Scopes: c.concerned(header.Get("X-GitHub-Event"), &d)}, nil
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
func (c *Collector) concerned(event string, d *webhookPayload) []string {
	org := strings.ToLower(cmp.Or(d.Organization.Login, d.Repository.Owner.Login))
	if c.installations != nil {
		if i := c.installations.of(org); i != nil {
			return i.collector.concerned(event, d)
		}
		return nil
	}
	if !slices.Contains(c.organizations(), org) {
		return nil
	}
	var kinds []string
	for _, p := range c.parts {
		kinds = append(kinds, p.Hints()[event]...)
	}
	var scopes []string
	for _, s := range c.scopes(org) {
		if kind, _, _ := strings.Cut(s.Name, ":"); !s.Ended && slices.Contains(kinds, kind) {
			scopes = append(scopes, s.Name)
		}
	}
	repository := strings.ToLower(d.Repository.FullName)
	for _, s := range c.repositoryScopes() {
		if repository != "" && s.Read != nil && slices.Contains(kinds, s.Kind) {
			scopes = append(scopes, s.Kind+":"+repository)
		}
	}
	return scopes
}

// CollectScopes reads the named scopes, whether or not they are due.
func (c *Collector) CollectScopes(ctx context.Context, scopes []string, cursors collectors.Cursors, emit func(record.Batch) error) error {
	if c.installations != nil {
		return c.installations.collectScopes(ctx, scopes, cursors, emit)
	}
	for _, org := range c.organizations() {
		for _, s := range append(c.scopes(org), c.scopesOfRepositories(org)...) {
			if s.Ended || !slices.Contains(scopes, s.Name) || c.inventory.Unselected(org) != nil && s.Name != inventory.Scope(org) {
				continue // What is not known to count waits for the list of repositories.
			}
			if err := read(ctx, s, cursors[s.Name], emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// scopesOfRepositories are those of single repositories that can be read alone.
func (c *Collector) scopesOfRepositories(org string) []part.Scope {
	var list []part.Scope
	for _, s := range c.repositoryScopes() {
		for _, r := range c.inventory.Repositories(org) {
			if !r.Archived && s.Read != nil {
				list = append(list, scopeOf(s, org, r))
			}
		}
	}
	return list
}
