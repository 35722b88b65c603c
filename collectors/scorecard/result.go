package scorecard

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// result is what the tool writes and the API answers. Details are not read: they may be null, or megabytes.
type result struct {
	Date translate.Time `json:"date"`
	Repo struct {
		Name   string `json:"name"`
		Commit string `json:"commit"`
	} `json:"repo"`
	Checks []json.RawMessage `json:"checks"`
}

// repository is what the result is about. A result of a folder ("file:///src") is about nothing that others know by name.
func (r *result) repository() (record.RepositoryName, error) {
	if strings.HasPrefix(r.Repo.Name, "file:") {
		return "", errors.New("the result is about a folder; run scorecard with --repo instead of --local")
	}
	name, err := record.ParseRepository(r.Repo.Name)
	if err != nil {
		return "", fmt.Errorf("the result does not say what it is about: %w", err)
	}
	return name, nil
}

// outcome is one check of a result.
type outcome struct {
	Name          string `json:"name"`
	Score         *int   `json:"score"`
	Documentation struct {
		URL string `json:"url"`
	} `json:"documentation"`
}

// The range of scores; a check without a conclusion has the lowest.
const (
	inconclusive = -1
	highest      = 10
)

var errScore = errors.New("the score is none of -1 to 10")

// decodeOutcome reads one check.
func decodeOutcome(raw json.RawMessage) (*outcome, error) {
	o, err := translate.Decode[outcome](raw)
	switch {
	case err != nil:
		return nil, err
	case o.Name == "":
		return nil, translate.ErrNoID
	case o.Score == nil || *o.Score < inconclusive || *o.Score > highest:
		return nil, errScore
	}
	return o, nil
}

// outcomes are the checks of a result by their name in lower case, and how many could not be read. One that comes twice is taken as
// nothing, since nobody can say which is meant.
func (r *result) outcomes() (map[string]*outcome, map[record.RejectReason]int) {
	known, twice := map[string]*outcome{}, map[string]bool{}
	rejected := map[record.RejectReason]int{}
	for _, raw := range r.Checks {
		o, err := decodeOutcome(raw)
		switch {
		case errors.Is(err, errScore):
			rejected[record.RejectOutOfRange]++
			continue
		case err != nil:
			rejected[translate.Reason(err)]++
			continue
		}
		name := strings.ToLower(o.Name)
		if known[name] != nil || twice[name] {
			delete(known, name)
			twice[name] = true
			rejected[record.RejectDecode]++
			continue
		}
		known[name] = o
	}
	return known, rejected
}

// batch translates a result into evidence, one for each control of which the result knows at least one check.
func (r rules) batch(scope string, res *result, now time.Time) (record.Batch, error) {
	b := record.Batch{Scope: scope, Mode: record.Full, Evidence: []record.Evidence{}, AsOf: res.Date.Time}
	wrong := func(err error) (record.Batch, error) {
		return record.Batch{}, &record.Error{Reason: record.ReasonDecode, Err: err}
	}
	repository, err := res.repository()
	switch {
	case err != nil:
		return wrong(err)
	case len(res.Checks) == 0:
		return wrong(errors.New("the result holds no checks; is it written by scorecard --format json?"))
	case res.Date.IsZero():
		return wrong(errors.New("the result has no date, so nobody can say how old the evidence is"))
	case res.Date.After(now.AddDate(0, 0, 1)):
		return wrong(fmt.Errorf("the result is dated %s, which lies in the future", res.Date.Format(time.DateOnly)))
	}
	known, rejected := res.outcomes()
	b.Rejected = rejected
	for _, control := range r {
		if e, ok := control.evidence(known); ok {
			e.ID, e.Repository, e.ProducedAt, e.Source = string(repository)+"/"+control.name, repository, res.Date.Time, kindName
			b.Evidence = append(b.Evidence, e)
		}
	}
	return b, nil
}

// evidence is what the checks say of the control; ok is false if the result has none of them.
func (c control) evidence(known map[string]*outcome) (e record.Evidence, ok bool) {
	e = record.Evidence{Control: c.name, Holds: record.AnswerYes}
	for _, check := range c.checks {
		o := known[strings.ToLower(check.Name)]
		if o == nil {
			e.Holds = e.Holds.And(record.AnswerUnknown)
			continue
		}
		ok = true
		e.Holds = e.Holds.And(check.holds(*o.Score))
		if e.URL == "" {
			e.URL = translate.WebLink(o.Documentation.URL)
		}
	}
	return e, ok
}

// holds says what a score means for a control.
func (c Check) holds(score int) record.Answer {
	if score == inconclusive {
		return record.AnswerUnknown
	}
	return record.AnswerOf(score >= c.Least)
}

// control is a control and the checks that all have to speak for it.
type control struct {
	name   string
	checks []Check
}

// rules are the controls in the order of their names.
type rules []control

// newRules puts the configured controls over the default ones. A control with an empty list is switched off.
func newRules(configured map[string][]Check) (rules, error) {
	merged := defaultControls()
	for name, checks := range configured {
		if name == "" || record.Text(name) != name {
			return nil, fmt.Errorf("%.60q is not the name of a control", name)
		}
		merged[name] = slices.Clone(checks)
	}
	var all rules
	for name, checks := range merged {
		for i := range checks {
			if checks[i].Least == 0 {
				checks[i].Least = highest
			}
			if err := checks[i].validate(); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if len(checks) > 0 {
			all = append(all, control{name, checks})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("all are switched off, so that results would say nothing")
	}
	slices.SortFunc(all, func(a, b control) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

func (c Check) validate() error {
	switch {
	case !slices.ContainsFunc(checkNames, func(name string) bool { return strings.EqualFold(name, c.Name) }):
		return fmt.Errorf("%.60q is no check of Scorecard; the checks are %s", c.Name, strings.Join(checkNames, ", "))
	case c.Least < 1 || c.Least > highest:
		return fmt.Errorf("%s: least must be between 1 and %d", c.Name, highest)
	}
	return nil
}

// checkNames are the checks of Scorecard 5, including those that are on probation.
var checkNames = []string{
	"Binary-Artifacts", "Branch-Protection", "CI-Tests", "CII-Best-Practices", "Code-Review", "Contributors", "Dangerous-Workflow",
	"Dependency-Update-Tool", "Fuzzing", "License", "Maintained", "Packaging", "Pinned-Dependencies", "SAST", "SBOM", "Security-Policy",
	"Signed-Releases", "Token-Permissions", "Vulnerabilities", "Webhooks",
}

// defaultControls are the controls that Scorecard speaks for if the configuration says nothing else. Branch-Protection from 8 on means
// no force pushes or deletion, a reviewer and a status check, which is what the default policy requires; the best scores need
// an administrator's token to be seen. Code-Review and SAST count changes, of which few are left out by mistake.
func defaultControls() map[string][]Check {
	return map[string][]Check{
		"branch_protection":   {{Name: "Branch-Protection", Least: 8}},
		"code_review":         {{Name: "Code-Review", Least: 8}},
		"dependency_updates":  {{Name: "Dependency-Update-Tool", Least: highest}},
		"no_binary_artifacts": {{Name: "Binary-Artifacts", Least: highest}},
		"pinned_dependencies": {{Name: "Pinned-Dependencies", Least: 8}},
		"sast":                {{Name: "SAST", Least: 7}},
		"security_policy":     {{Name: "Security-Policy", Least: 9}},
		"signed_releases":     {{Name: "Signed-Releases", Least: 8}},
		"workflow_hardening":  {{Name: "Dangerous-Workflow", Least: highest}, {Name: "Token-Permissions", Least: highest}},
	}
}
