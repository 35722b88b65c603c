package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkLedgerPlace makes the ledger's folder and finds out whether a ledger can be kept at path, since SQLite only says that it cannot.
func checkLedgerPlace(path string) error {
	fail := func(err error, remedy string) error { return fmt.Errorf("--ledger.path %s: %w: %s", path, err, remedy) }
	if path == "" {
		return errors.New("--ledger.path is empty: name a file")
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fail(err, "name a file in a folder that this process may create")
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fail(err, "name a file that this process may read and write")
	case info.IsDir():
		return fail(errors.New("is a directory"), "name a file, such as "+filepath.Join(path, filepath.Base(defaultLedger)))
	case !info.Mode().IsRegular():
		return fail(errors.New("is not a regular file"), "name a file")
	default:
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return fail(err, "give this process's user read and write access to it")
		}
		if err := file.Close(); err != nil {
			return fail(err, "see whether its file system is in order")
		}
	}
	return checkWritable(folder, fail)
}

// checkWritable tries to write a file where SQLite will put its log beside the ledger; permissions alone do not tell, as on a file system
// that is mounted read-only.
func checkWritable(folder string, fail func(error, string) error) error {
	const remedy = "let this process's user create files in that folder, or name a file in another"
	probe, err := os.CreateTemp(folder, ".prodsec-writable-*")
	if err != nil {
		return fail(fmt.Errorf("folder %s is not writable: %w", folder, err), remedy)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fail(fmt.Errorf("folder %s: %w", folder, err), remedy)
	}
	return nil
}
