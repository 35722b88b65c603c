package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layered are all packages, as patterns of go list below internal: in each, files refer to one another in one direction, so that each can be read after those that it
// builds on.
var layered = []string{"./...", "../collectors/...", "../cmd/..."}

// circular are packages whose files do not do so yet. The list only gets shorter.
var circular = []string{
	"cmd/prodsec_exporter",
	"collectors/backstage", "collectors/collectorstest", "collectors/defectdojo", "collectors/dependencytrack", "collectors/evidence", "collectors/exploited", "collectors/gitlab", "collectors/jira",
	"collectors/scorecard", "collectors/semgrep", "collectors/snyk", "collectors/sonarqube",
	"collectors/github", "collectors/github/githubtest",
	"internal/apiclient", "internal/config", "internal/exposition/openmetrics", "internal/grafana", "internal/policy", "internal/record", "internal/schedule", "internal/web",
}

// compiled is what go list says about a package and where its export data is.
type compiled struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	DepOnly                 bool
}

// TestFilesReferOneWay holds that no two files of a package refer to each other, directly or through others.
func TestFilesReferOneWay(t *testing.T) {
	all := exported(t)
	for _, name := range circular {
		if _, found := all[module+"/"+name]; !found {
			t.Errorf("%s is no package", name)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := all[path]
		if p.DepOnly {
			continue
		}
		t.Run(strings.TrimPrefix(path, module+"/"), func(t *testing.T) {
			references := fileReferences(t, all, p)
			found := circles(references)
			if slices.Contains(circular, strings.TrimPrefix(path, module+"/")) {
				if len(found) == 0 {
					t.Error("its files refer one way: take it from the list")
				}
				return
			}
			for _, circle := range found {
				t.Errorf("these files refer to each other in a circle: %s", strings.Join(circle, ", "))
				for _, from := range circle {
					for _, to := range circle {
						if names := references[from][to]; len(names) > 0 {
							t.Logf("%s needs %s of %s", from, strings.Join(slices.Sorted(maps.Keys(names)), ", "), to)
						}
					}
				}
			}
		})
	}
}

func exported(t *testing.T) map[string]compiled {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,DepOnly"}, layered...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	all := map[string]compiled{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p compiled
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	return all
}

// references are the names that each file of a package uses of each other file.
type references map[string]map[string]map[string]bool

func fileReferences(t *testing.T, all map[string]compiled, p compiled) references {
	t.Helper()
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	config := types.Config{Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		if all[path].Export == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(all[path].Export)
	})}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	checked, err := config.Check(p.ImportPath, files, parsed, &info)
	if err != nil {
		t.Fatal(err)
	}
	found := references{}
	for use, object := range info.Uses {
		from, to := filepath.Base(files.Position(use.Pos()).Filename), filepath.Base(files.Position(object.Pos()).Filename)
		if object.Pkg() != checked || from == to || !object.Pos().IsValid() {
			continue
		}
		if found[from] == nil {
			found[from] = map[string]map[string]bool{}
		}
		if found[from][to] == nil {
			found[from][to] = map[string]bool{}
		}
		found[from][to][object.Name()] = true
	}
	return found
}

// circles are the groups of files that reach one another, each in order.
func circles(r references) (all [][]string) {
	reach := map[string]map[string]bool{}
	var walk func(from, file string)
	walk = func(from, file string) {
		for to := range r[file] {
			if !reach[from][to] {
				reach[from][to] = true
				walk(from, to)
			}
		}
	}
	for file := range r {
		reach[file] = map[string]bool{}
		walk(file, file)
	}
	done := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(r)) {
		if !reach[file][file] || done[file] {
			continue
		}
		circle := []string{}
		for _, other := range slices.Sorted(maps.Keys(reach[file])) {
			if reach[other][file] {
				circle, done[other] = append(circle, other), true
			}
		}
		all = append(all, circle)
	}
	return all
}

func TestCirclesAreFound(t *testing.T) {
	name := map[string]bool{"x": true}
	got := circles(references{
		"a.go": {"b.go": name, "d.go": name}, "b.go": {"c.go": name}, "c.go": {"a.go": name}, "d.go": {"e.go": name},
	})
	if want := [][]string{{"a.go", "b.go", "c.go"}}; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("found %v, want %v", got, want)
	}
}
