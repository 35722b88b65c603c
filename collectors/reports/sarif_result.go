package reports

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

func decodeElements(data []byte, into *textList) error {
	var elements []text
	if err := json.Unmarshal(data, &elements); err != nil {
		return err
	}
	*into = elements
	return nil
}

// finding turns a result into a finding and says what identifies it within the report.
func (run *sarifRun) finding(result *sarifResult, tool record.Tool) (record.Finding, []string) {
	rule, id := run.rule(result)
	file, line, column := run.where(result)
	message := result.message(rule)
	f := record.Finding{
		Tool: tool.Name, Class: classOf(tool, rule), Rule: record.Text(id), URL: webLink(string(rule.HelpURI)),
		Severity: result.severity(rule), Category: result.cwe(rule),
		Place: record.Text(file), Line: line, Closure: result.closure(),
	}
	f.Title = record.Text(cmp.Or(message, string(rule.ShortDescription.Text), id))
	if f.Class == record.ClassSecret {
		// A message may quote the secret; the rule's words cannot.
		f.Title = record.Text(cmp.Or(string(rule.ShortDescription.Text), string(rule.Name), id))
	}
	if f.Class == record.ClassSCA || f.Class == record.ClassContainer {
		f.Aliases = record.Advisories(id, string(rule.ID))
	} else if f.Category == "" {
		f.Category = f.Rule // an advisory does not recur, a rule does
	}
	if print := result.fingerprint(); print != "" {
		return f, []string{id, file, print}
	}
	return f, []string{id, file, strconv.Itoa(line), strconv.Itoa(column), message}
}

// fingerprint is what the tool says identifies a result even if it moves: GitHub's line hash if there is one, else the
// full fingerprints, else the partial ones.
func (result *sarifResult) fingerprint() string {
	const lineHash = "primaryLocationLineHash"
	if v := result.PartialFingerprints[lineHash]; v != "" {
		return lineHash + "=" + string(v)
	}
	prints := result.Fingerprints
	if len(prints) == 0 {
		prints = result.PartialFingerprints
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(prints)) {
		if prints[key] != "" {
			b.WriteString(key + "=" + string(prints[key]) + ";")
		}
	}
	return b.String()
}

// rule finds the rule of a result by component and index, else by id; its id may have a suffix ("rule/sub").
func (run *sarifRun) rule(result *sarifResult) (*sarifRule, string) {
	id := string(cmp.Or(result.RuleID, result.Rule.ID))
	component := run.component(result)
	position := result.RuleIndex
	if position == nil {
		position = result.Rule.Index
	}
	if position != nil && *position >= 0 && int(*position) < len(component.Rules) {
		rule := &component.Rules[*position]
		return rule, cmp.Or(id, string(rule.ID))
	}
	components := append([]*sarifComponent{component, &run.tool.Driver}, pointers(run.tool.Extensions)...)
	for search := id; search != ""; search = parent(search) {
		for _, c := range components {
			if rule := c.find(search); rule != nil {
				return rule, id
			}
		}
	}
	return &sarifRule{}, cmp.Or(id, "unknown")
}

