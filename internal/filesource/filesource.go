// Package filesource lists and opens what collectors of files read: files at configured paths and patterns, folders with everything below them, and
// addresses. What is in them is the collector's business.
//
// Scopes are named after files, so the names that List, Trees and Remotes give are stable: they do not change when a tree is mounted elsewhere.
//
// It knows how files are found and fetched, and no format. To add another place that files come from: a file beside remote.go and tree.go that gives stable names.
package filesource

import (
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
)

// File is a file that a configured path stands for.
type File struct {
	// Path is where it is. Name is its path relative to what was configured, with slashes and bounded as record.Text does.
	Path, Name string
}

// CheckPatterns reports a path that is neither a file name nor a glob pattern; example is one for the message.
func CheckPatterns(paths []string, example string) error {
	for _, p := range paths {
		if _, err := filepath.Match(p, ""); err != nil || p == "" {
			return fmt.Errorf("%q is neither a file name nor a glob pattern such as %s", p, example)
		}
	}
	return nil
}

// List finds the files of paths and glob patterns, which CheckPatterns has checked, in the order of their paths. A path without a pattern stands for
// itself, whether it exists or not; a pattern that matches nothing is an error, because files that vanished must not look as if there had never
// been any. Names are relative to the folder above a pattern. Errors are *record.Error.
func List(paths []string) ([]File, error) {
	var files []File
	for _, pattern := range paths {
		if !isPattern(pattern) {
			files = append(files, File{pattern, filepath.Base(pattern)})
			continue
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, Error(err)
		}
		if len(found) == 0 {
			return nil, &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("no file matches %s", pattern)}
		}
		above := filepath.Dir(pattern[:strings.IndexAny(pattern, wildcards)] + "x")
		for _, path := range found {
			files = append(files, File{path, relative(above, path)})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	files = slices.CompactFunc(files, func(a, b File) bool { return a.Path == b.Path })
	// Two patterns may know two files by one name.
	seen := map[string]bool{}
	for i, f := range files {
		if seen[f.Name] {
			f.Name = f.Path
		}
		seen[f.Name] = true
		files[i].Name = record.Text(filepath.ToSlash(f.Name))
	}
	return files, nil
}

// wildcards are the characters that make a path a pattern.
const wildcards = "*?["

func isPattern(path string) bool { return strings.ContainsAny(path, wildcards) }

// relative is path as seen from a folder, or path itself where there is no such thing.
func relative(folder, path string) string {
	if name, err := filepath.Rel(folder, path); err == nil {
		return name
	}
	return path
}

// Open opens a file and says when it was written. Errors are *record.Error.
func Open(path string) (content io.ReadCloser, written time.Time, err error) {
	handle, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, Error(err)
	}
	info, err := handle.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(Error(err), handle.Close())
	}
	return handle, info.ModTime().UTC(), nil
}

// Error classifies an error of the file system as a *record.Error, and passes one that is classified.
func Error(err error) error {
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
	return &record.Error{Reason: reason, Err: fmt.Errorf("read: %w", err)}
}
