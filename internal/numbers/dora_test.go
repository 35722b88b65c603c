package numbers_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

const (
	changesFamily  = "prodsec_changes_total"
	failuresFamily = "prodsec_change_failures_total"
	leadFamily     = "prodsec_change_lead_time_seconds"
	restoreFamily  = "prodsec_restore_seconds"
)

// deploys is all deployments as of now.
func (o *organisation) deploys(when time.Time, deployments ...record.Deployment) {
	o.t.Helper()
	o.apply(when, "host", "main", record.Batch{Scope: "deployments:all", Mode: record.Full, Deployments: append([]record.Deployment{}, deployments...)})
}

// suffers is all incidents as of now.
func (o *organisation) suffers(when time.Time, incidents ...record.Incident) {
	o.t.Helper()
	o.apply(when, "tickets", "main", record.Batch{Scope: "query:incidents", Mode: record.Full, Incidents: append([]record.Incident{}, incidents...)})
}

// live is a successful deployment of a repository to production, all of whose changes are known.
func live(id, repository string, when time.Time, changes ...record.Change) record.Deployment {
	return record.Deployment{
		ID: id, Repository: record.RepositoryName(repository), Environment: "production", Status: record.DeploymentSucceeded, Approval: record.ApprovalApproved,
		FromProtectedBranch: record.AnswerYes, FinishedAt: when, Changes: changes, ChangesKnown: record.AnswerYes, Rollback: record.AnswerNo,
	}
}

func change(id string, first time.Time) record.Change {
	return record.Change{ID: id, FirstCommitAt: first, SecurityReviewed: record.AnswerNo}
}

func incident(id, service string, opened time.Time, gap record.Answer) record.Incident {
	return record.Incident{ID: id, Service: service, OpenedAt: opened, ControlGap: gap}
}

// doraHistory is a history of four services with everything that makes the four measures hard. The table in TestDORAHistory says what
// follows from it.
func doraHistory() (services []record.Service, deployments []record.Deployment, incidents []record.Incident) {
	mono := func(name string) record.Service {
		return record.Service{Name: name, BusinessUnit: "shop", Team: name, TrustTier: "tier1", Repositories: []record.RepositoryPath{
			{Repository: "acme/mono", Paths: []string{name + "/**"}},
		}}
	}
	services = []record.Service{api("red"), web(), mono("cart"), mono("mail")}

	first := live("1", "acme/api", at(2, 10, 0), change("old", epoch.AddDate(-3, 0, 0)))
	first.ChangesKnown = record.AnswerNo // the first deployment there is: it carries the whole history of the repository
	squashed := change("11", at(2, 22, 0))
	squashed.MergedAt = at(3, 9, 0) // the one commit that the merge left on the main branch
	rollback := live("11", "acme/api", at(4, 15, 0))
	rollback.Rollback = record.AnswerYes
	failed := live("13", "acme/api", at(7, 10, 0), change("15", at(6, 10, 0)))
	failed.Status = record.DeploymentFailed
	afterGap := live("14", "acme/api", at(50, 10, 0), change("16", at(49, 10, 0)))
	afterGap.ChangesKnown = record.AnswerNo
	deployments = []record.Deployment{
		first,
		live("2", "acme/api", at(3, 10, 0), change("10", at(2, 10, 0)), squashed),
		live("9", "acme/api", at(4, 10, 0)), live("10", "acme/api", at(4, 10, 0)),
		rollback,
		live("12", "acme/api", at(6, 10, 0), change("12", at(6, 10, 1)), change("13", time.Time{}), change("14", at(6, 10, 0))),
		failed, afterGap,
	}
	cart, mail := live("20", "acme/mono", at(8, 10, 0), change("20", at(8, 8, 0))), live("21", "acme/mono", at(8, 11, 0), change("20", at(8, 8, 0)))
	cart.Service, mail.Service = "cart", "mail"
	eu := live("31", "acme/web", at(10, 10, 0), change("30", at(8, 10, 0)))
	eu.Environment = "prod-eu"
	euBack := live("32", "acme/web", at(10, 11, 0))
	euBack.Environment, euBack.Rollback = "prod-eu", record.AnswerYes
	preview := live("33", "acme/web", at(9, 9, 0), change("31", at(1, 0, 0)))
	preview.Environment = "pr-33"
	deployments = append(deployments, cart, mail, live("30", "acme/web", at(9, 10, 0), change("30", at(8, 10, 0))), eu, euBack, preview)

	tie, late := incident("I-1", "api", at(4, 10, 0), record.AnswerYes), incident("I-2", "api", at(49, 10, 0), record.AnswerNo)
	tie.RestoredAt, tie.SecurityImpact = at(4, 15, 0), record.AnswerYes
	late.RestoredAt, late.SecurityImpact = at(49, 10, 0), record.AnswerNo
	again := incident("I-3", "api", at(4, 16, 0), record.AnswerNo)
	again.RestoredAt = at(4, 18, 0)
	incidents = []record.Incident{tie, late, again, incident("I-4", "cart", at(8, 12, 0), record.AnswerNo), incident("I-5", "", at(8, 12, 0), record.AnswerYes)}
	return services, deployments, incidents
}

