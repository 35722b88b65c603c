package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prodsec_exporter/internal/ledger"
)

func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	first, err := ledger.Hold(path, day(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ledger.Hold(path, day(2))
	if !errors.Is(err, ledger.ErrHeld) {
		t.Fatalf("a second holder: %v", err)
	}
	for _, want := range []string{path, fmt.Sprintf("process %d on host", os.Getpid()), "since 2026-01-01T12:00:00Z", "--ledger.path"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Hold(path, day(2)); !errors.Is(err, ledger.ErrHeld) || strings.Contains(err.Error(), "(") {
		t.Errorf("a holder that wrote nothing: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second, err := ledger.Hold(path, day(3))
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Hold(filepath.Join(path, "none", "ledger.db"), day(1)); err == nil || errors.Is(err, ledger.ErrHeld) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
