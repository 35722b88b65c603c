// Package semgrep reads the JSON that the Semgrep command writes: semgrep.go the report (what is kept of it is in reading.go), finding.go its results, errors.go what went wrong. It adds to a
// format.Report what one report says, and touches neither files nor the collector.
//
// To read one more field of a result: finding.go, with a case in its test.
package semgrep

import (
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Name is the format in the words of its documentation.
func (Format) Name() string { return "Semgrep JSON" }

// Recognises waits for two marks, because many tools have "results".
func (Format) Recognises(s format.Sketch) bool { return s.Form == '{' && s.Has("results", "errors") }

// Read reads the whole report.
func (f Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	in := reading{format: f, into: r, found: map[record.Class]bool{}}
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "results":
			in.listed, err = s.Array(func() error { return in.result(s) })
		case "errors":
			_, err = s.Array(func() error { return in.error(s) })
		case "paths":
			_, err = s.Item(&in.paths)
			in.saysPaths = in.paths.Scanned != nil
		default:
			err = s.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	in.conclude()
	return nil
}

func (in *reading) result(s *stream.JSON) error {
	var item result
	ok, err := s.Item(&item)
	switch {
	case err != nil:
		return err
	case !ok:
		in.into.Reject(record.RejectDecode)
		return nil
	case item.CheckID == "":
		in.into.Reject(record.RejectNoID)
		return nil
	}
	f, identity, subject := item.finding()
	if subject != record.SubjectSecurity && !in.format.Quality {
		in.into.Ignored["rule that is not about security"]++
		in.into.Reject(record.RejectNotSecurity)
		return nil
	}
	in.found[f.Class] = true
	in.results++
	in.into.Add(f, identity...)
	return nil
}

// conclude says what was looked for: code, where files were scanned, and what was found. The rules about secrets are rules like others, so that where code was
// looked at they were, too; packages are looked at by another part of Semgrep, which says so by what it finds alone.
func (in *reading) conclude() {
	outcome := in.outcome()
	scannedCode := !in.saysPaths || len(in.paths.Scanned) > 0
	if scannedCode || outcome == format.Failed {
		in.found[record.ClassSAST] = true
	}
	if !in.listed {
		outcome = format.Failed
	}
	for _, class := range record.Classes() {
		if in.found[class] {
			in.into.Scanned(toolName, class, "", outcome)
		}
	}
	switch {
	case !scannedCode:
	case in.results == 0:
		in.into.Covers(toolName, "")
	default:
		in.into.Covers(toolName, record.ClassSecret)
	}
}
