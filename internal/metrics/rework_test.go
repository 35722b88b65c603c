package metrics_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// delivered is the hand-made organisation with these deployments and incidents of checkout and no others.
func delivered(p *policy.Policy, deployments []record.Deployment, incidents ...record.Incident) *snapshot.Snapshot {
	s := organisation(p)
	s.Deployments, s.Incidents = nil, nil
	for _, d := range deployments {
		s.Deployments = append(s.Deployments, snapshot.Held[record.Deployment]{Record: d, Instance: "github/acme", Scope: scopeDeliveries, Service: checkout, Owner: checkout})
	}
	for _, i := range incidents {
		s.Incidents = append(s.Incidents, snapshot.Held[record.Incident]{Record: i, Instance: "jira/psec", Scope: scopeIncidents, Service: checkout, Owner: checkout})
	}
	s.Deployed = milestones(s.Deployments, func(d *record.Deployment) time.Time { return d.FinishedAt })
	s.Opened = milestones(s.Incidents, func(i *record.Incident) time.Time { return i.OpenedAt })
	s.Restored = milestones(s.Incidents, func(i *record.Incident) time.Time { return i.RestoredAt })
	return s
}

// TestRework: what goes live while an incident of the service is open, until it is restored, was not planned.
func TestRework(t *testing.T) {
	p := policy.Default()
	hour := func(h int) time.Time { return day(3, 20).Add(time.Duration(h) * time.Hour) }
	failed := deployment("failed", "checkout", hour(4), record.ApprovalApproved)
	failed.Status = record.DeploymentFailed
	rollback := deployment("rollback", "checkout", hour(5), record.ApprovalApproved)
	rollback.Rollback = record.AnswerYes
	deployments := []record.Deployment{
		deployment("before", "checkout", hour(1), record.ApprovalApproved),
		deployment("at its beginning", "checkout", hour(2), record.ApprovalApproved),
		deployment("during", "checkout", hour(3), record.ApprovalApproved),
		failed, rollback,
		deployment("at its end", "checkout", hour(6), record.ApprovalApproved),
		deployment("after", "checkout", hour(7), record.ApprovalApproved),
	}
	never := delivered(p, deployments)
	unread(never, record.KindIncident)
	for _, c := range []struct {
		name string
		s    *snapshot.Snapshot
		want map[string]float64
	}{
		{"incidents were read", delivered(p, deployments, record.Incident{ID: "I", OpenedAt: hour(2), RestoredAt: hour(6)}), map[string]float64{"planned": 4, "incident": 2, "rollback": 1, "unknown": 0}},
		{"incidents were never read", never, map[string]float64{"rollback": 1, "unknown": 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := family(metrics.Evaluate(c.s, p, noon), "prodsec_deployment_rework_in_window")
			for _, rework := range []string{"planned", "incident", "rollback", "unknown"} {
				n, shown := value(got, "window=30d,team=payments,trust_tier=tier0,rework="+rework)
				if want, known := c.want[rework]; n != want || shown != known {
					t.Errorf("%s: got %v (shown: %t), want %v (shown: %t)", rework, n, shown, want, known)
				}
			}
		})
	}
}

// TestReworkOfRepositoriesWithoutAService: an incident makes rework of the deployments of its own repository, and of no other.
func TestReworkOfRepositoriesWithoutAService(t *testing.T) {
	p := policy.Default()
	opened := day(3, 20)
	s := delivered(p, []record.Deployment{
		deployment("1", "one", opened.Add(time.Hour), record.ApprovalApproved), deployment("2", "two", opened.Add(time.Hour), record.ApprovalApproved),
		deployment("3", "two", opened.Add(2*time.Hour), record.ApprovalApproved),
	}, record.Incident{ID: "I", Repository: "acme/two", OpenedAt: opened})
	for i := range s.Deployed {
		s.Deployed[i].Service, s.Deployed[i].Owner = 0, 0
	}
	s.Opened[0].Service, s.Opened[0].Owner = 0, 0
	got := family(metrics.Evaluate(s, p, noon), "prodsec_deployment_rework_in_window")
	for rework, want := range map[string]float64{"planned": 1, "incident": 2} {
		if n, _ := value(got, "window=30d,team=unattributed,rework="+rework); n != want {
			t.Errorf("%s: got %v, want %v", rework, n, want)
		}
	}
}

// TestFailedDeploymentsThatReachedNobody: policy may leave them out of changes and failures alike.
func TestFailedDeploymentsThatReachedNobody(t *testing.T) {
	for _, c := range []struct {
		setting           policy.FailedDeployments
		changes, failures float64
	}{{policy.FailedDeploymentsCount, 2, 1}, {policy.FailedDeploymentsLeaveOut, 1, 0}} {
		t.Run(string(c.setting), func(t *testing.T) {
			config := policy.DefaultConfig()
			config.DORA.FailedDeployments = c.setting
			p, err := policy.New(config)
			if err != nil {
				t.Fatal(err)
			}
			failed := deployment("2", "checkout", day(3, 21), record.ApprovalApproved)
			failed.Status = record.DeploymentFailed
			e := metrics.Evaluate(delivered(p, []record.Deployment{deployment("1", "checkout", day(3, 20), record.ApprovalApproved), failed}), p, noon)
			for name, want := range map[string]float64{
				"prodsec_changes_in_window": c.changes, "prodsec_change_failures_in_window": c.failures,
			} {
				if got, _ := value(family(e, name), "window=30d"); got != want {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
			}
			for name, want := range map[string]float64{"prodsec_changes_total": c.changes, "prodsec_change_failures_total": c.failures} {
				if got, _ := value(family(e, name), "trust_tier=tier0"); got != want {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
			}
		})
	}
}

// TestDeploymentsOfTheFuture are in totals and windows once their time has come, and in neither before.
func TestDeploymentsOfTheFuture(t *testing.T) {
	p := policy.Default()
	s := delivered(p, []record.Deployment{deployment("1", "checkout", noon.Add(time.Hour), record.ApprovalApproved)})
	s.Deployed[0].Counted, s.Deployed[0].Observed = noon.Add(-time.Hour), noon.Add(-time.Hour)
	for _, c := range []struct {
		at   time.Time
		want float64
	}{{noon, 0}, {noon.Add(2 * time.Hour), 1}} {
		e := metrics.Evaluate(s, p, c.at)
		for name, selector := range map[string]string{
			"prodsec_deployments_total": "environment=production", "prodsec_deployments_in_window": "window=7d,environment=production",
			"prodsec_changes_total": "trust_tier=tier0", "prodsec_changes_in_window": "window=7d",
		} {
			if got, _ := value(family(e, name), selector); got != c.want {
				t.Errorf("%s at %s: got %v, want %v", name, c.at, got, c.want)
			}
		}
	}
}
