package demo

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
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
		all := g.views[source].of(g.world, g.now(), source, org, func(f *world.Finding) string { return f.Repository.Organisation })
		list := make([]seen, 0, len(all))
		for _, s := range all {
			if stateMatches(query.Get("state"), alertState(source, s)) {
				list = append(list, s)
			}
		}
		slices.SortFunc(list, order.compare)
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
func (g *gitHub) alert(source world.Source, s seen, hideSecret bool) any {
	switch source {
	case world.SourceDependabot:
		return g.dependabotAlert(s)
	case world.SourceCodeScanning:
		return g.codeScanningAlert(s)
	default:
		return g.secretScanningAlert(s, hideSecret)
	}
}

// alertState is the state of an alert in GitHub's words.
func alertState(source world.Source, s seen) string {
	switch {
	case s.Closure == record.ClosureNone:
		return "open"
	case source == world.SourceSecretScanning:
		return "resolved"
	case s.Closure == record.ClosureFixed:
		return "fixed"
	case s.Closure == record.ClosureAutoDismissed:
		return "auto_dismissed"
	default:
		return "dismissed"
	}
}

func stateMatches(wanted, state string) bool {
	if wanted == "" || wanted == "closed" && state != "open" {
		return true
	}
	return slices.Contains(strings.Split(wanted, ","), state)
}

// order is how a list is sorted.
type order struct{ updated, ascending bool }

func orderOf(query url.Values) (order, error) {
	var o order
	switch by := query.Get("sort"); by {
	case "", "created":
	case "updated":
		o.updated = true
	default:
		return o, fmt.Errorf("%q is not a field to sort by", by)
	}
	switch direction := query.Get("direction"); direction {
	case "", "desc":
	case "asc":
		o.ascending = true
	default:
		return o, fmt.Errorf("%q is not a direction", direction)
	}
	return o, nil
}

func (o order) key(s seen) time.Time {
	if o.updated {
		return s.UpdatedAt
	}
	return s.Born
}

func (o order) compare(a, b seen) int { return o.comparePositions(o.position(a), o.position(b)) }

// position is where an item stands in a list; it is what a cursor holds, so that a walk goes on at the right place although the list has moved.
type position struct{ second, id int64 }

func (o order) position(s seen) position { return position{o.key(s).Unix(), s.ID} }

func (o order) comparePositions(a, b position) int {
	c := cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.id, b.id))
	if o.ascending {
		return c
	}
	return -c
}

func (p position) cursor() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "v2:%d:%d", p.second, p.id))
}

func parseCursor(s string) (position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return position{}, fmt.Errorf("read a cursor: %w", err)
	}
	var p position
	if _, err := fmt.Sscanf(string(raw), "v2:%d:%d", &p.second, &p.id); err != nil {
		return position{}, fmt.Errorf("read a cursor: %w", err)
	}
	return p, nil
}

// pageOf cuts the page that the request asks for out of a sorted list and writes the Link header: by number where "page" is given, else
// by cursor. It answers and returns false if the cursor is none.
func (g *gitHub) pageOf(w http.ResponseWriter, r *http.Request, org string, list []seen, o order) ([]seen, bool) {
	query := r.URL.Query()
	if query.Has("page") {
		from, to := g.numbered(w, r, organisationBase(org), len(list))
		return list[from:to], true
	}
	from, to, err := o.cut(list, query.Get("after"), query.Get("before"), perPage(r))
	if err != nil {
		g.refuse(w, http.StatusBadRequest, "Invalid cursor")
		return nil, false
	}
	var links []page
	if to < len(list) {
		links = append(links, page{"next", "after", o.position(list[to-1]).cursor()})
	}
	if from > 0 && from < len(list) {
		links = append(links, page{"prev", "before", o.position(list[from]).cursor()})
	}
	if len(links) > 0 {
		w.Header().Set("Link", g.link(r, organisationBase(org), links))
	}
	return list[from:to], true
}

// cut finds the page after or before a cursor.
func (o order) cut(list []seen, after, before string, size int) (from, to int, err error) {
	find := func(cursor string) (int, bool, error) {
		p, err := parseCursor(cursor)
		if err != nil {
			return 0, false, err
		}
		i, found := slices.BinarySearchFunc(list, p, func(s seen, p position) int { return o.comparePositions(o.position(s), p) })
		return i, found, nil
	}
	switch {
	case after != "":
		i, found, err := find(after)
		if err != nil {
			return 0, 0, err
		}
		if found {
			i++
		}
		return i, min(i+size, len(list)), nil
	case before != "":
		i, _, err := find(before)
		if err != nil {
			return 0, 0, err
		}
		return max(i-size, 0), i, nil
	default:
		return 0, min(size, len(list)), nil
	}
}

// alertURLs are the addresses of an alert for programs and for people.
func (g *gitHub) alertURLs(s seen, kind, place string) (api, web string) {
	number := strconv.FormatInt(s.Number, 10)
	return g.url + "/repos/" + s.Repository.FullName() + "/" + kind + "/alerts/" + number,
		webURL + s.Repository.FullName() + "/security/" + place + "/" + number
}
