package trust

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// attestationsPermission is what reading attestations needs.
const attestationsPermission = "attestations=read"

// predicate is a kind of attestation, in the words of GitHub's filter.
type predicate string

// The predicates that are looked for.
const (
	predicateProvenance predicate = "provenance"
	predicateSBOM       predicate = "sbom"
	// predicateRelease is what GitHub itself attests of an immutable release.
	predicateRelease predicate = "release"
)

func predicates() []predicate {
	return []predicate{predicateProvenance, predicateSBOM, predicateRelease}
}

// mostDigests is how many artifacts may be asked about at once.
const mostDigests = 1024

// attestedRepositories asks once per posture interval which repositories have attestations.
func (c *Collector) attestedRepositories(ctx context.Context, org string) (attestedRepositories, error) {
	var known attestedRepositories
	c.state.With(org, func(o *organisation) { known = o.attested })
	if !known.readAt.IsZero() && c.Now().Sub(known.readAt) < c.Intervals.Posture {
		return known, nil
	}
	found := attestedRepositories{readAt: c.Now(), known: true, names: map[string]bool{}}
	path := "orgs/" + url.PathEscape(org) + "/attestations/repositories"
	_, err := c.API.Pages(ctx, path, url.Values{"per_page": {api.PageSize}}, func(items []json.RawMessage) bool {
		for _, item := range items {
			var r struct {
				Name string `json:"name"`
			}
			if json.Unmarshal(item, &r) == nil && r.Name != "" {
				found.names[strings.ToLower(r.Name)] = true
			}
		}
		return true
	})
	switch reason := record.ReasonOf(err); {
	case err == nil:
	case reason == record.ReasonNotFound && c.API.EnterpriseServer(), api.FeatureOff(err.Error()):
		// GitHub Enterprise Server has no attestations.
		found = attestedRepositories{readAt: found.readAt}
	case reason == record.ReasonPermission || reason == record.ReasonNotFound:
		found = attestedRepositories{readAt: found.readAt}
		found.refuse(api.ScopeError(err, attestationsPermission))
	default:
		return found, fmt.Errorf("repositories with attestations: %w", err)
	}
	c.state.With(org, func(o *organisation) { o.attested = found })
	return found, nil
}

// attestations says which of some artifacts have an attestation of each of some kinds. GitHub leaves out, without a word, those of repositories that the credential cannot read.
func (c *Collector) attestations(ctx context.Context, org string, digests []string, kinds ...predicate) (map[predicate]map[string]bool, error) {
	found := map[predicate]map[string]bool{}
	for _, p := range kinds {
		found[p] = map[string]bool{}
		for chunk := range slices.Chunk(digests, mostDigests) {
			if err := c.attested(ctx, org, p, chunk, found[p]); err != nil {
				return nil, fmt.Errorf("attestations of %s: %w", p, err)
			}
		}
	}
	return found, nil
}

func (c *Collector) attested(ctx context.Context, org string, p predicate, digests []string, found map[string]bool) error {
	path := "orgs/" + url.PathEscape(org) + "/attestations/bulk-list"
	body := map[string]any{"subject_digests": digests, "predicate_type": p}
	return apiclient.Walk(ctx, api.MaxPages, func(ctx context.Context, cursor string) (string, error) {
		query := url.Values{"per_page": {api.PageSize}}
		if cursor != "" {
			query.Set("after", cursor)
		}
		var page struct {
			Digests  *digestAttestations `json:"attestations_subject_digests"`
			PageInfo struct {
				HasNext bool   `json:"has_next"`
				Next    string `json:"next"`
			} `json:"page_info"`
		}
		if _, err := c.API.Post(ctx, path+"?"+query.Encode(), body, &page); err != nil {
			return "", err
		}
		if page.Digests == nil {
			return "", api.MissingField(path, "attestations_subject_digests")
		}
		for digest, list := range *page.Digests {
			if len(list) > 0 {
				found[digest] = true
			}
		}
		if !page.PageInfo.HasNext {
			return "", nil
		}
		return page.PageInfo.Next, nil
	})
}

// digestAttestations are attestations by the digest of what they are about. GitHub's description has a map, its example a list of maps.
type digestAttestations map[string][]json.RawMessage

// UnmarshalJSON reads either form.
func (d *digestAttestations) UnmarshalJSON(data []byte) error {
	*d = digestAttestations{}
	parts := make([]map[string][]json.RawMessage, 1)
	into := any(&parts[0])
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		into = &parts
	}
	if err := json.Unmarshal(data, into); err != nil {
		return err
	}
	for _, part := range parts {
		for digest, list := range part {
			(*d)[digest] = append((*d)[digest], list...)
		}
	}
	return nil
}

// unattested says what it means that no attestation of an artifact of a repository was listed: no where the credential would see one, else unknown and the
// permission that is missing. Which repositories have attestations tells of most; others are asked about one artifact per full interval, which is refused only where
// the permission is missing: a 404 is how GitHub says that there is none.
func (c *Collector) unattested(ctx context.Context, org string, r api.Repository, digest string) (record.Answer, refusal, error) {
	attested, err := c.attestedRepositories(ctx, org)
	if err != nil || !attested.known {
		return record.AnswerUnknown, attested.refusal, err
	}
	if _, name, _ := strings.Cut(strings.ToLower(r.FullName), "/"); attested.names[name] {
		return record.AnswerNo, refusal{}, nil
	}
	var visibleAt time.Time
	c.state.With(org, func(o *organisation) { visibleAt = o.attestable[r.Name] })
	if !visibleAt.IsZero() && c.Now().Sub(visibleAt) < c.Intervals.Full {
		return record.AnswerNo, refusal{}, nil
	}
	about := api.Question{Organisation: org, Repository: r.FullName, What: "attestations", Permission: attestationsPermission}
	denied, err := c.Questions.Ask(about, func() error {
		var answer struct{}
		_, err := c.API.Get(ctx, "repos/"+api.EscapeName(r.FullName)+"/attestations/"+url.PathEscape(digest)+"?per_page=1", &answer)
		if record.ReasonOf(err) == record.ReasonNotFound {
			return nil
		}
		return err
	})
	if denied != nil || err != nil {
		var r refusal
		r.refuse(denied)
		return record.AnswerUnknown, r, err
	}
	c.state.With(org, func(o *organisation) {
		if o.attestable == nil {
			o.attestable = map[record.RepositoryName]time.Time{}
		}
		o.attestable[r.Name] = c.Now()
	})
	return record.AnswerNo, refusal{}, nil
}
