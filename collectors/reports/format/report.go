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
	Scans    []record.Scan
	Rejected map[record.RejectReason]int
	// Statements are what a VEX document says about the findings of other reports.
	Statements []Statement
	// Ignored counts what is deliberately not a finding (licences, checks that passed), by what it is.
	Ignored map[string]int
	// ProducedAt is the report's own date, zero if it has none.
	ProducedAt time.Time
	// Incomplete says that the tool failed or did not scan: what the report lacks is not fixed.
	Incomplete bool

	ids map[string]int
}

// NewReport is a report that says nothing yet.
func NewReport() *Report {
	return &Report{
		Findings: []record.Finding{}, Scans: []record.Scan{}, Rejected: map[record.RejectReason]int{},
		Ignored: map[string]int{}, ids: map[string]int{},
	}
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
func (r *Report) Scanned(tool string, class record.Class, repository record.RepositoryName, ok bool) {
	r.Scans = append(r.Scans, record.Scan{Tool: tool, Class: class, Repository: repository, Enabled: record.AnswerYes})
	if ok { // the date is filled in when it is known
		r.Scans[len(r.Scans)-1].SucceededAt = time.Unix(0, 0)
	}
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
