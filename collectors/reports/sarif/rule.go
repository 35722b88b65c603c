package sarif

import (
	"cmp"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// rule finds the rule of a result by component and index or GUID, else by id; its id may have a suffix ("rule/sub").
func (run *runReading) rule(result *resultObject) (*reportingDescriptor, string) {
	reference := result.Rule
	reference.ID = cmp.Or(result.RuleID, reference.ID)
	if result.RuleIndex != nil {
		reference.Index = result.RuleIndex
	}
	if rule := run.descriptor(&reference); rule != nil {
		return rule, string(cmp.Or(reference.ID, rule.ID, "unknown"))
	}
	return &reportingDescriptor{}, string(cmp.Or(reference.ID, "unknown"))
}

// descriptor is the rule that a reference names, nil if there is none.
func (run *runReading) descriptor(reference *descriptorReference) *reportingDescriptor {
	component := run.component(&reference.ToolComponent)
	if rule := at(component.Rules, reference.Index); rule != nil {
		return rule
	}
	components := append([]*toolComponent{component, &run.driver}, pointers(run.extensions)...)
	for _, c := range components {
		if rule := c.findGUID(reference.GUID); rule != nil {
			return rule
		}
	}
	for search := string(reference.ID); search != ""; search = parent(search) {
		for _, c := range components {
			if rule := c.find(search); rule != nil {
				return rule
			}
		}
	}
	return nil
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

func (run *runReading) component(named *componentReference) *toolComponent {
	if c := at(run.extensions, named.Index); c != nil {
		return c
	}
	if c := named.in(run.extensions); c != nil {
		return c
	}
	return &run.driver
}

// in finds a component by GUID, else by name.
func (named *componentReference) in(components []toolComponent) *toolComponent {
	for i := range components {
		c := &components[i]
		if named.GUID != "" && strings.EqualFold(string(c.GUID), string(named.GUID)) || named.GUID == "" && named.Name != "" && c.Name == named.Name {
			return c
		}
	}
	return nil
}

// taxon is the id and taxonomy of what a reference to a taxon names: by itself, or by position or GUID in a taxonomy.
func (run *runReading) taxon(reference *descriptorReference) (taxonomy, id string) {
	component := at(run.taxonomies, reference.ToolComponent.Index)
	if component == nil {
		component = reference.ToolComponent.in(run.taxonomies)
	}
	if component == nil && reference.ID != "" {
		return string(reference.ToolComponent.Name), string(reference.ID)
	}
	var candidates []*toolComponent
	switch {
	case component != nil:
		candidates = []*toolComponent{component}
	case reference.GUID != "":
		candidates = pointers(run.taxonomies)
	case reference.ToolComponent == componentReference{}:
		candidates = []*toolComponent{&run.driver}
	}
	for _, c := range candidates {
		if t := at(c.Taxa, reference.Index); t != nil && reference.GUID == "" {
			return string(c.Name), string(cmp.Or(reference.ID, t.ID, t.Name))
		}
		for i := range c.Taxa {
			if t := &c.Taxa[i]; reference.GUID != "" && strings.EqualFold(string(t.GUID), string(reference.GUID)) {
				return string(c.Name), string(cmp.Or(reference.ID, t.ID, t.Name))
			}
		}
	}
	if component != nil {
		return string(component.Name), string(reference.ID)
	}
	return string(reference.ToolComponent.Name), string(reference.ID)
}

// cweOf is the CWE that a reference to a taxon names, empty if it names none.
func (run *runReading) cweOf(reference *descriptorReference) string {
	taxonomy, id := run.taxon(reference)
	if strings.EqualFold(taxonomy, "CWE") {
		return record.CWE("CWE-" + strings.TrimPrefix(strings.ToUpper(id), "CWE-"))
	}
	return record.CWE(id)
}

// cwe finds the first CWE in taxa, tags, properties and relationships.
func (run *runReading) cwe(result *resultObject, rule *reportingDescriptor) string {
	for i := range result.Taxa {
		if c := run.cweOf(&result.Taxa[i]); c != "" {
			return c
		}
	}
	for _, words := range [][]string{texts(result.Properties.CWE), texts(result.Properties.Tags), texts(rule.Properties.CWE), texts(rule.Properties.Tags)} {
		for _, word := range words {
			if c := record.CWE(word); c != "" {
				return c
			}
		}
	}
	for i := range rule.Relationships {
		if c := run.cweOf(&rule.Relationships[i].Target); c != "" {
			return c
		}
	}
	return ""
}

// natureOf classifies a rule. id is the id by which the result names it: the rule itself may not be in the report.
func (run *runReading) natureOf(rule *reportingDescriptor, id string) nature {
	if rule.nature == nil {
		about := record.Rule{
			ID: cmp.Or(string(rule.ID), id), Name: string(rule.Name), Description: rule.description(),
			Tags:  append(texts(rule.Properties.Tags), texts(rule.Properties.Category)...),
			Rated: format.SeverityOfProperty(string(rule.Properties.SecuritySeverity)) != record.SeverityUnknown, PackageURLs: rule.Properties.packageURLs(),
			Weakness: run.cwe(&resultObject{}, rule) != "",
		}
		for _, list := range [][]string{texts(rule.DeprecatedIDs), texts(rule.Properties.CVE), texts(rule.Properties.CVEs), texts(rule.Properties.Aliases)} {
			about.Formerly = append(about.Formerly, list...)
		}
		n := nature{}
		n.class, n.subject = run.tool.Classify(&about)
		if n.class == record.ClassSCA || n.class == record.ClassContainer {
			n.advisories = about.Advisories()
		} else {
			n.advisories = record.Advisories(append(about.Formerly, about.ID, about.Name)...)
		}
		rule.nature = &n
	}
	return *rule.nature
}

func (rule *reportingDescriptor) description() string {
	return strings.TrimSpace(string(rule.FullDescription.Text) + "\n" + string(rule.ShortDescription.Text))
}
