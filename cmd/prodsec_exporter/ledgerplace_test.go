package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unwritable is a folder in which this process cannot create files, whoever it runs as.
func unwritable(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 {
		return "/proc" // permissions do not bind root; the kernel's own file system does
	}
	dir := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLedgerThatCannotBeKept(t *testing.T) {
	dir, configFile := files(t)
	locked := unwritable(t)
	for _, tt := range []struct {
		name, path string
		want       []string
	}{
		{"directory", dir, []string{dir + ": is a directory", "name a file, such as " + dir + "/prodsec.db"}},
		{"folder that is a file", filepath.Join(configFile, "prodsec.db"), []string{configFile, "not a directory", "a folder that this process may create"}},
		{"folder that is not writable", filepath.Join(locked, "prodsec.db"), []string{"folder " + locked + " is not writable", "let this process's user create files"}},
		{"device", os.DevNull, []string{"is not a regular file: name a file"}},
		{"nothing", "", []string{"--ledger.path is empty"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := runCommand("--config.file="+configFile, "--ledger.path="+tt.path, "--web.listen-address=127.0.0.1:0")
			for _, want := range append(tt.want, "--ledger.path") {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

func TestLedgerPlaceIsLeftAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "prodsec.db")
	for range 2 { // the second time with the file
		if err := checkLedgerPlace(path); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) > 1 || len(left) == 1 && left[0].Name() != filepath.Base(path) {
			t.Errorf("left behind: %v (%v)", left, err)
		}
		put(t, path, "kept")
	}
	if text := string(readFile(t, path)); text != "kept" {
		t.Errorf("the file was changed to %q", text)
	}
}
