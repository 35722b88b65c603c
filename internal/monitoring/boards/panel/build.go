package panel

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	markdown "github.com/grafana/grafana-foundation-sdk/go/text"
)

// Build makes the panel's Grafana model. It makes Panel a builder of the Foundation SDK.
func (p Panel) Build() (dashboard.Panel, error) {
	out := *dashboard.NewPanel()
	out.Type, out.Id, out.Title = string(p.Look), &p.ID, &p.Title
	out.Description = ptr(p.description())
	out.Datasource = ptr(source())
	out.GridPos = &dashboard.GridPos{W: p.W, H: p.H}
	out.Transparent, out.RepeatDirection = nil, nil
	for i, q := range p.Queries {
		target, err := p.target(i, q)
		if err != nil {
			return dashboard.Panel{}, fmt.Errorf("panel %d %q, query %q: %w", p.ID, p.Title, q.Name, err)
		}
		out.Targets = append(out.Targets, target)
	}
	out.FieldConfig = &dashboard.FieldConfigSource{Defaults: p.Defaults(), Overrides: p.overrides()}
	switch p.Look {
	case Stat:
		out.Options = p.statOptions()
	case Ranking:
		out.Options = rankingOptions()
	case Bars:
		out.Options, out.Transformations = p.barOptions(), p.barTransformations()
	case Lines:
		out.Options = p.lineOptions()
	case Table:
		out.Options, out.Transformations = p.tableOptions(), p.tableTransformations()
	case Words:
		out.Options = markdown.Options{Mode: markdown.TextModeMarkdown, Content: p.Words}
	default:
		return dashboard.Panel{}, fmt.Errorf("panel %d %q has the unknown look %q", p.ID, p.Title, p.Look)
	}
	return out, nil
}

func (p Panel) target(i int, q Query) (variants.Dataquery, error) {
	b := prometheus.NewDataqueryBuilder().RefId(refID(i)).Expr(q.Expr).Datasource(source()).EditorMode(prometheus.QueryEditorModeCode)
	switch p.Look {
	case Lines:
		b = b.Range().LegendFormat(q.legend())
	case Bars, Table:
		b = b.Instant().Format(prometheus.PromQueryFormatTable)
	case Stat, Ranking:
		b = b.Instant().LegendFormat(q.legend())
	case Words: // has no query
	}
	return b.Build()
}

// overrides are the settings of single fields: those of queries, of series that have a text, and of columns.
func (p Panel) overrides() []dashboard.DashboardFieldConfigSourceOverrides {
	list := []dashboard.DashboardFieldConfigSourceOverrides{}
	add := func(field string, properties []dashboard.DynamicConfigValue) {
		if len(properties) > 0 {
			list = append(list, override(field, properties...))
		}
	}
	if p.Look != Table {
		for i, q := range p.Queries {
			if properties := q.properties(); len(properties) > 0 {
				list = append(list, dashboard.DashboardFieldConfigSourceOverrides{Matcher: q.matcher(i), Properties: properties})
			}
		}
	}
	switch p.Look {
	case Bars:
		add(p.Key, []dashboard.DynamicConfigValue{property("mappings", mappings(p.KeyTexts))})
	case Lines, Ranking:
		for _, t := range p.KeyTexts {
			properties := []dashboard.DynamicConfigValue{property("displayName", t.Text)}
			if t.Colour != "" {
				properties = append(properties, property("color", fixed(t.Colour)))
			}
			add(t.Value, properties)
		}
	case Table:
		for _, c := range p.Columns {
			add(c.Title, c.properties())
		}
	case Stat, Words:
	}
	return list
}
