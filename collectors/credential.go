package collectors

import (
	"fmt"
	"time"
)

// CredentialReporter is implemented by collectors that know something about their credential: what it sees, so that "check --online" can show people that it sees too
// little, and when it ends, so that an alert comes before.
type CredentialReporter interface {
	// Credentials tells what the last check or collection learned, without a request; nothing before the first. An instance may have several credentials, e.g. one for
	// each installation of an App.
	Credentials() []Credential
}

// Credential is what is known of a credential.
type Credential struct {
	// Name tells the credentials of an instance apart, e.g. "installation acme"; empty where there is one.
	Name string
	// Sees counts what it sees, the largest unit first: organisations, repositories, projects, issues. What could not be counted is left out.
	Sees []Sight
	// ExpiresAt is when it ends; zero where it does not end or the source does not tell.
	ExpiresAt time.Time
}

// Sight is how many of something a credential sees.
type Sight struct {
	// What is a plural: "projects".
	What  string
	Count int
}

// Day is a date in configuration, written as 2027-01-31.
type Day struct{ time.Time }

// UnmarshalText reads a date.
func (d *Day) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%.20q is not a date such as 2027-01-31", text)
	}
	d.Time = at
	return nil
}

// MarshalText writes a date.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.Format(time.DateOnly)), nil }
