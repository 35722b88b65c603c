package defectdojo

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

// dojoSeverities are DefectDojo's words.
var dojoSeverities = map[record.Severity]string{
	record.SeverityCritical: "Critical", record.SeverityHigh: "High", record.SeverityMedium: "Medium", record.SeverityLow: "Low",
	record.SeverityUnknown: "Info",
}

func dojoSeverityRank(s record.Severity) int { return slices.Index(record.Severities(), s) }

func (d *defectDojo) findings(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	all := d.view.Of(d.world, d.now(), world.SourceDefectDojo, "", func(*world.Finding) string { return "" })
	list := answer.Filter(all, func(s answer.Seen) bool { return d.selects(query, s) })
	if err := sortFindings(list, query.Get("o")); err != nil {
		answer.WriteJSON(w, http.StatusBadRequest, map[string][]string{"o": {err.Error()}})
		return
	}
	var prefetch map[string]any
	if query.Get("prefetch") != "" {
		prefetch = map[string]any{}
		if slices.Contains(strings.Split(query.Get("prefetch"), ","), "test") {
			prefetch["test"] = map[string]any{}
		}
	}
	d.list(w, r, len(list), func(i int) any {
		f := d.findingWire(list[i], query.Get("related_fields") == "true")
		if tests, ok := prefetch["test"].(map[string]any); ok {
			tests[strconv.Itoa(f["test"].(int))] = d.testWire(d.testOfFinding(list[i]))
		}
		return f
	}, prefetch)
}

func (d *defectDojo) testOfFinding(s answer.Seen) test {
	return test{d.engagementOf(s.Finding), slices.IndexFunc(testTypes, func(t struct {
		name string
		tool world.Tool
	}) bool {
		return t.tool == s.Tool
	})}
}

// selects applies the filters of a list of findings.
func (d *defectDojo) selects(query url.Values, s answer.Seen) bool {
	e := d.engagementOf(s.Finding)
	p := d.products[e.product-1]
	flags := map[string]bool{
		"active": s.Closure == record.ClosureNone, "is_mitigated": s.Closure == record.ClosureFixed, "false_p": s.Closure == record.ClosureFalsePositive,
		"duplicate": s.Closure == record.ClosureDuplicate, "out_of_scope": s.Closure == record.ClosureOutOfScope,
		"risk_accepted": s.Closure == record.ClosureRiskAccepted, "verified": true,
	}
	for name, value := range flags {
		if query.Has(name) && !strings.EqualFold(query.Get(name), strconv.FormatBool(value)) {
			return false
		}
	}
	severities := query.Get("severity")
	return wanted(query, "id", int(s.ID)) && wanted(query, "test__engagement__product", p.id) && wanted(query, "test__engagement", e.id) &&
		wanted(query, "test__engagement__product__prod_type", p.typeID) && wanted(query, "test", testOf(e, s.Tool)) &&
		(query.Get("product_name") == "" || query.Get("product_name") == p.name) &&
		(severities == "" || slices.Contains(strings.Split(severities, ","), dojoSeverities[s.Severity])) &&
		risk(query.Get("risk_acceptance"), s)
}

// risk applies the filter whose choices are 1 for accepted, 2 for not accepted and 3 for expired.
func risk(choice string, s answer.Seen) bool {
	accepted := s.Closure == record.ClosureRiskAccepted
	return choice == "" || choice == "1" && accepted || choice == "2" && !accepted
}

