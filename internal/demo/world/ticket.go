package world

import (
	"time"
)

// TicketKind is what a ticket other than an exception is about, in the words of Meridian's Jira (its issue type).
type TicketKind string

// The kinds of ticket.
const (
	TicketThreatModel  TicketKind = "Threat model"
	TicketDesignReview TicketKind = "Design review"
	TicketCodeReview   TicketKind = "Code review"
	TicketIncident     TicketKind = "Incident"
	TicketAction       TicketKind = "Incident action"
	TicketReleaseBlock TicketKind = "Release block"
	TicketEscalation   TicketKind = "Escalation"
)

// TicketProject is where a kind of ticket is kept.
type TicketProject string

// The projects of tickets other than exceptions.
const (
	ProjectReviews     TicketProject = "SREV"
	ProjectIncidents   TicketProject = "INC"
	ProjectEscalations TicketProject = "REL"
)

// TicketProjects lists the projects.
func TicketProjects() []TicketProject {
	return []TicketProject{ProjectReviews, ProjectIncidents, ProjectEscalations}
}

// TicketStatus is the status of a ticket, in the words of Meridian's Jira.
type TicketStatus string

// The statuses of tickets.
const (
	TicketRequested TicketStatus = "Requested"
	TicketInReview  TicketStatus = "In review"
	// TicketWaiting: the reviewers wait for the team that asked.
	TicketWaiting  TicketStatus = "Waiting for team"
	TicketReviewed TicketStatus = "Reviewed"
	TicketOngoing  TicketStatus = "Ongoing"
	// TicketRestored: the service works again; what is left is to learn from it.
	TicketRestored TicketStatus = "Restored"
	TicketToDo     TicketStatus = "To do"
	TicketDone     TicketStatus = "Done"
	TicketRaised   TicketStatus = "Raised"
	TicketSettled  TicketStatus = "Settled"
)

// TicketStatuses lists the statuses.
func TicketStatuses() []TicketStatus {
	return []TicketStatus{
		TicketRequested, TicketInReview, TicketWaiting, TicketReviewed, TicketOngoing, TicketRestored, TicketToDo, TicketDone, TicketRaised, TicketSettled,
	}
}

// Reviewers are the members of the group that answers requests for a review.
func Reviewers() []string { return []string{"Ines Falk", "Omar Sato", "Lena Sorel"} }

// Robot is the account of the automation that greets every ticket.
const Robot = "Triage automation"

// TicketStep is a change of a ticket's status.
type TicketStep struct {
	At time.Time
	To TicketStatus
	By string
}

// Comment is something that somebody wrote.
type Comment struct {
	At time.Time
	By string
}

// Ticket is a review, an incident, an action that one left behind or an escalation, with all that will ever happen to it. It does not change.
type Ticket struct {
	Kind    TicketKind
	Project TicketProject
	// Number is unique within the project and grows with time.
	Number    int64
	Title     string
	Service   *Service
	CreatedAt time.Time
	Reporter  string
	Steps     []TicketStep
	Comments  []Comment
	// DueAt is the day until which an action is to be done.
	DueAt time.Time
	// Incident is what an action follows from.
	Incident *Ticket
	// SecurityImpact and ControlGap are what people answered about an incident: "Yes", "No" or nothing yet.
	SecurityImpact, ControlGap string
	// Reason is why an escalation was raised.
	Reason string
}

// First is the status in which tickets of the kind begin.
func (k TicketKind) First() TicketStatus {
	switch k {
	case TicketIncident:
		return TicketOngoing
	case TicketAction:
		return TicketToDo
	case TicketReleaseBlock, TicketEscalation:
		return TicketRaised
	case TicketThreatModel, TicketDesignReview, TicketCodeReview:
	}
	return TicketRequested
}

// StatusAt is the status at an instant and when the ticket was last changed or commented on.
func (t *Ticket) StatusAt(at time.Time) (status TicketStatus, updated time.Time) {
	status, updated = t.Kind.First(), t.CreatedAt
	for _, s := range t.Steps {
		if s.At.After(at) {
			break
		}
		status, updated = s.To, s.At
	}
	for _, c := range t.Comments {
		if c.At.After(updated) && !c.At.After(at) {
			updated = c.At
		}
	}
	return status, updated
}

// over is when nothing more happens to the ticket.
func (t *Ticket) over() time.Time {
	last := t.CreatedAt
	for _, s := range t.Steps {
		last = maxTime(last, s.At)
	}
	for _, c := range t.Comments {
		last = maxTime(last, c.At)
	}
	return last
}
