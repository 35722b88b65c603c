package record

import "time"

// Pipeline is a workflow that publishes artifacts or deploys, and the evidence that its last runs left. Whether it is privileged is
// decided by policy. Source: GitHub Actions workflow runs.
type Pipeline struct {
	// ID is unique and stable within the collector instance: repository and path of the workflow.
	ID         string
	Repository RepositoryName
	Service    string
	Name       string
	// Path is the workflow's file, e.g. ".github/workflows/release.yml".
	Path string
	URL  string
	// Environments are those that it deployed to; Publishes says whether it publishes a release or artifacts.
	Environments []string
	Publishes    Answer
	// LastRunAt is its last completed run, LastSuccessAt its last successful one; zero when there was none.
	LastRunAt     time.Time
	LastSuccessAt time.Time
	// Evidence says what its last successful run left behind. A kind that is absent was not looked for.
	Evidence map[EvidenceKind]Answer
	// MissingPermission names what the credential lacks to answer what is unknown.
	MissingPermission string
	UpdatedAt         time.Time
}
