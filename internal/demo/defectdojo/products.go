package defectdojo

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// defectDojo is the fake of DefectDojo's API v2.
type defectDojo struct {
	world *world.World
	now   func() time.Time
	token string
	url   string
	mux   *http.ServeMux
	view  *answer.View

	types       []string // product types by id-1
	products    []product
	engagements []engagement
	uploads     map[*world.Repository][]engagement
}

// product stands for a service, or for a repository without one.
type product struct {
	id       int
	name     string
	typeID   int
	service  *world.Service
	critical string
}

// engagement holds what the pipeline of one repository uploads for one product.
type engagement struct {
	id         int
	product    int
	repository *world.Repository
	service    *world.Service
}

// testTypes are the scan types by id-1, in DefectDojo's words.
var testTypes = []struct {
	name string
	tool world.Tool
}{
	{"Trivy Scan", world.ToolTrivy}, {"Semgrep JSON Report", world.ToolSemgrep}, {"Checkov Scan", world.ToolCheckov}, {"ZAP Scan", world.ToolZAP},
	{"Checkov Scan (drift)", world.ToolDrift},
}

// build lays out products and engagements: fixed things in fixed order, so that their numbers never change.
func (d *defectDojo) build() {
	add := func(name, businessUnit string, service *world.Service) int {
		for _, p := range d.products {
			if p.name == name {
				return p.id
			}
		}
		if !slices.Contains(d.types, businessUnit) {
			d.types = append(d.types, businessUnit)
		}
		p := product{id: len(d.products) + 1, name: name, typeID: slices.Index(d.types, businessUnit) + 1, service: service, critical: "medium"}
		if service != nil {
			p.critical = map[string]string{"tier0": "very high", "tier1": "high", "tier2": "medium", "tier3": "low"}[service.TrustTier]
		}
		d.products = append(d.products, p)
		return p.id
	}
	for _, r := range d.world.Repositories {
		if r.Purpose != world.PurposeApplication && r.Purpose != world.PurposeInfrastructure {
			continue
		}
		for _, s := range r.Hosts {
			d.engage(r, s, add(s.Name, s.Team.BusinessUnit, s))
		}
		if len(r.Hosts) == 0 {
			d.engage(r, nil, add(r.Name, "unsorted", nil))
		}
	}
}

func (d *defectDojo) engage(r *world.Repository, s *world.Service, product int) {
	e := engagement{id: len(d.engagements) + 1, product: product, repository: r, service: s}
	d.engagements = append(d.engagements, e)
	d.uploads[r] = append(d.uploads[r], e)
}

// engagementOf is the engagement that a finding was uploaded to. Files of a monorepo that belong to nobody go to its first one.
func (d *defectDojo) engagementOf(f *world.Finding) engagement {
	candidates := d.uploads[f.Repository]
	service := f.Service()
	for _, e := range candidates {
		if e.service == service {
			return e
		}
	}
	return candidates[0]
}

// testOf is the number of the test of an engagement and a tool.
func testOf(e engagement, tool world.Tool) int {
	for i, t := range testTypes {
		if t.tool == tool {
			return e.id*10 + i + 1
		}
	}
	return e.id * 10
}

// list answers with the part of n items that limit and offset ask for.
func (d *defectDojo) list(w http.ResponseWriter, r *http.Request, n int, item func(i int) any, prefetch map[string]any) {
	query := r.URL.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	offset, err := strconv.Atoi(query.Get("offset"))
	if err != nil || offset < 0 {
		offset = 0
	}
	from := min(offset, n)
	to := min(from+limit, n)
	results := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		results = append(results, item(i))
	}
	page := func(at int) string {
		query := cloneValues(query)
		query.Set("limit", strconv.Itoa(limit))
		query.Set("offset", strconv.Itoa(at))
		return d.url + r.URL.Path + "?" + query.Encode()
	}
	body := map[string]any{"count": n, "next": nil, "previous": nil, "results": results}
	if to < n {
		body["next"] = page(to)
	}
	if from > 0 {
		body["previous"] = page(max(from-limit, 0))
	}
	if prefetch != nil {
		body["prefetch"] = prefetch
	}
	answer.WriteJSON(w, http.StatusOK, body)
}

func cloneValues(v url.Values) url.Values {
	c := url.Values{}
	for name, values := range v {
		c[name] = slices.Clone(values)
	}
	return c
}