// findingWire is a finding in DefectDojo's form. accepted_risks stays empty, as it does for a user who may only read.
func (d *defectDojo) findingWire(s answer.Seen, related bool) map[string]any {
	t := d.testOfFinding(s)
	wire := map[string]any{
		"id": s.ID, "title": s.Title(), "severity": dojoSeverities[s.Severity], "numerical_severity": "S" + strconv.Itoa(dojoSeverityRank(s.Severity)),
		"description": s.Title(), "mitigation": nil, "date": s.Born.Format(time.DateOnly), "created": answer.Stamp(s.Born), "last_status_update": answer.Stamp(s.UpdatedAt),
		"active": s.Closure == record.ClosureNone, "verified": true, "false_p": s.Closure == record.ClosureFalsePositive,
		"duplicate": s.Closure == record.ClosureDuplicate, "duplicate_finding": nil, "out_of_scope": s.Closure == record.ClosureOutOfScope,
		"risk_accepted": s.Closure == record.ClosureRiskAccepted, "under_review": false, "is_mitigated": s.Closure == record.ClosureFixed,
		"mitigated": nil, "static_finding": s.Tool != world.ToolZAP, "dynamic_finding": s.Tool == world.ToolZAP,
		"cwe": s.CWE(), "vulnerability_ids": []any{}, "cve": nil, "epss_score": nil, "epss_percentile": nil, "cvssv3_score": nil,
		"known_exploited": s.KnownExploited, "kev_date": nil, "fix_available": nil, "component_name": nil, "component_version": nil,
		"file_path": nilIfEmpty(s.Path), "line": nil, "vuln_id_from_tool": nil, "test": t.engagement.id*10 + t.kind + 1, "found_by": []int{t.kind + 1},
		"tags": []string{}, "accepted_risks": []any{}, "finding_groups": []any{}, "jira_creation": nil, "planned_remediation_date": nil,
		"sla_start_date": nil, "sla_expiration_date": nil, "sla_days_remaining": nil, "unique_id_from_tool": nil, "service": nil,
		"age": int(d.now().Sub(s.Born).Hours() / 24), "display_status": dojoStatus(s),
	}
	if s.Closure == record.ClosureFixed {
		wire["mitigated"] = answer.Stamp(s.ClosedAt)
	}
	if s.Line > 0 {
		wire["line"] = s.Line
	}
	if s.KnownExploited {
		wire["kev_date"] = s.Born.Format(time.DateOnly)
	}
	if a := s.Advisory; a != nil {
		wire["title"] = fmt.Sprintf("%s %s %s", a.CVE, a.Package, a.Affected)
		wire["vulnerability_ids"] = []any{map[string]string{"vulnerability_id": a.CVE}, map[string]string{"vulnerability_id": a.GHSA}}
		wire["tags"] = []string{answer.TrivyTypes[a.Ecosystem], "lang-pkgs"} // as DefectDojo's reader of Trivy reports leaves them
		wire["component_name"], wire["component_version"], wire["cve"] = a.Package, a.Affected, a.CVE
		wire["fix_available"], wire["epss_score"], wire["epss_percentile"], wire["cvssv3_score"] = a.Patched != "", a.EPSS, min(a.EPSS*1.5, 1), a.Score
	} else {
		wire["vuln_id_from_tool"] = s.Rule.ID
	}
	if related {
		wire["related_fields"] = d.related(t)
	}
	return wire
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// related inlines what a finding belongs to.
func (d *defectDojo) related(t test) map[string]any {
	p := d.products[t.engagement.product-1]
	productWire := d.productWire(p)
	productWire["prod_type"] = d.typeWire(p.typeID)
	engagementWire := d.engagementWire(t.engagement)
	engagementWire["product"] = productWire
	testWire := d.testWire(t)
	testWire["engagement"] = engagementWire
	testWire["test_type"] = map[string]any{"id": t.kind + 1, "name": testTypes[t.kind].name}
	return map[string]any{"test": testWire, "jira": nil}
}

func dojoStatus(s answer.Seen) string {
	switch s.Closure {
	case record.ClosureNone:
		return "Active, Verified"
	case record.ClosureFixed:
		return "Inactive, Mitigated"
	case record.ClosureFalsePositive:
		return "Inactive, False Positive"
	case record.ClosureRiskAccepted:
		return "Inactive, Risk Accepted"
	default:
		return "Inactive"
	}
}

// acceptances lists a risk acceptance for every finding whose risk was accepted. They hold for two years, longer than the world is shown.
func (d *defectDojo) acceptances(w http.ResponseWriter, r *http.Request) {
	all := d.view.Of(d.world, d.now(), world.SourceDefectDojo, "", func(*world.Finding) string { return "" })
	list := answer.Filter(all, func(s answer.Seen) bool { return s.Closure == record.ClosureRiskAccepted })
	if err := sortFindings(list, "id"); err != nil {
		answer.WriteJSON(w, http.StatusBadRequest, map[string][]string{"o": {err.Error()}})
		return
	}
	d.list(w, r, len(list), func(i int) any {
		s := list[i]
		return map[string]any{
			"id": s.ID, "name": "Accepted: " + s.Title(), "accepted_findings": []int64{s.ID}, "recommendation": "A", "decision": "A",
			"decision_details": nil, "accepted_by": "Lena Sorel", "owner": 3, "path": nil, "notes": []any{}, "reactivate_expired": true, "restart_sla_expired": false,
			"expiration_date": answer.Stamp(s.ClosedAt.AddDate(2, 0, 0)), "expiration_date_handled": nil, "created": answer.Stamp(s.ClosedAt), "updated": answer.Stamp(s.ClosedAt),
		}
	}, nil)
}

// orders are the fields that a list of findings can be sorted by; the number of a finding breaks ties that are left.
var orders = map[string]func(a, b answer.Seen) int{
	"id":      func(a, b answer.Seen) int { return cmp.Compare(a.ID, b.ID) },
	"created": func(a, b answer.Seen) int { return a.Born.Compare(b.Born) },
	"date": func(a, b answer.Seen) int {
		return cmp.Compare(a.Born.Format(time.DateOnly), b.Born.Format(time.DateOnly))
	},
	"last_status_update": func(a, b answer.Seen) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
	"numerical_severity": func(a, b answer.Seen) int {
		return cmp.Compare(dojoSeverityRank(a.Severity), dojoSeverityRank(b.Severity))
	},
}

// unknownOrder is a field that nothing can be sorted by.
type unknownOrder string

// Error says so in DefectDojo's words.
func (e unknownOrder) Error() string {
	return fmt.Sprintf("Select a valid choice. %s is not one of the available choices.", string(e))
}

// sortFindings sorts by the parameter "o", a list of fields of which the first counts most; an unknown field is an error, as in DefectDojo.
func sortFindings(list []answer.Seen, by string) error {
	var compare []func(a, b answer.Seen) int
	for _, one := range append(strings.Split(cmp.Or(by, "id"), ","), "id") {
		field, descending := strings.CutPrefix(one, "-")
		c, ok := orders[field]
		if !ok {
			return unknownOrder(by)
		}
		if descending {
			c = func(a, b answer.Seen) int { return -orders[field](a, b) }
		}
		compare = append(compare, c)
	}
	slices.SortFunc(list, func(a, b answer.Seen) int {
		for _, c := range compare {
			if n := c(a, b); n != 0 {
				return n
			}
		}
		return 0
	})
	return nil
}
