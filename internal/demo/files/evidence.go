package files

import (
	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/record"
)

// posture is the evidence document of the posture manager.
func (f *files) posture() any {
	statements := []any{}
	for _, s := range f.world.StatementsAt(f.now()) {
		statements = append(statements, map[string]any{
			"control": s.Control, "service": s.Service.Name, "produced_at": answer.Stamp(s.ProducedAt), "url": "https://posture.meridian.example/services/" + s.Service.Name,
			"holds": map[record.Answer]any{record.AnswerYes: true, record.AnswerNo: false, record.AnswerUnknown: "unknown"}[s.Holds],
		})
	}
	return map[string]any{"version": 1, "source": "posture manager", "statements": statements}
}

// policyReports is what kubectl writes about the reports of the policy engine: one for each workload, in the service's namespace.
func (f *files) policyReports() any {
	items := []any{}
	for _, s := range f.world.Services {
		results, summary := []any{}, map[string]int{"pass": 0, "fail": 0, "warn": 0, "error": 0, "skip": 0}
		for _, r := range f.world.PolicyResultsAt(s, f.now()) {
			summary[r.Result]++
			results = append(results, map[string]any{
				"policy": r.Policy, "rule": r.Rule, "category": r.Category, "result": r.Result, "scored": r.Result != "warn", "source": "kyverno",
				"severity": "medium", "timestamp": map[string]any{"nanos": 0, "seconds": r.At.Unix()},
			})
		}
		if len(results) == 0 {
			continue
		}
		items = append(items, map[string]any{
			"apiVersion": "wgpolicyk8s.io/v1alpha2", "kind": "PolicyReport",
			"metadata": map[string]any{"name": s.Name, "namespace": s.Name, "labels": map[string]string{"app.kubernetes.io/managed-by": "kyverno"}},
			"scope":    map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": s.Name, "namespace": s.Name},
			"results":  results, "summary": summary,
		})
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]string{"resourceVersion": ""}, "items": items}
}
