package evidence

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// source is a file or an address.
type source struct {
	scope   string
	subject string
	// open yields the content and when it was written, zero if nobody knows.
	open func(ctx context.Context) (io.ReadCloser, time.Time, error)
}

// each reads all sources: files by their name, then addresses in the order of the configuration. The error is that of take, that the context
// ended, or that not even the names of the files are known.
func (c *Collector) each(ctx context.Context, take func(source, record.Batch) error) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	for _, r := range c.remotes {
		files = append(files, source{scope: scopeOf("url", r.Name), subject: "evidence at " + r.Name, open: func(ctx context.Context) (io.ReadCloser, time.Time, error) {
			var data []byte
			written, err := r.Fetch(ctx, &data)
			if err != nil {
				return nil, time.Time{}, fmt.Errorf("read evidence: %w", err)
			}
			return io.NopCloser(bytes.NewReader(data)), written, nil
		}})
	}
	for _, s := range files {
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		b := c.read(ctx, s)
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		if err := take(s, b); err != nil {
			return err
		}
	}
	return collectors.Canceled(ctx)
}

// files are the configured files as sources.
func (c *Collector) files() ([]source, error) {
	files, err := filesource.List(c.config.Paths)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	var all []source
	for _, f := range files {
		all = append(all, source{scope: scopeOf("file", f.Name), subject: "file " + f.Path, open: func(context.Context) (io.ReadCloser, time.Time, error) {
			return filesource.Open(f.Path)
		}})
	}
	return all, nil
}

// read translates a source, or says why it could not be read.
func (c *Collector) read(ctx context.Context, s source) record.Batch {
	fail := func(err error) record.Batch { return translate.Failed(s.scope, fmt.Errorf("%s: %w", s.subject, err)) }
	content, written, err := s.open(ctx)
	if err != nil {
		return fail(err)
	}
	defer content.Close() //nolint:errcheck // Opened for reading only.
	r := &reading{collector: c, scope: s.scope, written: written, now: c.env.Now(), statements: statementSet{}, rejected: map[record.RejectReason]int{}}
	if err := r.stream(ctx, content); err != nil {
		return fail(err)
	}
	r.logLeftOut()
	return record.Batch{Scope: s.scope, Mode: record.Full, Evidence: r.statements.evidence(), Rejected: r.rejected}
}
