package world

import (
	"fmt"
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

// categories are why people ask for exceptions.
var categories = []choice[string]{
	{"Dependency upgrade delayed", 34}, {"No vendor fix", 18}, {"Compensating control", 20}, {"Legacy system", 16}, {"Test code only", 12},
}

// ticketsPerWeek are requested beside the ones that the story needs.
const ticketsPerWeek = 0.6

// ticketNumbers is more than are requested in a week.
const ticketNumbers = 12

// requestedIn lists the tickets that are opened in a week. The caller holds mu.
func (w *World) requestedIn(n int64) []*Exception {
	t := &tickets{world: w, week: n, random: w.random("exception", "", n)}
	t.shortLived()
	if n%2 == 0 {
		t.waiting()
	}
	if n%5 == 0 {
		t.withoutScope()
	}
	for range min(poisson(t.random, ticketsPerWeek), ticketNumbers-4) {
		t.ordinary()
	}
	if n%2 == 0 {
		t.controlMissing()
	}
	return t.list
}

// midnight is the first instant of the day that holds t.
func midnight(t time.Time) time.Time { return t.Truncate(day) }

func (t *tickets) add(e *Exception) *Exception {
	e.Number = (t.week-ticketEpoch)*ticketNumbers + int64(len(t.list)) + 1
	e.RequestedAt = startOf(t.week).Add(between(t.random, 0, 6*day))
	e.Requester = requesters[t.random.IntN(len(requesters))]
	e.CommentedEvery = between(t.random, 30*time.Hour, 5*day)
	if e.Category == "" {
		e.Category = draw(t.random, categories)
	}
	switch {
	case e.Service != nil:
		e.Title = fmt.Sprintf("%s: %s", e.Service.Name, e.Category)
	case e.Repository != nil:
		e.Title = fmt.Sprintf("%s: %s", e.Repository.Name, e.Category)
	default:
		e.Title = "Everything we did not get to: " + e.Category
	}
	t.list = append(t.list, e)
	return e
}

// ticketEpoch is the week of the first ticket.
const ticketEpoch = 200

var requesters = []string{"Ada Byrne", "Tomas Vale", "Mina Okafor", "Jonas Reh", "Priya Nand", "Lena Sorel"}
