package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	sqlitedriver "modernc.org/sqlite"
	sqlitecodes "modernc.org/sqlite/lib"

	"prodsec_exporter/internal/ledger/store"
)

// applicationID marks files as ledgers (SQLite's PRAGMA application_id): the letters PSLG.
const applicationID = 0x50534c47

// fileMode is that of the ledger's files: they say where an organisation is vulnerable.
const fileMode fs.FileMode = 0o600

// secure makes the file, if it is not there, and lets nobody but its owner read it. SQLite gives the files beside it the same mode.
func secure(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&^fileMode != 0 {
		err = file.Chmod(fileMode)
	}
	return errors.Join(err, file.Close())
}

// recognise refuses a file that is no ledger: another program's database, or one with a version that no program wrote. It returns the schema's version, 0 for an empty file.
func (s *Store) recognise(ctx context.Context) (int, error) {
	var application, version, tables, ours int64
	for _, q := range []struct {
		query string
		into  *int64
	}{
		{"PRAGMA application_id", &application}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_master", &tables},
		{"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('meta', 'report_blocks', 'weakness_blocks', 'event_blocks')", &ours},
	} {
		if err := s.db.QueryRowContext(ctx, q.query).Scan(q.into); err != nil {
			if codeOf(err) == sqlitecodes.SQLITE_NOTADB {
				return 0, fmt.Errorf("%w: %s is no SQLite file; name another one", store.ErrNoLedger, s.path)
			}
			return 0, fmt.Errorf("reading its version: %w", err)
		}
	}
	switch {
	case application != 0 && application != applicationID:
		return 0, fmt.Errorf("%w: %s is the database of another program (application_id %d); name another file", store.ErrNoLedger, s.path, application)
	case version < 0:
		return 0, fmt.Errorf("%w: %s has schema %d, which no version of this program writes; restore it from a backup or name another file", store.ErrNoLedger, s.path, version)
	case tables > 0 && (version == 0 || ours == 0): // an earlier version of the program wrote no application_id
		return 0, fmt.Errorf("%w: %s is the database of another program (its tables are not those of a ledger); name another file", store.ErrNoLedger, s.path)
	}
	s.marked = application == applicationID
	return int(version), nil
}

// mark makes the file known as a ledger.
const mark = "PRAGMA application_id = "

func markStatement() string { return mark + strconv.Itoa(applicationID) }

// identify remembers which file was opened.
func (s *Store) identify() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	s.opened = info
	return nil
}

// errReplaced says that what is written reaches nobody.
var errReplaced = errors.New("the file was deleted or replaced while it was in use; restart the exporter")

// present reports an error when the file that was opened is no longer the one at its path: SQLite would go on writing to a file that has no name.
func (s *Store) present() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && s.opened != nil && !os.SameFile(info, s.opened):
		return fmt.Errorf("%s: %w", s.path, errReplaced)
	case err != nil:
		return fmt.Errorf("looking at the ledger: %w", err)
	default:
		return nil
	}
}

// codeOf is SQLite's primary result code of an error, 0 if it is not SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// inWords says of an error that the disk is full, which SQLite calls by several names.
func (s *Store) inWords(err error) error {
	switch codeOf(err) {
	case sqlitecodes.SQLITE_FULL:
		return fmt.Errorf("the disk is full (%s): free space or move the ledger: %w", filepath.Dir(s.path), err)
	case sqlitecodes.SQLITE_IOERR, sqlitecodes.SQLITE_CANTOPEN:
		if full(filepath.Dir(s.path)) {
			return fmt.Errorf("the disk is full (%s): free space or move the ledger: %w", filepath.Dir(s.path), err)
		}
	}
	return err
}

// probe is how many bytes show that a disk has room: what SQLite needs to begin with.
const probe = 64 << 10

// full reports whether a folder has no room for another small file.
func full(folder string) bool {
	file, err := os.CreateTemp(folder, ".prodsec-probe-*")
	if err == nil {
		_, err = file.Write(make([]byte, probe))
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
