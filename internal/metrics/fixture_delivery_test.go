package metrics_test

import (
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// deployment is a successful deployment to production.
func deployment(id, service string, at time.Time, approval record.Approval, changes ...record.Change) record.Deployment {
	d := record.Deployment{
		ID: id, Service: service, Repository: record.RepositoryName("acme/" + service), Environment: "production", Status: record.DeploymentSucceeded, Approval: approval, CreatedAt: at.Add(-time.Minute),
		FinishedAt: at, FromProtectedBranch: record.AnswerYes, ChangesKnown: record.AnswerYes, Changes: changes,
	}
	if service == "checkout" {
		d.Repository = "acme/shop"
	}
	return d
}

// addHandmadeDeployments: checkout was deployed for the first time (D1), rolled back (D2 by R1), failed (D3) and went around release control
// (D4); ledger went to staging (D5) and to a production environment that its repository does not list (D6).
func addHandmadeDeployments(s *snapshot.Snapshot) {
	noonOf := func(d int) time.Time { return day(3, d).Add(12 * time.Hour) }
	d1 := deployment("D1", "checkout", noonOf(1), record.ApprovalApproved, record.Change{ID: "0", FirstCommitAt: day(1, 1)})
	d1.ChangesKnown = record.AnswerNo
	d2 := deployment("D2", "checkout", noonOf(10), record.ApprovalApproved,
		record.Change{
			ID: "1", FirstCommitAt: noonOf(9), ApprovedAt: day(3, 10), SecurityReviewAt: noonOf(9).Add(6 * time.Hour), SecurityReviewed: record.AnswerYes,
		},
		record.Change{ID: "2", FirstCommitAt: noonOf(6), SecurityReviewed: record.AnswerNo},
	)
	r1 := deployment("R1", "checkout", noonOf(10).Add(3*time.Hour), record.ApprovalBypassed)
	r1.Rollback = record.AnswerYes
	d3 := deployment("D3", "checkout", noonOf(20), record.ApprovalApproved, record.Change{ID: "3", FirstCommitAt: noonOf(19)})
	d3.Status = record.DeploymentFailed
	d4 := deployment("D4", "checkout", noonOf(30), record.ApprovalNone, record.Change{ID: "4", FirstCommitAt: noonOf(30).Add(-2 * time.Hour)})
	d4.Evidence = map[record.EvidenceKind]record.Answer{record.EvidenceProvenance: record.AnswerYes}
	d5 := deployment("D5", "ledger", noonOf(30), record.ApprovalApproved, record.Change{ID: "5", FirstCommitAt: noonOf(1)})
	d5.Environment = "staging"
	d6 := deployment("D6", "ledger", noonOf(29), record.ApprovalApproved)
	d6.Environment, d6.FromProtectedBranch = "Prod-EU", record.AnswerUnknown
	for _, d := range []struct {
		service int32
		record.Deployment
	}{{checkout, d1}, {checkout, d2}, {checkout, r1}, {checkout, d3}, {checkout, d4}, {ledger, d5}, {ledger, d6}} {
		h := snapshot.Held[record.Deployment]{Record: d.Deployment, Instance: "github/acme", Scope: scopeDeliveries, Service: d.service, Owner: d.service}
		s.Deployments = append(s.Deployments, h)
	}
	s.Deployed = milestones(s.Deployments, func(d *record.Deployment) time.Time { return d.FinishedAt })
}

// addHandmadeIncidents: I1 during checkout's rollback, I2 of docs, which deploys nothing, I3 of ledger.
func addHandmadeIncidents(s *snapshot.Snapshot) {
	for _, i := range []struct {
		service int32
		record.Incident
	}{
		{checkout, record.Incident{
			ID: "I1", OpenedAt: day(3, 10).Add(14 * time.Hour), RestoredAt: day(3, 10).Add(15*time.Hour + 30*time.Minute),
			SecurityImpact: record.AnswerYes, ControlGap: record.AnswerYes,
		}},
		{docs, record.Incident{ID: "I2", OpenedAt: day(3, 30)}},
		{ledger, record.Incident{ID: "I3", OpenedAt: day(3, 30).Add(12 * time.Hour), RestoredAt: day(3, 31), SecurityImpact: record.AnswerNo, ControlGap: record.AnswerNo}},
	} {
		h := snapshot.Held[record.Incident]{Record: i.Incident, Instance: "jira/psec", Scope: scopeIncidents, Service: i.service, Owner: i.service}
		s.Incidents = append(s.Incidents, h)
	}
	s.Opened = milestones(s.Incidents, func(i *record.Incident) time.Time { return i.OpenedAt })
	s.Restored = milestones(s.Incidents, func(i *record.Incident) time.Time { return i.RestoredAt })
}

// addHandmadeTrust are a release, pipelines, runners, cloud identities, a bypass, and an exercise of going back.
func addHandmadeTrust(s *snapshot.Snapshot) {
	s.Releases = []snapshot.Held[record.Release]{{
		Record: record.Release{ID: "V1", PublishedAt: day(3, 28), Evidence: map[record.EvidenceKind]record.Answer{
			record.EvidenceProvenance: record.AnswerYes, record.EvidenceSBOM: record.AnswerNo,
		}}, Scope: scopeDeliveries, Service: checkout, Owner: checkout,
	}}
	for _, p := range []struct {
		service int32
		record.Pipeline
	}{
		{checkout, record.Pipeline{ID: "P1", Repository: "acme/shop", Environments: []string{"production"}, Publishes: record.AnswerNo, Evidence: map[record.EvidenceKind]record.Answer{
			record.EvidenceProvenance: record.AnswerYes, record.EvidenceApproval: record.AnswerNo,
		}}},
		{docs, record.Pipeline{ID: "P2", Repository: "acme/docs", Publishes: record.AnswerYes}},
		{ledger, record.Pipeline{ID: "P3", Repository: "acme/ledger", Publishes: record.AnswerNo}},
	} {
		s.Pipelines = append(s.Pipelines, snapshot.Held[record.Pipeline]{Record: p.Pipeline, Scope: scopeDeliveries, Service: p.service, Owner: p.service})
	}
	for _, r := range []record.Runner{
		{ID: "1", Visibility: record.RunnerAll, PublicRepositories: record.AnswerYes, Ephemeral: record.AnswerNo},
		{ID: "2", Visibility: record.RunnerRepository, PublicRepositories: record.AnswerNo, Ephemeral: record.AnswerYes},
		{ID: "3"},
	} {
		s.Runners = append(s.Runners, snapshot.Held[record.Runner]{Record: r, Scope: scopeDeliveries})
	}
	for _, c := range []struct {
		service int32
		record.CloudIdentity
	}{
		{checkout, record.CloudIdentity{Repository: "acme/shop", OIDC: record.AnswerYes, SecretsKnown: record.AnswerYes, Secrets: []record.SecretName{{Name: "AWS_SECRET_ACCESS_KEY"}}}},
		{ledger, record.CloudIdentity{Repository: "acme/ledger", OIDC: record.AnswerYes, SecretsKnown: record.AnswerYes}},
		{docs, record.CloudIdentity{Repository: "acme/docs", OIDC: record.AnswerNo}},
		{unattributed, record.CloudIdentity{Repository: "acme/old", OIDC: record.AnswerNo, SecretsKnown: record.AnswerYes}},
	} {
		s.CloudIdentities = append(s.CloudIdentities, snapshot.Held[record.CloudIdentity]{Record: c.CloudIdentity, Scope: scopeDeliveries, Service: c.service, Owner: c.service})
	}
	s.Bypasses = []snapshot.Held[record.Bypass]{{Record: record.Bypass{ID: "B1", Result: record.BypassBypassed, At: day(3, 2)}, Scope: scopeDeliveries, Service: checkout, Owner: checkout}}
	s.Bypassed = milestones(s.Bypasses, func(b *record.Bypass) time.Time { return b.At })
	s.Evidence = []snapshot.Held[record.Evidence]{{
		Record: record.Evidence{ID: "E", Control: "rollback", Holds: record.AnswerYes, ProducedAt: day(3, 5)}, Scope: scopeCatalog, Service: ledger, Owner: ledger,
	}}
}
