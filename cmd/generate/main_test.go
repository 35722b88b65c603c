package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteThenCheck(t *testing.T) {
	root := t.TempDir()
	if err := run([]string{"-root", root}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-root", root, "-check"}, io.Discard); err != nil {
		t.Errorf("what was just written is out of date: %v", err)
	}
}

func TestCheckNamesWhatDiffers(t *testing.T) {
	root := t.TempDir()
	if err := run([]string{"-root", root}, io.Discard); err != nil {
		t.Fatal(err)
	}
	changed, gone := "deploy/prometheus/alerts.yml", "dashboards/exposure.json"
	if err := os.WriteFile(filepath.Join(root, changed), []byte("groups: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, gone)); err != nil {
		t.Fatal(err)
	}
	err := run([]string{"-root", root, "-check"}, io.Discard)
	if err == nil {
		t.Fatal("a changed and a missing file pass the check")
	}
	for _, name := range []string{changed, gone} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if strings.Contains(err.Error(), "recording.yml") {
		t.Errorf("the error names a file that is current: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, gone)); err == nil {
		t.Error("-check wrote a file")
	}
}

func TestAddressesReachTheAlerts(t *testing.T) {
	root := t.TempDir()
	args := []string{"-root", root, "-runbook-url", "https://wiki.example.com/prodsec/", "-grafana-url", "https://grafana.example.com/"}
	if err := run(args, io.Discard); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "deploy/prometheus/alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"runbook_url: https://wiki.example.com/prodsec/ProdsecSLABreached.md\n",
		"dashboard_url: https://grafana.example.com/d/prodsec-responsiveness?viewPanel=20",
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("alerts.yml lacks %q", want)
		}
	}
}

func TestUnknownFlag(t *testing.T) {
	if err := run([]string{"-no-such-flag"}, io.Discard); err == nil {
		t.Error("an unknown flag is accepted")
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-root", file}, io.Discard); err == nil {
		t.Error("a root that is a file is accepted")
	}
}
