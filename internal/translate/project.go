package translate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"prodsec_exporter/internal/record"
)

// Project is a rule of the configuration that says where the findings of some of a vendor's projects belong. Exactly one of Name
// and Match is set, and at least one of Repository and Service.
type Project struct {
	// Name is the project's name or key, without regard to case.
	Name string `yaml:"name,omitempty"`
	// Match is a regular expression that the whole name or key matches.
	Match string `yaml:"match,omitempty"`
	// Repository is "owner/name" or "host/owner/name"; with Match it may refer to groups: "acme/$1".
	Repository string `yaml:"repository,omitempty"`
	// Service is a service of the catalog; with Match it may refer to groups.
	Service string `yaml:"service,omitempty"`
}

// Owner is what a project belongs to; both empty means that no rule says.
type Owner struct {
	Repository record.RepositoryName
	Service    string
}

// Projects are the compiled rules. The zero value knows nothing.
type Projects struct{ rules []projectRule }

type projectRule struct {
	Project
	match *regexp.Regexp
}

// NewProjects checks and compiles rules. Errors name the rule, counted from 1, and the remedy.
func NewProjects(rules []Project) (*Projects, error) {
	p := &Projects{}
	for i, rule := range rules {
		compiled, err := compile(rule)
		if err != nil {
			return nil, fmt.Errorf("projects, rule %d: %w", i+1, err)
		}
		p.rules = append(p.rules, compiled)
	}
	return p, nil
}

func compile(rule Project) (projectRule, error) {
	compiled := projectRule{Project: rule}
	switch {
	case (rule.Name == "") == (rule.Match == ""):
		return compiled, errors.New("set exactly one of name and match")
	case rule.Repository == "" && rule.Service == "":
		return compiled, errors.New("set repository or service")
	case rule.Match == "":
		if rule.Repository != "" {
			if _, err := record.ParseRepository(rule.Repository); err != nil {
				return compiled, err
			}
		}
		return compiled, nil
	}
	match, err := regexp.Compile("^(?:" + rule.Match + ")$")
	if err != nil {
		return compiled, fmt.Errorf("match is not a regular expression: %w", err)
	}
	compiled.match = match
	return compiled, nil
}

// Of is what the first rule says that fits one of a project's names. A repository that a pattern builds and that is no
// repository name counts as not said.
func (p *Projects) Of(names ...string) Owner {
	if p == nil {
		return Owner{}
	}
	for _, rule := range p.rules {
		for _, name := range names {
			if owner, ok := rule.of(name); ok {
				return owner
			}
		}
	}
	return Owner{}
}

func (r projectRule) of(name string) (Owner, bool) {
	repository, service := r.Repository, r.Service
	switch {
	case name == "":
		return Owner{}, false
	case r.match == nil:
		if !strings.EqualFold(r.Name, name) {
			return Owner{}, false
		}
	default:
		groups := r.match.FindStringSubmatchIndex(name)
		if groups == nil {
			return Owner{}, false
		}
		repository = string(r.match.ExpandString(nil, repository, name, groups))
		service = string(r.match.ExpandString(nil, service, name, groups))
	}
	owner := Owner{Service: record.Text(service)}
	if parsed, err := record.ParseRepository(repository); err == nil {
		owner.Repository = parsed
	}
	return owner, true
}
