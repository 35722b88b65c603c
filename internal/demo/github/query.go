package github

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// object is a value of a GraphQL type: what it holds by field. A field is a scalar, nil, an *object, a []*object, a *refusal, or a
// func(arguments) (any, error) that gives one of these.
type object struct {
	typename string
	fields   map[string]any
}

// arguments are what a field was asked with.
type arguments map[string]any

// refusal is a field that the credential may not read: null, and an error that says so.
type refusal struct{ kind, message string }

// queryError is an error as GraphQL reports it.
type queryError struct {
	Type       string         `json:"type,omitempty"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
	Message    string         `json:"message"`
}

// invalidQuery ends an execution: the query is wrong and gets no data.
type invalidQuery struct{ queryError }

// Error says what is wrong with the query.
func (e *invalidQuery) Error() string { return e.Message }

func invalid(path []any, code, format string, args ...any) error {
	return &invalidQuery{queryError{
		Path: append([]any(nil), path...), Extensions: map[string]any{"code": code}, Message: fmt.Sprintf(format, args...),
	}}
}

// query is a parsed operation with its variables.
type query struct {
	operation *ast.OperationDefinition
	fragments ast.FragmentDefinitionList
	variables map[string]any
	errors    []queryError
}

func parseQuery(text, operation string, variables map[string]any) (*query, error) {
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return nil, invalid(nil, "parseError", "%v", err)
	}
	chosen := document.Operations.ForName(operation)
	if chosen == nil || chosen.Operation != ast.Query {
		return nil, invalid(nil, "missingOperation", "No query operation named %q", operation)
	}
	q := &query{operation: chosen, fragments: document.Fragments, variables: map[string]any{}}
	for _, fragment := range q.fragments {
		if q.contains(fragment.SelectionSet, fragment.Name, map[string]bool{}) {
			return nil, invalid(nil, "infiniteLoop", "Fragment %s contains an infinite loop", fragment.Name)
		}
	}
	for _, definition := range chosen.VariableDefinitions {
		value, given := variables[definition.Variable]
		if !given && definition.DefaultValue != nil {
			if value, err = definition.DefaultValue.Value(nil); err != nil {
				return nil, invalid(nil, "defaultValueInvalidType", "%v", err)
			}
		}
		if value == nil && definition.Type.NonNull {
			return nil, invalid(nil, "missingRequiredVariable", "Variable $%s of type %s was provided invalid value", definition.Variable, definition.Type)
		}
		q.variables[definition.Variable] = value
	}
	return q, nil
}

// contains reports whether a selection spreads a fragment, directly or by way of others.
func (q *query) contains(selection ast.SelectionSet, name string, seen map[string]bool) bool {
	for _, selected := range selection {
		nested := ast.SelectionSet(nil)
		switch s := selected.(type) {
		case *ast.Field:
			nested = s.SelectionSet
		case *ast.InlineFragment:
			nested = s.SelectionSet
		case *ast.FragmentSpread:
			if s.Name == name {
				return true
			}
			if fragment := q.fragments.ForName(s.Name); fragment != nil && !seen[s.Name] {
				seen[s.Name] = true
				nested = fragment.SelectionSet
			}
		}
		if q.contains(nested, name, seen) {
			return true
		}
	}
	return false
}

// run answers a selection on an object with the fields that were asked for and no others.
func (q *query) run(o *object, selection ast.SelectionSet, path []any, into map[string]any) error {
	for _, selected := range selection {
		switch s := selected.(type) {
		case *ast.Field:
			if err := q.field(o, s, path, into); err != nil {
				return err
			}
		case *ast.InlineFragment:
			if s.TypeCondition == "" || s.TypeCondition == o.typename {
				if err := q.run(o, s.SelectionSet, path, into); err != nil {
					return err
				}
			}
		case *ast.FragmentSpread:
			fragment := q.fragments.ForName(s.Name)
			if fragment == nil {
				return invalid(path, "useAndDefineFragment", "Fragment %s was used, but not defined", s.Name)
			}
			if fragment.TypeCondition == o.typename {
				if err := q.run(o, fragment.SelectionSet, path, into); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (q *query) field(o *object, f *ast.Field, path []any, into map[string]any) error {
	path = append(path, f.Alias)
	if skip, err := q.skipped(f, path); skip || err != nil {
		return err
	}
	if f.Name == "__typename" {
		into[f.Alias] = o.typename
		return nil
	}
	value, ok := o.fields[f.Name]
	if !ok {
		return invalid(path, "undefinedField", "Field '%s' doesn't exist on type '%s'", f.Name, o.typename)
	}
	if resolve, lazy := value.(func(arguments) (any, error)); lazy {
		given, err := q.arguments(f, path)
		if err != nil {
			return err
		}
		if value, err = resolve(given); err != nil {
			return invalid(path, "argumentLiteralsIncompatible", "%v", err)
		}
	}
	return q.complete(value, f, path, into)
}

// complete puts a field's value into the answer.
func (q *query) complete(value any, f *ast.Field, path []any, into map[string]any) error {
	switch v := value.(type) {
	case *refusal:
		into[f.Alias] = nil
		q.errors = append(q.errors, queryError{Type: v.kind, Path: append([]any(nil), path...), Message: v.message})
	case *object:
		if v == nil {
			into[f.Alias] = nil
			return nil
		}
		if len(f.SelectionSet) == 0 {
			return invalid(path, "selectionMismatch", "Field must have selections (field '%s' returns %s)", f.Name, v.typename)
		}
		nested, ok := into[f.Alias].(map[string]any) // the same field may be selected twice
		if !ok {
			nested = map[string]any{}
			into[f.Alias] = nested
		}
		return q.run(v, f.SelectionSet, path, nested)
	case []*object:
		return q.list(v, f, path, into)
	default:
		into[f.Alias] = v
	}
	return nil
}

func (q *query) list(items []*object, f *ast.Field, path []any, into map[string]any) error {
	list, ok := into[f.Alias].([]map[string]any)
	if !ok {
		list = make([]map[string]any, len(items))
		for i := range list {
			list[i] = map[string]any{}
		}
		into[f.Alias] = list
	}
	for i, item := range items {
		if item == nil {
			list[i] = nil
			continue
		}
		if err := q.run(item, f.SelectionSet, append(path[:len(path):len(path)], i), list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (q *query) arguments(f *ast.Field, path []any) (arguments, error) {
	given := arguments{}
	for _, a := range f.Arguments {
		value, err := a.Value.Value(q.variables)
		if err != nil {
			return nil, invalid(path, "argumentLiteralsIncompatible", "%v", err)
		}
		given[a.Name] = value
	}
	return given, nil
}

// skipped reads the directives @skip and @include.
func (q *query) skipped(f *ast.Field, path []any) (bool, error) {
	for _, d := range f.Directives {
		argument := d.Arguments.ForName("if")
		if argument == nil || d.Name != "skip" && d.Name != "include" {
			return false, invalid(path, "undefinedDirective", "Directive @%s is not defined", d.Name)
		}
		value, err := argument.Value.Value(q.variables)
		if err != nil {
			return false, invalid(path, "argumentLiteralsIncompatible", "%v", err)
		}
		if yes, _ := value.(bool); yes == (d.Name == "skip") {
			return true, nil
		}
	}
	return false, nil
}

// cost is GitHub's price of a query: the requests needed to answer every connection, per hundred, and at least one point.
func (q *query) cost() int {
	return max(1, int(math.Round(float64(q.requests(q.operation.SelectionSet, 1))/100)))
}

func (q *query) requests(selection ast.SelectionSet, times int) int {
	total := 0
	for _, selected := range selection {
		switch s := selected.(type) {
		case *ast.Field:
			each := times
			first := s.Arguments.ForName("first")
			if first == nil {
				first = s.Arguments.ForName("last")
			}
			if first != nil {
				total += times
				if value, err := first.Value.Value(q.variables); err == nil {
					each *= max(number(value), 1)
				}
			}
			total += q.requests(s.SelectionSet, each)
		case *ast.InlineFragment:
			total += q.requests(s.SelectionSet, times)
		case *ast.FragmentSpread:
			if fragment := q.fragments.ForName(s.Name); fragment != nil {
				total += q.requests(fragment.SelectionSet, times)
			}
		}
	}
	return total
}

// number reads an integer that came from a literal or from a JSON variable.
func number(value any) int {
	switch v := value.(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	case int:
		return v
	default:
		return 0
	}
}

// connection is a paged list of n items, each made when its page is asked for.
func connection(typename string, n int, item func(i int) *object) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		first, last := number(a["first"]), number(a["last"])
		if max(first, last) < 1 || max(first, last) > 100 {
			return nil, errors.New("you must provide a `first` or `last` value between 1 and 100 to properly paginate the connection")
		}
		from := 0
		if last > 0 {
			from, first = max(0, n-last), last
		}
		if after, _ := a["after"].(string); after != "" {
			raw, err := base64.StdEncoding.DecodeString(after)
			if err != nil {
				return nil, fmt.Errorf("`%s` does not appear to be a valid cursor", after)
			}
			if from, err = strconv.Atoi(string(raw)); err != nil || from < 0 {
				return nil, fmt.Errorf("`%s` does not appear to be a valid cursor", after)
			}
		}
		from = min(from, n)
		to := min(from+first, n)
		nodes := make([]*object, 0, to-from)
		for i := from; i < to; i++ {
			nodes = append(nodes, item(i))
		}
		info := &object{"PageInfo", map[string]any{
			"hasNextPage": to < n, "hasPreviousPage": from > 0, "startCursor": cursorAt(from), "endCursor": cursorAt(to),
		}}
		return &object{typename, map[string]any{"totalCount": n, "nodes": nodes, "pageInfo": info}}, nil
	}
}

func cursorAt(i int) string { return base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(i))) }

// objectAt is what is at a revision's path, such as HEAD:go.mod: every file that somebody knows of is still there.
func objectAt(a arguments) (any, error) {
	if _, path, ok := strings.Cut(fmt.Sprint(a["expression"]), ":"); !ok || path == "" {
		return &object{"Tree", map[string]any{}}, nil
	}
	return &object{"Blob", map[string]any{}}, nil
}