// TestDORAHistory: the four measures of a history that is imported at once, by hand.
func TestDORAHistory(t *testing.T) {
	o := unfounded(t, nil)
	services, deployments, incidents := doraHistory()
	o.catalog(noon(51), services...)
	o.suffers(noon(51), incidents...)
	o.deploys(noon(51), deployments...)
	o.must(o.ledger.MarkFounded(t.Context(), noon(51)))
	o.pass(noon(51))

	for _, c := range []struct {
		want   float64
		family string
		labels string
		why    string
	}{
		{7, changesFamily, "team=red", "1, 2, 9, 10, 12, 13, 14; 11 brought an older commit back"},
		{1, changesFamily, "team=cart", "20"},
		{1, changesFamily, "team=mail", "21"},
		{2, changesFamily, "team=green", "30 and 31; 32 is a rollback, 33 a preview"},

		{1, failuresFamily, "team=red,cause=control_gap", "9 and 10 were live at 10:00 on day 4, when I-1 began; 10 is the greater ID. Rollback 11 and I-3 find 10, too"},
		{1, failuresFamily, "team=red,cause=unknown", "13 failed for an unknown cause"},
		{0, failuresFamily, "team=red,cause=other", "I-2 began 43 days after 12, more than 30"},
		{1, failuresFamily, "team=cart,cause=other", "I-4: mail was deployed later from the same repository, and is another service"},
		{0, failuresFamily, "team=mail", "I-5 is about no service"},
		{1, failuresFamily, "team=green,cause=unknown", "31, of which 32 took back the environment; 30 is in the other one"},

		{3, leadFamily + "_count", "team=red,security_review=none", "10 and 11 of 2, 14 of 12"},
		{36 * 3600, leadFamily + "_sum", "team=red,security_review=none", "10 took 24 h; 11 12 h, from its own first commit, not the squashed one; 14 none. 12 and 13 have no usable date, 15 never got there, 1 and 14 follow a gap"},
		{1, leadFamily + "_count", "team=cart", "20 in cart"},
		{2 * 3600, leadFamily + "_sum", "team=cart", "two hours"},
		{3 * 3600, leadFamily + "_sum", "team=mail", "the same change, an hour later in the other service"},
		{24 * 3600, leadFamily + "_sum", "team=green", "30 was live with deployment 30; 31 only brought it elsewhere"},

		{5 * 3600, restoreFamily + "_sum", "team=red,security_impact=true", "I-1"},
		{1, restoreFamily + "_count", "team=red,security_impact=false", "I-2 was over at once: zero is a time"},
		{0, restoreFamily + "_sum", "team=red,security_impact=false", "and adds nothing"},
		{2 * 3600, restoreFamily + "_sum", "team=red,security_impact=unknown", "I-3"},

		{7, "prodsec_deployments_total", "team=red,environment=production,approval=approved", "without 13, which failed, and with the rollback 11"},
		{2, "prodsec_deployments_total", "team=green,environment=prod-eu", "31 and 32"},
		{1, "prodsec_deployments_total", "team=green,environment=other", "33"},

		{7, "prodsec_changes_in_window", "window=90d,team=red", "all of them, on day 51"},
		{1, "prodsec_changes_in_window", "window=7d,team=red", "14"},
		{1, "prodsec_change_failures_in_window", "window=90d,team=red,cause=control_gap", "as counted"},
		{0, "prodsec_change_failures_in_window", "window=30d,team=red", "those were on days 4 and 7"},
		{2, "prodsec_incidents_in_window", "window=90d,team=red,attribution=deployment", "I-1 and I-3"},
		{1, "prodsec_incidents_in_window", "window=90d,team=red,attribution=unattributed", "I-2"},
		{1, "prodsec_incidents_in_window", "window=90d,team=unattributed,attribution=unattributed", "I-5"},
		{36 * 3600, "prodsec_change_lead_time_in_window_seconds_sum", "window=90d,business_unit=retail,security_review=none", "as above"},
		{1, "prodsec_restore_in_window_seconds_count", "window=7d,business_unit=retail", "I-2"},
	} {
		if got, found := sum(parse(t, o.text()), c.family, strings.Split(c.labels, ",")...); !found || got != c.want {
			t.Errorf("%s{%s} is %v (%v), want %v: %s", c.family, c.labels, got, found, c.want, c.why)
		}
	}
}

