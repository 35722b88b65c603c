//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemdUnit asks systemd itself: the unit has no key it does not know, and its sandbox leaves little open.
func TestSystemdUnit(t *testing.T) {
	unit, err := os.ReadFile("../deploy/systemd/prodsec_exporter.service")
	if err != nil {
		t.Fatal(err)
	}
	// What the unit starts has to exist here.
	text := strings.ReplaceAll(string(unit), "/usr/bin/prodsec_exporter", binary)
	path := filepath.Join(t.TempDir(), "prodsec_exporter.service")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// In tenths: 1.5 of 10.
	if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", path).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
