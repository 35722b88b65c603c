package jira

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"prodsec_exporter/internal/record"
)

// Issues selects the issues of a mapping.
type Issues struct {
	// Name distinguishes the mapping's scope from others of its kind, e.g. "reviews:<name>"; by default "default".
	Name string `yaml:"name,omitempty"`
	// JQL selects the issues. It must be bounded, e.g. by a project.
	JQL string `yaml:"jql"`
}

// selection is what every mapping has: its scope, its query and where people open its issues.
type selection struct {
	kind, name, query, browse string
	// without says what is unknown while the scope cannot be read.
	without string
}

// newSelection checks a query. The kind is the first part of the scope's name, example a query to suggest.
func newSelection(kind string, chosen Issues, site, example, without string) (selection, error) {
	if strings.TrimSpace(orderClause.ReplaceAllString(chosen.JQL, "")) == "" {
		return selection{}, fmt.Errorf("jql: say which issues are %s, e.g. %s", kind, example)
	}
	return selection{kind: kind, name: cmp.Or(chosen.Name, "default"), query: chosen.JQL, browse: site + "/browse/", without: without}, nil
}

func (s selection) scope() string   { return s.kind + ":" + s.name }
func (s selection) jql() string     { return s.query }
func (s selection) unknown() string { return s.without }

// link is where people open an issue.
func (s selection) link(i *issue) string { return record.Text(s.browse + url.PathEscape(i.key)) }

// named are the configured names for one meaning.
type named[M ~string] struct {
	meaning M
	names   []string
}

// index finds meanings by folded name, and refuses a name with two meanings.
func index[M ~string](lists ...named[M]) (map[string]M, error) {
	meanings := map[string]M{}
	for _, list := range lists {
		for _, name := range list.names {
			folded := fold(name)
			if other, dup := meanings[folded]; dup && other != list.meaning {
				return nil, fmt.Errorf("%q is named under both %s and %s", name, other, list.meaning)
			}
			meanings[folded] = list.meaning
		}
	}
	return meanings, nil
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// words are parts of usual names that tell a meaning, in lower case.
type words[M ~string] struct {
	meaning M
	parts   []string
}

// usual is the first meaning that has a part of the text among its words; empty when none has.
func usual[M ~string](all []words[M], text string) M {
	folded := strings.ToLower(text)
	for _, w := range all {
		for _, part := range w.parts {
			if strings.Contains(folded, part) {
				return w.meaning
			}
		}
	}
	return ""
}
