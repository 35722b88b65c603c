package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// Schema is the JSON Schema of configuration files, for editors. It follows from the Go types that files are decoded into; the
// descriptions are the comments of the example, a configuration file. The error lists the keys that the example does not
// explain anywhere.
func Schema(kinds []collectors.Kind, example []byte) (map[string]any, error) {
	root, problem := parse("example", example)
	if problem != nil {
		return nil, problem
	}
	w := &schemaWriter{comments: map[fieldOf]string{}, definitions: map[string]any{}}
	forms := map[string]reflect.Type{}
	w.learn(reflect.TypeFor[file](), root)
	for _, k := range kinds {
		form, err := formOf(k)
		if err != nil {
			return nil, err
		}
		forms[k.Name] = form
		w.learn(form, item(locate(root, "collectors."+k.Name)))
	}
	instances := map[string]any{}
	for _, k := range kinds {
		instance := w.object(forms[k.Name], "collectors."+k.Name+"[]")
		instance["required"] = []string{"name"}
		instance["properties"].(map[string]any)["name"].(map[string]any)["pattern"] = namePattern.String()
		instances[k.Name] = map[string]any{"type": []string{"array", "null"}, "description": k.Summary, "items": instance}
	}
	schema := w.object(reflect.TypeFor[file](), "")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Configuration of prodsec_exporter"
	schema["required"] = []string{"collectors"}
	schema["$defs"] = w.definitions
	properties := schema["properties"].(map[string]any)
	properties["collectors"] = map[string]any{
		"type": "object", "additionalProperties": false, "properties": instances,
		"description": properties["collectors"].(map[string]any)["description"],
	}
	if len(w.unexplained) > 0 {
		slices.Sort(w.unexplained)
		return nil, fmt.Errorf("the example does not explain these keys: %s", strings.Join(w.unexplained, ", "))
	}
	return schema, nil
}

// schemaWriter turns types into schemas.
type schemaWriter struct {
	// comments are what the example says about fields, wherever it says it first.
	comments    map[fieldOf]string
	unexplained []string
	// definitions are the schemas of shared types by name.
	definitions map[string]any
}

// shared are the types that every kind of collector has: they are written once and referred to.
var shared = map[reflect.Type]string{reflect.TypeFor[collectors.HTTPClient](): "http_client"}

// fieldOf is a key of a struct type; what is embedded belongs to its own type.
type fieldOf struct {
	owner reflect.Type
	key   string
}

type field struct {
	fieldOf
	form reflect.Type
}

func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		key, inline := tag(f)
		switch {
		case inline:
			fields = append(fields, fieldsOf(f.Type)...)
		case key != "":
			fields = append(fields, field{fieldOf{t, key}, f.Type})
		}
	}
	return fields
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
		return nil, fmt.Errorf("config: kind %s does not return the error of its section", k.Name)
	}
	return a.form, nil
}

// learn collects the example's comments about a type.
func (w *schemaWriter) learn(t reflect.Type, at *yaml.Node) {
	if at == nil || isText(t) {
		return
	}
	switch t.Kind() { //nolint:exhaustive // Scalars have no keys.
	case reflect.Pointer:
		w.learn(t.Elem(), at)
	case reflect.Slice, reflect.Map:
		w.learn(t.Elem(), item(at))
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			value, comment := valueAndComment(at, f.key)
			if comment != "" && w.comments[f.fieldOf] == "" {
				w.comments[f.fieldOf] = comment
			}
			w.learn(f.form, value)
		}
	}
}

