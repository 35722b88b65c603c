package scorecard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/filesource"
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
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		return take(r)
	}
	if err := c.eachRepository(ctx, give); err != nil {
		return err
	}
	for _, r := range c.remotes {
		var res result
		_, err := r.Fetch(ctx, &res) // what is a sign-in page and no JSON is told apart by the client
		if err != nil {
			err = fmt.Errorf("read a result: %w", err)
		}
		if err := give(c.reading("url:"+r.Name, "result at "+r.Name, &res, err)); err != nil {
			return err
		}
	}
	files, err := filesource.List(c.config.Paths)
	if err != nil {
		return fmt.Errorf("scorecard: %w", err)
	}
	for _, f := range files {
		res, err := readFile(f.Path)
		if err := give(c.reading("file:"+f.Name, "result "+f.Path, res, err)); err != nil {
			return err
		}
	}
	return collectors.Canceled(ctx)
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

func readFile(path string) (*result, error) {
	handle, _, err := filesource.Open(path)
	if err != nil {
		return nil, err
	}
	defer handle.Close() //nolint:errcheck // Opened for reading only.
	data, err := io.ReadAll(io.LimitReader(handle, maxResult+1))
	if err != nil {
		return nil, filesource.Error(err)
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
