package record

import "time"

// EvidenceKind is a kind of release evidence.
type EvidenceKind string

// The kinds of release evidence.
const (
	EvidenceProvenance EvidenceKind = "provenance"
	EvidenceSBOM       EvidenceKind = "sbom"
	EvidenceSignature  EvidenceKind = "signature"
	EvidenceApproval   EvidenceKind = "approval"
)

// Release is a published version and the evidence that was found for it. Present is not verified.
type Release struct {
	ID          string
	Repository  RepositoryName
	Service     string
	Version     string
	URL         string
	PublishedAt time.Time
	Evidence    map[EvidenceKind]Answer
	// MissingPermission names what the credential lacks to answer what is unknown.
	MissingPermission string
	UpdatedAt         time.Time
}
