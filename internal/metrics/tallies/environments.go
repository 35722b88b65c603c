package tallies

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
)

// otherEnvironment is the position of all environments that are not production, which are shown together: there may be one for every
// pull request.
const otherEnvironment = 0

// Environments are the label values of environments: other, and production environments in lower case, since source hosts ignore
// case.
type Environments struct {
	policy *policy.Policy
	// Labels are by position.
	Labels []string
	named  map[string]namedEnvironment
	// usual are the first few names, which are most: comparing them costs less than a look-up.
	usual []namedEnvironment
}

type namedEnvironment struct {
	name string
	at   int32
	// production: it is a production environment by policy, whatever its label.
	production bool
}

// usualEnvironments is how many names are compared before they are looked up.
const usualEnvironments = 6

func newEnvironments(p *policy.Policy) *Environments {
	return &Environments{policy: p, Labels: []string{frame.Other}, named: map[string]namedEnvironment{}}
}

// Of is the position of an environment.
func (e *Environments) Of(name string) int32 { return e.find(name).at }

func (e *Environments) find(name string) namedEnvironment {
	for i := range e.usual {
		if e.usual[i].name == name {
			return e.usual[i]
		}
	}
	one, ok := e.named[name]
	if ok {
		return one
	}
	one = namedEnvironment{name: name, at: otherEnvironment, production: e.policy.Production(name)}
	if one.production {
		label := frame.LabelValue(strings.ToLower(name))
		if one.at = int32(slices.Index(e.Labels, label)); one.at < 0 {
			one.at = int32(len(e.Labels))
			e.Labels = append(e.Labels, label)
		}
	}
	e.named[name] = one
	if len(e.usual) < usualEnvironments {
		e.usual = append(e.usual, one)
	}
	return one
}

// Production reports whether a position is that of a production environment.
func Production(environment int32) bool { return environment != otherEnvironment }
