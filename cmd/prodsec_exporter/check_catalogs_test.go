package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckNamesWhatCatalogsDisagreeAbout, which is no failure.
func TestCheckNamesWhatCatalogsDisagreeAbout(t *testing.T) {
	dir := t.TempDir()
	a := put(t, filepath.Join(dir, "a.yml"), "services: [{name: api, team: red, trust_tier: tier0}, {name: web, team: red}]\n")
	b := put(t, filepath.Join(dir, "b.yml"), "services: [{name: api, team: blue, trust_tier: tier0}]\n")
	configure := func(more string) string {
		return put(t, filepath.Join(dir, "prodsec.yml"), fmt.Sprintf("collectors: {catalog: [{name: a, path: %s}, {name: b, path: %s}]}\n%s", a, b, more))
	}
	check := func(more string) string {
		stdout, _, err := runCommand("--config.file="+configure(more), "check", "--online")
		if err != nil {
			t.Errorf("check --online: %v\n%s", err, stdout)
		}
		return strings.Join(strings.Fields(stdout), " ")
	}
	if got, want := check(""), "api team red (catalog/a) blue (catalog/b)"; !strings.Contains(got, want) || !strings.Contains(got, "disagree about: 1.") {
		t.Errorf("%q is missing:\n%s", want, got)
	}
	if got, want := check("policy: {catalog_precedence: [catalog/b]}\n"), "api team blue (catalog/b) red (catalog/a)"; !strings.Contains(got, want) {
		t.Errorf("%q is missing:\n%s", want, got)
	}
	put(t, b, "services: [{name: api, team: red}]\n")
	if got := check(""); !strings.Contains(got, "No two of 2 catalogs disagree") {
		t.Errorf("catalogs that agree:\n%s", got)
	}
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	if stdout, _, err := runCommand("--config.file="+configure(""), "check", "--online"); err == nil || !strings.Contains(stdout, "compared: 1 of 2") {
		t.Errorf("a catalog that cannot be read: %v\n%s", err, stdout)
	}
}

// TestScoresThatAThresholdNeedsAreKept: a list that leaves out what the policy asks about would hide it.
func TestScoresThatAThresholdNeedsAreKept(t *testing.T) {
	dir := t.TempDir()
	list := put(t, filepath.Join(dir, "epss.csv"), "cve,epss\nCVE-2021-44228,0.9\n")
	check := func(threshold string) error {
		file := put(t, filepath.Join(dir, "prodsec.yml"), fmt.Sprintf("collectors: {exploited: [{name: lists, epss: {path: %s}}]}\npolicy: {epss_threshold: %s}\n", list, threshold))
		_, _, err := runCommand("--config.file="+file, "check")
		return err
	}
	if err := check("0.05"); err == nil || !strings.Contains(err.Error(), "epss_minimum 0.1 is above policy.epss_threshold 0.05") {
		t.Errorf("check: %v, want a complaint about the minimum", err)
	}
	if err := check("0.1"); err != nil {
		t.Errorf("check: %v", err)
	}
}
