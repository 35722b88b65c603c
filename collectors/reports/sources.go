package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// root is a configured path: a fixed part, and a pattern below it.
type root struct {
	fixed   string
	pattern []string // by folder; empty for a plain file or folder
}

// places splits the configured paths. A pattern's fixed part ends before the first folder with a wildcard.
func places(paths []string) ([]root, error) {
	var all []root
	for _, p := range paths {
		if p == "" {
			return nil, errors.New("a path is empty")
		}
		parts := strings.Split(filepath.ToSlash(filepath.Clean(p)), "/")
		at := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, "*?[") })
		if at < 0 {
			all = append(all, root{fixed: filepath.Clean(p)})
			continue
		}
		for _, part := range parts[at:] {
			if _, err := path.Match(part, ""); err != nil {
				return nil, fmt.Errorf("%q is not a glob pattern such as /reports/**/*.sarif", p)
			}
		}
		fixed := strings.Join(parts[:at], "/")
		if fixed == "" && strings.HasPrefix(p, "/") {
			fixed = "/"
		}
		all = append(all, root{fixed: filepath.FromSlash(fixed), pattern: parts[at:]})
	}
	return all, nil
}

// match reports whether path parts match pattern parts, in which ** stands for any number of folders.
func match(pattern, parts []string) bool {
	switch {
	case len(pattern) == 0:
		return len(parts) == 0
	case pattern[0] == "**":
		return match(pattern[1:], parts) || len(parts) > 0 && match(pattern, parts[1:])
	case len(parts) == 0:
		return false
	}
	ok, err := path.Match(pattern[0], parts[0])
	return err == nil && ok && match(pattern[1:], parts[1:])
}

// foundFile is a report file and where it is.
type foundFile struct {
	name string
	info fs.FileInfo
	err  error
}

// files lists the reports below a root in the order of their names. Hidden files, sidecars and what is no regular file are left out.
func (r root) files(ctx context.Context) ([]foundFile, error) {
	start := r.fixed
	if start == "" {
		start = "."
	}
	info, err := os.Stat(start)
	if err != nil {
		return nil, pathError(err)
	}
	if !info.IsDir() {
		return []foundFile{{name: r.fixed, info: info}}, nil
	}
	var found []foundFile
	err = filepath.WalkDir(start, func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return &record.Error{Reason: record.ReasonCanceled, Err: ctx.Err()}
		}
		hidden := name != start && strings.HasPrefix(filepath.Base(name), ".")
		switch {
		case err != nil && entry != nil && entry.IsDir() && name != start:
			// One folder that cannot be listed must not look like a folder without reports.
			return pathError(err)
		case err != nil:
			return pathError(err)
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir(), hidden, strings.HasSuffix(name, sidecarSuffix):
			return nil
		}
		relative, err := filepath.Rel(start, name)
		if err != nil {
			return pathError(err)
		}
		if len(r.pattern) > 0 && !match(r.pattern, strings.Split(filepath.ToSlash(relative), "/")) {
			return nil
		}
		info, err := os.Stat(name) // follows links: mounted secrets and config maps are made of them
		if err == nil && !info.Mode().IsRegular() {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted between listing and looking, or a link to nowhere
		}
		found = append(found, foundFile{name: name, info: info, err: err})
		return nil
	})
	return found, err
}

func pathError(err error) error {
	if _, ok := errors.AsType[*record.Error](err); ok {
		return err
	}
	reason := record.ReasonTransport
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = record.ReasonNotFound
	case errors.Is(err, fs.ErrPermission):
		reason = record.ReasonPermission
	}
	return &record.Error{Reason: reason, Err: fmt.Errorf("reports: %w", err)}
}