// wanted reports whether a comma-separated filter is absent or names a number.
func wanted(query url.Values, name string, id int) bool {
	return !query.Has(name) || slices.Contains(strings.Split(query.Get(name), ","), strconv.Itoa(id))
}

func (d *defectDojo) listProducts(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	list := answer.Filter(d.products, func(p product) bool {
		return wanted(query, "id", p.id) && wanted(query, "prod_type", p.typeID) &&
			(query.Get("name") == "" || strings.Contains(strings.ToLower(p.name), strings.ToLower(query.Get("name")))) &&
			(query.Get("name_exact") == "" || p.name == query.Get("name_exact"))
	})
	d.list(w, r, len(list), func(i int) any { return d.productWire(list[i]) }, nil)
}

func (d *defectDojo) productWire(p product) map[string]any {
	return map[string]any{
		"id": p.id, "name": p.name, "description": "What the pipelines of " + p.name + " upload", "prod_type": p.typeID, "tags": []string{},
		"business_criticality": p.critical, "lifecycle": "production", "internet_accessible": p.service != nil && p.service.InternetFacing,
		"external_audience": false, "created": answer.Stamp(d.created()), "updated": answer.Stamp(d.created()), "prod_numeric_grade": nil,
	}
}

// created is when DefectDojo was set up.
func (d *defectDojo) created() time.Time { return time.Date(2023, time.May, 2, 8, 0, 0, 0, time.UTC) }

func (d *defectDojo) listTypes(w http.ResponseWriter, r *http.Request) {
	d.list(w, r, len(d.types), func(i int) any { return d.typeWire(i + 1) }, nil)
}

func (d *defectDojo) typeWire(id int) map[string]any {
	return map[string]any{"id": id, "name": d.types[id-1], "description": nil, "critical_product": false, "key_product": false}
}

func (d *defectDojo) listEngagements(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	list := answer.Filter(d.engagements, func(e engagement) bool { return wanted(query, "id", e.id) && wanted(query, "product", e.product) })
	d.list(w, r, len(list), func(i int) any { return d.engagementWire(list[i]) }, nil)
}

func (d *defectDojo) engagementWire(e engagement) map[string]any {
	return map[string]any{
		"id": e.id, "name": "CI " + e.repository.Name, "product": e.product, "engagement_type": "CI/CD", "status": "In Progress", "active": true,
		"branch_tag": "main", "source_code_management_uri": answer.WebURL + e.repository.FullName(), "tags": []string{}, "version": nil,
		"target_start": d.created().Format(time.DateOnly), "created": answer.Stamp(d.created()), "updated": answer.Stamp(d.created()),
	}
}

// test is one tool's part of an engagement.
type test struct {
	engagement engagement
	kind       int // index in testTypes
}

func (d *defectDojo) listTests(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var list []test
	for _, e := range d.engagements {
		for kind := range testTypes {
			if wanted(query, "id", e.id*10+kind+1) && wanted(query, "engagement", e.id) && wanted(query, "engagement__product", e.product) {
				list = append(list, test{e, kind})
			}
		}
	}
	d.list(w, r, len(list), func(i int) any { return d.testWire(list[i]) }, nil)
}

func (d *defectDojo) testWire(t test) map[string]any {
	ran := d.now().UTC().Truncate(24 * time.Hour).Add(3 * time.Hour)
	if ran.After(d.now()) {
		ran = ran.Add(-24 * time.Hour)
	}
	return map[string]any{
		"id": t.engagement.id*10 + t.kind + 1, "engagement": t.engagement.id, "test_type": t.kind + 1, "test_type_name": testTypes[t.kind].name,
		"scan_type": testTypes[t.kind].name, "title": nil, "branch_tag": "main", "percent_complete": 100, "tags": []string{},
		"target_start": answer.Stamp(d.created()), "target_end": answer.Stamp(ran), "created": answer.Stamp(d.created()), "updated": answer.Stamp(ran), "environment": 1,
	}
}

func (d *defectDojo) listTestTypes(w http.ResponseWriter, r *http.Request) {
	d.list(w, r, len(testTypes), func(i int) any {
		return map[string]any{"id": i + 1, "name": testTypes[i].name, "static_tool": true, "dynamic_tool": testTypes[i].tool == world.ToolZAP, "active": true}
	}, nil)
}

func (d *defectDojo) profile(w http.ResponseWriter, _ *http.Request) {
	answer.WriteJSON(w, http.StatusOK, map[string]any{"user": map[string]any{"id": 7, "username": "prodsec-exporter", "is_superuser": false}})
}
