package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// release is a release in the REST API.
type release struct {
	Tag        string         `json:"tag_name"`
	ReleasedAt translate.Time `json:"released_at"`
	CreatedAt  translate.Time `json:"created_at"`
	Upcoming   bool           `json:"upcoming_release"`
	Assets     struct {
		Links []struct {
			Name string `json:"name"`
			URL  string `json:"url"`
		} `json:"links"`
	} `json:"assets"`
	Links struct {
		Self string `json:"self"`
	} `json:"_links"`
}

// evidenceNames recognise what a file of a release is for by its name, in lower case.
var evidenceNames = map[record.EvidenceKind]*regexp.Regexp{
	record.EvidenceSignature:  regexp.MustCompile(`\.(sig|asc|sigstore|sigstore\.json|minisig|p7s|cosign\.bundle)$`),
	record.EvidenceSBOM:       regexp.MustCompile(`(^|[._-])(sbom|spdx|cdx|cyclonedx|bom)([._-].*)?\.(json|jsonl|xml|rdf|ya?ml)(\.gz)?$|\.(spdx|sbom)$`),
	record.EvidenceProvenance: regexp.MustCompile(`\.intoto\.jsonl?$|(^|[._-])provenance(\.json|\.jsonl)?$|artifacts-metadata\.json$`),
}

// readReleases reads the releases of the configured history, newest first, until one is older.
func (c *Collector) readReleases(ctx context.Context, p *project) record.Batch {
	b := record.Batch{Scope: p.scope(scopeReleases), Mode: record.Full, Releases: []record.Release{}, Rejected: map[record.RejectReason]int{}}
	horizon := c.now().Add(-c.config.DeploymentHistory.Std())
	seen := map[string]bool{}
	err := c.api.list(ctx, numbered(p.ID, "releases"), url.Values{"order_by": {"released_at"}, "sort": {"desc"}}, func(raw json.RawMessage) error {
		r, err := translate.Decode[release](raw)
		if err == nil && r.Tag == "" {
			err = fmt.Errorf("release: %w", translate.ErrNoID)
		}
		if err != nil {
			b.Rejected[translate.Reason(err)]++
			return nil
		}
		at := r.ReleasedAt.Time
		if at.IsZero() {
			at = r.CreatedAt.Time
		}
		if r.Upcoming || at.Before(horizon) || seen[r.Tag] {
			return nil
		}
		seen[r.Tag] = true
		b.Releases = append(b.Releases, record.Release{
			ID: p.scope("release") + ":" + record.Text(r.Tag), Repository: p.name, Version: record.Text(r.Tag), URL: record.Text(r.Links.Self), PublishedAt: at,
			UpdatedAt: at, Evidence: evidenceOf(r),
		})
		return nil
	})
	if err != nil && !unread(err) {
		return translate.Failed(b.Scope, fmt.Errorf("read the releases of project %s: %w", p.Path, err))
	}
	if err != nil {
		return translate.Failed(b.Scope, fmt.Errorf("read the releases of project %s: %w", p.Path, needs(err, asReporter)))
	}
	return b
}

// evidenceOf says which evidence is among the assets of a release. Present is not verified.
func evidenceOf(r *release) map[record.EvidenceKind]record.Answer {
	evidence := map[record.EvidenceKind]record.Answer{}
	for kind, name := range evidenceNames {
		found := false
		for _, link := range r.Assets.Links {
			address, _, _ := strings.Cut(link.URL, "?")
			found = found || name.MatchString(strings.ToLower(link.Name)) || name.MatchString(strings.ToLower(address[strings.LastIndex(address, "/")+1:]))
		}
		evidence[kind] = record.AnswerOf(found)
	}
	return evidence
}
