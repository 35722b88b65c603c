package world

import (
	"time"

	"prodsec_exporter/internal/record"
)

// The platforms that services run on.
const (
	PlatformKubernetes = "kubernetes"
	PlatformMachines   = "virtual machines"
)

// Platform is what a service runs on: everything but the warehouse's programs has moved to Kubernetes.
func (s *Service) Platform() string {
	for _, h := range s.Repositories {
		if h.Repository.Ecosystem == "nuget" {
			return PlatformMachines
		}
	}
	return PlatformKubernetes
}

// overseen is whether the rest of Meridian's tools look at a service: not yet at those of the company that was bought.
func (s *Service) overseen() bool { return s.Repositories[0].Repository.Organisation == OrgMeridian }

// Statement is what a tool says about a control of a service.
type Statement struct {
	Control    string
	Service    *Service
	Holds      record.Answer
	ProducedAt time.Time
}

// postureWeeks is how long what a tool says of a service stays the same.
const postureWeeks = 13

// nightly is when tools that run each night last did.
func nightly(t time.Time) time.Time {
	night := midnight(t.UTC()).Add(3 * time.Hour)
	if night.After(t) {
		night = night.Add(-day)
	}
	return night
}

// StatementsAt is what the posture manager says: whether services keep the baselines of the clouds and of the platform. It never saw some, has lost
// access to others, and cannot judge a few.
func (w *World) StatementsAt(t time.Time) []Statement {
	likely := map[string]float64{"tier0": 0.85, "tier1": 0.75, "tier2": 0.6, "tier3": 0.5}
	var all []Statement
	for _, s := range w.Services {
		for _, control := range []string{"cloud_baseline", "baseline"} {
			r := w.random("posture "+control, s.Name, weekOf(t)/postureWeeks)
			statement := Statement{Control: control, Service: s, ProducedAt: nightly(t), Holds: record.AnswerOf(r.Float64() < likely[s.TrustTier])}
			switch x := r.Float64(); {
			case !s.overseen() || x < 0.08:
				continue
			case x < 0.16:
				statement.ProducedAt = statement.ProducedAt.Add(-time.Duration(40+r.IntN(60)) * day)
			case x < 0.2:
				statement.Holds = record.AnswerUnknown
			}
			all = append(all, statement)
		}
	}
	return all
}

// PolicyResult is a result of a policy for the workload of a service, in the words of policy reports.
type PolicyResult struct {
	Policy, Rule, Category, Result string
	At                             time.Time
}

// clusterPolicies are the policies of Meridian's clusters and how often each is broken.
var clusterPolicies = []struct {
	name, rule, category string
	broken               float64
	advice               bool
}{
	{"disallow-privileged-containers", "privileged-containers", "Pod Security Standards (Baseline)", 0.05, false},
	{"disallow-host-path", "host-path", "Pod Security Standards (Baseline)", 0.08, false},
	{"disallow-host-namespaces", "host-namespaces", "Pod Security Standards (Baseline)", 0.04, false},
	{"require-run-as-nonroot", "run-as-non-root", "Pod Security Standards (Restricted)", 0.3, true},
	{"require-requests-limits", "validate-resources", "Best Practices", 0.2, true},
}

// PolicyResultsAt is what the policy engine says about the workload of a service; nothing for one that runs elsewhere.
func (w *World) PolicyResultsAt(s *Service, t time.Time) []PolicyResult {
	if s.Platform() != PlatformKubernetes || !s.overseen() {
		return nil
	}
	r := w.random("cluster", s.Name, weekOf(t)/postureWeeks)
	lost := r.Float64() < 0.05
	var results []PolicyResult
	for _, p := range clusterPolicies {
		result := PolicyResult{Policy: p.name, Rule: p.rule, Category: p.category, Result: "pass", At: nightly(t)}
		switch x := r.Float64(); {
		case lost: // the engine cannot reach what it has to look at
			result.Result = "error"
		case x < p.broken*s.Team.Pace*2 && p.advice:
			result.Result = "warn"
		case x < p.broken*s.Team.Pace*2:
			result.Result = "fail"
		}
		results = append(results, result)
	}
	return results
}
