package record

import "time"

// Scan says when a tool last looked at a repository, so that "clean" and "never scanned" differ.
type Scan struct {
	Tool       string
	Class      Class
	Repository RepositoryName
	// SucceededAt is the last successful scan; zero when there was none or, in a Delta or a batch with unread places, when the batch knows of none: what was known stays.
	SucceededAt time.Time
	// AttemptedAt is the last scan of any result.
	AttemptedAt time.Time
	// Continuous says that the tool looks at every change by itself, as long as it is switched on, and gives no dates (GitHub's Dependabot and secret
	// scanning): that it is on is then all that can be known.
	Continuous bool
	// Enabled says whether the tool is switched on for the repository.
	Enabled Answer
}
