package panel

import (
	"cmp"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"prodsec_exporter/internal/monitoring/names"
)

// tableLabels are the labels that queries of tables yield; those without a column are hidden.
var tableLabels = append(names.SplitLabels(names.OwnerLabels), "category", "severity", "repository", "scope", "check", "status", "collector", "instance_name", "scope_kind",
	"internet_facing", "crown_jewel", "evidence", "control", "domain", "product_area", "kind", "source", "class", "environment", "resource", "reason", "job", "security_impact", "version", "goversion", "metric", "cause")

// tableTransformations merge the queries on their common labels, name and order the columns and hide the rest.
func (p Panel) tableTransformations() []dashboard.DataTransformerConfig {
	hide, order, rename := hiddenTimes(len(p.Queries)), map[string]int{}, map[string]string{}
	for _, label := range tableLabels {
		if !slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Field == label }) {
			hide[label] = true
		}
	}
	for position, c := range p.Columns {
		for _, field := range p.fieldsOf(c) {
			order[field], rename[field] = position, c.Title
		}
	}
	for i, q := range p.Queries {
		if !slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Field == q.Name }) {
			for _, field := range valueFields(i, len(p.Queries)) {
				hide[field] = true
			}
		}
	}
	list := []dashboard.DataTransformerConfig{organize(hide, order, rename)}
	if len(p.Queries) > 1 {
		list = slices.Insert(list, 0, dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	}
	return list
}

// fieldsOf are the names that a column's field may have: a label has its own, a query those Grafana gives its value.
func (p Panel) fieldsOf(c Column) []string {
	for i, q := range p.Queries {
		if q.Name == c.Field {
			return valueFields(i, len(p.Queries))
		}
	}
	return []string{c.Field}
}

// mappings name the column's values, and what is missing or no number, in grey: Grafana would give it the colour of the lowest threshold, and so call it good or bad.
func (c Column) mappings() []dashboard.ValueMapping {
	list := mappings(c.Texts)
	if c.Zero != "" || len(c.Steps) > 0 {
		list = append(list, absent(cmp.Or(c.Zero, "–"), len(c.Texts)))
	}
	if c.Undefined != "" || len(c.Steps) > 0 {
		list = append(list, special(dashboard.SpecialValueMatchNaN, cmp.Or(c.Undefined, "not known"), len(c.Texts)+1))
	}
	return list
}

// properties are the settings of a column. Cell looks are written in the form of Grafana up to 9.4 (displayMode) and of later ones (cellOptions).
func (c Column) properties() (list []dashboard.DynamicConfigValue) {
	if c.Width > 0 {
		list = append(list, property("custom.width", c.Width))
	}
	if c.Unit != "" {
		list = append(list, property("unit", c.Unit))
	}
	if c.Unit == "" || c.Unit == "none" {
		list = append(list, property("decimals", 0)) // counts, whatever the panel shows beside them
	}
	if len(c.Steps) > 0 {
		list = append(list, property("thresholds", thresholds(c.Steps)))
	}
	if m := c.mappings(); len(m) > 0 {
		list = append(list, property("mappings", m))
	}
	switch {
	case c.Bar:
		list = append(list, property("custom.displayMode", "basic"),
			property("custom.cellOptions", map[string]any{"type": "gauge", "mode": "basic", "valueDisplayMode": "color"}), property("min", 0))
	case c.Shade:
		list = append(list, property("custom.displayMode", "color-background-solid"),
			property("custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"}))
	case len(c.Steps) > 0:
		list = append(list, property("custom.displayMode", "color-text"), property("custom.cellOptions", map[string]any{"type": "color-text"}))
	}
	if c.Link != "" {
		list = append(list, property("links", []map[string]string{{"title": "The records behind it", "url": c.Link}}))
	}
	return list
}

// AsBar draws the column's value as a bar.
func (c Column) AsBar() Column { c.Bar = true; return c }

// Wide sets the column's width.
func (c Column) Wide(width int) Column { c.Width = width; return c }

// Without leaves out columns, and the order that they gave, for a panel that stands in less room.
func (p Panel) Without(titles ...string) Panel {
	p.Columns = slices.DeleteFunc(slices.Clone(p.Columns), func(c Column) bool { return slices.Contains(titles, c.Title) })
	p.Sort = slices.DeleteFunc(slices.Clone(p.Sort), func(s Sort) bool { return slices.Contains(titles, s.Title) })
	return p
}