func pointers(list []sarifComponent) []*sarifComponent {
	all := make([]*sarifComponent, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}

// parent drops the last part of a hierarchical rule id.
func parent(id string) string {
	at := strings.LastIndexByte(id, '/')
	if at < 0 {
		return ""
	}
	return id[:at]
}

func (run *sarifRun) component(result *sarifResult) *sarifComponent {
	named := result.Rule.ToolComponent
	if i := named.Index; i != nil && *i >= 0 && int(*i) < len(run.tool.Extensions) {
		return &run.tool.Extensions[*i]
	}
	for i := range run.tool.Extensions {
		c := &run.tool.Extensions[i]
		if (named.GUID != "" && c.GUID == named.GUID) || (named.GUID == "" && named.Name != "" && c.Name == named.Name) {
			return c
		}
	}
	return &run.tool.Driver
}

// find looks a rule up by id. The index by id is made at the first use.
func (c *sarifComponent) find(id string) *sarifRule {
	if c.byID == nil {
		c.byID = make(map[text]int, len(c.Rules))
		for i, rule := range c.Rules {
			if _, dup := c.byID[rule.ID]; !dup {
				c.byID[rule.ID] = i
			}
		}
	}
	if i, ok := c.byID[text(id)]; ok {
		return &c.Rules[i]
	}
	return nil
}

// severity is the security severity of result or rule, else what the level says; a level that is nowhere given is
// "warning", as the standard says.
func (result *sarifResult) severity(rule *sarifRule) record.Severity {
	for _, s := range []text{result.Properties.SecuritySeverity, rule.Properties.SecuritySeverity} {
		if severity := severityOfProperty(string(s)); severity != record.SeverityUnknown {
			return severity
		}
	}
	switch cmp.Or(result.Level, rule.DefaultConfiguration.Level, "warning") {
	case "error":
		return record.SeverityHigh
	case "warning":
		return record.SeverityMedium
	case "note":
		return record.SeverityLow
	default:
		return record.SeverityUnknown
	}
}

// cwe finds the first CWE in taxa, tags, properties and relationships.
func (result *sarifResult) cwe(rule *sarifRule) string {
	for _, reference := range result.Taxa {
		if c := reference.cwe(); c != "" {
			return c
		}
	}
	for _, list := range []textList{result.Properties.CWE, result.Properties.Tags, rule.Properties.CWE, rule.Properties.Tags} {
		for _, tag := range list {
			if c := record.CWE(string(tag)); c != "" {
				return c
			}
		}
	}
	for _, relationship := range rule.Relationships {
		if c := relationship.Target.cwe(); c != "" {
			return c
		}
	}
	return ""
}

func (r *sarifReference) cwe() string {
	if strings.EqualFold(string(r.ToolComponent.Name), "CWE") {
		return record.CWE("CWE-" + strings.TrimPrefix(strings.ToUpper(string(r.ID)), "CWE-"))
	}
	return record.CWE(string(r.ID))
}

// closure: a baseline that no longer has the result means fixed; a suppression counts unless somebody rejected it or has not yet decided. An
// empty list of suppressions says "not suppressed".
func (result *sarifResult) closure() record.Closure {
	if result.BaselineState == "absent" {
		return record.ClosureFixed
	}
	words := ""
	for _, s := range result.Suppressions {
		status := cmp.Or(s.Status, s.State, "accepted")
		if status != "accepted" {
			return record.ClosureNone
		}
		words += " " + string(s.Justification)
	}
	if len(result.Suppressions) == 0 {
		return record.ClosureNone
	}
	return closureOfWords(words)
}

// message is the result's own text, or the rule's message with the arguments filled in.
func (result *sarifResult) message(rule *sarifRule) string {
	if result.Message.Text != "" || result.Message.ID == "" {
		return string(result.Message.Text)
	}
	message := string(rule.MessageStrings[string(result.Message.ID)].Text)
	for i, argument := range result.Message.Arguments {
		message = strings.ReplaceAll(message, "{"+strconv.Itoa(i)+"}", string(argument))
	}
	return message
}

// where is the first place of a result: a path relative to the repository where the report allows it.
func (run *sarifRun) where(result *sarifResult) (file string, line, column int) {
	for _, l := range result.Locations {
		file = run.path(l.Physical.Artifact)
		if file == "" && len(l.Logical) > 0 {
			file = string(l.Logical[0].FullyQualifiedName)
		}
		if file != "" {
			return file, positive(l.Physical.Region.StartLine), positive(l.Physical.Region.StartColumn)
		}
	}
	return "", 0, 0
}

func positive(n number) int { return int(max(0, min(n, 1<<30))) }

func (run *sarifRun) path(l sarifLocation) string {
	if l.URI == "" && l.Index != nil && *l.Index >= 0 && int(*l.Index) < len(run.artifacts) {
		l = run.artifacts[*l.Index].Location
	}
	uri := strings.TrimSpace(string(l.URI))
	base := strings.TrimSpace(string(run.bases[string(l.URIBaseID)].URI))
	switch {
	case uri == "":
		return ""
	case strings.Contains(uri, "://"):
		longest := ""
		for _, b := range run.bases {
			root := strings.TrimSpace(string(b.URI))
			if strings.Contains(root, "://") && strings.HasPrefix(uri, root) && len(root) > len(longest) {
				longest = root
			}
		}
		if longest != "" {
			return cleanPath(uri[len(longest):])
		}
	case base != "" && !strings.Contains(base, "://") && !strings.HasPrefix(base, "/"):
		uri = base + "/" + uri
	}
	return cleanPath(uri)
}

// cleanPath undoes URI escapes and "./", and drops the scheme of a file URI.
func cleanPath(uri string) string {
	if unescaped, err := url.PathUnescape(uri); err == nil {
		uri = unescaped
	}
	if rest, ok := strings.CutPrefix(uri, "file://"); ok {
		uri = rest
	} else if strings.Contains(uri, "://") {
		return uri
	}
	return path.Clean(strings.ReplaceAll(uri, `\`, "/"))
}

// webLink passes links that a browser may open and nothing else.
func webLink(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return record.Text(s)
	}
	return ""
}
