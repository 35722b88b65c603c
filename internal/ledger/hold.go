package ledger

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// ErrHeld is wrapped by Hold while another process holds the ledger.
var ErrHeld = errors.New("another exporter uses it")

// lockSuffix makes the name of the file by whose lock a ledger is held.
const lockSuffix = ".lock"

// Holder holds a ledger for this process alone: two that poll into one file would each count what the other did.
type Holder struct{ lock *flock.Flock }

// Hold takes the ledger at path, whose folder must exist, until Release or the end of the process, however it ends: the lock is the operating
// system's. The lock file stays and says who holds the ledger, or held it last. The error wraps ErrHeld and names the holder.
func Hold(path string, since time.Time) (*Holder, error) {
	name := path + lockSuffix
	lock := flock.New(name, flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("holding the ledger %s by a lock on %s: %w; keep it on a file system that has locks", path, name, err)
	}
	if !taken {
		return nil, fmt.Errorf("the ledger %s: %w%s: stop that one, or give this one a --ledger.path of its own", path, ErrHeld, holderOf(name))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := fmt.Sprintf("process %d on host %s since %s\n", os.Getpid(), host, since.UTC().Format(time.RFC3339))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("saying who holds the ledger: %w", err), lock.Unlock())
	}
	return &Holder{lock}, nil
}

// holderOf is what the holder wrote about itself, in brackets; empty if it cannot be read.
func holderOf(name string) string {
	const most = 200
	body, err := os.ReadFile(name)
	text, _, _ := strings.Cut(string(body), "\n")
	if err != nil || text == "" || len(text) > most {
		return ""
	}
	return fmt.Sprintf(" (%q)", text)
}

// Release lets others hold the ledger.
func (h *Holder) Release() error { return failed("releasing the ledger", h.lock.Unlock()) }