// fileSources lists the files by name. The error says that not even a list could be made.
func (c *Collector) fileSources(ctx context.Context) ([]source, error) {
	var files []foundFile
	seen := map[string]bool{}
	for _, r := range c.places {
		found, err := r.files(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !seen[f.name] {
				seen[f.name] = true
				files = append(files, f)
			}
		}
	}
	slices.SortFunc(files, func(a, b foundFile) int { return strings.Compare(a.name, b.name) })
	common := commonFolder(c.places)
	all := make([]source, len(files))
	for i, f := range files {
		all[i] = fileSource(f, common)
	}
	return all, nil
}

// sources are the files, then the addresses in the order of the configuration, each fetched when its turn comes.
func (c *Collector) sources(ctx context.Context, files []source) iter.Seq[source] {
	return func(yield func(source) bool) {
		for _, s := range files {
			if !yield(s) {
				return
			}
		}
		for _, r := range c.remotes {
			if !yield(r.source(ctx)) {
				return
			}
		}
	}
}

// commonFolder is the folder that all configured paths share. Scopes are named relative to it: unique, and the same
// wherever the tree is mounted. A single file's is its own folder.
func commonFolder(roots []root) string {
	var common []string
	for i, r := range roots {
		folder := r.fixed
		if info, err := os.Stat(folder); err == nil && !info.IsDir() {
			folder = filepath.Dir(folder)
		}
		parts := strings.Split(filepath.ToSlash(folder), "/")
		if i == 0 {
			common = parts
			continue
		}
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	joined := strings.Join(common, "/")
	if joined == "" && len(common) > 0 {
		joined = "/"
	}
	return filepath.FromSlash(joined)
}

func fileSource(f foundFile, common string) source {
	relative, err := filepath.Rel(common, f.name)
	if err != nil {
		relative = f.name
	}
	s := source{
		relative: record.Text(filepath.ToSlash(relative)), shown: f.name,
		open: func() (io.ReadCloser, error) {
			handle, err := os.Open(f.name)
			if err != nil {
				return nil, pathError(err)
			}
			return handle, nil
		},
		sidecar: func() (*sidecar, error) {
			handle, err := os.Open(f.name + sidecarSuffix)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			defer handle.Close() //nolint:errcheck // Opened for reading only.
			return parseSidecar(handle)
		},
	}
	if f.err != nil {
		s.err = pathError(f.err)
		return s
	}
	s.written = f.info.ModTime().UTC()
	return s
}

// remote is a report behind an address.
type remote struct {
	address  string
	relative string
	client   *apiclient.Client
}

// maxRemote bounds a report read over HTTP: unlike a file it is held in memory while it is read.
const maxRemote = 256 << 20

func newRemote(address string, token apiclient.Secret, env collectors.Env) (remote, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return remote{}, errors.New("an address is not a full one such as https://ci.example.com/reports/api.sarif")
	case u.User != nil:
		return remote{}, fmt.Errorf("the address at %s holds a user or password; name a token file instead", u.Host)
	}
	var auth apiclient.Auth
	if !token.IsZero() {
		auth = apiclient.Bearer(token)
	}
	client, err := env.Client(apiclient.Options{BaseURL: u.Scheme + "://" + u.Host, Auth: auth, MaxBody: maxRemote, CacheBytes: -1})
	if err != nil {
		return remote{}, err
	}
	return remote{address: address, relative: record.Text(u.Host + u.EscapedPath()), client: client}, nil
}

// source fetches the report at once, because it is read more than once.
func (r remote) source(ctx context.Context) source {
	s := source{relative: r.relative, shown: r.relative, remote: true}
	var data []byte
	response, err := r.client.Do(ctx, http.MethodGet, r.address, nil, nil, &data)
	if err != nil {
		s.err = fmt.Errorf("read report: %w", err)
		return s
	}
	if written, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		s.written = written.UTC()
	}
	s.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return s
}

// compare orders by pairs of texts, the first that differ decide.
func compare(pairs ...string) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if c := strings.Compare(pairs[i], pairs[i+1]); c != 0 {
			return c
		}
	}
	return 0
}
