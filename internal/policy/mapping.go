package policy

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// MappingConfig is a row of the table that attributes failures to controls. A weakness or an exception matches when every one of Categories
// and Classes that is set does; a bypass when Bypasses do. The first row that matches decides.
type MappingConfig struct {
	// Control is a control's name, or "none".
	Control string `yaml:"control" json:"control"`
	// Categories are glob patterns of a weakness's category: its CWE or, where its source gives none, the rule that found it. Of an exception they
	// are the categories and rules it covers, and its own category.
	Categories []string       `yaml:"categories,omitempty" json:"categories,omitempty"`
	Classes    []record.Class `yaml:"classes,omitempty" json:"classes,omitempty"`
	// Bypasses are glob patterns of the types of rules that were bypassed.
	Bypasses []string `yaml:"bypasses,omitempty" json:"bypasses,omitempty"`
}

// builtinMapping is used behind what is configured: secrets that a push could not have brought in, dependencies, infrastructure, then
// weaknesses by what would have kept them out. CWEs are grouped by their views on access control (1396), cryptography (1402) and logging.
func builtinMapping() []MappingConfig {
	return []MappingConfig{
		{Control: "push_protection", Classes: []record.Class{record.ClassSecret}},
		{Control: "sca", Classes: []record.Class{record.ClassSCA}},
		{Control: "golden_path", Classes: []record.Class{record.ClassContainer}},
		{Control: "kubernetes_baseline", Categories: []string{"KSV*", "AVD-KSV-*", "CKV_K8S_*", "CKV2_K8S_*"}},
		{Control: "cloud_baseline", Classes: []record.Class{record.ClassIaC}},
		{Control: "logging", Categories: []string{"CWE-223", "CWE-778", "CWE-779"}},
		{Control: "design_review", Categories: []string{
			"CWE-266", "CWE-269", "CWE-284", "CWE-285", "CWE-287", "CWE-306", "CWE-425", "CWE-639", "CWE-840", "CWE-841", "CWE-862", "CWE-863",
		}},
		{Control: "threat_model", Categories: []string{"CWE-441", "CWE-501", "CWE-602", "CWE-657", "CWE-918"}},
		{Control: "provenance", Categories: []string{"CWE-345", "CWE-353", "CWE-494", "CWE-829"}},
		{Control: "golden_path", Categories: []string{
			"CWE-16", "CWE-295", "CWE-310", "CWE-311", "CWE-312", "CWE-319", "CWE-326", "CWE-327", "CWE-328", "CWE-330", "CWE-338", "CWE-347", "CWE-352",
			"CWE-614", "CWE-693", "CWE-942", "CWE-1004", "CWE-1021",
		}},
		{Control: "sast", Classes: []record.Class{record.ClassSAST}},
		{Control: "sast", Bypasses: []string{"code_scanning"}},
		{Control: ControlBranchProtection, Bypasses: []string{"*"}},
	}
}

// mappingRow is a compiled row; control is -1 for none.
type mappingRow struct {
	MappingConfig
	control int
}

func (p *Policy) compileMapping(fail failFunc) {
	builtin := builtinMapping()
	rows := p.config.ControlMapping
	own := len(rows)
	if cut := own - len(builtin); cut >= 0 && reflect.DeepEqual(rows[cut:], builtin) {
		own = cut // the configuration of a policy holds the built-in rows already
	} else {
		rows = append(slices.Clone(rows), builtin...)
	}
	p.config.ControlMapping = rows
	for i, row := range rows {
		key := fmt.Sprintf("control_mapping[%d]", i)
		at := p.Control(row.Control)
		if _, known := p.config.Controls[row.Control]; !known && row.Control != noneStated && i < own {
			fail(key+".control", "%.60q is not the name of a control in policy.controls, and not built in", row.Control)
		}
		if len(row.Categories)+len(row.Classes)+len(row.Bypasses) == 0 {
			fail(key, "matches nothing; name categories, classes or bypasses")
		}
		for j, class := range row.Classes {
			if !slices.Contains(record.Classes(), class) {
				fail(fmt.Sprintf("%s.classes[%d]", key, j), "%q is not one of %s", class, oneOf(record.Classes()))
			}
		}
		checkPatterns(key+".categories", row.Categories, fail)
		checkPatterns(key+".bypasses", row.Bypasses, fail)
		p.mapping = append(p.mapping, mappingRow{row, at})
	}
}

// ControlOfFinding is the position in Controls of the control that a weakness is attributed to, -1 for none.
func (p *Policy) ControlOfFinding(category string, class record.Class) int {
	for i := range p.mapping {
		if p.mapping[i].matches(class, category) {
			return p.mapping[i].control
		}
	}
	return -1
}

// ControlsOfException are the controls that an exception is attributed to: those it names, else those of all that it covers, else that
// of its own category. It is empty where there is none.
func (p *Policy) ControlsOfException(e *record.Exception) []int {
	var found []int
	add := func(control int) {
		if control >= 0 && !slices.Contains(found, control) {
			found = append(found, control)
		}
	}
	for _, name := range e.Controls {
		add(p.Control(name))
	}
	if len(e.Controls) > 0 {
		return found
	}
	for _, covered := range slices.Concat(e.Categories, e.Rules) {
		add(p.ControlOfFinding(covered, ""))
	}
	if len(found) == 0 && e.Category != "" {
		add(p.ControlOfFinding(e.Category, ""))
	}
	return found
}

// ControlsOfBypass are the controls that a rule bypass is attributed to, by the types of the rules that were bypassed.
func (p *Policy) ControlsOfBypass(b *record.Bypass) []int {
	var found []int
	for _, rule := range b.Rules {
		for i := range p.mapping {
			row := &p.mapping[i]
			if len(row.Bypasses) == 0 || !anyPattern(row.Bypasses, rule) {
				continue
			}
			if row.control >= 0 && !slices.Contains(found, row.control) {
				found = append(found, row.control)
			}
			break
		}
	}
	return found
}

func (r *mappingRow) matches(class record.Class, category string) bool {
	if len(r.Categories)+len(r.Classes) == 0 {
		return false
	}
	return (len(r.Classes) == 0 || slices.Contains(r.Classes, class)) && (len(r.Categories) == 0 || anyPattern(r.Categories, category))
}

// anyPattern reports whether a pattern matches a name, without regard to case; a star matches slashes, too.
func anyPattern(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return false
	}
	name = flat(name)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(flat(pattern), name)
		return err == nil && ok
	})
}

func flat(s string) string { return strings.ReplaceAll(fold(s), "/", "\x00") }
