package trust

import (
	"strconv"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

const (
	// lastReleases is how many releases of a repository are looked at for dates and commits.
	lastReleases = 30
	// releaseOverlap is how far before its watermark a reading of new releases goes back: files and attestations may follow a release.
	releaseOverlap = 24 * time.Hour
)

// release is a release as REST shows it.
type release struct {
	ID          int64         `json:"id"`
	Tag         string        `json:"tag_name"`
	HTMLURL     string        `json:"html_url"`
	Draft       bool          `json:"draft"`
	Immutable   bool          `json:"immutable"`
	CreatedAt   api.Timestamp `json:"created_at"`
	PublishedAt api.Timestamp `json:"published_at"`
	UpdatedAt   api.Timestamp `json:"updated_at"`
	Assets      []asset       `json:"assets"`
}

type asset struct {
	Name string `json:"name"`
	// Digest is null for what was uploaded before GitHub computed it.
	Digest *string `json:"digest"`
}

// published is a release of a repository and what is known about it.
type published struct {
	release
	repository api.Repository
	// Commit is what it was made of; empty where it is not known.
	commit   string
	evidence map[record.EvidenceKind]record.Answer
	refusal
}

// key is the identity of the release within the collector's instance.
func (p *published) key() string {
	return string(p.repository.Name) + "#" + strconv.FormatInt(p.ID, 10)
}

func (p *published) record() record.Release {
	updated := p.UpdatedAt.Time
	if updated.IsZero() {
		updated = p.PublishedAt.Time
	}
	return record.Release{
		ID: p.key(), Repository: p.repository.Name, Version: record.Text(p.Tag), URL: record.Text(p.HTMLURL), PublishedAt: p.PublishedAt.Time,
		Evidence: p.evidence, MissingPermission: p.permission, UpdatedAt: updated,
	}
}
