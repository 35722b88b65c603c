package protection

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// branchPolicy says whether a policy keeps any branch from being deployed to an environment. "Protected branches only" keeps none where no branch is protected
// (GitHub then lets all in), and patterns keep none where one of them matches every branch.
func (w *environmentWalk) branchPolicy(ctx context.Context, name record.RepositoryName, fullName string, e *inventory.Environment, details *environmentDetails) (record.Answer, error) {
	switch {
	case e.BranchPolicy == nil:
		return record.AnswerNo, nil
	case e.BranchPolicy.Protected:
		if details.protected == nil {
			answer, err := w.hasProtectedBranch(ctx, name, fullName)
			if err != nil {
				return record.AnswerUnknown, err
			}
			details.protected = &answer
		}
		return *details.protected, nil
	case e.BranchPolicy.Custom:
		return w.restrictsBranches(ctx, fullName, e.Name)
	default:
		return record.AnswerNo, nil
	}
}

// hasProtectedBranch asks for one protected branch of a repository, unless the walk over branches found that the default branch is one.
func (w *environmentWalk) hasProtectedBranch(ctx context.Context, name record.RepositoryName, fullName string) (record.Answer, error) {
	found := false
	w.collector.state.With(w.org, func(o *organisation) { found = o.protected[name] })
	if found {
		return record.AnswerYes, nil
	}
	var branches []json.RawMessage
	refused, err := w.collector.Questions.Ask(api.Question{
		Organisation: w.org, Repository: fullName, What: "protected branches", Permission: api.ContentsPermission,
	}, func() error {
		_, err := w.collector.API.Get(ctx, "repos/"+api.EscapeName(fullName)+"/branches?protected=true&per_page=1", &branches)
		return err
	})
	switch {
	case err != nil:
		return record.AnswerUnknown, fmt.Errorf("protected branches of %s: %w", record.Text(fullName), err)
	case refused != nil:
		return record.AnswerUnknown, nil //nolint:nilerr // A refusal is remembered by Questions; it leaves the answer unknown.
	default:
		return record.AnswerOf(len(branches) > 0), nil
	}
}

// restrictsBranches asks for the patterns of the branches that may be deployed to an environment.
func (w *environmentWalk) restrictsBranches(ctx context.Context, fullName, environment string) (record.Answer, error) {
	answer := record.AnswerYes
	refused, err := w.collector.Questions.Ask(api.Question{
		Organisation: w.org, Repository: fullName, What: "deployment branch policies", Permission: inventory.EnvironmentsPermission, Item: true,
	}, func() error {
		path := "repos/" + api.EscapeName(fullName) + "/environments/" + url.PathEscape(environment) + "/deployment-branch-policies"
		return w.collector.API.List(ctx, path, "branch_policies", func(item json.RawMessage) {
			var p struct {
				Name string `json:"name"`
				Type string `json:"type"`
			}
			switch err := json.Unmarshal(item, &p); {
			case err != nil:
				answer = answer.And(record.AnswerUnknown)
			case p.Type != "tag" && matchesEveryBranch(p.Name):
				answer = record.AnswerNo
			}
		})
	})
	switch {
	case err != nil:
		return record.AnswerUnknown, fmt.Errorf("branch policies of %s: %w", record.Text(fullName), err)
	case refused != nil:
		return record.AnswerUnknown, nil //nolint:nilerr // A refusal is remembered by Questions; it leaves the answer unknown.
	default:
		return answer, nil
	}
}

// matchesEveryBranch reports whether a pattern consists of wildcards alone. A single * does not match names with a slash, but anybody who may push can choose a name
// without one.
func matchesEveryBranch(pattern string) bool {
	return pattern != "" && strings.Trim(pattern, "*/") == ""
}

// environmentWalk gathers the environments of an organisation.
type environmentWalk struct {
	collector *Collector
	batch     record.Batch
	seen      map[record.RepositoryName]bool
	// details are what REST answered, from this walk and earlier ones that are fresh.
	details map[record.RepositoryName]environmentDetails
	org     string
	// again is how many more repositories may be asked about again.
	again int
	// refused are the environments that REST did not show, by repository; which permission that lacks is known at the end.
	refused map[record.RepositoryName]error
}
