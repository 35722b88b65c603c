package panel

import (
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func ptr[T any](v T) *T { return &v }

// source is the data source variable; no panel names a data source.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: ptr("prometheus"), Uid: ptr("${datasource}")}
}

// description is what the info icon of a panel shows.
func (p Panel) description() string {
	d := p.Means + "\n\n**Source:** " + p.Source
	if p.Act != "" {
		d += "\n\n**When red:** " + p.Act
	}
	return d
}

// refID names a query within its panel: A, B, C...
func refID(i int) string { return string(rune('A' + i)) }

func (q Query) legend() string {
	if q.Legend != "" {
		return q.Legend
	}
	return q.Name
}

// Defaults are the field settings of the whole panel.
func (p Panel) Defaults() dashboard.FieldConfig {
	c := dashboard.FieldConfig{
		Unit: &p.Unit, Decimals: p.Decimals, NoValue: &p.Empty,
		Thresholds: thresholds(p.Steps), Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds},
	}
	if p.Look == Stat || p.Look == Ranking {
		c.Mappings = []dashboard.ValueMapping{absent(p.Empty, 0), special(dashboard.SpecialValueMatchNaN, "not known", 1)}
	}
	switch p.Look {
	case Ranking:
		c.Min, c.Max = Number(0), p.Max
	case Bars:
		c.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: ptr(Neutral)}
		c.Max = p.Max
		if p.Signed { // every query yields every bar, so a 0 is written only to keep quiet about it
			c.Mappings = mappings([]Text{{Value: "0", Text: "\u00a0"}})
		}
		c.Custom = barchart.FieldConfig{
			LineWidth: ptr[int32](0), FillOpacity: ptr[int32](90), GradientMode: ptr(common.GraphGradientModeNone),
			AxisCenteredZero: ptr(false), AxisGridShow: ptr(true), AxisPlacement: ptr(common.AxisPlacementAuto),
			ThresholdsStyle: &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeOff},
		}
	case Lines:
		c.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
		c.Min, c.Max = Number(0), p.Max
		c.Custom = common.GraphFieldConfig{
			DrawStyle: ptr(common.GraphDrawStyleLine), LineInterpolation: ptr(common.LineInterpolationLinear), LineWidth: Number(2),
			FillOpacity: Number(6), ShowPoints: ptr(common.VisibilityModeAuto), PointSize: Number(5), SpanNulls: ptr(common.BoolOrFloat64{Bool: ptr(false)}),
			ThresholdsStyle: &common.GraphThresholdsStyleConfig{Mode: thresholdLine(p.Steps)},
		}
	case Table:
		c.Custom = common.TableFieldOptions{MinWidth: Number(50), Align: common.FieldTextAlignmentAuto}
	case Stat, Words:
	}
	return c
}

// thresholdLine draws a line for a panel that has a threshold worth one.
func thresholdLine(steps []Step) common.GraphThresholdsStyleMode {
	if len(steps) > 1 {
		return common.GraphThresholdsStyleModeDashed
	}
	return common.GraphThresholdsStyleModeOff
}

func thresholds(steps []Step) *dashboard.ThresholdsConfig {
	c := &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute}
	for _, s := range steps {
		c.Steps = append(c.Steps, dashboard.Threshold{Value: s.Value, Color: s.Colour})
	}
	return c
}

// property is one setting of an override.
func property(id string, value any) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: id, Value: value}
}

func fixed(colour string) any { return map[string]string{"mode": "fixed", "fixedColor": colour} }

func override(field string, properties ...dashboard.DynamicConfigValue) dashboard.DashboardFieldConfigSourceOverrides {
	return dashboard.DashboardFieldConfigSourceOverrides{
		Matcher: dashboard.MatcherConfig{Id: "byName", Options: field}, Properties: properties,
	}
}

// matcher finds a query's fields: by name, or by query where series name themselves.
func (q Query) matcher(i int) dashboard.MatcherConfig {
	if q.Legend != "" || strings.Contains(q.Name, "$") {
		return dashboard.MatcherConfig{Id: "byFrameRefID", Options: refID(i)}
	}
	return dashboard.MatcherConfig{Id: "byName", Options: q.Name}
}

func (q Query) properties() (list []dashboard.DynamicConfigValue) {
	if q.Colour != "" {
		list = append(list, property("color", fixed(q.Colour)))
	}
	if q.Unit != "" {
		list = append(list, property("unit", q.Unit))
	}
	if q.Decimals != nil {
		list = append(list, property("decimals", *q.Decimals))
	}
	if len(q.Steps) > 0 {
		list = append(list, property("thresholds", thresholds(q.Steps)))
	}
	return list
}

