package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func (d *Demo) dojo(t *testing.T, path string) answer {
	t.Helper()
	return ask(t, http.MethodGet, d.urls.defectdojo+path, nil, "Authorization: Token "+d.token)
}

type dojoPage struct {
	Count    int
	Next     *string
	Previous *string
	Results  []map[string]any
	Prefetch map[string]map[string]map[string]any
}

func (d *Demo) dojoAll(t *testing.T, path string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for path != "" {
		var page dojoPage
		d.dojo(t, path).decode(t, &page)
		all = append(all, page.Results...)
		path = ""
		if page.Next != nil {
			path = strings.TrimPrefix(*page.Next, d.urls.defectdojo)
		} else if page.Count != len(all) {
			t.Fatalf("%d of %d", len(all), page.Count)
		}
	}
	return all
}

func numbers(list []map[string]any) []float64 {
	all := make([]float64, len(list))
	for i, item := range list {
		all[i] = item["id"].(float64)
	}
	return all
}

func TestDojoPagesJoin(t *testing.T) {
	d, _ := start(t, 1)
	for _, order := range []string{"id", "-last_status_update"} {
		whole := numbers(d.dojoAll(t, "/api/v2/findings/?limit=10000&o="+order))
		small := numbers(d.dojoAll(t, "/api/v2/findings/?limit=171&o="+order))
		if len(whole) < 1200 || !slices.Equal(whole, small) {
			t.Errorf("o=%s: %d at once and %d in pages", order, len(whole), len(small))
		}
	}
	if a := d.dojo(t, "/api/v2/findings/?o=colour"); a.code != http.StatusBadRequest {
		t.Errorf("o=colour: %d", a.code)
	}
	if a := d.dojo(t, "/api/v2/nothing/"); a.code != http.StatusNotFound {
		t.Errorf("nothing: %d", a.code)
	}
}

// TestDojoFilters: filters cut the whole into parts that add up.
func TestDojoFilters(t *testing.T) {
	d, _ := start(t, 1)
	count := func(filter string) int {
		var page dojoPage
		d.dojo(t, "/api/v2/findings/?limit=1&"+filter).decode(t, &page)
		return page.Count
	}
	all := count("")
	sum := count("active=true") + count("is_mitigated=true") + count("false_p=true") + count("duplicate=true") + count("out_of_scope=true") + count("risk_accepted=true")
	if sum != all || count("active=false")+count("active=true") != all {
		t.Errorf("the states add up to %d of %d", sum, all)
	}
	perProduct := 0
	for _, p := range d.dojoAll(t, "/api/v2/products/?limit=500") {
		perProduct += count("test__engagement__product=" + formatID(p["id"]))
	}
	if perProduct != all {
		t.Errorf("the products add up to %d of %d", perProduct, all)
	}
	if accepted := count("risk_accepted=true"); accepted == 0 || accepted != len(d.dojoAll(t, "/api/v2/risk_acceptance/?limit=100")) {
		t.Errorf("%d accepted findings and another number of acceptances", accepted)
	}
}

func formatID(v any) string { return strings.TrimSuffix(strings.TrimSpace(jsonText(v)), ".0") }

func jsonText(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestDojoRelations(t *testing.T) {
	d, _ := start(t, 1)
	var page dojoPage
	d.dojo(t, "/api/v2/findings/?limit=50&related_fields=true&prefetch=test").decode(t, &page)
	for _, f := range page.Results {
		related := at(t, f, "related_fields", "test")
		if at(t, related, "id") != f["test"] || at(t, related, "engagement", "product", "prod_type", "name") == "" {
			t.Fatalf("%v", related)
		}
		if test := page.Prefetch["test"][formatID(f["test"])]; test["id"] != f["test"] {
			t.Fatalf("prefetch: %v", page.Prefetch)
		}
		if uri := at(t, related, "engagement", "source_code_management_uri").(string); !strings.HasPrefix(uri, "https://github.com/meridian") {
			t.Fatalf("repository: %s", uri)
		}
	}
	var bare dojoPage
	d.dojo(t, "/api/v2/findings/?limit=50").decode(t, &bare)
	if bare.Results[0]["related_fields"] != nil {
		t.Error("related fields that nobody asked for")
	}
}

// TestDojoDelta: everything that changed stands before the last status update that was known.
func TestDojoDelta(t *testing.T) {
	d, c := start(t, 1)
	before := map[float64]any{}
	for _, f := range d.dojoAll(t, "/api/v2/findings/?limit=2000") {
		before[f["id"].(float64)] = f["display_status"]
	}
	c.move(5 * time.Hour)
	since := testNow.Format(time.RFC3339)
	changed := 0
	for _, f := range d.dojoAll(t, "/api/v2/findings/?limit=2000&o=-last_status_update") {
		status, known := before[f["id"].(float64)]
		if known && status == f["display_status"] {
			continue
		}
		changed++
		if f["last_status_update"].(string) < since {
			t.Errorf("%v changed, its last_status_update did not: %v", f["id"], f["last_status_update"])
		}
	}
	if changed == 0 {
		t.Error("nothing changed in five hours")
	}
}
