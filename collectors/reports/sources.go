package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"prodsec_exporter/internal/filesource"
	"prodsec_exporter/internal/record"
)

// source is one report that can be read, more than once.
type source struct {
	// relative names the report in its scope.
	relative string
	// shown names the report in errors.
	shown string
	open  func() (io.ReadCloser, error)
	// written is when the report was last changed, zero if unknown.
	written time.Time
	sidecar func() (*sidecar, error)
	// remote says that the report is behind an address: it is held in memory and read in its turn only.
	remote bool
	// err says why the report cannot be read at all.
	err error
}

func fileSource(f filesource.Entry) source {
	s := source{
		relative: f.Name, shown: f.Path,
		open: func() (io.ReadCloser, error) {
			content, _, err := filesource.Open(f.Path)
			return content, err
		},
		sidecar: func() (*sidecar, error) {
			content, _, err := filesource.Open(f.Path + sidecarSuffix)
			if record.ReasonOf(err) == record.ReasonNotFound {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			defer content.Close() //nolint:errcheck // Opened for reading only.
			return parseSidecar(content)
		},
	}
	if f.Err != nil {
		s.err = f.Err
		return s
	}
	s.written = f.Info.ModTime().UTC()
	return s
}

// maxRemote bounds a report read over HTTP: unlike a file it is held in memory while it is read.
const maxRemote = 256 << 20

// remoteSource fetches the report at once, because it is read more than once.
func remoteSource(ctx context.Context, r filesource.Remote) source {
	s := source{relative: r.Name, shown: r.Name, remote: true}
	var data []byte
	if s.written, s.err = r.Fetch(ctx, &data); s.err != nil {
		s.err = fmt.Errorf("read report: %w", s.err)
		return s
	}
	s.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return s
}

// sidecarSuffix is appended to a report's name.
const sidecarSuffix = ".meta.json"

const maxSidecar = 64 << 10

// sidecar is what a file beside a report says about it.
type sidecar struct {
	Repository string `json:"repository"`
	Image      string `json:"image"`
}

func parseSidecar(r io.Reader) (*sidecar, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSidecar))
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var s sidecar
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf(`want {"repository": "owner/name", "image": "registry/name"}: %w`, err)
	}
	return &s, nil
}
