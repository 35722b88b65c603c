//go:build e2e

package contract

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// sources are the files that the node programs consist of.
var sources = []string{".npmrc", "package.json", "package-lock.json", "operations.txt", "prune.mjs", "graphql.mjs"}

var install struct {
	once   sync.Once
	folder string
	err    error
}

// packages installs what package-lock.json names into the user's cache, outside of the module: some packages hold Go files.
func packages(t *testing.T) string {
	t.Helper()
	install.once.Do(func() { install.folder, install.err = installed() })
	if install.err != nil {
		t.Fatal(install.err)
	}
	return install.folder
}

func installed() (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "prodsec_exporter", "contract-"+hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, name := range sources {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return "", err
		}
	}
	done := filepath.Join(folder, "installed")
	if _, err := os.Stat(done); err == nil {
		return folder, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci")
	npm.Dir = folder
	if output, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	return folder, os.WriteFile(done, nil, 0o644)
}

// node runs a program to its end.
func node(t *testing.T, folder string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", arguments...)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("node %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

// serve starts a server of node's until the test ends and returns the first line it prints.
func serve(t *testing.T, folder string, arguments ...string) (firstLine string) {
	t.Helper()
	command := exec.Command("node", arguments...)
	command.Dir = folder
	var complaints strings.Builder
	command.Stderr = &complaints
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("node %s said nothing: %v\n%s", strings.Join(arguments, " "), err, complaints.String())
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // It ends with the pipe, when the server does.
	return strings.TrimSpace(line)
}

// servePrism serves an OpenAPI description and returns the address.
func servePrism(t *testing.T, folder, description string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	serve(t, folder, "node_modules/@stoplight/prism-cli/dist/index.js", "mock", "--host", host, "--port", port, description)
	address := "http://" + net.JoinHostPort(host, port)
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get(address) //nolint:noctx // Bounded by the deadline.
		if err == nil {
			_ = resp.Body.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prism does not answer: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