// mappings show values under other names.
func mappings(texts []Text) []dashboard.ValueMapping {
	if len(texts) == 0 {
		return []dashboard.ValueMapping{}
	}
	options := map[string]dashboard.ValueMappingResult{}
	for i, t := range texts {
		result := dashboard.ValueMappingResult{Text: ptr(t.Text), Index: ptr(int32(i))}
		if t.Colour != "" {
			result.Color = ptr(t.Colour)
		}
		options[t.Value] = result
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

// absent writes a missing value in words and grey: Grafana would give it the colour of the lowest threshold, and so call it good or bad.
func absent(words string, index int) dashboard.ValueMapping {
	return special(dashboard.SpecialValueMatchNull, words, index)
}

func special(match dashboard.SpecialValueMatch, words string, index int) dashboard.ValueMapping {
	return dashboard.ValueMapping{SpecialValueMap: &dashboard.SpecialValueMap{
		Type: dashboard.MappingTypeSpecialValue,
		Options: dashboard.DashboardSpecialValueMapOptions{
			Match: match, Result: dashboard.ValueMappingResult{Text: &words, Color: ptr(Unknown), Index: ptr(int32(index))},
		},
	}}
}

func reduceLast() common.ReduceDataOptions {
	return common.ReduceDataOptions{Values: ptr(false), Calcs: []string{"lastNotNull"}, Fields: ptr("")}
}

func (p Panel) statOptions() stat.Options {
	mode := common.BigValueTextModeValueAndName
	if len(p.Queries) == 1 && p.Queries[0].Legend == "" {
		mode = common.BigValueTextModeValue
	}
	orientation, size := common.VizOrientationAuto, 42.0
	if p.Lines {
		orientation, size = common.VizOrientationHorizontal, 20
	}
	return stat.Options{
		Text:      &common.VizTextDisplayOptions{TitleSize: Number(14), ValueSize: &size},
		GraphMode: common.BigValueGraphModeNone, ColorMode: common.BigValueColorModeValue, JustifyMode: common.BigValueJustifyModeAuto,
		TextMode: mode, WideLayout: true, ReduceOptions: reduceLast(), PercentChangeColorMode: common.PercentChangeColorModeStandard,
		Orientation: orientation,
	}
}

func rankingOptions() bargauge.Options {
	return bargauge.Options{
		DisplayMode: common.BarGaugeDisplayModeBasic, ValueMode: common.BarGaugeValueModeColor, NamePlacement: common.BarGaugeNamePlacementAuto,
		ShowUnfilled: true, Sizing: common.BarGaugeSizingAuto, MinVizWidth: 8, MinVizHeight: 16, MaxVizHeight: 40, ReduceOptions: reduceLast(),
		Orientation: common.VizOrientationHorizontal, Legend: legend(false), Text: &common.VizTextDisplayOptions{TitleSize: Number(13), ValueSize: Number(16)},
	}
}

func legend(show bool) common.VizLegendOptions {
	return common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: show, Calcs: []string{}}
}

func tooltip() common.VizTooltipOptions {
	return common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderNone}
}

func (p Panel) lineOptions() timeseries.Options {
	shown := legend(true)
	if p.Aside {
		shown.Placement = common.LegendPlacementRight
	}
	return timeseries.Options{Legend: shown, Tooltip: tooltip()}
}

func (p Panel) barOptions() barchart.Options {
	o := barchart.Options{
		XField: ptr(p.Key), Orientation: common.VizOrientationVertical, Stacking: common.StackingModeNone, ShowValue: common.VisibilityModeNever,
		BarWidth: 0.9, GroupWidth: 0.75, XTickLabelMaxLength: 24, Legend: legend(len(p.Queries) > 1), Tooltip: tooltip(),
	}
	if p.Horizontal {
		o.Orientation = common.VizOrientationHorizontal
	}
	if p.Signed {
		o.ShowValue = common.VisibilityModeAuto
	}
	switch {
	case p.Share:
		o.Stacking = common.StackingModePercent
	case p.Stacked:
		o.Stacking = common.StackingModeNormal
	}
	return o
}

// barTransformations join the queries on the key and drop the times.
func (p Panel) barTransformations() []dashboard.DataTransformerConfig {
	var list []dashboard.DataTransformerConfig
	if len(p.Queries) > 1 {
		list = append(list, dashboard.DataTransformerConfig{Id: "joinByField", Options: map[string]any{"byField": p.Key, "mode": "outer"}})
	}
	rename, order := map[string]string{}, map[string]int{p.Key: 0}
	for i, q := range p.Queries {
		for _, field := range valueFields(i, len(p.Queries)) {
			rename[field], order[field] = q.Name, i+1
		}
	}
	list = append(list, organize(hiddenTimes(len(p.Queries)), order, rename))
	for _, s := range slices.Backward(p.Sort) { // sorting is stable and takes one field, so the most important comes last
		list = append(list, sortBy(s.Title, s.Desc))
	}
	return list
}

// valueFields are the names Grafana may give the value of a query in table format.
func valueFields(i, queries int) []string {
	if queries == 1 {
		return []string{"Value", "Value #A"}
	}
	return []string{"Value #" + refID(i)}
}

// hiddenTimes are the names of the time fields after queries were joined or merged.
func hiddenTimes(queries int) map[string]bool {
	hidden := map[string]bool{"Time": true}
	for i := 1; i <= queries; i++ {
		hidden["Time "+strconv.Itoa(i)] = true
	}
	return hidden
}

func organize(hide map[string]bool, order map[string]int, rename map[string]string) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{"excludeByName": hide, "indexByName": order, "renameByName": rename}}
}

func sortBy(field string, desc bool) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{Id: "sortBy", Options: map[string]any{
		"fields": map[string]any{}, "sort": []map[string]any{{"field": field, "desc": desc}},
	}}
}

func (p Panel) tableOptions() table.Options {
	o := table.Options{ShowHeader: true, CellHeight: ptr(common.TableCellHeightSm)}
	for _, s := range p.Sort {
		o.SortBy = append(o.SortBy, common.TableSortByFieldState{DisplayName: s.Title, Desc: ptr(s.Desc)})
	}
	return o
}
