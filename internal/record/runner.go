package record

// RunnerVisibility says which repositories may use a self-hosted runner. Source: visibility of GitHub's runner groups.
type RunnerVisibility string

// The visibilities. A runner that is registered to one repository is RunnerRepository.
const (
	RunnerUnknown    RunnerVisibility = ""
	RunnerAll        RunnerVisibility = "all"
	RunnerSelected   RunnerVisibility = "selected"
	RunnerPrivate    RunnerVisibility = "private"
	RunnerRepository RunnerVisibility = "repository"
)

// Runner is a self-hosted runner of pipelines and who may use it. How far it is to be trusted is decided by policy.
type Runner struct {
	ID    string
	Name  string
	Group string
	// Visibility is that of its group.
	Visibility RunnerVisibility
	// PublicRepositories says whether public repositories may use it, so that a pull request of somebody without write access could run on it.
	PublicRepositories Answer
	// RestrictedToWorkflows says whether only listed workflows may use it.
	RestrictedToWorkflows Answer
	// Ephemeral says whether it takes one job and is gone.
	Ephemeral Answer
	Online    Answer
	Labels    []string
	// Repositories are those that may use it, where they are few enough to be listed.
	Repositories []RepositoryName
}
