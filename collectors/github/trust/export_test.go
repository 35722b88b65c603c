package trust

import (
	"context"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// File is a file of a release.
type File = asset

// EvidenceOf is the evidence of a release of acme/api with files, and the permission that is missing.
func (c *Collector) EvidenceOf(ctx context.Context, files []File, immutable bool) (map[record.EvidenceKind]record.Answer, string, error) {
	p := &published{release: release{Assets: files, Immutable: immutable}, repository: api.Repository{Name: "acme/api", FullName: "Acme/api"}}
	err := c.findEvidence(ctx, "acme", []*published{p})
	return p.evidence, p.permission, err
}

// Attestations says which digests have an attestation, by kind.
func (c *Collector) Attestations(ctx context.Context, digests []string) (map[string]map[string]bool, error) {
	found, err := c.attestations(ctx, "acme", digests, predicates()...)
	list := map[string]map[string]bool{}
	for p, attested := range found {
		list[string(p)] = attested
	}
	return list, err
}

// ReadReleases reads the releases of acme.
func (c *Collector) ReadReleases(ctx context.Context) record.Batch {
	return c.readReleases(ctx, "acme", "")
}

// ReplaceApproval forgets the approval of one release and remembers that of another.
func (c *Collector) ReplaceApproval(forget, remember string) {
	c.state.With("acme", func(o *organisation) {
		delete(o.approvals, forget)
		o.approvals[remember] = record.AnswerYes
	})
}

// KnowsApproval reports whether the approval of a release is remembered.
func (c *Collector) KnowsApproval(key string) (known bool) {
	c.state.With("acme", func(o *organisation) { _, known = o.approvals[key] })
	return known
}
