package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryLinkedModuleIsNamed(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"-program", "prodsec_exporter/cmd/prodsec_exporter"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Go standard library go1.",
		"github.com/prometheus/client_golang v",
		"SoundCloud Ltd.", // a NOTICE file
		"github.com/mdlayher/vsock v",
		"modernc.org/sqlite v",
		"Permission is hereby granted",
		"Apache License",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("notices lack %q", want)
		}
	}
	if strings.Contains(out.String(), "golang-jwt/jwt/v4") {
		t.Error("notices name a module that the repository replaces")
	}
	if strings.Contains(out.String(), "grafana-foundation-sdk") {
		t.Error("notices name a module that only the generator uses")
	}
}

func TestModuleWithoutLicence(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "license.go"), []byte("package licence"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := write(&bytes.Buffer{}, []module{{Path: "example.org/bare", Version: "v1.0.0", Dir: dir}})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "example.org/bare v1.0.0 has no licence file") {
		t.Errorf("got %v", err)
	}
}

// TestShipped holds the recipes of archives and image to what the licences ask for.
func TestShipped(t *testing.T) {
	for _, recipe := range []string{"Makefile", "Dockerfile"} {
		text, err := os.ReadFile(filepath.Join("..", "..", recipe))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"LICENSE", "NOTICE", "THIRD_PARTY_NOTICES"} {
			if !strings.Contains(string(text), file) {
				t.Errorf("%s does not ship %s", recipe, file)
			}
		}
	}
	ignored, err := os.ReadFile(filepath.Join("..", "..", ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(ignored)) {
		if line == "LICENSE" || line == "NOTICE" || line == "cmd" {
			t.Errorf(".dockerignore keeps %s out of the image", line)
		}
	}
}
