package delivery

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/internal/record"
)

const (
	// namesAsked is how many names of environments are asked about in one posture interval, and repositoriesAsked in how many repositories each.
	namesAsked        = 20
	repositoriesAsked = 2
)

var (
	// looksLikeProduction are the words by which people call environments that users reach, as a part of a name.
	looksLikeProduction = regexp.MustCompile(`(?i)(^|[^a-z])(prod[a-z]*|prd|live)([^a-z]|$)`)
	// looksLikeNone are those that say that it is none of them.
	looksLikeNone = regexp.MustCompile(`(?i)(non|not|pre|no|fake|like|shadow)[^a-z]*(prod|prd|live)|stag|test|sandbox|preview|(^|[^a-z])(qa|uat|dev[a-z]*|product|products)([^a-z]|$)`)
)

// LooksLikeProduction reports whether people would take an environment of this name for production.
func LooksLikeProduction(name string) bool {
	return looksLikeProduction.MatchString(name) && !looksLikeNone.MatchString(name)
}

// statedProduction finds, among names of environments that no pattern matches, those whose deployments say production_environment. Others are the names, and some repositories that
// have each. Names that look like production are asked about first, those that look like something else never.
func (c *Collector) statedProduction(ctx context.Context, org string, others map[string][]string) (map[string]bool, error) {
	known := map[string]statedName{}
	c.state.With(org, func(o *organisation) {
		for name, t := range o.stated {
			known[name] = t
		}
	})
	now, left := c.Now(), namesAsked
	found, kept := map[string]bool{}, map[string]statedName{}
	for _, name := range inOrderOfLikelihood(others) {
		t, ok := known[name]
		if left > 0 && (!ok || now.Sub(t.askedAt) >= c.Intervals.Full) {
			left--
			production, err := c.saysProduction(ctx, org, name, others[name])
			if err != nil {
				return nil, err
			}
			t, ok = statedName{production, now}, true
		}
		if ok {
			kept[name] = t
		}
		if t.production {
			found[name] = true
		}
	}
	c.state.With(org, func(o *organisation) { o.stated = kept })
	return found, nil
}

// inOrderOfLikelihood are the names that may be those of production environments.
func inOrderOfLikelihood(others map[string][]string) []string {
	var likely, rest []string
	for name := range others {
		switch {
		case LooksLikeProduction(name):
			likely = append(likely, name)
		case !looksLikeNone.MatchString(name):
			rest = append(rest, name)
		}
	}
	slices.Sort(likely)
	slices.Sort(rest)
	return append(likely, rest...)
}

// saysProduction asks whether the last deployment to an environment of a name says that it is production, in one of some repositories.
func (c *Collector) saysProduction(ctx context.Context, org, name string, repositories []string) (bool, error) {
	for _, repository := range repositories[:min(repositoriesAsked, len(repositories))] {
		var last []struct {
			Production bool `json:"production_environment"`
		}
		_, err := c.Questions.Ask(api.Question{Organisation: org, Repository: repository, What: "deployments", Permission: deploymentsPermission, Item: true}, func() error {
			_, err := c.API.Get(ctx, "repos/"+api.EscapeName(repository)+"/deployments?environment="+url.QueryEscape(name)+"&per_page=1", &last)
			return err
		})
		switch {
		case err != nil:
			return false, fmt.Errorf("deployments to %s: %w", record.Text(name), err)
		case len(last) > 0 && last[0].Production:
			return true, nil
		}
	}
	return false, nil
}

// comesByProductionWorkflow reports whether the pipeline of a deployment is one of those that the configuration names.
func (c *Collector) comesByProductionWorkflow(d *record.Deployment) bool {
	_, file, ok := strings.Cut(strings.ToLower(d.Pipeline), ":")
	return ok && slices.ContainsFunc(c.config.ProductionWorkflows, func(pattern string) bool {
		subject := file
		if !strings.Contains(pattern, "/") {
			subject = path.Base(file)
		}
		matched, err := path.Match(strings.ToLower(pattern), subject)
		return matched && err == nil
	})
}

// counts reports whether a deployment is emitted: its environment is among those that are read, or it is production in another way.
func (c *Collector) counts(d *record.Deployment) bool {
	return len(c.config.ProductionWorkflows) == 0 || d.Production == record.AnswerYes || c.isRead(d.Environment)
}
