package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
)

// The bounds keep a hostile or broken file (nested aliases, say) from costing more than a moment.
const (
	maxDepth = 16
	maxNodes = 200_000
)

// decoder fills Go values from YAML nodes strictly and gathers every problem on the way. The library's own strictness
// (yaml.v3's KnownFields) is not inherited by types that decode themselves, stops at the first problem of a kind, names no column,
// and quotes values that may be secrets; this one does none of that.
type decoder struct {
	file     string
	nodes    int
	problems Problems
}

func (d *decoder) fail(n *yaml.Node, path, format string, args ...any) {
	p := Problem{File: d.file, Path: path, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	d.problems = append(d.problems, p)
}

// decode fills v, which must be settable. What the node leaves out keeps its value, so defaults are set beforehand.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, path string, depth int) {
	n = deref(n)
	if d.nodes++; depth > maxDepth || d.nodes > maxNodes {
		if d.nodes <= maxNodes+1 {
			d.fail(n, path, "nested or repeated too deeply; write it out without aliases")
		}
		return
	}
	if v.Kind() == reflect.Pointer {
		fresh := reflect.New(v.Type().Elem())
		d.decode(n, fresh.Elem(), path, depth)
		v.Set(fresh)
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, text, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path, depth)
	case reflect.Map:
		d.table(n, v, path, depth)
	case reflect.Slice:
		d.list(n, v, path, depth)
	default:
		d.scalar(n, v, path)
	}
}

func (d *decoder) text(n *yaml.Node, into encoding.TextUnmarshaler, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fail(n, path, "must be a single value, not %s", describe(n))
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		d.fail(n, path, "%v%s", err, typographic(n.Value))
		d.problems[len(d.problems)-1].decoding = true
	}
}

// entries yields the keys and values of a mapping and reports duplicate, merged and non-text keys.
func (d *decoder) entries(n *yaml.Node, path string, yield func(key, value *yaml.Node, path string)) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, twice := seen[key.Value]; {
		case key.Tag == "!!merge":
			d.fail(key, path, "merge keys (<<) are not used here, since they hide which keys are set; write the keys out")
		case key.Kind != yaml.ScalarNode:
			d.fail(key, path, "a key must be text, not %s", describe(key))
		case twice:
			d.fail(key, join(path, key.Value), "is set twice, first in line %d; remove one", first.Line)
		default:
			seen[key.Value] = key
			yield(key, value, join(path, key.Value))
		}
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string, depth int) {
	fields := map[string]reflect.Value{}
	collectFields(v, fields)
	known := sortedKeys(fields)
	if empty(n) {
		return
	}
	if s, ok := v.Addr().Interface().(collectors.Switched); ok && n.Tag == "!!bool" && (n.Value == "true" || n.Value == "false") {
		s.Switch(n.Value == "true")
		return
	}
	if n.Kind != yaml.MappingNode {
		if _, secret := v.Interface().(secretPlace); secret && n.Kind == yaml.ScalarNode {
			d.fail(n, path, "a secret is never written into this file; name where it is by {file: PATH} or {env: NAME}, and change the secret if the file was shared")
			return
		}
		d.fail(n, path, "must be a section with the keys %s, not %s", strings.Join(known, ", "), describe(n))
		return
	}
	d.entries(n, path, func(key, value *yaml.Node, path string) {
		field, ok := fields[key.Value]
		if !ok {
			d.unknown(key, path, known)
			return
		}
		d.decode(value, field, path, depth+1)
	})
}

func (d *decoder) unknown(key *yaml.Node, path string, known []string) {
	if s := suggest(key.Value, known); s != "" {
		d.fail(key, path, "unknown key; did you mean %q?", s)
		return
	}
	d.fail(key, path, "unknown key; known here: %s", strings.Join(known, ", "))
}