// TestAttributionAsItIsLearned: counters keep the attribution that was made when a failure was observed, trailing windows use what is learned later.
func TestAttributionAsItIsLearned(t *testing.T) {
	o := founded(t, nil)
	before := live("1", "acme/api", at(2, 10, 0))
	o.deploys(at(2, 10, 30), before)
	o.suffers(at(3, 10, 30), incident("I-1", "api", at(3, 10, 0), record.AnswerUnknown))
	o.expectSum(1, failuresFamily, "team=red", "cause=unknown")
	o.expectSum(1, "prodsec_change_failures_in_window", "window=7d", "team=red", "cause=unknown")

	between := live("2", "acme/api", at(2, 18, 0)) // becomes known late
	o.deploys(at(4, 10, 0), before, between)
	second := incident("I-2", "api", at(2, 12, 0), record.AnswerUnknown) // between the two: attributed to the first one
	o.suffers(at(4, 11, 0), incident("I-1", "api", at(3, 10, 0), record.AnswerYes), second)
	o.expectSum(1, failuresFamily, "team=red")
	o.expectSum(0, failuresFamily, "team=red", "cause=control_gap")
	o.expectSum(1, "prodsec_change_failures_in_window", "window=7d", "team=red", "cause=control_gap")
	o.expectSum(1, "prodsec_change_failures_in_window", "window=7d", "team=red", "cause=unknown")

	o.catalog(at(5, 0, 0), api("blue"), web())
	o.suffers(at(5, 1, 0))
	o.deploys(at(5, 2, 0))
	o.restart()
	o.pass(at(5, 3, 0))
	o.expectSum(1, failuresFamily, "team=red")
	o.expectSum(0, failuresFamily, "team=blue")
	o.expectSum(2, changesFamily, "team=red")
}

// TestIncidentBeforeItsDeploymentIsKnown: tickets are read more often than deployments.
func TestIncidentBeforeItsDeploymentIsKnown(t *testing.T) {
	o := founded(t, nil)
	o.deploys(at(2, 0, 0))
	o.suffers(at(6, 10, 5), incident("I-1", "web", at(6, 10, 0), record.AnswerNo))
	o.expectSum(0, failuresFamily, "team=green")
	o.expectSum(1, "prodsec_incidents_in_window", "window=7d", "team=green", "attribution=unattributed")
	o.deploys(at(6, 11, 0), live("1", "acme/web", at(6, 9, 50)))
	o.expectSum(1, failuresFamily, "team=green", "cause=other")
	o.expectSum(1, "prodsec_incidents_in_window", "window=7d", "team=green", "attribution=deployment")
	if got, _ := sum(parse(t, o.textAt(at(6, 10, 30))), failuresFamily, "team=green"); got != 0 {
		t.Errorf("%v failures half an hour before the deployment was known, want none", got)
	}
}

