//go:build e2e

package e2e

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser runs headless Chromium on a page and returns what it made of it.
func browser(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	common := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--enable-logging=stderr", "--user-data-dir=" + t.TempDir(),
	}
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "chromium", append(common, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, log.String())
	}
	return out.String(), log.String()
}

// TestPagesInABrowser opens the landing page and the evidence pages as people do: the links between them work, and nothing is blocked by
// their own policy of contents.
func TestPagesInABrowser(t *testing.T) {
	e := startExporter(t, "--demo")
	e.ready(30 * time.Second)
	visit := func(path string, wants ...string) string {
		t.Helper()
		page, log := browser(t, "--dump-dom", e.url(path))
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q:\n%.2000s", path, want, page)
			}
		}
		for line := range strings.Lines(log) {
			if strings.Contains(line, "CONSOLE") || strings.Contains(line, "Content Security Policy") {
				t.Errorf("%s: the browser complains: %s", path, line)
			}
		}
		return page
	}
	visit("/", `href="evidence/"`, "Ready.", "defectdojo")
	index := visit("/evidence/", "Open findings")
	lists := regexp.MustCompile(`<td><a href="([a-z]+)">`).FindAllStringSubmatch(index, -1)
	if len(lists) < 9 {
		t.Fatalf("the index leads to %d lists", len(lists))
	}
	for _, l := range lists {
		if body, err := get(e.url("/evidence/" + l[1])); err != nil || !bytes.Contains(body, []byte("Counted by")) {
			t.Errorf("/evidence/%s: %v", l[1], err)
		}
	}
	findings := visit("/evidence/findings?severity=critical", "severity: critical", "of ")
	weakness := regexp.MustCompile(`href="(findings/\d+)"`).FindStringSubmatch(findings)
	if weakness == nil {
		t.Fatal("no finding leads to its page")
	}
	visit("/evidence/"+weakness[1], "Reports that are counted as this one weakness", "What happened to it", "opened")

	picture := filepath.Join(t.TempDir(), "evidence.png")
	browser(t, "--hide-scrollbars", "--window-size=1280,900", "--screenshot="+picture, e.url("/evidence/findings"))
	data, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if size, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || size.Width != 1280 {
		t.Errorf("the picture of the page: %+v, %v", size, err)
	}
}
