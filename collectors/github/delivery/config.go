package delivery

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"prodsec_exporter/collectors"
)

// Config is the part of the configuration about deployments.
type Config struct {
	// Deployments switches deployments and the changes in them; it needs Repositories.
	Deployments bool `yaml:"deployments"`
	// DeploymentEnvironments are glob patterns (* and ?) of the environments that are read.
	DeploymentEnvironments []string `yaml:"deployment_environments,omitempty"`
	// ProductionWorkflows are glob patterns of names of files, or paths, of workflows: what one of them deploys is production, whatever the environment is called.
	ProductionWorkflows []string `yaml:"production_workflows,omitempty"`
	// DeploymentInterval is the time between two looks for new deployments, DeploymentHistory how far the first one goes back, and DeploymentsPerCollection
	// how many deployments one collection looks into at most.
	DeploymentInterval       collectors.Duration `yaml:"deployment_interval,omitempty"`
	DeploymentHistory        collectors.Duration `yaml:"deployment_history,omitempty"`
	DeploymentsPerCollection int                 `yaml:"deployments_per_collection,omitempty"`
	// DeploymentServices tell services apart that share a repository.
	DeploymentServices []ServiceRule `yaml:"deployment_services,omitempty"`
	// SecurityReview says what shows that security looked at a pull request.
	SecurityReview SecurityReview `yaml:"security_review,omitempty"`
}

// SecurityReview lists the evidence that security looked at a pull request; one piece suffices.
type SecurityReview struct {
	// Labels are names of labels.
	Labels []string `yaml:"labels,omitempty"`
	// Teams are ORGANISATION/TEAM: a review on behalf of one counts, because it was asked for or because the team owns the code.
	Teams []string `yaml:"teams,omitempty"`
	// Users are the logins of people whose review counts.
	Users []string `yaml:"users,omitempty"`
	// CodeScanning counts the results of code scanning on the last commit; Checks are glob patterns of the names of further checks that do.
	CodeScanning bool     `yaml:"code_scanning"`
	Checks       []string `yaml:"checks,omitempty"`
}

// Default reads what the policy's default calls production.
func Default() Config {
	return Config{
		Deployments: true, DeploymentEnvironments: []string{"prod", "production", "prod-*", "production-*"},
		DeploymentInterval: collectors.Duration(15 * time.Minute), DeploymentHistory: collectors.Duration(90 * 24 * time.Hour), DeploymentsPerCollection: 100,
		SecurityReview: SecurityReview{Labels: []string{"security-reviewed"}, CodeScanning: true},
	}
}

// Validate returns an error that names the key that is wrong.
func (c *Config) Validate(staleAfter collectors.Duration) error {
	switch {
	case !c.Deployments:
		return nil
	case len(c.DeploymentEnvironments) == 0:
		return errors.New("deployment_environments is empty: name at least one environment, or set deployments to false")
	case c.DeploymentInterval <= 0:
		return errors.New("deployment_interval must be positive")
	case staleAfter > 0 && c.DeploymentInterval >= staleAfter:
		return fmt.Errorf("deployment_interval %s must be shorter than stale_after %s, or deployments go stale between readings", c.DeploymentInterval, staleAfter)
	case c.DeploymentHistory <= 0:
		return errors.New("deployment_history must be positive")
	case c.DeploymentsPerCollection <= 0:
		return errors.New("deployments_per_collection must be positive")
	}
	for i, name := range c.DeploymentEnvironments {
		if strings.TrimSpace(name) == "" || strings.Contains(name, serviceMark) {
			return fmt.Errorf("deployment_environments[%d]: %q is not the name of an environment in which * and ? may stand for a part", i, name)
		}
	}
	for i, pattern := range c.ProductionWorkflows {
		if _, err := path.Match(pattern, ""); err != nil || strings.TrimSpace(pattern) == "" {
			return fmt.Errorf("production_workflows[%d]: %q is not the name of a file, or a path, in which * and ? may stand for a part", i, pattern)
		}
	}
	for i := range c.DeploymentServices {
		if err := c.DeploymentServices[i].validate(); err != nil {
			return fmt.Errorf("deployment_services[%d]: %w", i, err)
		}
	}
	for i, team := range c.SecurityReview.Teams {
		if owner, slug, ok := strings.Cut(team, "/"); !ok || owner == "" || slug == "" {
			return fmt.Errorf("security_review.teams[%d]: %q is not of the form ORGANISATION/TEAM", i, team)
		}
	}
	for i, pattern := range c.SecurityReview.Checks {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("security_review.checks[%d]: %q is not the name of a check in which * and ? may stand for a part", i, pattern)
		}
	}
	return nil
}

// environmentPatterns are the environments that are read: those of the list, and those that tell services apart.
func (c *Config) environmentPatterns() []string {
	patterns := append([]string{}, c.DeploymentEnvironments...)
	for _, rule := range c.DeploymentServices {
		if rule.Environment != "" {
			patterns = append(patterns, rule.Environment)
		}
	}
	return patterns
}
