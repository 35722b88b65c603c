package jira

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// ExceptionsConfig says which issues are exceptions and where in them to look.
type ExceptionsConfig struct {
	// Name distinguishes this mapping's scope, "exceptions:<name>"; by default "default".
	Name string `yaml:"name,omitempty"`
	// JQL selects the issues. It must be bounded, e.g. by a project.
	JQL      string          `yaml:"jql"`
	Fields   ExceptionFields `yaml:"fields,omitempty"`
	Statuses ExceptionStates `yaml:"statuses,omitempty"`
}

// ExceptionFields name fields by id ("customfield_10101"), by the name that people see, or by a word for one of Jira's own: component,
// labels ("labels:service:" takes the labels with that prefix), parent, project, duedate. What is not named is looked for under the
// usual names and may be absent; "none" says that there is no such field.
type ExceptionFields struct {
	Service      string `yaml:"service,omitempty"`
	Repository   string `yaml:"repository,omitempty"`
	ServiceLevel Level  `yaml:"service_level,omitempty"`
	Category     string `yaml:"category,omitempty"`
	Expires      string `yaml:"expires,omitempty"`
	Decided      string `yaml:"decided,omitempty"`
	Findings     string `yaml:"findings,omitempty"`
	Advisories   string `yaml:"advisories,omitempty"`
	Rules        string `yaml:"rules,omitempty"`
	Categories   string `yaml:"categories,omitempty"`
	Controls     string `yaml:"controls,omitempty"`
}

// ExceptionStates name statuses, in any language and without regard to case. What is not named is recognized by the usual English words
// and by Jira's own category of the status.
type ExceptionStates struct {
	Requested []string `yaml:"requested,omitempty"`
	Approved  []string `yaml:"approved,omitempty"`
	Rejected  []string `yaml:"rejected,omitempty"`
	Ended     []string `yaml:"ended,omitempty"`
}

// exceptions is the mapping from issues to record.Exception.
type exceptions struct {
	selection
	place
	states map[string]record.ExceptionState

	category, expires, decided, findings, advisories, rules, categories, controls *field
}

func newExceptions(config ExceptionsConfig, site string) (*exceptions, error) {
	s, err := newSelection("exceptions", Issues{Name: config.Name, JQL: config.JQL}, site,
		`project = PSEC AND issuetype = "Security Exception"`, "exceptions: what is covered counts as not excepted")
	if err != nil {
		return nil, err
	}
	states, err := config.Statuses.index()
	if err != nil {
		return nil, fmt.Errorf("statuses: %w", err)
	}
	f := config.Fields
	where, err := newPlace(PlaceFields{f.Service, f.Repository, f.ServiceLevel})
	if err != nil {
		return nil, err
	}
	return &exceptions{
		selection: s, place: where, states: states,
		category:   newField("category", f.Category, "Exception category"),
		expires:    newField("expires", f.Expires, "Expires on", "Expires", "Expiry date", "Expiration date").orSay(endWords, otherEnds),
		decided:    newField("decided", f.Decided),
		findings:   newField("findings", f.Findings, "Findings"),
		advisories: newField("advisories", f.Advisories, "Advisories"),
		rules:      newField("rules", f.Rules, "Rules"),
		categories: newField("categories", f.Categories, "Weakness classes", "Weaknesses"),
		controls:   newField("controls", f.Controls, "Controls"),
	}, nil
}

func (s ExceptionStates) index() (map[string]record.ExceptionState, error) {
	return index(
		named[record.ExceptionState]{record.ExceptionRequested, s.Requested}, named[record.ExceptionState]{record.ExceptionApproved, s.Approved},
		named[record.ExceptionState]{record.ExceptionRejected, s.Rejected}, named[record.ExceptionState]{record.ExceptionEnded, s.Ended},
	)
}

func (e *exceptions) fields() []*field {
	return []*field{
		e.service, e.repository, e.category, e.expires, e.decided, e.findings, e.advisories, e.rules, e.categories, e.controls,
	}
}

