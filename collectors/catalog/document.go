package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is a catalog file as it is written. Its keys are the file format; catalog.schema.json describes the same
// keys to editors, and a test compares the two.
type document struct {
	Services []serviceEntry `yaml:"services"`
}

type serviceEntry struct {
	Name           text                    `yaml:"name"`
	RenamedFrom    []text                  `yaml:"renamed_from"`
	BusinessUnit   text                    `yaml:"business_unit"`
	Team           text                    `yaml:"team"`
	TrustTier      text                    `yaml:"trust_tier"`
	ProductArea    text                    `yaml:"product_area"`
	Lifecycle      text                    `yaml:"lifecycle"`
	CrownJewel     flag                    `yaml:"crown_jewel"`
	InternetFacing flag                    `yaml:"internet_facing"`
	Repositories   []repositoryEntry       `yaml:"repositories"`
	Facts          map[string]text         `yaml:"facts"`
	Controls       map[string]controlEntry `yaml:"controls"`
}

// repositoryEntry is either a plain name or a mapping with paths.
type repositoryEntry struct {
	Name  text   `yaml:"name"`
	Paths []text `yaml:"paths"`
}

// controlEntry is either a plain true or false or a mapping with the date and place of the evidence.
type controlEntry struct {
	Holds flag `yaml:"holds"`
	Date  text `yaml:"date"`
	URL   text `yaml:"url"`
	line  int
}

// text is a scalar with the line it stands on, so that an error found long after parsing can still name it.
type text struct {
	value string
	line  int
}

// flag is a boolean that knows whether anybody wrote it.
type flag struct {
	value, set bool
}

// invalidError is a part of the file that is not what it must be.
type invalidError struct {
	line    int
	message string
}

// Error names the line and what to do.
func (e *invalidError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

func invalid(line int, format string, args ...any) error {
	return &invalidError{line: line, message: fmt.Sprintf(format, args...)}
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}

// UnmarshalYAML reads a string; dates count as strings, numbers and booleans must be quoted so that "007" and "no" stay what
// they are.
func (t *text) UnmarshalYAML(n ast.Node) error {
	switch n := n.(type) {
	case *ast.StringNode:
		t.value = n.Value
	case *ast.LiteralNode:
		t.value = n.Value.Value
	default:
		return invalid(lineOf(n), "want text, got %s; put it in quotes or remove the key", describe(n))
	}
	t.line = lineOf(n)
	return nil
}

// UnmarshalYAML reads true or false and nothing that merely looks like it.
func (f *flag) UnmarshalYAML(n ast.Node) error {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return invalid(lineOf(n), "want true or false, got %s; remove the key where the answer is not known", describe(n))
	}
	*f = flag{value: b.Value, set: true}
	return nil
}

// UnmarshalYAML reads "owner/name" or {name, paths}.
func (r *repositoryEntry) UnmarshalYAML(n ast.Node) error {
	if isMapping(n) {
		type plain repositoryEntry
		return yaml.NodeToValue(n, (*plain)(r), yaml.Strict())
	}
	return r.Name.UnmarshalYAML(n)
}

// UnmarshalYAML reads true, false or {holds, date, url}.
func (c *controlEntry) UnmarshalYAML(n ast.Node) error {
	c.line = lineOf(n)
	if !isMapping(n) {
		return c.Holds.UnmarshalYAML(n)
	}
	type plain controlEntry
	if err := yaml.NodeToValue(n, (*plain)(c), yaml.Strict()); err != nil {
		return err
	}
	if !c.Holds.set {
		return invalid(c.line, `a control with a date or URL needs "holds: true" or "holds: false"`)
	}
	return nil
}

func isMapping(n ast.Node) bool {
	_, ok := n.(ast.MapNode)
	return ok
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.NullNode:
		return "nothing"
	case *ast.BoolNode:
		return "a boolean"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return fmt.Sprintf("the text %.40q", n.String())
	case *ast.AliasNode, *ast.AnchorNode:
		return "an anchor or alias, which are not understood here"
	default:
		return "something else"
	}
}

// decode reads a file strictly: one document, no unknown or repeated key. The YAML library panics on some malformed input
// (found by fuzzing); a file may come over the network, so that becomes an error like any other.
func decode(data []byte) (doc *document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, fmt.Errorf("not a catalog: the YAML is malformed in a way its parser cannot name (%.80v)", p)
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, explain(err)
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		return nil, invalid(1, `the file is empty; want a list under the key "services" ("services: []" if there are none)`)
	case len(bodies) > 1:
		return nil, invalid(lineOf(bodies[1]), "a second document starts here; put all services into one list")
	case !isMapping(bodies[0]):
		return nil, invalid(lineOf(bodies[0]), `want the key "services" at the top level, got %s`, describe(bodies[0]))
	}
	doc = &document{}
	if err := yaml.NodeToValue(bodies[0], doc, yaml.Strict()); err != nil {
		return nil, explain(err)
	}
	if doc.Services == nil {
		return nil, invalid(1, `the key "services" is missing or empty; write "services: []" if there are none`)
	}
	return doc, nil
}

// explain turns the YAML library's errors, which draw a picture of the source, into one line.
func explain(err error) error {
	if own, ok := errors.AsType[*invalidError](err); ok {
		return own
	}
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return fmt.Errorf("not a catalog: %w", err)
	}
	line := 0
	if t := syntax.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	message := strings.Join(strings.Fields(syntax.GetMessage()), " ")
	if _, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		message += "; check the spelling against the table of keys in collectors/catalog/README.md"
	}
	return invalid(line, "%s", message)
}

// dateForms are how a date may be written.
var dateForms = []string{time.DateOnly, time.RFC3339}

func (t text) date() (time.Time, error) {
	for _, form := range dateForms {
		if at, err := time.Parse(form, t.value); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, invalid(t.line, "date: %.60q is not a date such as 2026-03-01 or 2026-03-01T12:00:00Z", t.value)
}
