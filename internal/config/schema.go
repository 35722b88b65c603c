package config

import (
	"errors"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Schema is the JSON Schema of configuration files, for editors. It follows from the Go types that files are decoded into; the
// descriptions are the comments of the example, a configuration file that mentions every key.
func Schema(kinds []collectors.Kind, example []byte) (map[string]any, error) {
	root, problem := parse("example", example)
	if problem != nil {
		return nil, problem
	}
	instances := map[string]any{}
	for _, k := range kinds {
		t, err := formOf(k)
		if err != nil {
			return nil, err
		}
		at := locate(root, "collectors."+k.Name+"[0]")
		instance := schemaOf(t, at)
		instance["required"] = []string{"name"}
		instance["properties"].(map[string]any)["name"].(map[string]any)["pattern"] = namePattern.String()
		instances[k.Name] = map[string]any{"type": []string{"array", "null"}, "description": k.Summary, "items": instance}
	}
	schema := schemaOf(reflect.TypeFor[file](), root)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Configuration of prodsec_exporter"
	schema["required"] = []string{"collectors"}
	schema["properties"].(map[string]any)["collectors"] = map[string]any{
		"type": "object", "additionalProperties": false, "properties": instances, "description": "Collector instances by kind.",
	}
	return schema, nil
}

// asked is a section that notes what a collector wants to decode and refuses.
type asked struct{ form reflect.Type }

var errAsked = errors.New("only the form was asked for")

func (a *asked) Decode(into any) error {
	a.form = reflect.TypeOf(into).Elem()
	return errAsked
}

// formOf is the struct that a kind decodes its section into.
func formOf(k collectors.Kind) (reflect.Type, error) {
	var a asked
	if _, _, err := k.New(&a, collectors.Env{}); !errors.Is(err, errAsked) {
		return nil, errors.New("config: kind " + k.Name + " does not return the error of its section")
	}
	return a.form, nil
}

// Keys lists every key path that a file can have, with [0] for items of lists and * for free keys of maps.
func Keys(kinds []collectors.Kind) ([]string, error) {
	var keys []string
	add := func(path string, t reflect.Type) { keys = append(keys, keysOf(path, t)...) }
	add("", reflect.TypeFor[file]())
	for _, k := range kinds {
		t, err := formOf(k)
		if err != nil {
			return nil, err
		}
		keys = append(keys, "collectors."+k.Name)
		add("collectors."+k.Name+"[0]", t)
	}
	return keys, nil
}

func keysOf(path string, t reflect.Type) (keys []string) {
	if isText(t) {
		return nil
	}
	switch t.Kind() { //nolint:exhaustive // Scalars have no keys.
	case reflect.Pointer:
		return keysOf(path, t.Elem())
	case reflect.Slice:
		return keysOf(path+"[0]", t.Elem())
	case reflect.Map:
		return keysOf(join(path, "*"), t.Elem())
	case reflect.Struct:
		fields := map[string]reflect.Value{}
		collectFields(reflect.New(t).Elem(), fields)
		for _, name := range sortedKeys(fields) {
			keys = append(keys, join(path, name))
			keys = append(keys, keysOf(join(path, name), fields[name].Type())...)
		}
	}
	return keys
}

func schemaOf(t reflect.Type, at *yaml.Node) map[string]any {
	if values, ok := enums[t]; ok {
		return map[string]any{"type": "string", "enum": values}
	}
	if isText(t) {
		s := map[string]any{"type": "string"}
		if strings.HasSuffix(t.Name(), "Duration") {
			s["pattern"] = `^([0-9]+(ms|[smhdwy]))+$|^0$`
		}
		return s
	}
	switch t.Kind() { //nolint:exhaustive // The default covers text and numbers by their names.
	case reflect.Pointer:
		return schemaOf(t.Elem(), at)
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), item(at))}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem(), item(at))}
	case reflect.Struct:
		return objectSchema(t, at)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": "integer"}
	}
}

func objectSchema(t reflect.Type, at *yaml.Node) map[string]any {
	fields := map[string]reflect.Value{}
	collectFields(reflect.New(t).Elem(), fields)
	properties := map[string]any{}
	for name, field := range fields {
		value, comment := valueAndComment(at, name)
		s := schemaOf(field.Type(), value)
		if comment != "" {
			s["description"] = comment
		}
		properties[name] = s
	}
	kind := any("object")
	if at == nil || at.Kind != yaml.SequenceNode {
		kind = []string{"object", "null"} // a section of which every line is a comment
	}
	return map[string]any{"type": kind, "additionalProperties": false, "properties": properties}
}

// enums are the texts that have a fixed set of values.
var enums = map[reflect.Type]any{
	reflect.TypeFor[record.Severity](): record.Severities(),
	reflect.TypeFor[policy.Reopen]():   []policy.Reopen{policy.ReopenContinue, policy.ReopenRestart},
	reflect.TypeFor[policy.Check]():    append(policy.BranchChecks(), policy.CheckRequiredReviewers, policy.CheckSelfReviewPrevented, policy.CheckBranchPolicy),
}

// isText reports whether values of a type are read from text.
func isText(t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(interface{ UnmarshalText([]byte) error })
	return ok
}

// valueAndComment are the value of a key in the example and the comment above or beside it.
func valueAndComment(n *yaml.Node, key string) (*yaml.Node, string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Value != key {
			continue
		}
		comment := k.HeadComment
		for _, other := range []string{k.LineComment, v.LineComment} {
			if comment == "" {
				comment = other
			}
		}
		return deref(v), plainComment(comment)
	}
	return nil, ""
}

// plainComment is the last paragraph of a comment as one line: what stands right above the key.
func plainComment(comment string) string {
	paragraphs := strings.Split(comment, "\n\n")
	lines := strings.Split(paragraphs[len(paragraphs)-1], "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#"))
	}
	return strings.Join(lines, " ")
}

// item is the first item of a list or value of a map.
func item(n *yaml.Node) *yaml.Node {
	switch {
	case n == nil || len(n.Content) == 0:
		return nil
	case n.Kind == yaml.SequenceNode:
		return deref(n.Content[0])
	case n.Kind == yaml.MappingNode:
		return deref(n.Content[1])
	default:
		return nil
	}
}
