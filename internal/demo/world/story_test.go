package world_test

import (
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// judge looks at the world through the default policy.
type judge struct {
	policy *policy.Policy
	now    time.Time
}

func (j judge) facts(f *world.Finding) policy.ServiceFacts {
	s := f.Service()
	if s == nil {
		return j.policy.FactsOf(record.Service{})
	}
	return j.policy.FactsOf(record.Service{
		TrustTier: s.TrustTier, InternetFacing: record.AnswerOf(s.InternetFacing), CrownJewel: record.AnswerOf(s.CrownJewel),
	})
}

// clock leaves exceptions out.
func (j judge) clock(f *world.Finding) policy.Clock {
	severity := f.Severity
	exploited := f.KnownExploited || f.ActiveSecret || f.Advisory != nil && f.Advisory.EPSS >= 0.5
	return policy.Clock{Start: f.Born.Unix(), Target: j.policy.Target(policy.IndexOfSeverity(severity), j.facts(f), exploited)}
}

func (j judge) standing(f *world.Finding) policy.SLA {
	return j.policy.Standing(j.clock(f), j.now.Unix())
}

func (j judge) open(f *world.Finding) bool { return f.At(j.now).Closure == record.ClosureNone }

// attainment of high and critical findings that fell due or were fixed in the last days.
func (j judge) attainment(w *world.World, days int, of func(*world.Team) bool) (ratio float64, outcomes int) {
	since := j.now.Add(-time.Duration(days) * day).Unix()
	met, missed := 0, 0
	for _, f := range w.FindingsAt(j.now) {
		s := f.Service()
		if s == nil || !of(s.Team) || f.Flap != nil || f.Severity != record.SeverityHigh && f.Severity != record.SeverityCritical {
			continue
		}
		due, state := j.policy.Due(j.clock(f)), f.At(j.now)
		inTime := state.Closure == record.ClosureFixed && state.ClosedAt.Unix() <= due
		switch {
		case inTime && state.ClosedAt.Unix() > since:
			met++
		case !inTime && due <= j.now.Unix() && due > since && policy.Treat(state.Closure) != policy.Void:
			missed++
		}
	}
	return float64(met) / float64(met+missed), met + missed
}

func forEachJudged(t *testing.T, test func(t *testing.T, w *world.World, j judge)) {
	p := policy.Default()
	forEachWorld(t, func(t *testing.T, w *world.World, now time.Time) { test(t, w, judge{p, now}) })
}

// TestAlertsOfTheStory: whenever the demo is started, what the alerts are about is there.
func TestAlertsOfTheStory(t *testing.T) {
	forEachJudged(t, func(t *testing.T, w *world.World, j judge) {
		team, _ := w.InTrouble(j.now)
		count := map[string]int{}
		for _, f := range w.FindingsAt(j.now) {
			if !j.open(f) {
				continue
			}
			s := f.Service()
			count[string(f.Severity)+" "+j.standing(f).String()]++
			if s != nil && s.Team == team {
				count["troubled "+string(f.Severity)+" "+j.standing(f).String()]++
			}
			if f.KnownExploited && s != nil && s.InternetFacing {
				count["exploited on the internet"]++
			}
			if f.ActiveSecret && f.Source == world.SourceSecretScanning {
				count["active secret"]++
			}
		}
		for _, e := range w.ExceptionsAt(j.now) {
			status, _ := e.StatusAt(j.now)
			left := e.Expires.Sub(j.now)
			scoped := e.Service != nil || e.Repository != nil
			switch {
			case status == world.StatusApproved && !scoped:
				count["unscoped"]++
			case status == world.StatusApproved && !e.Expires.IsZero() && left <= 0:
				count["expired and open"]++
			case status == world.StatusApproved && !e.Expires.IsZero() && left <= 7*day:
				count["expiring"]++
			case status == world.StatusAwaiting:
				count["pending"]++
			case status == world.StatusRejected:
				count["rejected"]++
			}
		}
		for _, want := range []string{
			"critical breached", "high breached", "high due_soon", "troubled critical breached", "exploited on the internet", "active secret",
			"unscoped", "expired and open", "expiring", "pending", "rejected",
		} {
			if count[want] == 0 {
				t.Errorf("there is no %q", want)
			}
		}
	})
}

func TestProtectionOnPaper(t *testing.T) {
	w := world.New(1, starts[1])
	ways := map[string]int{}
	unmapped, archived := 0, 0
	for _, r := range w.Repositories {
		if len(r.Hosts) == 0 {
			unmapped++
		}
		if r.Archived {
			archived++
		}
		if r.Protection.Hidden {
			ways["hidden"]++
		}
		if s := r.Service(""); s == nil || s.TrustTier != "tier0" {
			continue
		}
		p := r.Protection
		switch {
		case p.Classic == nil && len(p.Rulesets) == 0:
			ways["nothing"]++
		case p.Classic != nil && len(p.Rulesets) == 0:
			ways["classic only"]++
		case p.Classic == nil:
			ways["rulesets only"]++
		default:
			ways["both"]++
		}
		for _, ruleset := range p.Rulesets {
			ways[string(ruleset.Enforcement)]++
			if ruleset.Rules.PullRequest && ruleset.Rules.Approvals == 0 {
				ways["nobody approves"]++
			}
			if len(ruleset.Bypass) > 0 {
				ways["bypass"]++
			}
		}
	}
	for _, want := range []string{"hidden", "nothing", "classic only", "rulesets only", "both", "active", "evaluate", "disabled", "nobody approves", "bypass"} {
		if ways[want] == 0 {
			t.Errorf("no repository is protected in the way %q: %v", want, ways)
		}
	}
	if unmapped < 10 || archived < 5 {
		t.Errorf("%d unmapped and %d archived repositories", unmapped, archived)
	}
}

// TestTeamsHaveCharacter: the team in trouble is worse than others and getting worse, the one that cleans up gets better, and business units differ.
func TestTeamsHaveCharacter(t *testing.T) {
	forEachJudged(t, func(t *testing.T, w *world.World, j judge) {
		troubled, since := w.InTrouble(j.now)
		backlog := func(team *world.Team, at time.Time) int {
			n := 0
			for _, f := range w.FindingsAt(at) {
				if s := f.Service(); s != nil && s.Team == team && f.Flap == nil && f.At(at).Closure == record.ClosureNone &&
					(f.Severity == record.SeverityHigh || f.Severity == record.SeverityCritical) {
					n++
				}
			}
			return n
		}
		if before, now := backlog(troubled, since), backlog(troubled, j.now); now <= before || now < 8 {
			t.Errorf("%s in trouble: %d serious findings since %v, now %d", troubled.Name, before, since, now)
		}
		if ratio, n := j.attainment(w, 90, func(team *world.Team) bool { return team == troubled }); ratio > 0.72 || n < 5 {
			t.Errorf("%s in trouble meets %.0f %% of %d deadlines", troubled.Name, 100*ratio, n)
		}
		low, high := 1.0, 0.0
		for _, unit := range []string{"payments", "commerce", "logistics", "platform"} {
			ratio, n := j.attainment(w, 390, func(team *world.Team) bool { return team.BusinessUnit == unit })
			if ratio < 0.5 || ratio > 0.97 || n < 50 {
				t.Errorf("%s meets %.0f %% of %d deadlines", unit, 100*ratio, n)
			}
			low, high = min(low, ratio), max(high, ratio)
		}
		if high-low < 0.08 {
			t.Errorf("business units do not differ: %.2f to %.2f", low, high)
		}
	})
}

// TestImproving: after its turn a team's backlog of serious findings shrinks.
func TestImproving(t *testing.T) {
	for seed := range int64(4) {
		now := time.Date(2027, 4, 19, 9, 0, 0, 0, time.UTC) // ten weeks after a turn ended
		w := world.New(seed, now)
		team := w.Improving(now)
		open := func(at time.Time) int {
			n := 0
			for _, f := range w.FindingsAt(at) {
				if s := f.Service(); s != nil && s.Team == team && f.At(at).Closure == record.ClosureNone &&
					(f.Severity == record.SeverityHigh || f.Severity == record.SeverityCritical) {
					n++
				}
			}
			return n
		}
		if before, after := open(now.Add(-10*7*day)), open(now); after*10 > before*7 {
			t.Errorf("seed %d: %s had %d serious findings, ten weeks later %d", seed, team.Name, before, after)
		}
	}
}

func TestRecurringFlaws(t *testing.T) {
	forEachJudged(t, func(t *testing.T, w *world.World, j judge) {
		scripting := map[string]int{}
		twins, semgrepTwins, reopened, closures, monorepo := 0, 0, 0, map[world.Source]map[record.Closure]int{}, map[*world.Service]int{}
		type weak struct {
			repository *world.Repository
			what       any
		}
		first := map[weak]world.Source{}
		for _, f := range w.FindingsAt(j.now) {
			s := f.Service()
			if f.CWE() == 79 && s != nil && f.Class == record.ClassSAST {
				scripting[s.ProductArea]++
			}
			if f.Advisory != nil {
				key := weak{f.Repository, f.Advisory}
				if other, ok := first[key]; ok && other != f.Source {
					twins++
				}
				first[key] = f.Source
			}
			if f.Rule != nil && f.Class == record.ClassSAST {
				type place struct {
					rule, path string
					line       int
				}
				key := weak{f.Repository, place{f.Rule.ID, f.Path, f.Line}}
				if other, ok := first[key]; ok && other != f.Source {
					semgrepTwins++
				}
				first[key] = f.Source
			}
			if len(f.Changes) > 2 {
				reopened++
			}
			if closures[f.Source] == nil {
				closures[f.Source] = map[record.Closure]int{}
			}
			closures[f.Source][f.At(j.now).Closure]++
			if f.Repository.Name == "storefront" {
				monorepo[s]++
			}
		}
		for area, n := range scripting {
			if area != "storefront" && n*2 > scripting["storefront"] {
				t.Errorf("cross-site scripting: %d in the storefront, %d in %s", scripting["storefront"], n, area)
			}
		}
		if twins < 50 || semgrepTwins < 1 || semgrepTwins > twins || reopened < 50 {
			t.Errorf("%d packages and %d lines reported twice, %d reopened", twins, semgrepTwins, reopened)
		}
		for source, want := range map[world.Source]int{
			world.SourceDependabot: 8, world.SourceCodeScanning: 6, world.SourceSecretScanning: 5, world.SourceDefectDojo: 6,
		} {
			if len(closures[source]) < want {
				t.Errorf("%s: closures %v, want %d kinds", source, closures[source], want)
			}
		}
		if len(monorepo) != 5 || monorepo[nil] > 0 {
			t.Errorf("the monorepo's findings belong to %d services, %d to none", len(monorepo), monorepo[nil])
		}
	})
}

func TestExceptionsCoverWhatIsOpen(t *testing.T) {
	forEachJudged(t, func(t *testing.T, w *world.World, j judge) {
		covered := 0
		for _, e := range w.ExceptionsAt(j.now) {
			status, _ := e.StatusAt(j.now)
			if status != world.StatusApproved || !e.Expires.IsZero() && !j.now.Before(e.Expires) {
				continue
			}
			for _, f := range w.FindingsAt(j.now) {
				if j.open(f) && covers(e, f) {
					covered++
				}
			}
		}
		if covered < 3 {
			t.Errorf("active exceptions cover %d open findings", covered)
		}
	})
}

func covers(e *world.Exception, f *world.Finding) bool {
	if e.Service != nil && e.Service != f.Service() || e.Repository != nil && e.Repository != f.Repository || e.Service == nil && e.Repository == nil {
		return false
	}
	switch {
	case len(e.Advisories) > 0:
		return f.Advisory != nil && strings.EqualFold(e.Advisories[0], f.Advisory.CVE)
	case len(e.Rules) > 0:
		return f.Rule != nil && f.Rule.ID == e.Rules[0]
	default:
		for _, cwe := range e.CWEs {
			if cwe == f.CWE() {
				return true
			}
		}
		return false
	}
}
