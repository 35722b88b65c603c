package reports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// read recognises a report's format by its content and reads it. Its errors are *record.Error, or those of open.
func (c *Collector) read(open func() (io.ReadCloser, error)) (*format.Report, error) {
	known, err := c.recognise(open)
	if err != nil {
		return nil, stream.Locate(err, open)
	}
	r := format.NewReport()
	err = with(open, func(d *stream.Document) error {
		if err := known.Read(d, r); err != nil {
			return err
		}
		return d.End()
	})
	if err != nil {
		return nil, stream.Locate(fmt.Errorf("%s: %w", known.Name(), err), open)
	}
	return r, nil
}

func with(open func() (io.ReadCloser, error), use func(*stream.Document) error) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // Opened for reading only.
	d, err := stream.Open(body)
	if err != nil {
		return err
	}
	return use(d)
}

// errRecognised ends the walk over a report's keys.
var errRecognised = errors.New("format recognised")

// recognise asks the formats after each key, so that usually no more than a report's first lines are read.
func (c *Collector) recognise(open func() (io.ReadCloser, error)) (format.Format, error) {
	var found format.Format
	known := c.formats
	ask := func(seen format.Sketch) error {
		for _, f := range known {
			if f.Recognises(seen) {
				found = f
				return errRecognised
			}
		}
		return nil
	}
	err := with(open, func(d *stream.Document) error {
		seen, err := format.ReadSketch(d, ask)
		if err != nil {
			return err
		}
		return stream.Malformed("%s", unknownFormat(known, seen))
	})
	if errors.Is(err, errRecognised) {
		return found, nil
	}
	return nil, err
}

func unknownFormat(known []format.Format, s format.Sketch) string {
	if s.Form == '<' {
		return fmt.Sprintf("the file is XML or HTML with the root element %q of namespace %q, and CycloneDX is the only format read from XML; let the tool write its report as JSON", s.Root, s.Namespace)
	}
	names := make([]string, 0, len(known))
	for _, p := range known {
		names = append(names, p.Name())
	}
	keys := slices.Sorted(maps.Keys(s.Keys))
	const shown = 8
	if len(keys) > shown {
		keys = append(keys[:shown], "…")
	}
	message := fmt.Sprintf("not a report in a known format (%s); its keys are: %s", strings.Join(names, ", "), record.Text(strings.Join(keys, ", ")))
	for _, answer := range apiAnswers {
		if s.Has(answer.keys...) {
			return message + "; it looks like an answer of " + answer.of
		}
	}
	return message
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

func (c *Collector) report(ctx context.Context, s source) (*format.Report, error) {
	if s.err != nil {
		return nil, s.err
	}
	says, err := c.rule.of(s)
	if err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: err}
	}
	r, err := c.read(func() (io.ReadCloser, error) {
		body, err := s.open()
		if err != nil {
			return nil, err
		}
		return stoppable{ctx: ctx, ReadCloser: body}, nil
	})
	switch {
	case ctx.Err() != nil:
		return nil, collectors.Canceled(ctx)
	case err != nil:
		return nil, named(s.shown, err)
	}
	says.apply(r)
	declare(r, c.config.Classes)
	return r, nil
}

// named says which report an error is about, and keeps its reason.
func named(report string, err error) error {
	reason := record.ReasonOf(err)
	if classified, ok := errors.AsType[*record.Error](err); ok {
		err = classified.Err
	} else {
		reason = record.ReasonTransport
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("report %s: %w", report, err)}
}

// stoppable ends a long read soon after its context.
type stoppable struct {
	io.ReadCloser
	ctx context.Context
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.ReadCloser.Read(p)
}