// TestFailureWindow: exactly as long as policy says an incident is attributed.
func TestFailureWindow(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  float64
	}{{-time.Second, 0}, {0, 1}, {2 * policy.Day, 1}, {2*policy.Day + time.Second, 0}} {
		o := founded(t, func(c *policy.Config) { c.DORA.FailureWindow = policy.Duration(2 * policy.Day) })
		o.deploys(noon(3), live("1", "acme/api", noon(2)))
		o.suffers(noon(9), incident("I", "api", noon(2).Add(c.after), record.AnswerUnknown))
		o.expectSum(c.want, failuresFamily, "team=red")
	}
}

// TestServiceUnknown: without a catalog the repository says what belongs together, and nothing else does.
func TestServiceUnknown(t *testing.T) {
	o := unfounded(t, nil)
	o.deploys(noon(2), live("1", "acme/x", noon(1)), live("2", "acme/y", noon(2)))
	of := incident("I-1", "", at(2, 13, 0), record.AnswerUnknown)
	of.Repository = "acme/x"
	o.suffers(noon(3), of, incident("I-2", "", at(2, 13, 0), record.AnswerUnknown))
	o.must(o.ledger.MarkFounded(t.Context(), noon(3)))
	o.expectSum(1, failuresFamily, "team=unattributed")
	o.expectSum(1, "prodsec_incidents_in_window", "window=7d", "attribution=unattributed")
}

// deliveryCounters are the families of delivery that must never fall.
func deliveryCounters(samples []sample) map[string]float64 {
	found := map[string]float64{}
	for _, s := range samples {
		for _, family := range []string{changesFamily, failuresFamily, leadFamily + "_", restoreFamily + "_", "prodsec_deployments_total", "prodsec_rule_bypasses_total"} {
			if strings.HasPrefix(s.name, family) {
				found[s.name+fmt.Sprint(s.labels)] = s.value
			}
		}
	}
	return found
}

// TestDeliveryCountersNeverFall: whatever a source says, takes back, forgets and says late, in full sweeps and deltas, with services that change hands and
// restarts in between, no counter falls, no failure is counted that was no change, and an hour ago is told as it was told then.
func TestDeliveryCountersNeverFall(t *testing.T) {
	reached := map[string]bool{}
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 7))
		o := founded(t, nil)
		last, served := map[string]float64{}, ""
		for step := range 30 {
			when := noon(2).Add(time.Duration(step*7) * time.Hour)
			o.randomStep(rng, when)
			if step%9 == 8 {
				o.restart()
			}
			o.pass(when)
			if step > 0 {
				if got := deliveryText(o.textAt(when.Add(-7 * time.Hour))); got != served {
					t.Fatalf("seed %d, step %d: seven hours ago is told as\n%s\nand was told as\n%s", seed, step, got, served)
				}
			}
			served = deliveryText(o.text())
			samples := parse(t, o.text())
			now := deliveryCounters(samples)
			for _, series := range slices.Sorted(maps.Keys(last)) {
				if now[series] < last[series] {
					t.Fatalf("seed %d, step %d: %s fell from %v to %v", seed, step, series, last[series], now[series])
				}
			}
			last = now
			for _, families := range [][2]string{{failuresFamily, changesFamily}, {"prodsec_change_failures_in_window", "prodsec_changes_in_window"}} {
				failures, _ := sum(samples, families[0])
				if all, _ := sum(samples, families[1]); failures > all {
					t.Fatalf("seed %d, step %d: %v failures of %v changes", seed, step, failures, all)
				}
			}
		}
		for series, n := range last {
			name, _, _ := strings.Cut(series, "map[")
			reached[name] = reached[name] || n > 0
		}
	}
	for _, name := range []string{changesFamily, failuresFamily, leadFamily + "_count", restoreFamily + "_count", "prodsec_deployments_total"} {
		if !reached[name] {
			t.Errorf("%s was never more than zero; the test has lost its subject", name)
		}
	}
}

