package trust

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// findEvidence looks for provenance, SBOM and signature of releases. That something is present does not say that anybody verified it.
func (c *Collector) findEvidence(ctx context.Context, org string, list []*published) error {
	digests := map[string]bool{}
	for _, p := range list {
		for _, a := range p.artifacts() {
			if a.digest() != "" {
				digests[a.digest()] = true
			}
		}
	}
	found := map[predicate]map[string]bool{}
	if len(digests) > 0 && c.config.Attestations {
		attested, err := c.attestedRepositories(ctx, org)
		if err != nil {
			return err
		}
		if attested.known {
			if found, err = c.attestations(ctx, org, slices.Sorted(maps.Keys(digests)), predicates()...); err != nil {
				return api.ScopeError(err, attestationsPermission)
			}
		}
	}
	graphs := map[record.RepositoryName]record.Answer{}
	for _, p := range list {
		if err := c.evaluate(ctx, org, p, found); err != nil {
			return err
		}
		if !c.config.DependencyGraphSBOM || p.evidence[record.EvidenceSBOM] == record.AnswerYes {
			continue
		}
		answer, ok := graphs[p.repository.Name]
		if !ok {
			var err error
			if answer, err = c.dependencyGraphSBOM(ctx, org, p.repository); err != nil {
				return err
			}
			graphs[p.repository.Name] = answer
		}
		p.evidence[record.EvidenceSBOM] = p.evidence[record.EvidenceSBOM].Or(answer)
	}
	return nil
}

// digest is the SHA-256 of a file, the only digest that attestations go by.
func (a *asset) digest() string {
	if a.Digest == nil || !strings.HasPrefix(*a.Digest, "sha256:") {
		return ""
	}
	return *a.Digest
}

// artifacts are the files of a release that people came for.
func (r *release) artifacts() []asset {
	var list []asset
	for _, a := range r.Assets {
		if roleOf(a.Name) == assetArtifact {
			list = append(list, a)
		}
	}
	return list
}

func (r *release) has(role assetRole) bool {
	return slices.ContainsFunc(r.Assets, func(a asset) bool { return roleOf(a.Name) == role })
}

// evaluate decides what evidence a release has, from its files and from the attestations that were found.
func (c *Collector) evaluate(ctx context.Context, org string, p *published, found map[predicate]map[string]bool) error {
	attested := map[predicate]record.Answer{}
	for _, kind := range predicates() {
		answer, refused, err := c.covered(ctx, org, p, kind, found[kind])
		if err != nil {
			return err
		}
		attested[kind] = answer
		if !answer.Known() {
			p.merge(refused)
		}
	}
	p.evidence = map[record.EvidenceKind]record.Answer{
		record.EvidenceProvenance: record.AnswerOf(p.has(assetProvenance)).Or(attested[predicateProvenance]),
		record.EvidenceSBOM:       record.AnswerOf(p.has(assetSBOM)).Or(attested[predicateSBOM]),
		record.EvidenceSignature:  record.AnswerUnknown,
		record.EvidenceApproval:   record.AnswerUnknown,
	}
	switch {
	case p.Immutable || p.has(assetSignature) || attested[predicateRelease] == record.AnswerYes:
		// GitHub signs a statement about each immutable release.
		p.evidence[record.EvidenceSignature] = record.AnswerYes
	case len(p.Assets) > 0:
		p.evidence[record.EvidenceSignature] = record.AnswerNo
	}
	return nil
}

// covered says whether the artifacts of a release have attestations of a kind: provenance all of them, else any. A release without artifacts has nothing that could be
// asked about.
func (c *Collector) covered(ctx context.Context, org string, p *published, kind predicate, attested map[string]bool) (record.Answer, refusal, error) {
	var refused refusal
	artifacts := p.artifacts()
	if len(artifacts) == 0 || !c.config.Attestations {
		return record.AnswerUnknown, refused, nil
	}
	answer, join := record.AnswerNo, record.Answer.Or
	if kind == predicateProvenance {
		answer, join = record.AnswerYes, record.Answer.And
	}
	for i := range artifacts {
		digest := artifacts[i].digest()
		one := record.AnswerUnknown
		switch {
		case attested[digest]:
			one = record.AnswerYes
		case digest != "":
			var part refusal
			var err error
			if one, part, err = c.unattested(ctx, org, p.repository, digest); err != nil {
				return record.AnswerUnknown, refused, err
			}
			refused.merge(part)
		}
		answer = join(answer, one)
	}
	return answer, refused, nil
}

// dependencyGraphSBOM says whether GitHub makes an SBOM of a repository as it is now, where the configuration lets that count; unknown where the credential may not see it.
func (c *Collector) dependencyGraphSBOM(ctx context.Context, org string, r api.Repository) (record.Answer, error) {
	var answer struct {
		SBOM *struct {
			Packages []struct{} `json:"packages"`
		} `json:"sbom"`
	}
	path := "repos/" + api.EscapeName(r.FullName) + "/dependency-graph/sbom"
	about := api.Question{Organisation: org, Repository: r.FullName, What: "SBOM of the dependency graph", Permission: api.ContentsPermission}
	refused, err := c.Questions.Ask(about, func() error {
		_, err := c.API.Get(ctx, path, &answer)
		return err
	})
	switch {
	case refused != nil && api.FeatureOff(refused.Error()):
		return record.AnswerNo, nil
	case refused != nil:
		return record.AnswerUnknown, nil //nolint:nilerr // What is refused is told with the organisation's scope.
	case err != nil:
		return record.AnswerUnknown, fmt.Errorf("SBOM of %s: %w", record.Text(r.FullName), err)
	case answer.SBOM == nil:
		return record.AnswerUnknown, api.MissingField(path, "sbom")
	}
	return record.AnswerOf(len(answer.SBOM.Packages) > 0), nil
}
