package delivery

import (
	"slices"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

// deploymentCursor is where the next reading of a repository's deployments starts.
type deploymentCursor struct {
	// Read is when it was written; Since is the creation of the oldest deployment that is to be looked at again.
	Read  time.Time `json:"read"`
	Since time.Time `json:"since"`
	// Done are those created since then that have ended and were emitted.
	Done []string `json:"done,omitempty"`
	// Lines are what was deployed before, by environment and service; Whole says that nothing was before that.
	Lines map[string]*lineage `json:"lines,omitempty"`
	Whole bool                `json:"whole,omitempty"`
	// Refused are the questions about some of these deployments that the repository refused to answer: once they may be asked again, it is read whole.
	Refused []string `json:"refused,omitempty"`
}

// deploymentWalk looks for new deployments in an organisation. There is a scope for each repository, so that one that cannot be read fails alone, but
// fifty are read at once.
type deploymentWalk struct {
	collector *Collector
	org       string
	cursors   collectors.Cursors
	emit      func(record.Batch) error
	heads     map[record.RepositoryName]api.Repository
	// environments are the names of those that are read; unnamed are the repositories whose environments nobody could list.
	environments []string
	// production are the names of those that are production by the word of their deployments.
	production map[string]bool
	unnamed    map[record.RepositoryName]bool
	reached    map[record.RepositoryName]bool
	// whole is how many more repositories may be read whole, details how many deployments may be looked into; behind says that something was left for the
	// next collection.
	whole, details int
	behind         bool
	// broken is what ended the walk for good: a ledger that failed, or the end of the context.
	broken error
}

// repositoryReader is one reading of one repository.
type repositoryReader struct {
	*deploymentWalk
	head    api.Repository
	now     time.Time
	cursor  deploymentCursor
	resumed bool

	rejected map[record.RejectReason]int
	// What was asked for details: workflow runs by number, the environments' rules, and whether commits are on a protected branch.
	runs      map[int64]*workflowRun
	rules     *environmentRules
	protected map[string]record.Answer
}

// mayAsk reports whether a question that was refused may be asked again.
func (r *repositoryReader) mayAsk(refused []string) bool {
	return slices.ContainsFunc(refused, func(what string) bool { return r.collector.Questions.Refused(r.question(question{what: what})) == nil })
}

// question is one about the repository that is read.
type question struct {
	what, permission string
	// item says that it is about one thing, such as a commit or run, of which it is known by the answer if it is gone.
	item bool
}

func (r *repositoryReader) question(q question) api.Question {
	return api.Question{Organisation: r.org, Repository: r.head.FullName, What: q.what, Permission: q.permission, Item: q.item, Strict: true}
}

// ask asks a question for a deployment. Where the repository refuses, a part of the deployment is unknown; answered is false then, and where the thing is gone.
func (r *repositoryReader) ask(d *deployment, q question, ask func() error) (answered bool, err error) {
	refused, err := r.collector.Questions.Ask(r.question(q), ask)
	if refused != nil && record.ReasonOf(refused) != record.ReasonNotFound && record.ReasonOf(refused) != record.ReasonRejected {
		d.refuse(refused, q.what)
	}
	return refused == nil && err == nil, err
}

// workflowRun is the run that deployed.
type workflowRun struct {
	Path       string       `json:"path"`
	HeadBranch string       `json:"head_branch"`
	Actor      *api.Account `json:"actor"`
	Triggering *api.Account `json:"triggering_actor"`
}
