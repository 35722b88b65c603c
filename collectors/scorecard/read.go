package scorecard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// reading is one result as a batch.
type reading struct {
	batch record.Batch
	// subject names it for people.
	subject string
	// repository is what the API was asked about; unscanned says that it has no result.
	repository record.RepositoryName
	unscanned  bool
}

// each reads all results: of the API, of files by their name, of addresses in the order of the configuration. The error is that of
// take, that the context ended, or that not even the names of the files are known.
func (c *Collector) each(ctx context.Context, take func(reading) error) error {
	give := func(r reading) error {
		if err := translate.Canceled(ctx); err != nil {
			return err
		}
		return take(r)
	}
	if err := c.eachRepository(ctx, give); err != nil {
		return err
	}
	for _, r := range c.remotes {
		res, err := r.fetch(ctx)
		if err := give(c.reading("url:"+r.name, "result at "+r.name, res, err)); err != nil {
			return err
		}
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		res, err := readFile(f.path)
		if err := give(c.reading("file:"+f.name, "result "+f.path, res, err)); err != nil {
			return err
		}
	}
	return translate.Canceled(ctx)
}

// eachRepository asks the API. That it does not know a repository means that nobody has scanned it; that it knows none of them is an
// error, because an address that is not the API's looks the same.
func (c *Collector) eachRepository(ctx context.Context, take func(reading) error) error {
	var unknown []reading
	for _, repository := range c.repositories {
		r := c.ask(ctx, repository)
		if r.unscanned {
			unknown = append(unknown, r)
			continue
		}
		if err := take(r); err != nil {
			return err
		}
	}
	for _, r := range unknown {
		if len(unknown) == len(c.repositories) {
			r.unscanned = false
			r.batch.Err = fmt.Errorf("the API knows none of the configured repositories; see whether api is right and they are public: %w", r.batch.Err)
		} else {
			r.batch = record.Batch{Scope: r.batch.Scope, Mode: record.Full, Evidence: []record.Evidence{}}
		}
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}

// ask reads one repository's result from the API. One that the API does not know is marked, and has the API's error.
func (c *Collector) ask(ctx context.Context, repository record.RepositoryName) reading {
	var res result
	_, err := c.api.Do(ctx, http.MethodGet, address(repository), nil, nil, &res)
	if err == nil {
		// A result of another repository would be a false statement about this one.
		if name, nameErr := res.repository(); nameErr != nil || name != repository {
			err = &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the result is about %q; name the repository as it is called now", record.Text(res.Repo.Name))}
		}
	}
	r := c.reading("repository:"+string(repository), "repository "+string(repository), &res, err)
	r.repository, r.unscanned = repository, record.ReasonOf(err) == record.ReasonNotFound
	return r
}

// reading translates a result, or says why there is none.
func (c *Collector) reading(scope, subject string, res *result, err error) reading {
	r := reading{subject: subject, batch: record.Batch{Scope: scope}}
	if err == nil {
		r.batch, err = c.rules.batch(scope, res, c.env.Now())
	}
	if err != nil {
		r.batch = translate.Failed(scope, fmt.Errorf("%s: %w", subject, err))
	}
	return r
}

// file is a result file. Its name is relative to the folder above the first pattern, so that it stays when the tree is mounted
// elsewhere.
type file struct{ path, name string }

// files lists the files. A name without a pattern stands for itself, whether it exists or not; a pattern that matches nothing is an
// error, because results that vanished must not look as if there had never been any.
func (c *Collector) files() ([]file, error) {
	var files []file
	for _, pattern := range c.config.Paths {
		if !strings.ContainsAny(pattern, "*?[") {
			files = append(files, file{pattern, filepath.Base(pattern)})
			continue
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("scorecard: paths: %w", err) // New has checked the pattern
		}
		if len(found) == 0 {
			return nil, &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("scorecard: no file matches %s", pattern)}
		}
		root := filepath.Dir(pattern[:strings.IndexAny(pattern, "*?[")] + "x")
		for _, path := range found {
			name, err := filepath.Rel(root, path)
			if err != nil {
				name = path
			}
			files = append(files, file{path, record.Text(filepath.ToSlash(name))})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	files = slices.CompactFunc(files, func(a, b file) bool { return a.path == b.path })
	// Two patterns may know two files by one name.
	seen := map[string]bool{}
	for i, f := range files {
		if seen[f.name] {
			files[i].name = record.Text(filepath.ToSlash(f.path))
		}
		seen[f.name] = true
	}
	return files, nil
}

func readFile(path string) (*result, error) {
	handle, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer handle.Close() //nolint:errcheck // Opened for reading only.
	data, err := io.ReadAll(io.LimitReader(handle, maxResult+1))
	if err != nil {
		return nil, fileError(err)
	}
	if len(data) > maxResult {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the file is larger than %d MB; that is no result of Scorecard", maxResult>>20)}
	}
	return decodeResult(data)
}

// decodeResult reads what "scorecard --format json" writes.
func decodeResult(data []byte) (*result, error) {
	var res result
	if err := json.Unmarshal(data, &res); err != nil {
		return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("this is no result of scorecard --format json: %w", err)}
	}
	return &res, nil
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
