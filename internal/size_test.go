package architecture

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The bounds of what can be read in one piece.
const (
	maxFileLines     = 450
	maxFunctionLines = 80
)

// oversized are the complaints about a file that is too long, and about functions in it that are.
func oversized(set *token.FileSet, file *ast.File) (complaints []string) {
	if lines := set.File(file.Pos()).LineCount(); lines > maxFileLines {
		complaints = append(complaints, fmt.Sprintf("%s has %d lines, more than %d", set.File(file.Pos()).Name(), lines, maxFileLines))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > maxFunctionLines {
				complaints = append(complaints, fmt.Sprintf("%s: a function has %d lines, more than %d", set.Position(n.Pos()), lines, maxFunctionLines))
			}
		}
		return true
	})
	return complaints
}

func TestOversizedIsFound(t *testing.T) {
	statements := func(n int) string { return strings.Repeat("\tuse()\n", n) }
	for name, tt := range map[string]struct {
		text string
		want int
	}{
		"as long as may be":     {"package p\n\nfunc f() {\n" + statements(maxFunctionLines-2) + "}\n", 0},
		"a function":            {"package p\n\nfunc f() {\n" + statements(maxFunctionLines-1) + "}\n", 1},
		"a function in another": {"package p\n\nvar f = func() {\n" + statements(maxFunctionLines) + "}\n", 1},
		"a file":                {"package p\n" + strings.Repeat("\n", maxFileLines) + "var x = 1\n", 1},
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, tt.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if complaints := oversized(set, file); len(complaints) != tt.want {
			t.Errorf("%s: %q, want %d", name, complaints, tt.want)
		}
	}
}

// TestSizes holds production code to files and functions that can be read in one piece, and to a comment for every package that says how to add to it.
func TestSizes(t *testing.T) {
	comments := map[string]string{}
	for _, name := range files(t, production) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Dir(name)
		comments[folder] += file.Doc.Text()
		if ast.IsGenerated(file) {
			continue
		}
		for _, complaint := range oversized(set, file) {
			t.Error(complaint)
		}
	}
	if len(comments) < 20 {
		t.Fatalf("found only %d packages", len(comments))
	}
	for folder, comment := range comments {
		switch grows := !slices.ContainsFunc(finished, func(name string) bool { return folder == name || strings.HasPrefix(folder, name+"/") }); {
		case strings.TrimSpace(comment) == "":
			t.Errorf("package %s has no comment", folder)
		case grows && !growth.MatchString(comment):
			t.Errorf("the comment of package %s does not say how to add to it", folder)
		}
	}
}

// growth is how a package comment begins what it says about adding one more thing of its kind.
var growth = regexp.MustCompile(`\b(To (add|answer|change|check|generate|give|hold|keep|let|merge|push|read|refuse|serve|share|take|undo)|How to add|Adding|A further|A new|A kind of record|Where to change)\b`)

// finished are folders to which nothing of their kind is added.
var finished = []string{"cmd/generate", "cmd/notices", "dashboards", "e2e", "third_party", "tools"}
