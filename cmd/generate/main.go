// Command generate writes what is generated from code: the reference of metrics, the Prometheus rules and the Grafana boards.
//
//	go run ./cmd/generate          write the files below the current directory
//	go run ./cmd/generate -check   fail, naming the files that differ from what would be written
//
// An organisation that serves runbooks or Grafana elsewhere generates its own copy:
//
//	go run ./cmd/generate -root /etc/prodsec -runbook-url https://wiki.example.com/prodsec -grafana-url https://grafana.example.com
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"prodsec_exporter/internal/monitoring"
	"prodsec_exporter/internal/monitoring/rulefile"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(out)
	root := flags.String("root", ".", "root of the repository")
	check := flags.Bool("check", false, "write nothing; fail when a file differs")
	var links rulefile.Links
	flags.StringVar(&links.Runbooks, "runbook-url", monitoring.DefaultRunbookURL, "address of the folder that holds <Alert>.md")
	flags.StringVar(&links.Grafana, "grafana-url", monitoring.DefaultGrafanaURL, "address of Grafana, for links in alerts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	links.Runbooks, links.Grafana = strings.TrimSuffix(links.Runbooks, "/"), strings.TrimSuffix(links.Grafana, "/")
	files, err := monitoring.Files(links)
	if err != nil {
		return err
	}
	if *check {
		return compare(*root, files)
	}
	return write(*root, files)
}

// compare names every file that is missing or differs.
func compare(root string, files []monitoring.File) error {
	var differ []string
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.Path))
		have, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("comparing %s: %w", f.Path, err)
		}
		if !bytes.Equal(have, f.Content) {
			differ = append(differ, f.Path)
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("out of date, run `go run ./cmd/generate`: %s", strings.Join(differ, ", "))
	}
	return nil
}

func write(root string, files []monitoring.File) error {
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", f.Path, err)
		}
		if err := os.WriteFile(name, f.Content, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", f.Path, err)
		}
	}
	return nil
}
