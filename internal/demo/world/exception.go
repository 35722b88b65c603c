package world

import (
	"time"
)

// ExceptionStatus is the status of a ticket, in the words of Meridian's Jira.
type ExceptionStatus string

// The statuses.
const (
	StatusAwaiting  ExceptionStatus = "Awaiting decision"
	StatusApproved  ExceptionStatus = "Approved"
	StatusRejected  ExceptionStatus = "Rejected"
	StatusWithdrawn ExceptionStatus = "Withdrawn"
	// StatusClosed: no longer needed, or the end of a renewal that was not asked for.
	StatusClosed ExceptionStatus = "Closed"
)

// ExceptionStatuses lists the statuses.
func ExceptionStatuses() []ExceptionStatus {
	return []ExceptionStatus{StatusAwaiting, StatusApproved, StatusRejected, StatusWithdrawn, StatusClosed}
}

// Step is a change of a ticket's status.
type Step struct {
	At time.Time
	To ExceptionStatus
}

// Exception is a ticket that asks to tolerate something, with all that will ever happen to it. It does not change.
type Exception struct {
	// Number is unique and grows with time; the ticket's key is made of it.
	Number   int64
	Title    string
	Category string
	// Service and Repository say where; both are nil for a ticket that names no scope.
	Service    *Service
	Repository *Repository
	// Advisories, Rules and CWEs say what for.
	Advisories []string
	Rules      []string
	CWEs       []int
	Controls   []string

	RequestedAt time.Time
	Requester   string
	// Steps are the changes of status after the request, by time.
	Steps []Step
	// Expires is the day it ends; zero when the ticket names none.
	Expires time.Time
	// CommentedEvery is how often somebody writes something while the ticket is open.
	CommentedEvery time.Duration
}

// StatusAt is the status of a ticket at an instant and when the ticket was last changed.
func (e *Exception) StatusAt(t time.Time) (status ExceptionStatus, updated time.Time) {
	status, updated = StatusAwaiting, e.RequestedAt
	for _, s := range e.Steps {
		if s.At.After(t) {
			break
		}
		status, updated = s.To, s.At
	}
	if status == StatusAwaiting || status == StatusApproved {
		if commented := e.RequestedAt.Add(t.Sub(e.RequestedAt).Truncate(e.CommentedEvery)); commented.After(updated) {
			updated = commented
		}
	}
	return status, updated
}

// over is when nothing more happens to the ticket.
func (e *Exception) over() time.Time {
	if len(e.Steps) == 0 {
		return e.RequestedAt.Add(longestException)
	}
	return e.Steps[len(e.Steps)-1].At
}
