package definitions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

func TestRunners(t *testing.T) {
	at, seen := dayOf(t, "2026-03-31"), map[string]bool{}
	for i, r := range example(t, "runners") {
		who, names, _ := strings.Cut(r["Who may use it"], ": ")
		runner := record.Runner{
			ID: fmt.Sprint(i), Visibility: record.RunnerVisibility(who), PublicRepositories: answers[r["Public repositories"]],
			RestrictedToWorkflows: answers[r["Only listed workflows"]],
		}
		for name := range strings.SplitSeq(names, ", ") {
			if name != "" {
				runner.Repositories = append(runner.Repositories, record.RepositoryName(name))
			}
		}
		o := newOrganisation(t)
		o.apply(at, record.Batch{Scope: "repositories:acme", Repositories: []record.Repository{
			{Name: "acme/pay", Visibility: record.VisibilityPrivate}, {Name: "acme/ledger", Visibility: record.VisibilityInternal},
			{Name: "acme/site", Visibility: record.VisibilityPublic},
		}})
		o.apply(at, record.Batch{Scope: "runners:acme", Runners: []record.Runner{runner}})
		if got := sum(o.evaluate(at), "prodsec_runners", "trust="+r["Trust"]); got != 1 {
			t.Errorf("%v: not %s", r, r["Trust"])
		}
		seen[r["Trust"]] = true
	}
	for _, trust := range policy.RunnerTrusts() {
		if !seen[string(trust)] {
			t.Errorf("no example of %s", trust)
		}
	}
}

func TestCloudIdentity(t *testing.T) {
	at := dayOf(t, "2026-03-31")
	for _, r := range example(t, "cloud identity") {
		c := record.CloudIdentity{Repository: "acme/shop", OIDC: answers[r["Tokens"]], SecretsKnown: answers[r["Secrets read"]]}
		if r["Secrets"] != "" {
			c.Secrets = []record.SecretName{{Name: r["Secrets"], Scope: record.SecretRepository}}
		}
		o := newOrganisation(t)
		o.apply(at, record.Batch{Scope: "secrets:acme", CloudIdentities: []record.CloudIdentity{c}})
		if got := sum(o.evaluate(at), "prodsec_cloud_identity_repositories", "method="+r["Method"]); got != 1 {
			t.Errorf("%v: not %s", r, r["Method"])
		}
	}
}

// apply is a full sweep by the scanner.
func (o *organisation) apply(at time.Time, b record.Batch) {
	o.t.Helper()
	b.Mode = record.Full
	o.must(o.ledger.Apply(o.t.Context(), "scanner", "main", b, at))
}

// instant is a time of the tables; zero where nothing is said.
func instant(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" || text == "no" {
		return time.Time{}
	}
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// doraChanges are the changes of the example by their numbers.
func doraChanges(t *testing.T) map[string]record.Change {
	changes := map[string]record.Change{}
	for _, r := range example(t, "dora changes") {
		c := record.Change{
			ID: r["Change"], FirstCommitAt: instant(t, r["First commit"]), ApprovedAt: instant(t, r["Approved"]),
			SecurityReviewAt: instant(t, r["Security review"]), SecurityReviewed: answers[r["Security review"]],
		}
		if !c.SecurityReviewAt.IsZero() {
			c.SecurityReviewed = record.AnswerYes
		}
		changes[c.ID] = c
	}
	return changes
}

// doraHistory is the history of the example.
func doraHistory(t *testing.T) (deployments []record.Deployment, incidents []record.Incident) {
	t.Helper()
	changes := doraChanges(t)
	for _, r := range example(t, "dora deployments") {
		d := record.Deployment{
			ID: r["ID"], Repository: "acme/shop", Service: r["Service"], Environment: r["Environment"], Commit: r["Commit"], FinishedAt: instant(t, r["Ended"]),
			Status: record.DeploymentStatus(r["Result"]), Rollback: answers[r["Rollback"]], ChangesKnown: record.AnswerOf(r["Changes"] != "not known"),
		}
		for id := range strings.SplitSeq(r["Changes"], ", ") {
			if c, ok := changes[id]; ok {
				d.Changes = append(d.Changes, c)
			}
		}
		deployments = append(deployments, d)
	}
	for _, r := range example(t, "dora incidents") {
		incidents = append(incidents, record.Incident{
			ID: r["Incident"], Service: r["Service"], OpenedAt: instant(t, r["Opened"]), RestoredAt: instant(t, r["Restored"]),
			SecurityImpact: answers[r["Security impact"]], ControlGap: answers[r["Control gap"]],
		})
	}
	return deployments, incidents
}

// doraDay is the day of the example.
var doraDay = time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)

// doraEvaluation is what the exporter makes of a history of the two services of the example that it finds on 31 March.
func doraEvaluation(t *testing.T, deployments []record.Deployment, incidents []record.Incident) *metrics.Evaluation {
	t.Helper()
	o, at := newOrganisation(t), doraDay
	service := func(name string) record.Service {
		return record.Service{
			Name: name, BusinessUnit: "shop", Team: name, TrustTier: "tier1",
			Repositories: []record.RepositoryPath{{Repository: "acme/shop", Paths: []string{name + "/**"}}},
		}
	}
	o.catalog(at, service("checkout"), service("search"))
	o.apply(at, record.Batch{Scope: "deployments:acme/shop", Deployments: append([]record.Deployment{}, deployments...)})
	o.apply(at, record.Batch{Scope: "incidents:all", Incidents: append([]record.Incident{}, incidents...)})
	return o.evaluate(at)
}

