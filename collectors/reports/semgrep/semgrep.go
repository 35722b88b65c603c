// Package semgrep reads the JSON that the Semgrep command writes. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
package semgrep

import (
	"cmp"
	"strconv"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads the JSON that the Semgrep command writes.
type Format struct{}

const toolName = "semgrep"

// Name is the format in the words of its documentation.
func (Format) Name() string { return "Semgrep JSON" }

// Recognises waits for two marks, because many tools have "results".
func (Format) Recognises(s format.Sketch) bool { return s.Form == '{' && s.Has("results", "errors") }

type result struct {
	CheckID stream.Text `json:"check_id"`
	Path    stream.Text `json:"path"`
	Start   struct {
		Line stream.Number `json:"line"`
		Col  stream.Number `json:"col"`
	} `json:"start"`
	Extra struct {
		Message     stream.Text `json:"message"`
		Severity    stream.Text `json:"severity"`
		Fingerprint stream.Text `json:"fingerprint"`
		IsIgnored   bool        `json:"is_ignored"`
		Metadata    struct {
			CWE        stream.List `json:"cwe"`
			Source     stream.Text `json:"source"`
			Impact     stream.Text `json:"impact"`
			Category   stream.Text `json:"category"`
			Technology stream.List `json:"technology"`
		} `json:"metadata"`
		ValidationState stream.Text `json:"validation_state"`
	} `json:"extra"`
}

// Read reads the whole report.
func (Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	classes := map[record.Class]bool{record.ClassSAST: true}
	listed := false
	err := s.Object(func(key string) error {
		if key != "results" {
			return s.Skip()
		}
		var err error
		listed, err = s.Array(func() error {
			var item result
			ok, err := s.Item(&item)
			switch {
			case err != nil:
				return err
			case !ok:
				r.Reject(record.RejectDecode)
			case item.CheckID == "":
				r.Reject(record.RejectNoID)
			default:
				f, identity := item.finding()
				classes[f.Class] = true
				r.Add(f, identity...)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	r.Incomplete = !listed
	for class := range classes {
		r.Scanned(toolName, class, "", listed)
	}
	return nil
}

// finding: Semgrep's ERROR, WARNING and INFO are high, medium and low; newer rules say CRITICAL to LOW themselves.
func (i *result) finding() (record.Finding, []string) {
	id := string(i.CheckID)
	f := record.Finding{
		Tool: toolName, Class: record.ClassSAST, Rule: record.Text(id), Title: record.Text(string(cmp.Or(i.Extra.Message, i.CheckID))),
		URL: format.WebLink(string(i.Extra.Metadata.Source)), Severity: format.SeverityOfWord(string(i.Extra.Severity)),
		Place: record.Text(format.CleanPath(string(i.Path))), Line: format.Line(i.Start.Line),
	}
	for _, c := range i.Extra.Metadata.CWE {
		f.Category = cmp.Or(f.Category, record.CWE(string(c)))
	}
	f.Category = cmp.Or(f.Category, f.Rule)
	if format.SemgrepSecret(id) {
		f.Class = record.ClassSecret
		f.Title = f.Rule // a message may quote the secret
		switch i.Extra.ValidationState {
		case "CONFIRMED_VALID":
			f.ActiveSecret = record.AnswerYes
		case "CONFIRMED_INVALID":
			f.ActiveSecret = record.AnswerNo
		}
	}
	if i.Extra.IsIgnored {
		f.Closure = record.ClosureOther
	}
	fingerprint := string(i.Extra.Fingerprint)
	if fingerprint == "" || strings.EqualFold(fingerprint, "requires login") {
		fingerprint = strconv.Itoa(f.Line) + ":" + strconv.Itoa(format.Line(i.Start.Col))
	}
	return f, []string{id, f.Place, fingerprint}
}
