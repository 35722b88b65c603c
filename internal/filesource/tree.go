package filesource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// Trees are configured paths that stand for files, for folders with everything below them, or for patterns in which ** stands for any folders.
type Trees []tree

// tree is a configured path: a fixed part, and a pattern below it.
type tree struct {
	fixed   string
	pattern []string // by folder; empty for a plain file or folder
}

// NewTrees splits and checks paths; it does not look at the file system. A pattern's fixed part ends before the first folder with a wildcard.
func NewTrees(paths []string) (Trees, error) {
	var all Trees
	for _, p := range paths {
		if p == "" {
			return nil, errors.New("a path is empty")
		}
		parts := strings.Split(filepath.ToSlash(filepath.Clean(p)), "/")
		at := slices.IndexFunc(parts, isPattern)
		if at < 0 {
			all = append(all, tree{fixed: filepath.Clean(p)})
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
		all = append(all, tree{fixed: filepath.FromSlash(fixed), pattern: parts[at:]})
	}
	return all, nil
}

// Entry is a file of a tree.
type Entry struct {
	File
	// Info is what the file system says about the file, nil with Err.
	Info fs.FileInfo
	// Err says why the file could not be looked at; a *record.Error.
	Err error
}

// Files lists the files of all trees by their path. Hidden files and folders, those whose names end in omit, and what is no regular file are left out.
// Names are relative to the folder that all configured paths share. The error, a *record.Error, says that not even a list could be made: a folder that
// cannot be listed must not look like one without files.
func (t Trees) Files(ctx context.Context, omit string) ([]Entry, error) {
	var files []Entry
	seen := map[string]bool{}
	for _, one := range t {
		found, err := one.files(ctx, omit)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !seen[f.Path] {
				seen[f.Path] = true
				files = append(files, f)
			}
		}
	}
	slices.SortFunc(files, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	common := t.common()
	for i, f := range files {
		files[i].Name = record.Text(filepath.ToSlash(relative(common, f.Path)))
	}
	return files, nil
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

func (t tree) files(ctx context.Context, omit string) ([]Entry, error) {
	start := t.fixed
	if start == "" {
		start = "."
	}
	info, err := os.Stat(start)
	if err != nil {
		return nil, Error(err)
	}
	if !info.IsDir() {
		return []Entry{{File: File{Path: t.fixed}, Info: info}}, nil
	}
	var found []Entry
	err = filepath.WalkDir(start, func(name string, entry fs.DirEntry, err error) error {
		hidden := name != start && strings.HasPrefix(filepath.Base(name), ".")
		switch {
		case ctx.Err() != nil:
			return &record.Error{Reason: record.ReasonCanceled, Err: ctx.Err()}
		case err != nil:
			return Error(err)
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir(), hidden, omit != "" && strings.HasSuffix(name, omit):
			return nil
		case len(t.pattern) > 0 && !match(t.pattern, strings.Split(filepath.ToSlash(relative(start, name)), "/")):
			return nil
		}
		info, err := os.Stat(name) // follows links: mounted secrets and config maps are made of them
		switch {
		case err == nil && !info.Mode().IsRegular():
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted between listing and looking, or a link to nowhere
		case err != nil:
			found = append(found, Entry{File: File{Path: name}, Err: Error(err)})
		default:
			found = append(found, Entry{File: File{Path: name}, Info: info})
		}
		return nil
	})
	return found, err
}

// common is the folder that all configured paths share; a single file's is its own folder.
func (t Trees) common() string {
	var common []string
	for i, one := range t {
		folder := one.fixed
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