// observed is the number and the sum of the observations of a histogram.
func observed(e *metrics.Evaluation, family string, having ...string) (count, seconds float64) {
	for _, r := range e.Results {
		if r.Family.Name != family {
			continue
		}
		for _, s := range r.Series {
			labels := map[string]string{}
			for i, name := range r.Family.Labels {
				labels[name] = s.Labels[i]
			}
			if matches(labels, having) {
				count, seconds = count+float64(s.Histogram.Count), seconds+s.Histogram.Sum
			}
		}
	}
	return count, seconds
}

// hoursOf reads "48h".
func hoursOf(t *testing.T, text string) float64 { return number(t, strings.TrimSuffix(text, "h")) }

func TestDORAResults(t *testing.T) {
	deployments, incidents := doraHistory(t)
	e := doraEvaluation(t, deployments, incidents)
	for _, r := range example(t, "dora results") {
		team := "team=" + r["Service"]
		for _, c := range []struct {
			column string
			got    float64
		}{
			{"Deployments", sum(e, "prodsec_deployments_total", team, "environment=production") + sum(e, "prodsec_deployments_total", team, "environment=prod-eu")},
			{"Changes", sum(e, "prodsec_changes_total", team)},
			{"Failures", sum(e, "prodsec_change_failures_total", team)},
			{"of a control gap", sum(e, "prodsec_change_failures_total", team, "cause=control_gap")},
			{"other", sum(e, "prodsec_change_failures_total", team, "cause=other")},
			{"unknown", sum(e, "prodsec_change_failures_total", team, "cause=unknown")},
			{"Change failure rate", round(sum(e, "prodsec_change_failures_in_window", team, "window=90d") / sum(e, "prodsec_changes_in_window", team, "window=90d"))},
		} {
			if want := number(t, r[c.column]); c.got != want {
				t.Errorf("%s: %s is %v, want %v", r["Service"], c.column, c.got, want)
			}
		}
		count, seconds := observed(e, "prodsec_change_lead_time_seconds", team)
		if count != number(t, r["Lead times"]) || seconds != hoursOf(t, r["Their sum"])*3600 {
			t.Errorf("%s: %v lead times of %v s, want %s of %s", r["Service"], count, seconds, r["Lead times"], r["Their sum"])
		}
		if _, seconds := observed(e, "prodsec_restore_seconds", team); seconds != hoursOf(t, r["Restored within"])*3600 {
			t.Errorf("%s: restored within %v s, want %s", r["Service"], seconds, r["Restored within"])
		}
	}
}

// TestDORAChanges: the lead time and the review of each change are those of a history in which no other change has any.
func TestDORAChanges(t *testing.T) {
	for _, r := range example(t, "dora changes") {
		deployments, incidents := doraHistory(t)
		for i := range deployments {
			deployments[i].Changes = slices.DeleteFunc(deployments[i].Changes, func(c record.Change) bool { return c.ID != r["Change"] })
		}
		e := doraEvaluation(t, deployments, incidents)
		times := 0.0
		for lead := range strings.SplitSeq(r["Lead time"], ", ") {
			if lead == "" {
				continue
			}
			took, service, _ := strings.Cut(lead, " in ")
			count, seconds := observed(e, "prodsec_change_lead_time_seconds", "team="+service, "security_review="+r["security_review"])
			if count != 1 || seconds != hoursOf(t, took)*3600 {
				t.Errorf("change %s in %s: %v lead times of %v s, want one of %s, %s", r["Change"], service, count, seconds, took, r["security_review"])
			}
			times++
		}
		if count, _ := observed(e, "prodsec_change_lead_time_seconds"); count != times {
			t.Errorf("change %s: %v lead times, want %v", r["Change"], count, times)
		}
	}
}

// TestDORAIncidents: each incident alone is attributed to a deployment or to none, as the table says, and to the one it names if there were no other.
func TestDORAIncidents(t *testing.T) {
	all, incidents := doraHistory(t)
	for i, r := range example(t, "dora incidents") {
		var one []record.Deployment
		for _, d := range all {
			if d.ID == r["Attributed to"] {
				one = append(one, d)
			}
		}
		attribution, want := "unattributed", 1.0
		if len(one) > 0 {
			attribution = "deployment"
		}
		if incidents[i].OpenedAt.After(doraDay) {
			want = 0
		}
		for name, deployments := range map[string][]record.Deployment{"all": all, "the attributed one": one} {
			e := doraEvaluation(t, deployments, incidents[i:i+1])
			if got := sum(e, "prodsec_incidents_in_window", "window=90d", "attribution="+attribution); got != want {
				t.Errorf("incident %s, %s: %v are %s, want %v", r["Incident"], name, got, attribution, want)
			}
			if failures := sum(e, "prodsec_change_failures_total"); name != "all" && failures != float64(len(one)) {
				t.Errorf("incident %s, %s: %v failures, want %d", r["Incident"], name, failures, len(one))
			}
		}
	}
}
