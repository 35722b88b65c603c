package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"prodsec_exporter/internal/metrics"
)

// TestOwnFamiliesAreThoseInTheCode compares the list with the names that the exporter's code makes metrics of.
func TestOwnFamiliesAreThoseInTheCode(t *testing.T) {
	inCode := map[string]bool{}
	for _, folder := range []string{"cmd/prodsec_exporter", "internal/exposition", "internal/schedule", "internal/ledger", "internal/web", "internal/apiclient"} {
		for name := range metricLiterals(t, filepath.Join(root, folder)) {
			inCode[name] = true
		}
	}
	for _, f := range metrics.All() {
		delete(inCode, f.Name)
	}
	delete(inCode, "prodsec_exporter") // the program's name
	for _, f := range ownFamilies() {
		if !inCode[f.Name] && f.Name != BuildInfo { // made by the version package from the program's name
			t.Errorf("%s is in the list of the exporter's own families and in no code", f.Name)
		}
		delete(inCode, f.Name)
	}
	for name := range inCode {
		t.Errorf("%s is exposed and not in the list of the exporter's own families", name)
	}
}

// metricLiterals are the literals below a folder that could be names of families.
func metricLiterals(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	shape := regexp.MustCompile(`^prodsec_[a-z_]+$`)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && shape.MatchString(s) {
					names[s] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

const root = "../../.." // of the repository
