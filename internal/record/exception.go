package record

import "time"

// ExceptionState is where the decision on an exception stands in its source. Whether an approved exception has
// expired is not a state: it is computed from ExpiresAt.
type ExceptionState string

// The states of an exception.
const (
	ExceptionRequested ExceptionState = "requested"
	ExceptionApproved  ExceptionState = "approved"
	ExceptionRejected  ExceptionState = "rejected"
	// ExceptionEnded: withdrawn, revoked or closed because it is no longer needed.
	ExceptionEnded ExceptionState = "ended"
	// ExceptionOther: a status that maps to none of the above; it stops no clock.
	ExceptionOther ExceptionState = "other"
)

// Exception is a decision, or a request for one, to tolerate weaknesses or a missing control for a time.
type Exception struct {
	// ID is unique and stable within the collector instance, e.g. "PSEC-41".
	ID       string
	Title    string
	URL      string
	State    ExceptionState
	Category string

	// What it covers. An exception covers a finding when every field that is set matches; it must name a service or
	// a repository, and at least one of Findings, Advisories, Rules, Categories and Controls, else it covers nothing.
	Service    string
	Repository RepositoryName
	Findings   []string
	Advisories []string
	Rules      []string
	Categories []string
	Controls   []string

	RequestedAt time.Time
	// DecidedAt is when it was approved or rejected.
	DecidedAt time.Time
	// ExpiresAt is the first instant it no longer holds; zero means that it names no end.
	ExpiresAt time.Time
	// EndedAt is when it was withdrawn or closed.
	EndedAt   time.Time
	UpdatedAt time.Time
	// InForce holds the intervals in which the exception was approved and not expired, in order and without overlap, where the source keeps the
	// history of its decisions (e.g. Jira's changelog); the last one may lie in the future. Nil when the source has no such history: then only what is
	// observed of State, DecidedAt, ExpiresAt and EndedAt tells when it was in force.
	InForce []Interval
	// VendorAcceptance marks a scanner's own risk acceptance, which counts only if policy says so.
	VendorAcceptance bool
	// Tool names the scanner of a VendorAcceptance.
	Tool string
}
