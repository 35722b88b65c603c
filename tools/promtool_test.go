package tools

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const prometheus = "../deploy/prometheus"

// promtool runs the version of promtool that this module requires and fails the test with what it says.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("go", append([]string{"tool", "promtool"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(prometheus, pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return list
}

// TestConfiguration checks prometheus.yml and with it the rule files it loads.
func TestConfiguration(t *testing.T) {
	promtool(t, "check", "config", filepath.Join(prometheus, "prometheus.yml"))
}

// TestRules runs the unit tests of the rules: each alert silent before its time, firing at it, resolved afterwards, and silent without its source.
func TestRules(t *testing.T) {
	for _, file := range files(t, "tests/*.yml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) { promtool(t, "test", "rules", file) })
	}
}
