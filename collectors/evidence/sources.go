package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
		files = append(files, source{scope: scopeOf("url", r.name), subject: "evidence at " + r.name, open: func(ctx context.Context) (io.ReadCloser, time.Time, error) {
			data, written, err := r.fetch(ctx)
			return io.NopCloser(bytes.NewReader(data)), written, err
		}})
	}
	for _, s := range files {
		if err := translate.Canceled(ctx); err != nil {
			return err
		}
		b := c.read(ctx, s)
		if err := translate.Canceled(ctx); err != nil {
			return err
		}
		if err := take(s, b); err != nil {
			return err
		}
	}
	return translate.Canceled(ctx)
}

// files lists the files. A name without a pattern stands for itself, whether it exists or not; a pattern that matches nothing is an error,
// because evidence that vanished must not look as if there had never been any.
func (c *Collector) files() ([]source, error) {
	type file struct{ path, name string }
	var files []file
	for _, pattern := range c.config.Paths {
		if !strings.ContainsAny(pattern, "*?[") {
			files = append(files, file{pattern, filepath.Base(pattern)})
			continue
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("evidence: paths: %w", err) // New has checked the pattern
		}
		if len(found) == 0 {
			return nil, &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("evidence: no file matches %s", pattern)}
		}
		root := filepath.Dir(pattern[:strings.IndexAny(pattern, "*?[")] + "x")
		for _, path := range found {
			name, err := filepath.Rel(root, path)
			if err != nil {
				name = path
			}
			files = append(files, file{path, name})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	files = slices.CompactFunc(files, func(a, b file) bool { return a.path == b.path })
	var all []source
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.name] { // two patterns may know two files by one name
			f.name = f.path
		}
		seen[f.name] = true
		all = append(all, source{scope: scopeOf("file", record.Text(filepath.ToSlash(f.name))), subject: "file " + f.path, open: func(context.Context) (io.ReadCloser, time.Time, error) {
			return openFile(f.path)
		}})
	}
	return all, nil
}

func openFile(path string) (io.ReadCloser, time.Time, error) {
	handle, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, fileError(err)
	}
	info, err := handle.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(fileError(err), handle.Close())
	}
	return handle, info.ModTime().UTC(), nil
}

func fileError(err error) error {
	reason := record.ReasonTransport
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = record.ReasonNotFound
	case errors.Is(err, fs.ErrPermission):
		reason = record.ReasonPermission
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("read: %w", err)}
}

// read translates a source, or says why it could not be read.
func (c *Collector) read(ctx context.Context, s source) record.Batch {
	fail := func(err error) record.Batch { return translate.Failed(s.scope, fmt.Errorf("%s: %w", s.subject, err)) }
	content, written, err := s.open(ctx)
	if err != nil {
		return fail(err)
	}
	defer content.Close() //nolint:errcheck // Opened for reading only.
	r := &reading{collector: c, scope: s.scope, written: written, now: c.env.Now(), pile: pile{}, rejected: map[record.RejectReason]int{}}
	if err := r.stream(ctx, content); err != nil {
		return fail(err)
	}
	r.told()
	return record.Batch{Scope: s.scope, Mode: record.Full, Evidence: r.pile.evidence(), Rejected: r.rejected}
}
