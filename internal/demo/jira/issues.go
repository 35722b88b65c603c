package jira

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// issue is a ticket of any project as it stands at an instant.
type issue struct {
	project, kind, title, reporter string
	number                         int64
	// sequence is unique over all projects; the issue's id.
	sequence                   int64
	created, updated, resolved time.Time
	status                     string
	// changes are the changes of status and comments what was written, both as far as they have happened, oldest first.
	changes  []statusChange
	comments []world.Comment
	// fields are those that not every issue has.
	fields map[string]any
}

type statusChange struct {
	at           time.Time
	from, to, by string
}

func (i issue) key() string { return fmt.Sprintf("%s-%d", i.project, i.number) }
func (i issue) id() string  { return strconv.FormatInt(i.sequence, 10) }

// issueTexts are the fields that JQL can compare.
var issueTexts = map[string]func(issue) string{
	"project":   func(i issue) string { return i.project },
	"issuetype": func(i issue) string { return i.kind }, "type": func(i issue) string { return i.kind },
	"status": func(i issue) string { return i.status },
	"key":    issue.key, "issuekey": issue.key, "id": issue.id, "issue": issue.key,
}

// issues lists the tickets of all projects.
func (j *jira) issues() []issue {
	now := j.now()
	var list []issue
	for _, e := range j.world.ExceptionsAt(now) {
		list = append(list, j.exception(e, now))
	}
	for _, t := range j.world.TicketsAt(now) {
		list = append(list, ticket(t, now))
	}
	return list
}

// happened keeps the changes up to an instant and joins each to the one before.
func happened(first string, changes []statusChange, now time.Time) []statusChange {
	for n := range changes {
		if changes[n].at.After(now) {
			return changes[:n]
		}
		changes[n].from = first
		first = changes[n].to
	}
	return changes
}

func (j *jira) exception(e *world.Exception, now time.Time) issue {
	status, updated := e.StatusAt(now)
	i := issue{
		project: Project, kind: IssueType, title: e.Title, reporter: e.Requester, number: e.Number, sequence: exceptionSequence(e),
		created: e.RequestedAt, updated: updated, status: string(status),
		fields: map[string]any{
			fieldExpires: nil, fieldWeaknesses: nil, fieldCategory: j.option(e.Category), fieldAdvisories: e.Advisories, fieldRules: e.Rules,
			fieldControls: e.Controls,
		},
	}
	for _, step := range e.Steps {
		i.changes = append(i.changes, statusChange{at: step.At, to: string(step.To), by: "Lena Sorel"})
	}
	i.changes = happened(string(world.StatusAwaiting), i.changes, now)
	if e.Service != nil {
		i.fields[fieldService] = j.option(e.Service.Name)
	}
	if e.Repository != nil {
		i.fields[fieldRepository] = e.Repository.FullName()
	}
	if !e.Expires.IsZero() {
		i.fields[fieldExpires] = e.Expires.Format(time.DateOnly)
	}
	if len(e.CWEs) > 0 {
		names := make([]string, len(e.CWEs))
		for n, cwe := range e.CWEs {
			names[n] = fmt.Sprintf("CWE-%d", cwe)
		}
		i.fields[fieldWeaknesses] = names
	}
	if statusCategory(i.status) == "done" && len(e.Steps) > 0 {
		i.resolved = updated
	}
	return i
}

func exceptionSequence(e *world.Exception) int64 { return 10_000 + e.Number }

func ticketSequence(t *world.Ticket) int64 {
	return 1_000_000*int64(1+slices.Index(world.TicketProjects(), t.Project)) + t.Number
}

func ticket(t *world.Ticket, now time.Time) issue {
	status, updated := t.StatusAt(now)
	i := issue{
		project: string(t.Project), kind: string(t.Kind), title: t.Title, reporter: t.Reporter, number: t.Number, sequence: ticketSequence(t),
		created: t.CreatedAt, updated: updated, status: string(status), fields: map[string]any{fieldService: map[string]any{"value": t.Service.Name, "id": "1"}},
	}
	for _, step := range t.Steps {
		i.changes = append(i.changes, statusChange{at: step.At, to: string(step.To), by: step.By})
	}
	i.changes = happened(string(t.Kind.First()), i.changes, now)
	if last := len(i.changes) - 1; last >= 0 && statusCategory(i.status) == "done" {
		i.resolved = i.changes[last].at
	}
	i.comments = answer.Filter(t.Comments, func(c world.Comment) bool { return !c.At.After(now) })
	slices.SortFunc(i.comments, func(a, b world.Comment) int { return a.At.Compare(b.At) })
	if !t.DueAt.IsZero() {
		i.fields["duedate"] = t.DueAt.Format(time.DateOnly)
	}
	if parent := t.Incident; parent != nil {
		i.fields["parent"] = map[string]any{
			"id":  strconv.FormatInt(ticketSequence(parent), 10),
			"key": fmt.Sprintf("%s-%d", parent.Project, parent.Number), "fields": map[string]any{"summary": parent.Title},
		}
	}
	for id, value := range map[string]string{fieldImpact: t.SecurityImpact, fieldGap: t.ControlGap, fieldReason: t.Reason} {
		if value != "" {
			i.fields[id] = map[string]any{"value": value, "id": "1"}
		}
	}
	return i
}

// account is a person, or the automation, in Jira's form.
func account(name string) map[string]any {
	kind := "atlassian"
	if name == world.Robot {
		kind = "app"
	}
	return map[string]any{"accountId": accountID(name), "accountType": kind, "displayName": name, "active": true}
}

func accountID(name string) string { return "demo:" + strings.ToLower(name) }

// statusNames lists the statuses of all projects.
func statusNames() []string {
	var names []string
	for _, s := range world.ExceptionStatuses() {
		names = append(names, string(s))
	}
	for _, s := range world.TicketStatuses() {
		names = append(names, string(s))
	}
	return names
}

func statusID(name string) int { return 10_300 + slices.Index(statusNames(), name) }

func statusCategory(name string) string {
	switch name {
	case string(world.StatusAwaiting), string(world.TicketRequested), string(world.TicketToDo), string(world.TicketRaised):
		return "new"
	case string(world.StatusApproved), string(world.TicketInReview), string(world.TicketWaiting), string(world.TicketOngoing), string(world.TicketRestored):
		return "indeterminate"
	default:
		return "done"
	}
}

func wireStatus(name string) map[string]any {
	return map[string]any{"name": name, "id": strconv.Itoa(statusID(name)), "statusCategory": map[string]any{"key": statusCategory(name)}}
}