func (w *schemaWriter) object(t reflect.Type, path string) map[string]any {
	properties := map[string]any{}
	for _, f := range fieldsOf(t) {
		s := w.schema(f.form, join(path, f.key))
		if comment := w.comments[f.fieldOf]; comment != "" {
			s["description"] = comment
		} else {
			w.unexplained = append(w.unexplained, join(path, f.key))
		}
		properties[f.key] = s
	}
	// A section of which every line is a comment is null.
	if _, switched := reflect.New(t).Interface().(collectors.Switched); switched {
		return map[string]any{"type": []string{"object", "boolean", "null"}, "additionalProperties": false, "properties": properties}
	}
	return map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

func (w *schemaWriter) schema(t reflect.Type, path string) map[string]any {
	if values, ok := enums[t]; ok {
		return map[string]any{"type": "string", "enum": values}
	}
	if isText(t) {
		if strings.HasSuffix(t.Name(), "Duration") {
			return map[string]any{"type": "string", "pattern": `^([0-9]+(ms|[smhdwy]))+$`}
		}
		return map[string]any{"type": "string"}
	}
	switch t.Kind() { //nolint:exhaustive // The default covers what the decoder would refuse.
	case reflect.Pointer:
		return w.schema(t.Elem(), path)
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": w.schema(t.Elem(), path+"[]")}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": w.schema(t.Elem(), join(path, "*"))}
	case reflect.Struct:
		if name, ok := shared[t]; ok {
			if w.definitions[name] == nil {
				w.definitions[name] = w.object(t, path)
			}
			return map[string]any{"$ref": "#/$defs/" + name}
		}
		return w.object(t, path)
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

// enums are the texts that have a fixed set of values.
var enums = map[reflect.Type]any{
	reflect.TypeFor[record.Severity]():       []record.Severity{record.SeverityCritical, record.SeverityHigh, record.SeverityMedium, record.SeverityLow},
	reflect.TypeFor[policy.Reopen]():         []policy.Reopen{policy.ReopenContinue, policy.ReopenRestart},
	reflect.TypeFor[record.ReviewKind]():     []record.ReviewKind{record.ReviewThreatModel, record.ReviewDesign, record.ReviewCode, record.ReviewOther},
	reflect.TypeFor[record.EscalationKind](): []record.EscalationKind{record.EscalationReleaseBlock, record.EscalationUrgent},
	reflect.TypeFor[policy.Domain]():         policy.Domains(),
	reflect.TypeFor[policy.Combination]():    policy.Combinations(),
	reflect.TypeFor[policy.EvidenceSource](): policy.EvidenceSources(),
	reflect.TypeFor[policy.Absence]():        policy.Absences(),
	reflect.TypeFor[policy.Weekday]():        policy.Weekdays(),
	reflect.TypeFor[policy.Check]():          append(policy.BranchChecks(), policy.CheckRequiredReviewers, policy.CheckSelfReviewPrevented, policy.CheckBranchPolicy),
}

// isText reports whether values of a type are read from text.
func isText(t reflect.Type) bool {
	_, ok := reflect.New(t).Interface().(interface{ UnmarshalText([]byte) error })
	return ok
}

// valueAndComment are the value of a key and the first comment above or beside it; a merged section may have a key several times.
func valueAndComment(n *yaml.Node, key string) (value *yaml.Node, comment string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, ""
	}
	var values []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Value != key {
			continue
		}
		values = append(values, deref(v))
		for _, c := range []string{k.HeadComment, k.LineComment, v.LineComment} {
			if comment == "" {
				comment = plainComment(c)
			}
		}
	}
	switch len(values) {
	case 0:
		return nil, comment
	case 1:
		return values[0], comment
	default:
		return merge(values), comment
	}
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

// item stands for every item of a list or value of a map: a section with the keys of all of them.
func item(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	var items []*yaml.Node
	for i, c := range n.Content {
		if n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode && i%2 == 1 {
			items = append(items, deref(c))
		}
	}
	return merge(items)
}

func merge(nodes []*yaml.Node) *yaml.Node {
	merged := &yaml.Node{}
	for _, n := range nodes {
		if merged.Kind == 0 {
			merged.Kind = n.Kind
		}
		if n.Kind != merged.Kind {
			continue
		}
		content := n.Content
		if n.Kind == yaml.MappingNode && n.HeadComment != "" && len(content) > 0 && content[0].HeadComment == "" {
			// The parser gives what stands above "- key:" to the item; it is about the key.
			first := *content[0]
			first.HeadComment = n.HeadComment
			content = append([]*yaml.Node{&first}, content[1:]...)
		}
		merged.Content = append(merged.Content, content...)
	}
	return merged
}
