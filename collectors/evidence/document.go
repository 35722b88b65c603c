package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// documentVersion is the form of evidence documents that is understood.
const documentVersion = 1

// document is an evidence document while it is read. Its other fields may come after its statements.
type document struct {
	present    bool
	statements []json.RawMessage
	bytes      int
}

// maxDocument bounds the bytes of the statements of one document.
const maxDocument = 64 << 20

func (d *document) add(raw json.RawMessage) error {
	d.bytes += len(raw)
	if len(d.statements) == maxStatements || d.bytes > maxDocument {
		return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("an evidence document has more than %d statements or %d MB; split it into several", maxStatements, maxDocument>>20)}
	}
	d.statements = append(d.statements, raw)
	return nil
}

// statement is one statement of an evidence document.
type statement struct {
	Control    string `json:"control"`
	Service    string `json:"service"`
	Repository string `json:"repository"`
	Holds      holds  `json:"holds"`
	ProducedAt string `json:"produced_at"`
	URL        string `json:"url"`
}

// holds is true, false or "unknown".
type holds struct {
	answer record.Answer
	set    bool
}

// UnmarshalJSON reads true, false or "unknown".
func (h *holds) UnmarshalJSON(data []byte) error {
	h.set = true
	switch string(data) {
	case "true":
		h.answer = record.AnswerYes
	case "false":
		h.answer = record.AnswerNo
	case `"unknown"`:
		h.answer = record.AnswerUnknown
	default:
		return errors.New(`holds is none of true, false and "unknown"`)
	}
	return nil
}

// document translates an evidence document. Its own fields are read strictly; a statement that cannot be understood is left out alone.
func (r *reading) document(d *document, fields map[string]json.RawMessage) error {
	var head struct {
		Version    int    `json:"version"`
		Source     string `json:"source"`
		ProducedAt string `json:"produced_at"`
		Schema     string `json:"$schema"`
	}
	raw, err := json.Marshal(fields)
	if err == nil {
		err = strictly(raw, &head)
	}
	switch {
	case err != nil:
		return malformed("the evidence document has a field that it must not have, or of another type: %w", err)
	case head.Version != documentVersion:
		return malformed("the evidence document has version %d; %d is understood", head.Version, documentVersion)
	case head.Source == "":
		return malformed("the evidence document names no source, such as the tool that wrote it")
	}
	at, err := r.date(head.ProducedAt)
	if err != nil {
		return malformed("produced_at of the evidence document: %w", err)
	}
	r.recognised = true
	for i, raw := range d.statements {
		r.items++
		if err := r.statement(raw, record.Text(head.Source), at); err != nil {
			r.reject(fmt.Sprintf("statements[%d]", i), err)
		}
	}
	return nil
}

// strictly decodes JSON and refuses unknown fields.
func strictly(raw json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

var controlName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (r *reading) statement(raw json.RawMessage, source string, at time.Time) error {
	var s statement
	if err := strictly(raw, &s); err != nil {
		return err
	}
	switch {
	case !controlName.MatchString(s.Control):
		return fmt.Errorf("control %.60q is not the name of a control, such as threat_model", s.Control)
	case !s.Holds.set:
		return errors.New(`it lacks holds: true, false or "unknown"`)
	case (s.Service == "") == (s.Repository == ""):
		return fmt.Errorf("%w: name either a service or a repository", translate.ErrNoTarget)
	case record.Text(s.Service) != s.Service:
		return fmt.Errorf("%w: the service's name is no plain text", translate.ErrNoTarget)
	}
	e := record.Evidence{Control: s.Control, Service: s.Service, Holds: s.Holds.answer, ProducedAt: at, Source: source, URL: translate.WebLink(s.URL)}
	if s.Repository != "" {
		name, err := record.ParseRepository(s.Repository)
		if err != nil {
			return fmt.Errorf("%w: %w", translate.ErrNoTarget, err)
		}
		e.Repository = name
	}
	if s.ProducedAt != "" {
		own, err := r.date(s.ProducedAt)
		if err != nil {
			return err
		}
		e.ProducedAt = own
	}
	if e.ProducedAt.IsZero() {
		return fmt.Errorf("%w: neither it nor the document says when it was produced", translate.ErrTimestamp)
	}
	r.statements.add(&e)
	return nil
}

// date reads a date of evidence, which lies no more than a day ahead.
func (r *reading) date(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		at, err := time.Parse(form, text)
		switch {
		case err != nil:
		case at.After(r.now.AddDate(0, 0, 1)):
			return time.Time{}, fmt.Errorf("%w: %s lies in the future", translate.ErrTimestamp, text)
		default:
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %.60q is not a date such as 2026-03-01 or 2026-03-01T12:00:00Z", translate.ErrTimestamp, text)
}
