package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDashboardsPush holds what the subcommand does with its flags; package grafana holds how boards are pushed.
func TestDashboardsPush(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.Header.Get("Authorization") != "Bearer glsa_1" && user+":"+password != "admin:hunter2" {
			http.Error(w, `{"message": "who are you"}`, http.StatusUnauthorized)
			return
		}
		asked = append(asked, r.Method+" "+r.URL.Path)
		http.Error(w, `{"message": "not found"}`, http.StatusNotFound)
	}))
	defer server.Close()
	dir := t.TempDir()
	token := put(t, filepath.Join(dir, "token"), "glsa_1\n")
	password := put(t, filepath.Join(dir, "password"), "hunter2\n")
	empty := put(t, filepath.Join(dir, "empty"), "\n")
	wrong := put(t, filepath.Join(dir, "wrong"), "glsa_2")
	mine := put(t, filepath.Join(dir, "mine.json"), `{"uid": "mine", "title": "Mine"}`)

	stdout, _, err := runCommand("dashboards", "push", "--dry-run", "--grafana.url", server.URL, "--grafana.token-file", token)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no boards: %v", err)
	}
	if n := strings.Count(stdout, "created    "); n != len(files) {
		t.Errorf("%d boards would be created, there are %d:\n%s", n, len(files), stdout)
	}
	if !strings.Contains(stdout, "Nothing was written.") || strings.Contains(strings.Join(asked, "\n"), "POST") {
		t.Errorf("a dry run asked %v and said\n%s", asked, stdout)
	}
	if stdout, _, err = runCommand("dashboards", "push", "--dry-run", "--grafana.url", server.URL, "--grafana.user", "admin", "--grafana.password-file", password, mine); err != nil || !strings.Contains(stdout, "Mine (mine)") {
		t.Errorf("with a password and a file: %v\n%s", err, stdout)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--grafana.url", server.URL, "--grafana.token-file", empty}, "is empty"},
		{[]string{"--grafana.url", server.URL, "--grafana.token-file", filepath.Join(dir, "absent")}, "--grafana.token-file"},
		{[]string{"--grafana.url", server.URL, "--grafana.token-file", wrong}, "who are you"},
		{[]string{"--grafana.url", "nonsense"}, "--grafana.url"},
		{[]string{"--grafana.url", server.URL, "--grafana.ca-file", token}, "no certificate"},
		{[]string{"--grafana.url", server.URL, filepath.Join(dir, "absent.json")}, "absent.json"},
		{nil, "grafana.url"},
	} {
		_, _, err := runCommand(append([]string{"dashboards", "push"}, tt.args...)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "glsa_2") {
			t.Errorf("%v: got %v, want %q", tt.args, err, tt.want)
		}
	}
}

// TestImageHoldsWhatIsBuilt: what the program is compiled from, embedded files included, must reach the build of the image.
func TestImageHoldsWhatIsBuilt(t *testing.T) {
	ignored, err := os.ReadFile("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-f", `{{if and .Module .Module.Main}}{{.ImportPath}}{{end}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 20 {
		t.Fatalf("only %d packages: %v", len(packages), packages)
	}
	for _, p := range packages {
		folder, _, _ := strings.Cut(strings.TrimPrefix(p, "prodsec_exporter/"), "/")
		if slices.Contains(strings.Fields(string(ignored)), folder) {
			t.Errorf(".dockerignore leaves out %s, which the program is built from", p)
		}
	}
}