// deliveryText are the counters of delivery without what is zero, which depends on the services there are now.
func deliveryText(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, "{")
		counter := strings.HasPrefix(name, leadFamily) || strings.HasPrefix(name, restoreFamily) ||
			name == changesFamily || name == failuresFamily || name == "prodsec_deployments_total"
		if counter && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// randomStep lets a source say something.
func (o *organisation) randomStep(rng *rand.Rand, when time.Time) {
	o.t.Helper()
	earlier := func() time.Time { return when.Add(-time.Duration(rng.IntN(5*24*60)) * time.Minute) }
	answer := func() record.Answer {
		return []record.Answer{record.AnswerYes, record.AnswerNo, record.AnswerUnknown}[rng.IntN(3)]
	}
	batch := record.Batch{Scope: "deployments:all", Mode: []record.Mode{record.Full, record.Delta}[rng.IntN(2)]}
	switch rng.IntN(5) {
	case 0, 1:
		batch.Deployments = []record.Deployment{}
		for range rng.IntN(4) {
			d := live(fmt.Sprint(rng.IntN(12)), []string{"acme/api", "acme/web", "acme/unknown"}[rng.IntN(3)], earlier())
			d.Environment = []string{"production", "prod-eu", "staging"}[rng.IntN(3)]
			d.Status = []record.DeploymentStatus{record.DeploymentSucceeded, record.DeploymentSucceeded, record.DeploymentFailed, record.DeploymentPending}[rng.IntN(4)]
			d.Rollback, d.ChangesKnown = answer(), []record.Answer{record.AnswerYes, record.AnswerNo}[rng.IntN(2)]
			for range rng.IntN(3) {
				d.Changes = append(d.Changes, record.Change{ID: fmt.Sprint(rng.IntN(8)), FirstCommitAt: earlier(), SecurityReviewed: answer(), SecurityReviewAt: earlier()})
			}
			batch.Deployments = append(batch.Deployments, d)
		}
		o.apply(when, "host", "main", batch)
	case 2, 3:
		batch.Scope, batch.Incidents = "query:incidents", []record.Incident{}
		for range rng.IntN(4) {
			i := incident(fmt.Sprint(rng.IntN(12)), []string{"api", "web", ""}[rng.IntN(3)], earlier(), answer())
			if rng.IntN(2) == 0 {
				i.RestoredAt, i.SecurityImpact = earlier(), answer()
			}
			batch.Incidents = append(batch.Incidents, i)
		}
		o.apply(when, "tickets", "main", batch)
	default:
		service := api([]string{"red", "blue"}[rng.IntN(2)])
		service.Name = []string{"api", "api", "api2"}[rng.IntN(3)]
		o.catalog(when, service, web())
	}
}

// TestChangeInTwoEnvironments: a change counts once, in the environment in which it was first known to be live, also when it becomes known later
// that it was live elsewhere before.
func TestChangeInTwoEnvironments(t *testing.T) {
	o := founded(t, nil)
	eu, us := live("1", "acme/api", at(4, 10, 0), change("1", at(3, 10, 0))), live("2", "acme/api", at(3, 11, 0), change("1", at(3, 10, 0)))
	eu.Environment, us.Environment = "prod-eu", "prod-us"
	o.deploys(at(5, 0, 0), eu)
	o.expectSum(24*3600, leadFamily+"_sum", "team=red")
	o.deploys(at(6, 0, 0), eu, us)
	o.expectSum(24*3600, leadFamily+"_sum", "team=red")
	o.expectSum(1, leadFamily+"_count", "team=red")
}

