package monitoring_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"prodsec_exporter/internal/monitoring/boards"
)

// panelLink is a link of a runbook to a panel, by the title in its text: [Board, "Title"](…/d/UID?viewPanel=ID), or ["Title"](…) after another one.
var panelLink = regexp.MustCompile(`\[[^]"]*"([^"]+)"\]\([^)]*/d/([a-z-]+)\?viewPanel=(\d+)\)`)

// TestRunbooksNamePanels as the boards title them; a title may be cut at a comma.
func TestRunbooksNamePanels(t *testing.T) {
	titles := map[string]string{}
	for _, b := range boards.All() {
		for _, row := range b.Rows {
			for _, p := range row.Panels {
				titles[fmt.Sprint(b.UID, p.ID)] = p.Title
			}
		}
	}
	runbooks, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, name := range runbooks {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range panelLink.FindAllStringSubmatch(string(text), -1) {
			links++
			title, found := titles[m[2]+m[3]]
			if !found || title != m[1] && !strings.HasPrefix(title, m[1]+",") {
				t.Errorf("%s names the panel %q of %s; its title is %q", filepath.Base(name), m[1], m[2], title)
			}
		}
	}
	if links < 30 {
		t.Errorf("found only %d links to panels", links)
	}
}
