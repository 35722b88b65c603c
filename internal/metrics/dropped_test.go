package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// TestDroppedScope: what a dropped scope contributed to vanishes, what it did not stays, nothing turns zero, and events go on.
func TestDroppedScope(t *testing.T) {
	p := policy.Default()
	before := metrics.Evaluate(organisation(p), p, noon)
	s := organisation(p)
	// A second scanner saw what the first one saw, in the same label set as A (checkout, critical, sca, within).
	fresh := s.Scopes[scopeAlerts]
	fresh.Name, fresh.Kind, fresh.LastSuccess = "reports:ci", "reports", noon
	s.Scopes = append(s.Scopes, fresh)
	weaknesses := snapshot.Edit(s.Weaknesses)
	another := *weaknesses.At(0)
	another.Scope = int32(len(s.Scopes) - 1)
	weaknesses.Append(another)
	alone := another
	alone.Service, alone.Severity = docs, policy.IndexOfSeverity(record.SeverityLow)
	weaknesses.Append(alone)
	s.Weaknesses = weaknesses.Freeze()
	s.Scopes[scopeAlerts].LastSuccess = noon.Add(-7 * time.Hour) // shown for six
	after := metrics.Evaluate(s, p, noon)

	open := family(after, "prodsec_findings_open")
	if v, ok := value(open, "service_name=checkout,severity=critical,class=sca,sla=within"); ok {
		t.Errorf("a label set to which a dropped scope contributes is shown as %v", v)
	}
	if v, ok := value(open, "service_name=docs,severity=low,class=sca"); !ok || v != 1 {
		t.Errorf("a label set of a fresh scope alone: got %v, %v; want 1", v, ok)
	}
	if _, ok := value(open, "service_name=docs,severity=critical"); ok {
		t.Error("a class that a dropped scope feeds is shown as 0")
	}
	for _, name := range []string{"prodsec_finding_age_seconds", "prodsec_finding_oldest_opened_timestamp_seconds"} {
		if _, ok := value(family(after, name), "team=payments,severity=critical"); ok {
			t.Errorf("%s shows a label set to which a dropped scope contributes", name)
		}
	}
	if r := family(after, "prodsec_duplicate_findings"); len(r.Series) > 0 {
		t.Errorf("duplicates are shown: %v", r.Series)
	}
	if _, ok := value(family(after, "prodsec_scope_size"), "kind=scanners"); ok {
		t.Error("the number of scanners is shown although some may be missing")
	}
	for _, name := range []string{
		"prodsec_finding_events_total", "prodsec_finding_flow_in_window", "prodsec_sla_outcomes_total", "prodsec_sla_outcomes_in_window",
		"prodsec_finding_remediation_seconds", "prodsec_exceptions", "prodsec_protected_repositories",
	} {
		r := family(before, name)
		if diff := cmp.Diff(sumBy(r, r.Family.Labels...), sumBy(family(after, name), r.Family.Labels...)); diff != "" {
			t.Errorf("%s does not go on:\n%s", name, diff)
		}
	}
}

// TestDroppedBesideFresh: where a dropped and a fresh scope meet in one label set, it is left out, not counted in part.
func TestDroppedBesideFresh(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	old := s.Scopes[scopeExceptions]
	old.Name, old.LastSuccess, old.StaleAfter = "exceptions:old", noon.Add(-25*time.Hour), 24*time.Hour
	s.Scopes = append(s.Scopes, old)
	twin := s.Exceptions[0]
	twin.Scope = int32(len(s.Scopes) - 1)
	s.Exceptions = append(s.Exceptions, twin)
	e := metrics.Evaluate(s, p, noon)
	if v, ok := value(family(e, "prodsec_exceptions"), "category=legacy,state=active"); ok {
		t.Errorf("active exceptions are shown as %v although one is too old to be shown", v)
	}
	if v, _ := value(family(e, "prodsec_exceptions"), "category=legacy,state=expired"); v != 1 {
		t.Errorf("expired exceptions: got %v, want 1", v)
	}
	if _, ok := value(family(e, "prodsec_exceptions"), "category=none,state=active"); ok {
		t.Error("0 exceptions are shown although a source is too old")
	}
	for _, name := range []string{"prodsec_exception_age_seconds", "prodsec_exception_next_expiry_timestamp_seconds"} {
		if _, ok := value(family(e, name), "category=legacy"); ok {
			t.Errorf("%s is shown in part", name)
		}
	}
}

// TestWhatDecidesAStanding: the restarted clock, exploitation by either flag, and nothing else about the weakness.
func TestWhatDecidesAStanding(t *testing.T) {
	p := policy.Default()
	for _, c := range []struct {
		name   string
		change func(*snapshot.Weakness)
		want   string
	}{
		{"5 of 30 days", func(*snapshot.Weakness) {}, "within"},
		{"known to be exploited: 25 of 14 days", func(w *snapshot.Weakness) {
			w.FirstSeen -= 20 * 86400
			w.ClockStart = w.FirstSeen
			w.Flags = snapshot.KnownExploited
		}, "breached"},
		{"an active secret: 25 of 14 days", func(w *snapshot.Weakness) {
			w.FirstSeen -= 20 * 86400
			w.ClockStart = w.FirstSeen
			w.Flags = snapshot.ActiveSecret
		}, "breached"},
		{"25 of 30 days", func(w *snapshot.Weakness) {
			w.FirstSeen -= 20 * 86400
			w.ClockStart = w.FirstSeen
			w.Flags = snapshot.FixAvailable
		}, "due_soon"},
		{"first seen long ago, clock restarted", func(w *snapshot.Weakness) { w.FirstSeen -= 300 * 86400; w.Flags = snapshot.RestartedClock }, "within"},
	} {
		s := organisation(p)
		w := snapshot.Weakness{FirstSeen: noon.AddDate(0, 0, -5).Unix(), Service: docs, Scope: scopeAlerts, Severity: policy.IndexOfSeverity(record.SeverityHigh)}
		w.ClockStart = w.FirstSeen
		c.change(&w)
		var weaknesses snapshot.Editor[snapshot.Weakness]
		weaknesses.Append(w)
		s.Weaknesses, s.Pauses, s.Events = weaknesses.Freeze(), nil, snapshot.Table[snapshot.Event]{}
		if v, _ := value(family(metrics.Evaluate(s, p, noon), "prodsec_findings_open"), "service_name=docs,severity=high,sla="+c.want); v != 1 {
			t.Errorf("%s: not %s", c.name, c.want)
		}
	}
}

