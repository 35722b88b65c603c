package jira

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field says where a mapping finds something: a field's id or name, and for labels which of them.
type field struct {
	purpose string
	id      string
	names   []string
	// prefix, for labels, selects the labels that begin with it and is removed.
	prefix string
	// guessed: nothing is configured; the names are tried and may be absent.
	guessed bool
	// likely, if set, matches the names of fields that may be the one looked for: while there are any, it may not be absent. Unlikely are
	// exceptions from it.
	likely, unlikely *regexp.Regexp
}

var customID = regexp.MustCompile(`^customfield_[0-9]+$`)

// systemFields are Jira's own fields, which need no look-up, in the spellings that people use.
var systemFields = map[string]string{
	"component": "components", "components": "components", "label": "labels", "labels": "labels", "parent": "parent", "project": "project",
	"summary": "summary", "duedate": "duedate", "due date": "duedate", "resolutiondate": "resolutiondate", "resolved": "resolutiondate",
	"priority": "priority", "reporter": "reporter", "creator": "creator", "links": "issuelinks", "issuelinks": "issuelinks", "issue type": "issuetype", "due": "duedate", "assignee": "assignee", "environment": "environment", "issuetype": "issuetype", "description": "description",
}

// newField reads a configured field; guesses are tried in turn where nothing is configured.
func newField(purpose, configured string, guesses ...string) *field {
	f := &field{purpose: purpose}
	configured = strings.TrimSpace(configured)
	name, prefix, _ := strings.Cut(configured, ":")
	switch {
	case configured == "":
		f.names, f.guessed = guesses, true
	case strings.EqualFold(configured, noField):
	case customID.MatchString(configured):
		f.id = configured
	case systemFields[strings.ToLower(configured)] != "":
		f.id = systemFields[strings.ToLower(configured)]
	case systemFields[strings.ToLower(strings.TrimSpace(name))] == "labels":
		f.id, f.prefix = "labels", strings.TrimSpace(prefix)
	default:
		f.names = []string{configured}
	}
	return f
}

// orSay makes a field that is not configured fail where none has a usual name but some look like it.
func (f *field) orSay(likely, unlikely *regexp.Regexp) *field {
	f.likely, f.unlikely = likely, unlikely
	return f
}

// newFieldOr is newField with one of Jira's own fields where nothing is configured.
func newFieldOr(purpose, configured, fallback string) *field {
	if strings.TrimSpace(configured) == "" {
		configured = fallback
	}
	return newField(purpose, configured)
}

// byName reports whether the field's id has to be looked up.
func (f *field) byName() bool { return f.id == "" && len(f.names) > 0 }

// values reads a field's value in any of the forms that Jira has: text, number, option, user, version, issue, document, or a list of these.
func (f *field) values(raw json.RawMessage) []string {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	found := flatten(nil, v)
	if f.prefix == "" {
		return found
	}
	var chosen []string
	for _, s := range found {
		if rest, ok := cutPrefixFold(s, f.prefix); ok && rest != "" {
			chosen = append(chosen, rest)
		}
	}
	return chosen
}

// then reads a time that a changelog says the field held; ok is false where it cannot be understood.
func (f *field) then(w written) (m moment, ok bool) {
	if f.id == "labels" {
		for _, label := range strings.Fields(w.text) {
			if rest, chosen := cutPrefixFold(label, f.prefix); chosen && rest != "" {
				return m, m.parse(rest) == nil
			}
		}
		return m, true
	}
	if m.parse(w.raw) == nil && !m.IsZero() {
		return m, true
	}
	m = moment{}
	return m, m.parse(w.text) == nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimSpace(s[len(prefix):]), true
}

func flatten(into []string, v any) []string {
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" {
			into = append(into, s)
		}
	case float64:
		into = append(into, strconv.FormatFloat(v, 'f', -1, 64))
	case bool:
		into = append(into, strconv.FormatBool(v))
	case []any:
		for _, element := range v {
			into = flatten(into, element)
		}
	case map[string]any:
		into = flattenObject(into, v)
	}
	return into
}

// flattenObject reads what an object is known by. Cascading options are the parent's value and the child's.
func flattenObject(into []string, v map[string]any) []string {
	if v["type"] == "doc" {
		return flatten(into, documentText(v))
	}
	if fields, ok := v["fields"].(map[string]any); ok { // another issue, e.g. the parent: its title
		if s, ok := fields["summary"].(string); ok && s != "" {
			return append(into, strings.TrimSpace(s))
		}
	}
	for _, side := range []string{"inwardIssue", "outwardIssue"} { // a link
		if linked, ok := v[side].(map[string]any); ok {
			return flattenObject(into, map[string]any{"key": linked["key"]})
		}
	}
	for _, key := range slices.Concat(nameKeys, []string{"id"}) {
		if s, ok := v[key].(string); ok && strings.TrimSpace(s) != "" {
			into = append(into, strings.TrimSpace(s))
			break
		}
	}
	if child, ok := v["child"]; ok {
		into = flatten(into, child)
	}
	return into
}

// nameKeys are where the name of an object may be, the best first. Label is that of an Assets object.
var nameKeys = []string{"value", "name", "displayName", "label", "key", "emailAddress"}

// unnamedObject reports whether an object is known by its id alone.
func unnamedObject(v map[string]any) bool {
	_, fields := v["fields"]
	return !fields && !slices.ContainsFunc(nameKeys, func(key string) bool { s, ok := v[key].(string); return ok && strings.TrimSpace(s) != "" })
}

// documentText is the text of a document in Atlassian's format, a line for each block.
func documentText(node any) string {
	object, ok := node.(map[string]any)
	if !ok {
		return ""
	}
	if s, ok := object["text"].(string); ok {
		return s
	}
	if object["type"] == "hardBreak" {
		return "\n"
	}
	var b strings.Builder
	children, _ := object["content"].([]any)
	for _, child := range children {
		b.WriteString(documentText(child))
	}
	if slices.Contains([]any{"paragraph", "heading", "listItem", "codeBlock"}, object["type"]) {
		b.WriteString("\n")
	}
	return b.String()
}

// names splits values into single names: by comma, semicolon and line.
func names(values []string) []string {
	var all []string
	for _, v := range values {
		for name := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
