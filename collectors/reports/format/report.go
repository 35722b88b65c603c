package format

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"prodsec_exporter/internal/record"
)

// Report is what a report file says, before it is decided which repository it speaks for.
type Report struct {
	Findings []record.Finding
	// Scans are what tools looked for, by what the report contains and says.
	Scans []Scan
	// Covered are what the report replaces besides its scans: it would list what the tool still finds, but does not show that it looked.
	Covered []Subject
	// Statements are what a VEX document says about the findings of other reports.
	Statements []Statement
	// Rejected counts items that could not be understood or are about no weakness, by reason.
	Rejected map[record.RejectReason]int
	// Ignored counts what is deliberately not a finding (licences, checks that passed), by what it is.
	Ignored map[string]int
	// ProducedAt is the report's own date, zero if it has none.
	ProducedAt time.Time
	// Incomplete says that there is no telling what was looked at: what the report lacks is not fixed.
	Incomplete bool
	// Unread are places that a tool gave up, Read the only ones that it looked at; nil means all others.
	Unread, Read []string

	ids map[string]int
}

// Subject is what a tool finds of a class; every class if Class is empty.
type Subject struct {
	Tool  string
	Class record.Class
}

// Scan says that a tool looked for a class of weakness.
type Scan struct {
	Subject
	Repository record.RepositoryName
	Outcome    Outcome
}

// Outcome is how a scan ended.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	// Partial: what was looked at is known, and something was given up. What is lacking is fixed where it was looked at; the scan is no success.
	Partial Outcome = "partial"
	// Failed: nothing follows from what is lacking.
	Failed Outcome = "failed"
)

// NewReport is a report that says nothing yet.
func NewReport() *Report {
	return &Report{Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}, Ignored: map[string]int{}, ids: map[string]int{}}
}

// Add takes up a finding under an id made of what identifies it within the report. Equal ones are numbered in order,
// so that none is lost and each keeps its id from report to report.
func (r *Report) Add(f record.Finding, identity ...string) {
	h := sha256.New()
	for _, part := range append([]string{f.Tool}, identity...) {
		// The length keeps ("ab", "c") and ("a", "bc") apart.
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part+";") // a hash never fails
	}
	id := hex.EncodeToString(h.Sum(nil)[:10])
	r.ids[id]++
	if n := r.ids[id]; n > 1 {
		id += "~" + strconv.Itoa(n)
	}
	f.ID = id
	r.Findings = append(r.Findings, f)
}

// Reject counts an item that was left out.
func (r *Report) Reject(reason record.RejectReason) { r.Rejected[reason]++ }

// Scanned notes that a tool looked at a repository for a class of weakness.
func (r *Report) Scanned(tool string, class record.Class, repository record.RepositoryName, outcome Outcome) {
	r.Scans = append(r.Scans, Scan{Subject: Subject{tool, class}, Repository: repository, Outcome: outcome})
}

// Covers notes that the report lists all that a tool still finds of a class, or of every class if none is given, though it does not show that it looked.
func (r *Report) Covers(tool string, class record.Class) {
	r.Covered = append(r.Covered, Subject{tool, class})
}

// Dated notes when the report was produced; the latest date counts.
func (r *Report) Dated(s string) {
	if at := ParseDate(s); at.After(r.ProducedAt) {
		r.ProducedAt = at
	}
}

// ParseDate reads a date in the forms that tools write; zero for anything else and for the dates of unset clocks.
func ParseDate(s string) time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(form, s); err == nil && at.Year() > 1970 {
			return at.UTC()
		}
	}
	return time.Time{}
}

// Or is the worse of two outcomes.
func (o Outcome) Or(other Outcome) Outcome {
	for _, worst := range []Outcome{Failed, Partial} {
		if o == worst || other == worst {
			return worst
		}
	}
	return Succeeded
}
