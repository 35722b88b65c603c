package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// exporter runs the program of this repository. A configuration in a values file names secrets that exist only in a cluster, so
// that they cannot be read here is no fault.
func exporter(t *testing.T, ctx context.Context, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./cmd/prodsec_exporter"}, args...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Secrets that cannot be read here:") {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
	if !strings.Contains(string(out), "is well-formed") {
		t.Errorf("%v: the exporter does not understand the configuration:\n%s", args, out)
	}
}