// follows: the decisions on an exception are changes of status or resolution, and its end may have been another before.
func (e *exceptions) follows() (fields []*field, resolution bool) {
	return []*field{e.expires, e.decided}, true
}

func (e *exceptions) start(b *record.Batch) { b.Exceptions = []record.Exception{} }

// add reads an exception. One whose dates cannot be read is rejected: without its end it would hold for ever.
func (e *exceptions) add(i *issue, b *record.Batch) record.RejectReason {
	expires, err := i.moment(e.expires)
	if err != nil {
		return record.RejectTimestamp
	}
	decided, err := i.moment(e.decided)
	if err != nil {
		return record.RejectTimestamp
	}
	x := record.Exception{
		ID: i.known(), Title: record.Text(i.summary), URL: e.link(i), Category: i.text(e.category),
		Findings: bounded(i.list(e.findings)), Advisories: bounded(i.list(e.advisories)), Rules: bounded(i.list(e.rules)),
		Categories: bounded(i.list(e.categories)), Controls: bounded(i.list(e.controls)),
		RequestedAt: i.created, UpdatedAt: i.updated, State: e.stateOf(i.status, i.resolution),
	}
	x.ExpiresAt = expires.ends(i.zone)
	e.date(&x, i, decided.begins(i.zone))
	b.Exceptions = append(b.Exceptions, e.perPlace(x, i)...)
	return ""
}

// mostPlaces bounds the records of one issue.
const mostPlaces = 100

// perPlace makes a record for each service and repository that the issue names, since an exception is for one of each. The first is known by the key of the
// issue, the others by what they are for besides.
func (e *exceptions) perPlace(x record.Exception, i *issue) []record.Exception {
	services, repositories := e.services(i), e.repositories(i)
	if len(services) == 0 {
		services = []string{""}
	}
	if len(repositories) == 0 {
		repositories = []record.RepositoryName{""}
	}
	var all []record.Exception
	for _, service := range services {
		for _, repository := range repositories {
			if len(all) == mostPlaces {
				i.warn(e.service, fmt.Sprintf("with the repositories it names %d places, of which %d count", len(services)*len(repositories), mostPlaces))
				return all
			}
			each := x
			each.Service, each.Repository = service, repository
			if len(all) > 0 {
				each.ID = record.Text(strings.TrimSuffix(x.ID+"/"+service+"/"+string(repository), "/"))
			}
			all = append(all, each)
		}
	}
	return all
}

func bounded(values []string) []string {
	all := names(values)
	for n, name := range all {
		all[n] = record.Text(name)
	}
	return all
}

// The usual words for statuses and resolutions, for what the configuration does not name.
var usualStates = []words[record.ExceptionState]{
	{record.ExceptionRequested, []string{"to be ", "await", "waiting", "pending", "under review", "待"}},
	{record.ExceptionRejected, []string{"reject", "unapproved", "denied", "declin", "refus", "won't do", "wont do", "won't fix", "wont fix", "not approved", "abgelehnt", "rechazad", "拒绝", "驳回", "却下"}},
	{record.ExceptionEnded, []string{"withdraw", "cancel", "revoke", "expired", "ended", "obsolete", "supersede", "duplicate", "closed", "zurückgezogen", "取消", "撤销"}},
	{record.ExceptionApproved, []string{"approved", "accepted", "granted", "genehmigt", "aprobad", "approuv", "已批准", "承認済"}},
}

// stateOf: the configured names first; then the usual words in the status; then the category, where "done" means approved unless
// the resolution says otherwise. A status without a category, which Jira has for broken workflows, is other: it stops no clock.
func (e *exceptions) stateOf(s status, resolution string) record.ExceptionState {
	if state, ok := configured(e.states, s); ok {
		return state
	}
	if state, ok := e.states[fold(resolution)]; ok && resolution != "" {
		return state
	}
	if state := usualOf(usualStates, s); state != "" {
		return state
	}
	switch s.Category.Key {
	case "new", "indeterminate":
		return record.ExceptionRequested
	case "done":
		return cmp.Or(usual(usualStates, resolution), record.ExceptionApproved)
	default:
		return record.ExceptionOther
	}
}

func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
