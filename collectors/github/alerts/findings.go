package alerts

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/inventory"
	"prodsec_exporter/internal/record"
)

// severities maps the words of advisories and of security_severity_level.
var severities = map[string]record.Severity{
	"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "moderate": record.SeverityMedium,
	"low": record.SeverityLow,
}

func (c *Collector) severity(field string, values ...string) record.Severity {
	for _, value := range values {
		if value == "" {
			continue
		}
		if s, ok := severities[strings.ToLower(value)]; ok {
			return s
		}
		c.UnknownValue(field, value)
	}
	return record.SeverityUnknown
}

// closure looks a vendor's reason up; one that is not known closes for ClosureOther.
func (c *Collector) closure(known map[string]record.Closure, field, reason string) record.Closure {
	if closure, ok := known[strings.ToLower(reason)]; ok {
		return closure
	}
	if reason != "" {
		c.UnknownValue(field, reason)
	}
	return record.ClosureOther
}

var weakness = regexp.MustCompile(`(?i)cwe-0*([0-9]+)$`)

// category is the first CWE in a list, in canonical form; empty if there is none.
func category(names ...string) string {
	for _, name := range names {
		if m := weakness.FindStringSubmatch(name); m != nil {
			return "CWE-" + m[1]
		}
	}
	return ""
}

// undecided is the closure of an alert whose state is not known. A date of an end, which GitHub removes when an alert opens again, says
// that it is closed, so that a new word for a closed state does not reopen years of old alerts; without one it is open.
func (c *Collector) undecided(field, state string, ends ...api.Timestamp) (record.Closure, time.Time) {
	c.UnknownValue(field, state)
	var last time.Time
	for _, end := range ends {
		if end.After(last) {
			last = end.Time
		}
	}
	if last.IsZero() {
		return record.ClosureNone, time.Time{}
	}
	return record.ClosureOther, last
}

// place is a path inside the repository; GitHub begins some with a slash.
func place(path string) string { return record.Text(strings.TrimPrefix(path, "/")) }

func upper(values ...string) []string {
	var list []string
	for _, v := range values {
		if v != "" {
			list = append(list, record.Text(strings.ToUpper(v)))
		}
	}
	return list
}

// alert is what all kinds of alert have in common.
type alert struct {
	Number     int64                `json:"number"`
	State      string               `json:"state"`
	HTMLURL    string               `json:"html_url"`
	CreatedAt  api.Timestamp        `json:"created_at"`
	UpdatedAt  api.Timestamp        `json:"updated_at"`
	Repository inventory.Repository `json:"repository"`
}

// finding is the part of the finding that all kinds of alert share.
func (a *alert) finding(c *Collector, kind Kind) (record.Finding, error) {
	name, err := c.API.RepositoryName(a.Repository.HTMLURL, a.Repository.FullName)
	switch {
	case err != nil:
		return record.Finding{}, api.Reject(record.RejectNoTarget, err)
	case a.Number <= 0:
		return record.Finding{}, api.Reject(record.RejectNoID, errors.New("the alert has no number"))
	}
	if err := c.inventory.Selected(name, a.Repository.FullName); err != nil {
		return record.Finding{}, err
	}
	return record.Finding{
		ID:         string(kind) + ":" + string(name) + "#" + strconv.FormatInt(a.Number, 10),
		Repository: name,
		URL:        record.Text(a.HTMLURL),
		FirstSeen:  a.CreatedAt.Time,
		UpdatedAt:  a.UpdatedAt.Time,
	}, nil
}
