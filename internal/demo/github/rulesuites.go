package github

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// suitePeriods are the spans that the list of rule suites can be asked about.
var suitePeriods = map[string]time.Duration{"hour": time.Hour, "": 24 * time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour}

// ruleSuites lists the rule bypasses of a repository, the last first. Pushes that kept to them, of which GitHub tells too, are left out.
func (g *gitHub) ruleSuites(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	query := r.URL.Query()
	span, ok := suitePeriods[query.Get("time_period")]
	result := query.Get("rule_suite_result")
	if !ok || !slices.Contains([]string{"", "all", "pass", "fail", "bypass"}, result) {
		g.refuse(w, http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	var list []*world.Bypass
	if now := g.now(); result != "pass" && result != "fail" {
		list = g.world.BypassesBetween(repository, now.Add(-span), now)
	}
	slices.Reverse(list)
	from, to := g.numbered(w, r, repositoryBase(repository), len(list))
	items := make([]any, 0, to-from)
	for _, b := range list[from:to] {
		items = append(items, suite(repository, b))
	}
	g.answer(w, r, items)
}

// ruleSuite is one of them with the rules that were held against it.
func (g *gitHub) ruleSuite(w http.ResponseWriter, r *http.Request, repository *world.Repository) {
	now := g.now()
	for _, b := range g.world.BypassesBetween(repository, now.Add(-suitePeriods["month"]), now) {
		if strconv.FormatInt(b.ID, 10) != r.PathValue("id") {
			continue
		}
		evaluations := []any{map[string]any{
			"rule_source": map[string]any{"type": "ruleset", "id": 9001, "name": "baseline"}, "enforcement": "active", "result": "pass", "rule_type": "deletion",
		}}
		for _, rule := range b.Rules {
			evaluations = append(evaluations, map[string]any{
				"rule_source": map[string]any{"type": "ruleset", "id": 9007, "name": "standard with bypass"}, "enforcement": "active", "result": "fail", "rule_type": rule,
			})
		}
		detail := suite(repository, b)
		detail["rule_evaluations"] = evaluations
		g.answer(w, r, detail)
		return
	}
	g.refuse(w, http.StatusNotFound, "Not Found")
}

func suite(r *world.Repository, b *world.Bypass) map[string]any {
	return map[string]any{
		"id": b.ID, "actor_id": 5000 + int64(len(b.By)), "actor_name": b.By, "before_sha": fmt.Sprintf("%040x", b.ID), "after_sha": fmt.Sprintf("%040x", b.ID+1),
		"ref": "refs/heads/main", "repository_id": r.ID, "repository_name": r.Name, "pushed_at": answer.Stamp(b.At), "result": "bypass", "evaluation_result": "fail",
	}
}