// TestRollbacks: what a rollback is attributed to. Attempts are written "commit", "commit!" if it failed and "<commit" for a rollback, one each day from day 2 on.
func TestRollbacks(t *testing.T) {
	for _, c := range []struct {
		attempts, incidents string // the days on which an incident began
		changes, failures   float64
		why                 string
	}{
		{"a b <a", "", 2, 1, "b"},
		{"a b! <a", "", 2, 1, "b failed; a, which is brought back, did not fail"},
		{"a b! b <a", "", 3, 2, "b failed, and what went live of it was taken back"},
		{"a b <a!", "", 2, 1, "going back failed; b all the same"},
		{"a b c <b <a", "", 3, 1, "c, and once more c: nothing else went live since"},
		{"a <a", "", 1, 0, "the same again"},
		{"<a", "", 0, 0, "there was nothing else"},
		{"a b c", "3", 3, 1, "b on its day"},
		{"a b! c", "3", 3, 2, "b failed and was not live: a"},
		{"a b <a", "3 4", 2, 1, "b by both incidents and the rollback, which is none itself"},
	} {
		o := unfounded(t, nil)
		o.catalog(noon(20), api("red"), web())
		var deployments []record.Deployment
		for i, text := range strings.Fields(c.attempts) {
			commit := strings.Trim(text, "<!")
			d := live(fmt.Sprint(i), "acme/api", at(2+i, 0, 0))
			d.Commit, d.Rollback = commit, record.AnswerOf(strings.HasPrefix(text, "<"))
			if strings.HasSuffix(text, "!") {
				d.Status = record.DeploymentFailed
			}
			deployments = append(deployments, d)
		}
		var incidents []record.Incident
		for _, day := range strings.Fields(c.incidents) {
			var n int
			if _, err := fmt.Sscan(day, &n); err != nil {
				t.Fatal(err)
			}
			incidents = append(incidents, incident(day, "api", noon(n), record.AnswerUnknown))
		}
		o.deploys(noon(20), deployments...)
		o.suffers(noon(20), incidents...)
		o.must(o.ledger.MarkFounded(t.Context(), noon(20)))
		samples := parse(t, o.textAt(noon(20)))
		changes, _ := sum(samples, changesFamily, "team=red")
		failures, _ := sum(samples, failuresFamily, "team=red")
		recent, _ := sum(samples, "prodsec_change_failures_in_window", "window=30d", "team=red")
		if changes != c.changes || failures != c.failures || recent != failures {
			t.Errorf("%s with incidents on %q: %v changes, %v failures, %v in the window; want %v and %v: %s", c.attempts, c.incidents, changes, failures, recent, c.changes, c.failures, c.why)
		}
	}
}

// TestTie: of deployments that ended in the same second the one with the greatest ID failed, and numbers compare as numbers. Which one it was is
// told by the team that owned the service when it was first held.
func TestTie(t *testing.T) {
	for _, c := range []struct{ first, second, failed string }{{"9", "10", "blue"}, {"10", "9", "red"}} {
		o := founded(t, nil)
		first, second := live(c.first, "acme/api", noon(2)), live(c.second, "acme/api", noon(2))
		o.deploys(noon(3), first)
		o.catalog(noon(4), api("blue"), web())
		o.deploys(noon(5), first, second)
		o.suffers(noon(6), incident("I", "api", noon(2), record.AnswerUnknown))
		for _, family := range []string{failuresFamily, "prodsec_change_failures_in_window"} {
			for _, team := range []string{"red", "blue"} {
				want := 0.0
				if team == c.failed {
					want = 1
				}
				if got, _ := sum(parse(t, o.text()), family, "team="+team, "cause=unknown"); (got > 0) != (want > 0) {
					t.Errorf("%s before %s: %s says %v of %s, want %v", c.first, c.second, family, got, team, want)
				}
			}
		}
	}
}
