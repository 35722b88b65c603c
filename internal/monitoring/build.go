package monitoring

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// tag is on every board; the links between boards find each other by it.
const tag = "prodsec"

// Boards are all boards, in the order of the pack.
func Boards() []Board {
	return []Board{coverageBoard(), exposureBoard(), responsivenessBoard(), deliveryTrustBoard(), doraBoard(), trendBoard(), exporterBoard()}
}

// JSON is the board as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	d := dashboard.NewDashboardBuilder("Product security: "+b.Title).
		Uid(string(b.UID)).Description(b.Question).Tags([]string{tag}).Refresh("5m").Time("now-30d", "now").Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).Editable().
		Link(dashboard.NewDashboardLinkBuilder("Boards").Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{tag}).
			IncludeVars(true).KeepTime(true).AsDropdown(false))
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

// variables are what can be chosen at the top of every board.
func variables() []cog.Builder[dashboard.VariableModel] {
	list := []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"),
	}
	titles := map[string]string{"business_unit": "Business unit", "team": "Team", "trust_tier": "Trust tier"}
	var before []string
	for _, label := range boardVariables {
		query := fmt.Sprintf("label_values(%s, %s)", series(serviceInfo, before...), label)
		list = append(list, dashboard.NewQueryVariableBuilder(label).Label(titles[label]).Datasource(source()).
			Query(dashboard.StringOrMap{String: &query}).Refresh(dashboard.VariableRefreshOnDashboardLoad).Sort(dashboard.VariableSortAlphabeticalAsc).
			Multi(true).IncludeAll(true).AllValue(".*").Current(choice("All", "$__all")))
		before = append(before, fmt.Sprintf(`%s=~"$%s"`, label, label))
	}
	options := make([]dashboard.VariableOption, len(windows))
	for i, w := range windows {
		options[i] = choice(w, w)
		options[i].Selected = ptr(w == defaultWindow)
	}
	values := strings.Join(windows, ",")
	return append(list, dashboard.NewCustomVariableBuilder("window").Label("Window").
		Values(dashboard.StringOrMap{String: &values}).Options(options).Current(choice(defaultWindow, defaultWindow)))
}

func choice(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: ptr(true),
		Text:     dashboard.StringOrArrayOfString{String: &text}, Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
