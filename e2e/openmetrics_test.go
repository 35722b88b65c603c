//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// parse counts the families of an answer by the parser of Prometheus' Python client (Debian's python3-prometheus-client), which refuses what breaks OpenMetrics.
const parse = `import sys
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
print(sum(1 for _ in text_fd_to_metric_families(sys.stdin)))`

func strictlyParsed(t *testing.T, e *exporter) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url("/metrics"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // Read to its end below.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", parse)
	cmd.Stdin = bytes.NewReader(body)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, &stderr)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || n < 100 {
		t.Errorf("the parser found %q families, want more than 100", out)
	}
}
