package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	for noted, want := range map[string]string{
		"": "devel", "(devel)": "devel", "v1.2.3": "v1.2.3",
		"v0.0.0-20260101120000-abcdefabcdef+dirty": "v0.0.0-20260101120000-abcdefabcdef+dirty",
	} {
		if got := versionOf(&debug.BuildInfo{Main: debug.Module{Version: noted}}); got != want {
			t.Errorf("noted %q: %q, want %q", noted, got, want)
		}
	}
}

// A build of which the linker was told nothing, as this test is one, still says what it is.
func TestVersionIsNeverEmpty(t *testing.T) {
	for _, argument := range []string{"version", "--version"} {
		stdout, _, err := runCommand(argument)
		if fields := strings.Fields(stdout); err != nil || len(fields) < 4 || fields[1] != "version" || strings.HasPrefix(fields[2], "(") {
			t.Errorf("%s: %v\n%s", argument, err, stdout)
		}
	}
	dir, configFile := files(t)
	r := run(t, "--config.file="+configFile, "--ledger.path="+dir+"/ledger.db")
	if strings.Contains(r.log.String(), "version=,") || strings.Contains(r.log.String(), "(version=, ") {
		t.Errorf("the log names no version:\n%s", r.log)
	}
	if _, metrics := r.ask("GET", "/metrics"); strings.Contains(metrics, `version=""`) {
		t.Error("prodsec_exporter_build_info names no version")
	}
}
