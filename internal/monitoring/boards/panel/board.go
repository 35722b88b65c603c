// Package panel turns boards and panels, which are data, into what Grafana imports: how each kind of panel looks, the one palette, what is said when there is nothing to
// show. It knows no board and no metric.
//
// To add a way to show data: a Look, and its case in Panel.Build and Panel.defaults.
package panel

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/settings"
)

// tag is on every board; the links between boards find each other by it.
const tag = "prodsec"

// JSON is the board as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	d := dashboard.NewDashboardBuilder("Product security: "+b.Title).
		Uid(string(b.UID)).Description(b.Question).Tags([]string{tag}).Refresh("5m").Time("now-30d", "now").Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).Editable()
	for _, l := range boardLinks(b.UID) {
		d = d.Link(l)
	}
	for _, v := range variables() {
		d = d.WithVariable(v)
	}
	for _, r := range b.Rows {
		d = d.WithRow(dashboard.NewRowBuilder(r.Question).Id(r.ID))
		for _, p := range r.Panels {
			d = d.WithPanel(p)
		}
	}
	model, err := d.Build()
	if err != nil {
		return nil, fmt.Errorf("building board %s: %w", b.UID, err)
	}
	out, err := json.MarshalIndent(model, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding board %s: %w", b.UID, err)
	}
	return append(out, '\n'), nil
}

// boardLinks lead from a board to the others, with the same choices, and to the records behind the numbers.
func boardLinks(from names.BoardUID) []cog.Builder[dashboard.DashboardLink] {
	var list []cog.Builder[dashboard.DashboardLink]
	for _, l := range []struct {
		uid   names.BoardUID
		title string
	}{
		{names.BoardOverview, "Overview"}, {names.BoardCoverage, "Coverage"}, {names.BoardExposure, "Exposure"}, {names.BoardResponsiveness, "Responsiveness"},
		{names.BoardDeliveryTrust, "Delivery trust"}, {names.BoardDORA, "DORA"}, {names.BoardTrend, "Trend quality"}, {names.BoardExporter, "Exporter"},
	} {
		if l.uid != from {
			list = append(list, dashboard.NewDashboardLinkBuilder(l.title).Type(dashboard.DashboardLinkTypeLink).Url("/d/"+string(l.uid)).
				IncludeVars(true).KeepTime(true))
		}
	}
	return append(list, dashboard.NewDashboardLinkBuilder("Records").Type(dashboard.DashboardLinkTypeLink).Icon("external link").
		Tooltip("The records behind the numbers, on the exporter's evidence pages").Url("${exporter}/evidence/").TargetBlank(true))
}

// variables are what can be chosen at the top of every board.
func variables() []cog.Builder[dashboard.VariableModel] {
	list := []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"),
	}
	titles := map[string]string{"business_unit": "Business unit", "team": "Team", "trust_tier": "Trust tier"}
	var before []string
	for _, label := range names.BoardVariables {
		query := fmt.Sprintf("label_values(%s, %s)", promql.Series(names.ServiceInfo, before...), label)
		list = append(list, dashboard.NewQueryVariableBuilder(label).Label(titles[label]).Datasource(source()).
			Query(dashboard.StringOrMap{String: &query}).Refresh(dashboard.VariableRefreshOnDashboardLoad).Sort(dashboard.VariableSortAlphabeticalAsc).
			Multi(true).IncludeAll(true).AllValue(".*").Current(choice("All", "$__all")))
		before = append(before, fmt.Sprintf(`%s=~"$%s"`, label, label))
	}
	options := make([]dashboard.VariableOption, len(settings.Windows))
	for i, w := range settings.Windows {
		options[i] = choice(w, w)
		options[i].Selected = ptr(w == settings.DefaultWindow)
	}
	values := strings.Join(settings.Windows, ",")
	exporter := settings.DefaultExporterURL
	return append(list,
		dashboard.NewCustomVariableBuilder("window").Label("Window").
			Values(dashboard.StringOrMap{String: &values}).Options(options).Current(choice(settings.DefaultWindow, settings.DefaultWindow)),
		dashboard.NewTextBoxVariableBuilder("exporter").Label("Exporter").Description("Where the exporter serves its evidence pages; without a slash at the end").
			DefaultValue(dashboard.StringOrMap{String: &exporter}).Current(choice(exporter, exporter)).Options([]dashboard.VariableOption{choice(exporter, exporter)}),
	)
}

func choice(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: ptr(true),
		Text:     dashboard.StringOrArrayOfString{String: &text}, Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
