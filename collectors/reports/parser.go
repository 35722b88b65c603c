package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// parser reads one format. To add a format, write a parser in a file of its own and name it in parsers.
type parser interface {
	// name is the format in the words of its documentation.
	name() string
	// sniff reports whether a report that begins like this is in the format. It is asked again after each key.
	sniff(sketch) bool
	// parse reads the whole report into r. Its error says that the report as such is malformed; bad items are
	// rejected alone.
	parse(s *stream, r *report) error
}

// parsers lists the known formats, those with the most telling marks first.
func parsers() []parser {
	return []parser{sarifParser{}, trivyParser{}, grypeParser{}, cyclonedxParser{}, openvexParser{}, semgrepParser{}}
}

// sketch is the beginning of a report: as much as is needed to recognise its format.
type sketch struct {
	// form is '{', '[' or 'n' (null).
	form rune
	// keys are the keys seen so far at the top level, or of the first element of a list.
	keys map[string]bool
	// texts are the short texts among their values.
	texts map[string]string
	// complete says that there are no more keys.
	complete bool
}

func (s *sketch) has(keys ...string) bool {
	for _, k := range keys {
		if !s.keys[k] {
			return false
		}
	}
	return true
}

// report is what a report file says, before it is decided which repository it speaks for.
type report struct {
	findings []record.Finding
	scans    []record.Scan
	rejected map[record.RejectReason]int
	// statements are what a VEX document says about the findings of other reports.
	statements []vexStatement
	// ignored counts what is deliberately not a finding (licences, checks that passed), by what it is.
	ignored map[string]int
	// producedAt is the report's own date, zero if it has none.
	producedAt time.Time
	// incomplete says that the tool failed or did not scan: what the report lacks is not fixed.
	incomplete bool

	ids map[string]int
}

func newReport() *report {
	return &report{
		findings: []record.Finding{}, scans: []record.Scan{}, rejected: map[record.RejectReason]int{},
		ignored: map[string]int{}, ids: map[string]int{},
	}
}

// add takes up a finding under an id made of what identifies it within the report. Equal ones are numbered in order,
// so that none is lost and each keeps its id from report to report.
func (r *report) add(f record.Finding, identity ...string) {
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
	r.findings = append(r.findings, f)
}

func (r *report) reject(reason record.RejectReason) { r.rejected[reason]++ }

// scanned notes that a tool looked at a repository for a class of weakness.
func (r *report) scanned(tool string, class record.Class, repository record.RepositoryName, ok bool) {
	r.scans = append(r.scans, record.Scan{Tool: tool, Class: class, Repository: repository, Enabled: record.AnswerYes})
	if ok { // the date is filled in when it is known
		r.scans[len(r.scans)-1].SucceededAt = time.Unix(0, 0)
	}
}

// dated notes when the report was produced; the latest date counts.
func (r *report) dated(s string) {
	if at := parseDate(s); at.After(r.producedAt) {
		r.producedAt = at
	}
}

// parseDate reads a date in the forms that tools write; zero for anything else and for the dates of unset clocks.
func parseDate(s string) time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(form, s); err == nil && at.Year() > 1970 {
			return at.UTC()
		}
	}
	return time.Time{}
}

// read recognises a report's format by its content and reads it.
func read(open func() (io.ReadCloser, error)) (*report, error) {
	r := newReport()
	format, err := recognise(open)
	if malformed, ok := errors.AsType[*malformedError](err); ok && malformed.markup {
		if err := readMarkup(open, r); err != nil {
			return nil, place(fmt.Errorf("%s: %w", cyclonedxMarkup, err), open)
		}
		return r, nil
	}
	if err != nil {
		return nil, place(err, open)
	}
	err = with(open, func(s *stream) error {
		if err := format.parse(s, r); err != nil {
			return err
		}
		return s.end()
	})
	if err != nil {
		return nil, place(fmt.Errorf("%s: %w", format.name(), err), open)
	}
	return r, nil
}

