// Command boardqueries parses every query of the generated boards with the parser of the Prometheus version that this module requires, and writes
// them as a rule file, so that promtool of any other version can check them, too:
//
//	cd tools
//	go run ./boardqueries ../dashboards > /tmp/board-queries.yml
//	promtool check rules /tmp/board-queries.yml
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: boardqueries <folder of boards>")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "boardqueries:", err)
		os.Exit(1)
	}
}

// board is the part of a board's model that holds queries.
type board struct {
	UID    string `json:"uid"`
	Panels []struct {
		Title   string `json:"title"`
		Targets []struct {
			RefID string `json:"refId"`
			Expr  string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

func run(folder string, out io.Writer) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return fmt.Errorf("listing boards: %w", err)
	}
	if len(files) == 0 {
		return fmt.Errorf("no boards in %s", folder)
	}
	var rules bytes.Buffer
	var errs []error
	for _, file := range files {
		errs = append(errs, check(file, &rules))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "groups:\n  - name: boards\n    rules:\n%s", rules.Bytes())
	return err
}

// check parses the queries of one board and writes them as rules.
func check(file string, out *bytes.Buffer) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading a board: %w", err)
	}
	var b board
	if err := json.Unmarshal(content, &b); err != nil {
		return fmt.Errorf("reading board %s: %w", file, err)
	}
	p := parser.NewParser(parser.Options{})
	var errs []error
	for _, panel := range b.Panels {
		for _, target := range panel.Targets {
			expr := substitute(target.Expr)
			if _, err := p.ParseExpr(expr); err != nil {
				errs = append(errs, fmt.Errorf("board %s, panel %q, query %s: %w", b.UID, panel.Title, target.RefID, err))
			}
			fmt.Fprintf(out, "      - record: board:query\n        expr: %q\n        labels: {board: %q, panel: %q, query: %q}\n", expr, b.UID, panel.Title, target.RefID)
		}
	}
	return errors.Join(errs...)
}

// substitute puts values in place of the board's variables, as Grafana does.
func substitute(expr string) string {
	return strings.NewReplacer("$window", "30d", "$business_unit", ".*", "$team", ".*", "$trust_tier", ".*").Replace(expr)
}
