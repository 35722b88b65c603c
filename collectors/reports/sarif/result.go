package sarif

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// finding turns a result into a finding and says what identifies it within the report.
func (run *runReading) finding(result *resultObject, tool record.Tool) (record.Finding, []string) {
	rule, id := run.rule(result)
	file, line, column := run.where(result)
	message := result.message(rule)
	f := record.Finding{
		Tool: tool.Name, Class: classOf(tool, rule), Rule: record.Text(id), URL: format.WebLink(string(rule.HelpURI)),
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
func (result *resultObject) fingerprint() string {
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
func (run *runReading) rule(result *resultObject) (*reportingDescriptor, string) {
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
	components := append([]*toolComponent{component, &run.tool.Driver}, pointers(run.tool.Extensions)...)
	for search := id; search != ""; search = parent(search) {
		for _, c := range components {
			if rule := c.find(search); rule != nil {
				return rule, id
			}
		}
	}
	return &reportingDescriptor{}, cmp.Or(id, "unknown")
}

func pointers(list []toolComponent) []*toolComponent {
	all := make([]*toolComponent, len(list))
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

func (run *runReading) component(result *resultObject) *toolComponent {
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
func (c *toolComponent) find(id string) *reportingDescriptor {
	if c.byID == nil {
		c.byID = make(map[stream.Text]int, len(c.Rules))
		for i, rule := range c.Rules {
			if _, dup := c.byID[rule.ID]; !dup {
				c.byID[rule.ID] = i
			}
		}
	}
	if i, ok := c.byID[stream.Text(id)]; ok {
		return &c.Rules[i]
	}
	return nil
}

// severity is the security severity of result or rule, else what the level says; a level that is nowhere given is
// "warning", as the standard says.
func (result *resultObject) severity(rule *reportingDescriptor) record.Severity {
	for _, s := range []stream.Text{result.Properties.SecuritySeverity, rule.Properties.SecuritySeverity} {
		if severity := format.SeverityOfProperty(string(s)); severity != record.SeverityUnknown {
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
func (result *resultObject) cwe(rule *reportingDescriptor) string {
	for _, reference := range result.Taxa {
		if c := reference.cwe(); c != "" {
			return c
		}
	}
	for _, list := range []stream.List{result.Properties.CWE, result.Properties.Tags, rule.Properties.CWE, rule.Properties.Tags} {
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

func (r *descriptorReference) cwe() string {
	if strings.EqualFold(string(r.ToolComponent.Name), "CWE") {
		return record.CWE("CWE-" + strings.TrimPrefix(strings.ToUpper(string(r.ID)), "CWE-"))
	}
	return record.CWE(string(r.ID))
}

// closure: a baseline that no longer has the result means fixed; a suppression counts unless somebody rejected it or has not yet decided. An
// empty list of suppressions says "not suppressed".
func (result *resultObject) closure() record.Closure {
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
	return format.ClosureOfWords(words)
}

// message is the result's own text, or the rule's message with the arguments filled in.
func (result *resultObject) message(rule *reportingDescriptor) string {
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
func (run *runReading) where(result *resultObject) (file string, line, column int) {
	for _, l := range result.Locations {
		file = run.path(l.Physical.Artifact)
		if file == "" && len(l.Logical) > 0 {
			file = string(l.Logical[0].FullyQualifiedName)
		}
		if file != "" {
			return file, format.Line(l.Physical.Region.StartLine), format.Line(l.Physical.Region.StartColumn)
		}
	}
	return "", 0, 0
}

func (run *runReading) path(l artifactLocation) string {
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
			return format.CleanPath(uri[len(longest):])
		}
	case base != "" && !strings.Contains(base, "://") && !strings.HasPrefix(base, "/"):
		uri = base + "/" + uri
	}
	return format.CleanPath(uri)
}
