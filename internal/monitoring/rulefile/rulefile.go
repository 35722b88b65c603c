package rulefile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

// Links are the addresses that alerts link to.
type Links struct {
	// Runbooks is the folder that holds <Alert>.md; Grafana the address of Grafana. Neither ends in a slash.
	Runbooks, Grafana string
}

// Write writes groups of rules as YAML under a comment.
func Write(groups []Group, links Links, head string) ([]byte, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, g := range groups {
		rules := &yaml.Node{Kind: yaml.SequenceNode}
		for _, r := range g.Rules {
			rules.Content = append(rules.Content, r.node(links))
		}
		list.Content = append(list.Content, mapping("name", text(g.Name), "interval", text(promql.PromDuration(settings.EvaluationInterval)), "rules", rules))
	}
	root := mapping("groups", list)
	root.HeadComment = head
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("writing rules as YAML: %w", err)
	}
	return out.Bytes(), nil
}

func (r Rule) node(links Links) *yaml.Node {
	n := mapping()
	add := func(key string, value *yaml.Node) { n.Content = append(n.Content, text(key), value) }
	if r.Alert == nil {
		add("record", text(r.Record))
	} else {
		add("alert", text(r.Alert.Name))
	}
	add("expr", expression(r.Expr))
	if a := r.Alert; a != nil {
		add("for", text(promql.PromDuration(a.For)))
		add("keep_firing_for", text(promql.PromDuration(a.Hold)))
	}
	if len(r.Labels) > 0 {
		add("labels", sorted(r.Labels))
	}
	if a := r.Alert; a != nil {
		add("annotations", mapping(
			"summary", text(a.Summary),
			"description", text(a.Description),
			"runbook_url", text(links.Runbooks+"/"+a.Name+".md"),
			"dashboard_url", text(links.Grafana+a.BoardPath()),
		))
	}
	n.HeadComment = r.Why
	return n
}

// BoardPath is where on Grafana an alert is looked into: its board, restricted to what it is about, with one panel in full view.
func (a *Alert) BoardPath() string {
	path := fmt.Sprintf("/d/%s?viewPanel=%d", a.Board, a.Panel)
	for _, label := range a.Select {
		path += fmt.Sprintf("&var-%s={{ $labels.%s | urlquery }}", label, label)
	}
	return path
}

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.Content = append(n.Content, text(pairs[i].(string)), pairs[i+1].(*yaml.Node))
	}
	return n
}

func sorted(m map[string]string) *yaml.Node {
	n := mapping()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		n.Content = append(n.Content, text(k), text(m[k]))
	}
	return n
}

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func expression(expr string) *yaml.Node {
	n := text(expr)
	if strings.Contains(expr, "\n") {
		n.Style = yaml.LiteralStyle
	}
	return n
}
