package github

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// alerts serves the alerts of one kind in an organisation.
func (g *gitHub) alerts(source world.Source) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, org string) {
		if source == world.SourceSecretScanning && org == world.OrgLabs {
			g.forbidden("secret_scanning_alerts=read")(w, r, org)
			return
		}
		query := r.URL.Query()
		if source == world.SourceDependabot && query.Has("page") {
			g.refuse(w, http.StatusBadRequest, "Pagination using the `page` parameter is not supported.")
			return
		}
		order, err := orderOf(query)
		if err != nil {
			g.refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		all := g.views[source].Of(g.world, g.now(), source, org, func(f *world.Finding) string { return f.Repository.Organisation })
		list := make([]answer.Seen, 0, len(all))
		for _, s := range all {
			if stateMatches(query.Get("state"), alertState(source, s)) {
				list = append(list, s)
			}
		}
		slices.SortFunc(list, order.Compare)
		page, ok := g.pageOf(w, r, org, list, order)
		if !ok {
			return
		}
		items := make([]any, len(page))
		for i, s := range page {
			items[i] = g.alert(source, s, query.Get("hide_secret") == "true")
		}
		g.answer(w, r, items)
	}
}

// alert puts a finding into the form of its kind of alert.
func (g *gitHub) alert(source world.Source, s answer.Seen, hideSecret bool) any {
	switch source {
	case world.SourceDependabot:
		return g.dependabotAlert(s)
	case world.SourceCodeScanning:
		return g.codeScanningAlert(s)
	default:
		return g.secretScanningAlert(s, hideSecret)
	}
}

func stateMatches(wanted, state string) bool {
	if wanted == "" || wanted == "closed" && state != "open" {
		return true
	}
	return slices.Contains(strings.Split(wanted, ","), state)
}

func orderOf(query url.Values) (answer.Order, error) {
	var o answer.Order
	switch by := query.Get("sort"); by {
	case "", "created":
	case "updated":
		o.Updated = true
	default:
		return o, fmt.Errorf("%q is not a field to sort by", by)
	}
	switch direction := query.Get("direction"); direction {
	case "", "desc":
	case "asc":
		o.Ascending = true
	default:
		return o, fmt.Errorf("%q is not a direction", direction)
	}
	return o, nil
}

// pageOf cuts the page that the request asks for out of a sorted list and writes the Link header: by number where "page" is given, else
// by cursor. It answers and returns false if the cursor is none.
func (g *gitHub) pageOf(w http.ResponseWriter, r *http.Request, org string, list []answer.Seen, o answer.Order) ([]answer.Seen, bool) {
	query := r.URL.Query()
	if query.Has("page") {
		from, to := g.numbered(w, r, organisationBase(org), len(list))
		return list[from:to], true
	}
	from, to, err := o.Cut(list, query.Get("after"), query.Get("before"), perPage(r))
	if err != nil {
		g.refuse(w, http.StatusBadRequest, "Invalid cursor")
		return nil, false
	}
	var links []page
	if to < len(list) {
		links = append(links, page{"next", "after", o.Position(list[to-1]).Cursor()})
	}
	if from > 0 && from < len(list) {
		links = append(links, page{"prev", "before", o.Position(list[from]).Cursor()})
	}
	if len(links) > 0 {
		w.Header().Set("Link", g.link(r, organisationBase(org), links))
	}
	return list[from:to], true
}
