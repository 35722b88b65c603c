//go:build e2e

package contract

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// goClient is an API as the vendor's own client in Go describes it: each of its functions names a path, the parameters of the query and the form of the answer. It is read as
// source text and not built, so that the module does not depend on it.
type goClient struct {
	types      map[string]ast.Expr
	operations []goOperation
}

// goOperation is a function of the client that reads: a path with {} for each variable part, its parameters, and what it answers.
type goOperation struct {
	path       string
	parameters map[string]bool
	answer     ast.Expr
}

// readGoClient fetches a module of an exact version and hash, and reads its package at the root.
func readGoClient(t *testing.T, module, version, sum string) *goClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", module+"@"+version)
	download.Dir = t.TempDir() // outside of this module
	output, err := download.Output()
	if err != nil {
		t.Fatalf("download %s: %v\n%s", module, err, output)
	}
	var fetched struct{ Dir, Sum string }
	if err := json.Unmarshal(output, &fetched); err != nil {
		t.Fatal(err)
	}
	if fetched.Sum != sum {
		t.Fatalf("%s@%s has the hash %s, want %s", module, version, fetched.Sum, sum)
	}
	files, err := filepath.Glob(filepath.Join(fetched.Dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	c := &goClient{types: map[string]ast.Expr{}}
	var functions []*ast.FuncDecl
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						c.types[s.Name.Name] = s.Type
					}
				}
			case *ast.FuncDecl:
				functions = append(functions, d)
			}
		}
	}
	for _, f := range functions {
		c.add(f)
	}
	return c
}

// add keeps a function that asks for something by GET.
func (c *goClient) add(f *ast.FuncDecl) {
	if f.Body == nil || f.Recv == nil || f.Type.Results == nil || len(f.Type.Results.List) < 3 {
		return
	}
	operation := goOperation{parameters: map[string]bool{"page": true, "per_page": true}, answer: f.Type.Results.List[0].Type}
	writes := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch name, _ := call.Fun.(*ast.Ident); {
		case name == nil:
		case name.Name == "withMethod":
			method, _ := call.Args[0].(*ast.SelectorExpr)
			writes = method == nil || method.Sel.Name != "MethodGet"
		case name.Name == "withPath":
			if text, ok := call.Args[0].(*ast.BasicLit); ok {
				path, _ := strconv.Unquote(text.Value)
				operation.path = strings.NewReplacer("%s", "{}", "%d", "{}", "%v", "{}").Replace(path)
			}
		}
		return true
	})
	if operation.path == "" || writes {
		return
	}
	for _, p := range f.Type.Params.List {
		if pointer, ok := p.Type.(*ast.StarExpr); ok {
			c.fields(pointer.X, "url", func(name string, _ ast.Expr) { operation.parameters[name] = true })
		}
	}
	c.operations = append(c.operations, operation)
}

// find is the operation of a path, the one with the most literal segments if several match.
func (c *goClient) find(path string) *goOperation {
	segments := strings.Split(path, "/")
	var best *goOperation
	most := -1
	for i := range c.operations {
		parts := strings.Split(c.operations[i].path, "/")
		literal, matches := 0, len(parts) == len(segments)
		for j := 0; matches && j < len(parts); j++ {
			switch {
			case parts[j] == segments[j]:
				literal++
			case parts[j] != "{}":
				matches = false
			}
		}
		if matches && literal > most {
			best, most = &c.operations[i], literal
		}
	}
	return best
}

// fields calls with the fields of a struct that have a tag, and their types.
func (c *goClient) fields(of ast.Expr, tag string, with func(name string, of ast.Expr)) {
	if name, ok := of.(*ast.Ident); ok {
		of = c.types[name.Name]
	}
	structure, ok := of.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range structure.Fields.List {
		name := ""
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			name, _, _ = strings.Cut(reflect.StructTag(text).Get(tag), ",")
		}
		switch {
		case len(f.Names) == 0 && name == "": // embedded
			embedded := f.Type
			if pointer, ok := embedded.(*ast.StarExpr); ok {
				embedded = pointer.X
			}
			c.fields(embedded, tag, with)
		case name != "" && name != "-":
			with(name, f.Type)
		}
	}
}

// deepest is how many objects an example nests: some hold one another without end.
const deepest = 6

// example is an answer of a type, with the values that are known for fields by their names and for types by theirs, and for others any of the type.
func (c *goClient) example(of ast.Expr, name string, known map[string]any, depth int) any {
	if value, ok := known[name]; ok {
		return value
	}
	switch e := of.(type) {
	case *ast.StarExpr:
		return c.example(e.X, name, known, depth)
	case *ast.ArrayType:
		return []any{c.example(e.Elt, "", known, depth)}
	case *ast.SelectorExpr: // time.Time is the only one that is answered
		return time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
	case *ast.StructType:
		object := map[string]any{}
		if depth < deepest {
			c.fields(e, "json", func(name string, of ast.Expr) { object[name] = c.example(of, name, known, depth+1) })
		}
		return object
	case *ast.Ident:
		if value, ok := known[e.Name]; ok {
			return value
		}
		switch e.Name {
		case "string":
			return "text"
		case "bool":
			return true
		case "int", "int64", "int32", "float64", "uint":
			return 7
		case "ISOTime":
			return time.Now().UTC().Format(time.DateOnly)
		}
		return c.example(c.types[e.Name], name, known, depth)
	default:
		return nil
	}
}