func with(open func() (io.ReadCloser, error), use func(*stream) error) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // Opened for reading only.
	s, err := newStream(body)
	if err != nil {
		return err
	}
	return use(s)
}

// errFound ends the walk over a report's keys.
type errFound struct{ parser }

// Error is never shown.
func (errFound) Error() string { return "format recognised" }

// recognise asks the parsers after each key, so that usually no more than a report's first lines are read.
func recognise(open func() (io.ReadCloser, error)) (parser, error) {
	known := parsers()
	seen := sketch{keys: map[string]bool{}, texts: map[string]string{}}
	ask := func() error {
		for _, p := range known {
			if p.sniff(seen) {
				return errFound{p}
			}
		}
		return nil
	}
	err := with(open, func(s *stream) error {
		if err := seen.read(s, ask); err != nil {
			return err
		}
		seen.complete = true
		if err := ask(); err != nil {
			return err
		}
		return &malformedError{message: unknownFormat(known, seen)}
	})
	if found, ok := err.(errFound); ok { //nolint:errorlint // It is returned by the walk itself, never wrapped.
		return found.parser, nil
	}
	return nil, err
}

func (s *sketch) read(in *stream, ask func() error) error {
	first, err := in.token()
	if err != nil {
		return err
	}
	member := func(key string) error {
		s.keys[key] = true
		if err := ask(); err != nil {
			return err
		}
		return s.value(in, key)
	}
	switch first {
	case nil:
		s.form = 'n'
		return nil
	case json.Delim('{'):
		s.form = '{'
		return in.members(member)
	case json.Delim('['):
		s.form = '['
		if !in.more() {
			return nil
		}
		return in.object(member)
	default:
		return in.unexpected("an object or a list", first)
	}
}

// value notes a short text and skips everything else.
func (s *sketch) value(in *stream, key string) error {
	t, err := in.token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case string:
		s.texts[key] = record.Text(t)
	case json.Delim:
		if t == '{' {
			return in.members(func(string) error { return in.skip() })
		}
		return in.elements(in.skip)
	}
	return nil
}

func unknownFormat(known []parser, s sketch) string {
	names := make([]string, 0, len(known))
	for _, p := range known {
		names = append(names, p.name())
	}
	keys := slices.Sorted(maps.Keys(s.keys))
	const shown = 8
	if len(keys) > shown {
		keys = append(keys[:shown], "…")
	}
	said := fmt.Sprintf("not a report in a known format (%s, %s); its keys are: %s", strings.Join(names, ", "), cyclonedxMarkup, record.Text(strings.Join(keys, ", ")))
	for _, answer := range apiAnswers {
		if s.has(answer.keys...) {
			return said + "; it looks like an answer of " + answer.of
		}
	}
	return said
}

// apiAnswers are what people save from an API and take for a report, and who reads that API.
var apiAnswers = []struct {
	keys []string
	of   string
}{
	{[]string{"jsonapi", "data"}, "Snyk's API: let the collector \"snyk\" read it"},
	{[]string{"data"}, "GitHub's GraphQL API: let the collector \"github\" read it"},
	{[]string{"paging", "issues"}, "SonarQube's API: let the collector \"sonarqube\" read it"},
	{[]string{"paging", "hotspots"}, "SonarQube's API: let the collector \"sonarqube\" read it"},
	{[]string{"number", "security_advisory"}, "GitHub's API: let the collector \"github\" read it"},
	{[]string{"number", "most_recent_instance"}, "GitHub's API: let the collector \"github\" read it"},
	{[]string{"number", "secret_type"}, "GitHub's API: let the collector \"github\" read it"},
	{[]string{"count", "next", "results"}, "DefectDojo's API: let the collector \"defectdojo\" read it"},
	{[]string{"meta", "project", "version"}, "Dependency-Track's API: let the collector \"dependencytrack\" read it"},
	{[]string{"findings"}, "Semgrep's API: let the collector \"semgrep\" read it"},
}
