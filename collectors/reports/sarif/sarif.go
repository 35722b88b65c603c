// Package sarif reads SARIF 2.1.0, the exchange format of static analysers, in which tools of all classes write today. Types have the names that the standard
// gives its objects. The package adds to a format.Report what one report says, and touches neither files nor the collector.
//
// Files follow a report: sarif.go reads the log and its version, run.go a run into what reading.go holds, rule.go finds and classifies rules, result.go makes findings of results, location.go
// their places, identity.go what identifies them, outcome.go says how the run ended and what it looked for.
//
// To read one more property: its object in objects.go and its meaning in the file of what it is about, with a case in its test.
package sarif

import (
	"regexp"
	"strconv"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Name is the format in the words of its documentation.
func (Format) Name() string { return "SARIF" }

// Recognises tells the format by its keys.
func (Format) Recognises(s format.Sketch) bool {
	return s.Form == '{' && (s.Has("runs") || s.Complete && strings.Contains(s.Texts["$schema"], "sarif"))
}

// Read reads the whole report.
func (f Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	version, schema, listed, runs := stream.Text(""), stream.Text(""), false, 0
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "version":
			_, err = s.Item(&version)
		case "$schema":
			_, err = s.Item(&schema)
		case "runs":
			if err = refuseDraft(string(version), string(schema)); err != nil {
				return err
			}
			listed, err = s.Array(func() error {
				runs++
				return f.readRun(s, r)
			})
		default:
			err = s.Skip()
		}
		return err
	})
	if err == nil {
		err = refuseDraft(string(version), string(schema))
	}
	switch {
	case err != nil:
		return err
	case !listed:
		return stream.Malformed(`the key "runs" is missing`)
	case runs == 0:
		r.Incomplete = true // nobody scanned, so nothing is known to be gone
	}
	return nil
}

var (
	finalVersion = regexp.MustCompile(`^2\.[1-9][0-9]*(\.[0-9]+)?$`)
	draftSchema  = regexp.MustCompile(`(?i)sarif(?:-schema)?-((?:1|2\.0)[.0-9]*[a-z0-9.-]*)(?:\.json)?$`)
)

// refuseDraft refuses what came before 2.1.0 by its name: the same keys meant something else there. A report that names no version is taken as it is.
func refuseDraft(version, schema string) error {
	draft := ""
	switch {
	case version != "" && !finalVersion.MatchString(strings.TrimSpace(version)):
		draft = version
	case version == "":
		if m := draftSchema.FindStringSubmatch(schema); m != nil {
			draft = strings.TrimSuffix(m[1], ".json")
		}
	}
	if draft == "" {
		return nil
	}
	return stream.Malformed("version %s is not 2.1.0; let the tool write SARIF 2.1.0", strconv.Quote(record.Text(draft)))
}