func (d *decoder) table(n *yaml.Node, v reflect.Value, path string, depth int) {
	if empty(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, path, "must be a section of keys and values, not %s", describe(n))
		return
	}
	fresh := reflect.MakeMap(v.Type())
	d.entries(n, path, func(key, value *yaml.Node, path string) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, element, path, depth+1)
		name := reflect.New(v.Type().Key()).Elem()
		d.scalarOf(key, name, path, "!!str", key.Value)
		fresh.SetMapIndex(name, element)
	})
	v.Set(fresh)
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, depth int) {
	if empty(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(n, path, "must be a list, e.g. [a, b], not %s", describe(n))
		return
	}
	fresh := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.decode(item, fresh.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
	v.Set(fresh)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, path, "must be %s, not %s", wanted(v.Kind()), describe(n))
		return
	}
	if n.Tag == "!!null" {
		d.fail(n, path, "has no value; give one or remove the key")
		return
	}
	d.scalarOf(n, v, path, n.Tag, n.Value)
}

func (d *decoder) scalarOf(n *yaml.Node, v reflect.Value, path, tag, value string) {
	ok := false
	switch kind := v.Kind(); kind {
	case reflect.String:
		if ok = tag == "!!str"; ok {
			v.SetString(value)
		}
	case reflect.Bool:
		if ok = tag == "!!bool" && (value == "true" || value == "false"); ok {
			v.SetBool(value == "true")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(value, 10, v.Type().Bits())
		if ok = tag == "!!int" && err == nil; ok {
			v.SetInt(i)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(value, 10, v.Type().Bits())
		if ok = tag == "!!int" && err == nil; ok {
			v.SetUint(u)
		}
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(value, v.Type().Bits())
		if ok = (tag == "!!float" || tag == "!!int") && err == nil && !math.IsNaN(f) && !math.IsInf(f, 0); ok {
			v.SetFloat(f)
		}
	default:
		panic(fmt.Sprintf("config: %s has a type that no configuration can have: %s", path, v.Type())) // a mistake of the program, which its tests reach
	}
	switch {
	case ok:
	case v.Kind() == reflect.String:
		d.fail(n, path, "must be text, not %s; put it in quotes", describe(n))
	case describe(n) == "a number":
		d.fail(n, path, "must be %s", wanted(v.Kind()))
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		d.fail(n, path, "must be %s, not text; write it without quotes", wanted(v.Kind()))
	default:
		d.fail(n, path, "must be %s, not %s", wanted(v.Kind()), describe(n))
	}
}

// typographic is a remedy for text that came from a word processor, empty for other text.
func typographic(text string) string {
	switch {
	case strings.ContainsAny(text, "“”„‘’«»"):
		return `; it holds typographic quotes, replace them by " or leave them out`
	case strings.ContainsAny(text, "\u00a0\u202f\u2009"):
		return "; it holds a non-breaking space, remove it"
	default:
		return ""
	}
}

// collectFields maps the keys of a struct to its fields, those of embedded structs included.
func collectFields(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		name, inline := tag(v.Type().Field(i))
		switch {
		case inline:
			collectFields(v.Field(i), into)
		case name != "":
			into[name] = v.Field(i)
		}
	}
}

// tag is the key of a field, or whether its fields belong to the struct around it.
func tag(f reflect.StructField) (name string, inline bool) {
	name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	switch {
	case slices.Contains(strings.Split(options, ","), "inline"):
		return "", true
	case name == "-" || !f.IsExported():
		return "", false
	case name == "":
		return strings.ToLower(f.Name), false
	default:
		return name, false
	}
}

// deref follows aliases. yaml.v3 resolves an alias to its anchor, which is never an alias itself.
func deref(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// empty reports whether nothing was written, e.g. a section of which every line is a comment.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// describe names the form of a node and never its value.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.DocumentNode, yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode:
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "text"
	case "!!timestamp":
		return "a date"
	default:
		return "this"
	}
}

func wanted(k reflect.Kind) string {
	switch k { //nolint:exhaustive // The default covers every other number; others do not occur.
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a finite number"
	default:
		return "a whole number within its range"
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
