package tallies

import (
	"slices"
	"strings"

	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
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

// OfDeployment is the position of the environment of a deployment: that of its name where the source says that it is production, whatever the policy calls so.
func (e *Environments) OfDeployment(d *record.Deployment) int32 {
	if d.Production == record.AnswerYes {
		return e.label(d.Environment)
	}
	return e.find(d.Environment).at
}

// reached reports whether a deployment reached production.
func (e *Environments) reached(d *record.Deployment) bool {
	return d.Production == record.AnswerYes || e.find(d.Environment).production
}

// label is the position of a production environment by its name.
func (e *Environments) label(name string) int32 {
	label := frame.LabelValue(strings.ToLower(name))
	at := int32(slices.Index(e.Labels, label))
	if at < 0 {
		at = int32(len(e.Labels))
		e.Labels = append(e.Labels, label)
	}
	return at
}

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
		one.at = e.label(name)
	}
	e.named[name] = one
	if len(e.usual) < usualEnvironments {
		e.usual = append(e.usual, one)
	}
	return one
}

// Production reports whether a position is that of a production environment.
func Production(environment int32) bool { return environment != otherEnvironment }
