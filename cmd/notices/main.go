// Command notices writes the licences and notices of everything that is linked into the exporter. Most of these licences ask that their text goes
// with a binary, so release archives and the container image hold the result as THIRD_PARTY_NOTICES.
//
//	go run ./cmd/notices > THIRD_PARTY_NOTICES
//
// A module without a licence file is an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("notices", flag.ContinueOnError)
	flags.SetOutput(out)
	program := flags.String("program", "./cmd/prodsec_exporter", "package of the binary")
	systems := flags.String("os", "linux,darwin", "operating systems it is built for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	modules, err := linked(*program, strings.Split(*systems, ","))
	if err != nil {
		return err
	}
	return write(out, modules)
}

// module is a Go module of which at least one package is linked, or Go's standard library.
type module struct {
	Path    string
	Version string
	Dir     string
}

// linked lists the standard library and the modules of others that a program consists of on any of the operating systems, by path.
func linked(program string, systems []string) ([]module, error) {
	root, err := command(nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	version, err := command(nil, "go", "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	found := map[string]module{"std": {Path: "Go standard library", Version: strings.TrimSpace(version), Dir: strings.TrimSpace(root)}}
	for _, system := range systems {
		list, err := command([]string{"GOOS=" + system, "CGO_ENABLED=0"}, "go", "list", "-deps", "-json=Module", program)
		if err != nil {
			return nil, err
		}
		for d := json.NewDecoder(strings.NewReader(list)); ; {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
					Replace            *struct{ Version string }
				}
			}
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("reading what go list says: %w", err)
			}
			// What a folder of the repository replaces is ours.
			if p.Module != nil && !p.Module.Main && (p.Module.Replace == nil || p.Module.Replace.Version != "") {
				found[p.Module.Path] = module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
			}
		}
	}
	var modules []module
	for _, m := range found {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

func command(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}

// document matches the files of a module that state its terms.
var document = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([._-].*)?$`)

// code is the extension of a file that is source, not a text of terms.
var code = []string{".go", ".tmpl", ".tpl"}

const head = `The prodsec_exporter binary contains the following software under the following terms. Each part is named by its Go module and version; its unchanged
source can be had with "go mod download MODULE@VERSION".
`

func write(out io.Writer, modules []module) error {
	if _, err := fmt.Fprint(out, head); err != nil {
		return fmt.Errorf("writing notices: %w", err)
	}
	for _, m := range modules {
		texts, err := documents(m)
		if err != nil {
			return err
		}
		rule := strings.Repeat("=", 80)
		if _, err := fmt.Fprintf(out, "\n%s\n%s %s\n%s\n", rule, m.Path, m.Version, rule); err != nil {
			return fmt.Errorf("writing notices: %w", err)
		}
		for _, text := range texts {
			if _, err := fmt.Fprintf(out, "\n%s\n", bytes.TrimSpace(text)); err != nil {
				return fmt.Errorf("writing notices: %w", err)
			}
		}
	}
	return nil
}

// documents reads the files at a module's root that state its terms.
func documents(m module) ([][]byte, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return nil, fmt.Errorf("looking for the licence of %s: %w", m.Path, err)
	}
	var texts [][]byte
	for _, e := range entries {
		if e.IsDir() || !document.MatchString(e.Name()) || slices.Contains(code, filepath.Ext(e.Name())) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the licence of %s: %w", m.Path, err)
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s %s has no licence file: %w", m.Path, m.Version, fs.ErrNotExist)
	}
	return texts, nil
}
