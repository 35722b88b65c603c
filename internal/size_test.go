package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// The bounds of what can be read in one piece.
const (
	maxFileLines     = 450
	maxFunctionLines = 80
)

// TestSizes holds production code to files and functions that can be read in one piece, and to a comment for every package.
func TestSizes(t *testing.T) {
	commented := map[string]bool{}
	for _, name := range files(t, production) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Dir(name)
		commented[folder] = commented[folder] || file.Doc != nil && strings.TrimSpace(file.Doc.Text()) != ""
		if ast.IsGenerated(file) {
			continue
		}
		if lines := set.File(file.Pos()).LineCount(); lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", name, lines, maxFileLines)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > maxFunctionLines {
					t.Errorf("%s: a function has %d lines, more than %d", set.Position(n.Pos()), lines, maxFunctionLines)
				}
			}
			return true
		})
	}
	if len(commented) < 20 {
		t.Fatalf("found only %d packages", len(commented))
	}
	for folder, ok := range commented {
		if !ok {
			t.Errorf("package %s has no comment", folder)
		}
	}
}