// TestRepositoriesLeftOut: archived repositories, forks and those that no source host knows are not judged.
func TestRepositoriesLeftOut(t *testing.T) {
	p := policy.Default()
	for name, change := range map[string]func(*snapshot.Repository){
		"archived": func(r *snapshot.Repository) { r.Archived = true },
		"fork":     func(r *snapshot.Repository) { r.Fork = true },
		"unknown":  func(r *snapshot.Repository) { r.Scope = -1 },
	} {
		s := organisation(p)
		change(&s.Repositories[1]) // acme/ledger
		e := metrics.Evaluate(s, p, noon)
		if v, _ := value(family(e, "prodsec_protected_repositories"), "check=required,trust_tier=tier1"); v != 0 {
			t.Errorf("%s: still counted %v times", name, v)
		}
		if v, _ := value(family(e, "prodsec_scope_size"), "kind=repositories"); v != 2 {
			t.Errorf("%s: %v repositories, want 2", name, v)
		}
	}
	s := organisation(p)
	s.Services[ledger].TrustTier = "tier3" // checkout's tier0 has a part in acme/shop all the same
	s.Repositories[0].Service = ledger
	if v, _ := value(family(metrics.Evaluate(s, p, noon), "prodsec_protected_repositories"), "check=required,scope=branch,privileged=true,status=fail"); v != 1 {
		t.Errorf("a repository in which a privileged service has a part: got %v privileged, want 1", v)
	}
	s = organisation(p)
	s.Repositories[1].Environments = nil // not read, although its scope reads environments
	if v, _ := value(family(metrics.Evaluate(s, p, noon), "prodsec_protected_repositories"), "check=required,scope=environment,trust_tier=tier1,status=unknown"); v != 1 {
		t.Errorf("a repository whose environments were not read: got %v unknown, want 1", v)
	}
}

// TestDroppedSources does the same for the other kinds of source.
func TestDroppedSources(t *testing.T) {
	p := policy.Default()
	for _, c := range []struct {
		scope  int
		absent []string
		stays  []string
	}{
		{scopeCatalog, []string{"prodsec_service_info", "prodsec_catalog_conflicts"}, []string{"prodsec_findings_open", "prodsec_protected_repositories"}},
		{scopeRepositories, []string{"prodsec_protected_repositories", "prodsec_repository_protection_gap", "prodsec_unmapped_repositories"}, []string{"prodsec_service_info", "prodsec_exceptions"}},
		{scopeExceptions, []string{"prodsec_exceptions", "prodsec_exception_age_seconds", "prodsec_exception_pending_seconds", "prodsec_exception_next_expiry_timestamp_seconds"}, []string{"prodsec_findings_open"}},
		{scopeRequests, []string{"prodsec_reviews_open", "prodsec_review_waiting_seconds", "prodsec_followups_open", "prodsec_followup_age_seconds", "prodsec_escalations_open"}, []string{"prodsec_exceptions", "prodsec_review_first_response_seconds", "prodsec_escalations_total"}},
	} {
		s := organisation(p)
		s.Scopes[c.scope].LastSuccess, s.Scopes[c.scope].StaleAfter = noon.Add(-25*time.Hour), 24*time.Hour
		e := metrics.Evaluate(s, p, noon)
		for _, name := range c.absent {
			if r := family(e, name); len(r.Series) > 0 {
				t.Errorf("%s dropped: %s still has %v", s.Scopes[c.scope].Name, name, r.Series[0].Labels)
			}
		}
		if v, ok := value(family(e, "prodsec_scope_size"), "kind=repositories"); ok != (c.scope != scopeRepositories) {
			t.Errorf("%s dropped: repositories are shown as %v (%v)", s.Scopes[c.scope].Name, v, ok)
		}
		for _, name := range c.stays {
			if r := family(e, name); len(r.Series) == 0 {
				t.Errorf("%s dropped: %s is gone, too", s.Scopes[c.scope].Name, name)
			}
		}
	}
}

// TestConflictsWithACatalogUnread shows what is in dispute, but no zero, while a catalog is missing that may contradict the others.
func TestConflictsWithACatalogUnread(t *testing.T) {
	p := policy.Default()
	s := organisation(p)
	s.Scopes = append(s.Scopes, snapshot.Scope{Collector: "backstage", Instance: "portal", Name: "services", Kind: "services", Kinds: []record.Kind{record.KindService}})
	r := family(metrics.Evaluate(s, p, noon), "prodsec_catalog_conflicts")
	if v, ok := value(r, "field=team"); !ok || v != 2 || len(r.Series) != 2 {
		t.Errorf("got %v teams in %d series, want 2 and nothing but team and trust tier", v, len(r.Series))
	}
	empty := &snapshot.Snapshot{At: noon, Services: s.Services[:1], Owners: s.Owners[:1]}
	if r := family(metrics.Evaluate(empty, p, noon), "prodsec_catalog_conflicts"); len(r.Series) > 0 {
		t.Errorf("without any catalog: %v", r.Series)
	}
}
