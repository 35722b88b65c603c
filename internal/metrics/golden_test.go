package metrics_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"prodsec_exporter/internal/metrics"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden compares the whole exposition of the hand-made organisation with a file, so that any change in it is seen.
func TestGolden(t *testing.T) {
	p := policy.Default()
	got := exposed(t, metrics.Evaluate(organisation(p), p, noon))
	path := filepath.Join("testdata", "organisation.prom")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("exposition differs from %s (-want +got); run with -update if that is meant:\n%s", path, diff)
	}
}

// derivation is a line of the exposition of the hand-made organisation, and how its number follows from the records.
type derivation struct{ line, why string }

// The owners of the hand-made organisation as labels.
const (
	checkoutOwner = `business_unit="retail",team="payments",service_name="checkout",trust_tier="tier0"`
	ledgerOwner   = `business_unit="retail",team="payments",service_name="ledger",trust_tier="tier1"`
	docsOwner     = `business_unit="platform",team="docs",service_name="docs",trust_tier="tier3"`
	tier0         = `business_unit="retail",team="payments",trust_tier="tier0"`
	docsGroup     = `business_unit="platform",team="docs",trust_tier="tier3"`
	tier1         = `business_unit="retail",team="payments",trust_tier="tier1"`
)

// TestWindowsHoldEachOther looks for what one window shows and another leaves out: a number that is 3 over 90 days and nothing over 7 is
// 0 over 7, not unknown.
func TestWindowsHoldEachOther(t *testing.T) {
	p := policy.Default()
	e := metrics.Evaluate(organisation(p), p, noon)
	for _, r := range e.Results {
		at := slices.Index(r.Family.Labels, "window")
		if at < 0 {
			continue
		}
		windows := map[string]int{}
		for _, s := range r.Series {
			rest := slices.Delete(slices.Clone(s.Labels), at, at+1)
			windows[strings.Join(rest, "\x00")]++
		}
		for labels, n := range windows {
			if n != len(p.Windows()) {
				t.Errorf("%s of %q is there for %d windows, want %d", r.Family.Name, labels, n, len(p.Windows()))
			}
		}
	}
}

var derivedByHand = []derivation{
	{`prodsec_service_info{` + checkoutOwner + `,product_area="shop",crown_jewel="true",internet_facing="true",lifecycle="production"} 1`, "as the catalog says"},
	{`prodsec_service_info{` + docsOwner + `,product_area="none",crown_jewel="unknown",internet_facing="unknown",lifecycle="none"} 1`, "the catalog says nothing"},
	{`prodsec_service_info{business_unit="unattributed",team="unattributed",service_name="unattributed",trust_tier="unknown",product_area="none",crown_jewel="unknown",internet_facing="unknown",lifecycle="none"} 1`, "acme/old is unattributed"},

	{`prodsec_findings_open{` + checkoutOwner + `,severity="critical",class="sca",sla="within"} 1`, "A: seen 26 March noon, 7 d, due end of 2 April: 2.5 d left, due soon below 1.75 d"},
	{`prodsec_findings_open{` + checkoutOwner + `,severity="high",class="sca",sla="due_soon"} 1`, "B: seen 5 March, 30 d, due end of 4 April: 4.5 d left, due soon below 7.5 d"},
	{`prodsec_findings_open{` + checkoutOwner + `,severity="critical",class="sca",sla="breached"} 1`, "G: seen 25 February, 7 d, due 4 March"},
	{`prodsec_findings_open{` + ledgerOwner + `,severity="critical",class="sast",sla="breached"} 1`, "C: seen 10 March, 14 d, due 24 March"},
	{`prodsec_findings_open{` + ledgerOwner + `,severity="critical",class="sast",sla="excepted"} 1`, "D: excepted until 30 April"},
	{`prodsec_findings_open{` + docsOwner + `,severity="unknown",class="sast",sla="none"} 1`, "E: no target for severity unknown"},
	{`prodsec_findings_open{` + docsOwner + `,severity="critical",class="sca",sla="within"} 0`, "sca was read whole and docs has none"},

	{`prodsec_finding_age_seconds_bucket{business_unit="retail",team="payments",severity="critical",le="604800"} 1`, "of A 5 d, C 21.5 d, D 30.5 d, G 34.5 d, one is at most 7 d"},
	{`prodsec_finding_age_seconds_bucket{business_unit="retail",team="payments",severity="critical",le="2.592e+06"} 2`, "two are at most 30 d"},
	{`prodsec_finding_age_seconds_count{business_unit="retail",team="payments",severity="critical"} 4`, "A, C, D, G"},
	{`prodsec_finding_age_seconds_sum{business_unit="retail",team="payments",severity="critical"} 7.9056e+06`, "(5 + 21.5 + 30.5 + 34.5) × 86400"},
	{`prodsec_finding_age_seconds_count{business_unit="platform",team="docs",severity="unknown"} 1`, "E"},
	{`prodsec_finding_oldest_opened_timestamp_seconds{` + checkoutOwner + `,severity="critical"} 1.7719776e+09`, "G: 25 February 2026"},

	{`prodsec_findings_exploited_open{` + checkoutOwner + `,severity="high",evidence="epss"} 1`, "B: predicted at 0.6, the threshold is 0.5"},
	{`prodsec_findings_exploited_open{` + ledgerOwner + `,severity="critical",evidence="kev"} 1`, "D, although it is excepted"},
	{`prodsec_findings_exploited_open{` + docsOwner + `,severity="unknown",evidence="active_secret"} 1`, "E"},
	{`prodsec_risk_score{` + checkoutOwner + `} 168`, "A 10 + B 4 × 2 + G 10 = 28, × 2 for the Internet × 3 for the jewel (tier0 alone is 2)"},
	{`prodsec_product_area_risk_score{product_area="shop"} 168`, "checkout alone"},
	{`prodsec_product_area_risk_score{product_area="none"} 75`, "ledger and docs, which the catalog gives no product area, and nothing of docs"},
	{`prodsec_risk_score{` + ledgerOwner + `} 75`, "C 10 + D 10 × 4 = 50, × 1 × 1.5 for tier1"},
	{`prodsec_risk_concentration_ratio{dimension="service",top="1"} 0.691358024691358`, "checkout's 168 of 168 + 75 = 243"},
	{`prodsec_risk_concentration_ratio{dimension="service",top="3"} 1`, "there are two"},
	{`prodsec_risk_concentration_ratio{dimension="team",top="1"} 1`, "both are the payments team's"},
	{`prodsec_risk_concentration_ratio{dimension="category",top="1"} 0.49382716049382713`, "CWE-79: A 60 + G 60 = 120; CWE-89: C 15 + D 60 = 75; none: B 48"},
	{`prodsec_category_findings_in_window{window="7d",product_area="shop",category="CWE-79",kind="new"} 1`, "A on 26 March"},
	{`prodsec_category_findings_in_window{window="7d",product_area="shop",category="CWE-79",kind="reopened"} 1`, "G on 28 March"},
	{`prodsec_category_findings_in_window{window="90d",product_area="shop",category="CWE-79",kind="new"} 2`, "and G on 25 February"},
	{`prodsec_category_findings_in_window{window="30d",product_area="none",category="CWE-89",kind="new"} 1`, "C; D was opened 12 h before the window"},
	{`prodsec_category_findings_in_window{window="30d",product_area="shop",category="none",kind="new"} 1`, "B"},
	{`prodsec_category_findings_in_window{window="90d",product_area="none",category="CWE-79",kind="reopened"} 0`, "F came and never came back"},
	{`prodsec_finding_events_total{` + tier1 + `,severity="critical",class="sast",event="opened"} 2`, "C and D"},
	{`prodsec_finding_events_total{` + tier1 + `,severity="critical",class="sast",event="excepted"} 1`, "D"},
	{`prodsec_finding_events_total{` + tier0 + `,severity="critical",class="sca",event="reopened"} 1`, "G"},
	{`prodsec_finding_events_total{` + tier0 + `,severity="high",class="sast",event="fixed"} 0`, "known combination"},
	{`prodsec_finding_flow_in_window{window="7d",` + tier0 + `,severity="critical",event="opened"} 1`, "A on 26 March, within 7 d of 31 March"},
	{`prodsec_finding_flow_in_window{window="30d",` + tier0 + `,severity="critical",event="opened"} 1`, "A; G was opened on 25 February, 34 d ago"},
	{`prodsec_finding_flow_in_window{window="90d",` + tier0 + `,severity="critical",event="opened"} 2`, "A and G"},
	{`prodsec_finding_flow_in_window{window="7d",` + tier1 + `,severity="critical",event="excepted"} 0`, "D on 5 March, 26 d ago: in the longer windows alone"},
	{`prodsec_finding_flow_in_window{window="30d",` + tier0 + `,severity="critical",event="fixed"} 1`, "G on 2 March, 29.5 d ago"},

	{`prodsec_exceptions{` + tier1 + `,category="legacy",state="active",expires="30d"} 1`, "1: 29.5 d to 30 April"},
	{`prodsec_exceptions{` + tier1 + `,category="legacy",state="expired",expires="expired"} 1`, "2: its first instant without effect was midnight"},
	{`prodsec_exceptions{` + tier0 + `,category="none",state="unscoped",expires="7d"} 1`, "3: names a service and nothing in it; 6.5 d to 7 April"},
	{`prodsec_exceptions{` + tier0 + `,category="vendor",state="requested",expires="never"} 1`, "4"},
	{`prodsec_exception_age_seconds_count{business_unit="retail",category="legacy"} 2`, "1 and 2"},
	{`prodsec_exception_age_seconds_sum{business_unit="retail",category="legacy"} 1.00224e+07`, "(26.5 + 89.5) × 86400"},
	{`prodsec_exception_next_expiry_timestamp_seconds{` + ledgerOwner + `,category="legacy"} 1.7775072e+09`, "1: 30 April; 2 is not active"},

	{`prodsec_sla_target_seconds{severity="critical",trust_tier="tier3",internet_facing="true",crown_jewel="false",exploited="true"} 259200`, "the most specific rule: 3 d"},
	{`prodsec_sla_outcomes_total{` + checkoutOwner + `,severity="critical",outcome="met"} 1`, "G, although it was revoked"},
	{`prodsec_sla_outcomes_total{` + checkoutOwner + `,severity="critical",outcome="revoked"} 1`, "G"},
	{`prodsec_sla_outcomes_total{` + docsOwner + `,severity="critical",outcome="missed"} 0`, "known combination"},
	{`prodsec_sla_outcomes_in_window{window="30d",` + tier0 + `,severity="critical",outcome="met"} 0`, "G's met on 2 March was revoked"},
	{`prodsec_sla_outcomes_in_window{window="30d",` + tier0 + `,severity="critical",outcome="missed"} 1`, "G"},
	{`prodsec_sla_outcomes_in_window{window="30d",` + tier1 + `,severity="high",outcome="met"} 1`, "F"},
	{`prodsec_finding_remediation_seconds_bucket{business_unit="retail",team="payments",severity="high",class="sca",le="1.8144e+06"} 0`, "F took 28 d, more than 21"},
	{`prodsec_finding_remediation_seconds_bucket{business_unit="retail",team="payments",severity="high",class="sca",le="2.592e+06"} 1`, "and less than 30"},
	{`prodsec_finding_remediation_seconds_bucket{business_unit="retail",team="payments",severity="critical",class="sca",le="432000"} 1`, "G took exactly 5 d"},
	{`prodsec_duplicate_findings{class="sca"} 2`, "F has three reports"},
	{`prodsec_duplicate_findings{class="sast"} 0`, "read whole, none folded"},

	{`prodsec_protected_repositories{check="required",scope="branch",privileged="true",` + tier0 + `,status="fail"} 1`, "acme/shop: no approvals on the release branch"},
	{`prodsec_protected_repositories{check="required",scope="branch",privileged="true",` + tier1 + `,status="pass"} 1`, "acme/ledger"},
	{`prodsec_protected_repositories{check="required",scope="branch",privileged="true",` + tier1 + `,status="fail"} 0`, "known combination"},
	{`prodsec_protected_repositories{check="required",scope="branch",privileged="false",business_unit="platform",team="docs",trust_tier="tier3",status="unknown"} 1`, "acme/docs could not be read"},
	{`prodsec_protected_repositories{check="required",scope="environment",privileged="true",` + tier0 + `,status="pass"} 1`, "acme/shop's production; staging does not count"},
	{`prodsec_repository_protection_gap{` + ledgerOwner + `,repository="acme/ledger",check="signed_commits",scope="branch",status="fail"} 1`, "acme/ledger is privileged by tier1"},
	{`prodsec_repository_protection_gap{` + ledgerOwner + `,repository="acme/ledger",check="admins_bound",scope="branch",status="unknown"} 1`, "nobody said"},
	{`prodsec_unmapped_repositories{reason="archived"} 1`, "acme/old"},
	{`prodsec_unmapped_repositories{reason="no_owner"} 0`, "read whole, none"},
	{`prodsec_catalog_conflicts{field="team"} 2`, "checkout and docs"},
	{`prodsec_catalog_conflicts{field="trust_tier"} 1`, "docs"},
	{`prodsec_catalog_conflicts{field="repositories"} 0`, "all catalogs read, none"},

	{`prodsec_scan_repositories{class="sast",` + tier0 + `,status="current"} 1`, "acme/shop: CodeQL yesterday, whatever Semgrep did"},
	{`prodsec_scan_repositories{class="sast",` + tier1 + `,status="stale"} 1`, "acme/ledger: 8 d ago, policy allows 7 d"},
	{`prodsec_scan_repositories{class="sast",` + docsGroup + `,status="never"} 1`, "acme/docs: no tool has scanned it"},
	{`prodsec_scan_repositories{class="sast",` + docsGroup + `,status="current"} 0`, "known combination"},
	{`prodsec_scan_repositories{class="sca",` + tier0 + `,status="current"} 1`, "acme/shop: exactly 7 d ago"},
	{`prodsec_scan_repositories{class="sca",` + tier1 + `,status="never"} 1`, "acme/ledger: tried and never succeeded"},
	{`prodsec_scan_repositories{class="sca",` + docsGroup + `,status="unknown"} 1`, "acme/docs: GitHub did not say"},
	{`prodsec_scan_repositories{class="secret",` + tier0 + `,status="current"} 1`, "acme/shop: Gitleaks an hour ago"},
	{`prodsec_scan_repositories{class="secret",` + docsGroup + `,status="current"} 1`, "acme/docs: secret scanning is on"},
	{`prodsec_scan_repositories{class="secret",` + tier1 + `,status="unknown"} 1`, "acme/ledger: secret scanning could not be read"},

	{`prodsec_reviews_open{` + tier0 + `,kind="threat_model",state="waiting"} 2`, "R1 and R2"},
	{`prodsec_reviews_open{` + tier1 + `,kind="code",state="in_progress"} 1`, "R3 is answered"},
	{`prodsec_reviews_open{` + tier1 + `,kind="threat_model",state="waiting"} 0`, "R5 is done"},
	{`prodsec_reviews_open{` + docsGroup + `,kind="design",state="blocked"} 1`, "R4"},
	{`prodsec_reviews_open{` + docsGroup + `,kind="other",state="in_progress"} 1`, "R6: a kind nobody knows; its status says waiting, but it was answered"},
	{`prodsec_review_waiting_seconds_bucket{business_unit="retail",kind="threat_model",le="86400"} 1`, "R1 exactly a day, R2 10 d"},
	{`prodsec_review_waiting_seconds_bucket{business_unit="retail",kind="threat_model",le="3600"} 0`, "neither within an hour"},
	{`prodsec_review_waiting_seconds_sum{business_unit="retail",kind="threat_model"} 950400`, "(1 + 10) × 86400"},
	{`prodsec_review_waiting_seconds_count{business_unit="platform",kind="other"} 0`, "R6 does not wait, read whole"},
	{`prodsec_exception_pending_seconds_sum{business_unit="retail",category="vendor"} 129600`, "4: from 30 March midnight, 1.5 d"},
	{`prodsec_exception_pending_seconds_count{business_unit="platform",category="none"} 0`, "none is undecided, read whole"},
	{`prodsec_followups_open{` + tier0 + `,overdue="true"} 1`, "F1: its day ended this instant"},
	{`prodsec_followups_open{` + tier0 + `,overdue="false"} 1`, "F4: it ends in a second"},
	{`prodsec_followups_open{` + tier1 + `,overdue="unknown"} 1`, "F2 names no day; F3 is closed"},
	{`prodsec_followups_open{` + docsGroup + `,overdue="true"} 0`, "known combination"},
	{`prodsec_followup_age_seconds_sum{business_unit="retail"} 3.672e+06`, "F1 30.5 d, F2 1.5 d, F4 10.5 d: 42.5 d"},
	{`prodsec_followup_age_seconds_count{business_unit="platform"} 0`, "none, read whole"},
	{`prodsec_escalations_open{` + tier0 + `,kind="release_block"} 1`, "E1; E3 is over"},
	{`prodsec_escalations_open{` + tier1 + `,kind="urgent"} 0`, "E2 is over"},

	{`prodsec_review_first_response_seconds_sum{business_unit="retail",kind="code"} 194400`, "R3 6 h and R7, which is gone, 2 d"},
	{`prodsec_review_first_response_seconds_bucket{business_unit="retail",kind="code",le="28800"} 1`, "R3 within 8 h"},
	{`prodsec_review_first_response_seconds_sum{business_unit="platform",kind="other"} 86400`, "R6"},
	{`prodsec_review_first_response_seconds_count{business_unit="platform",kind="code"} 0`, "known combination"},
	{`prodsec_review_first_response_in_window_seconds_count{window="7d",kind="code"} 1`, "R7 on 30 March"},
	{`prodsec_review_first_response_in_window_seconds_count{window="30d",kind="code"} 2`, "and R3 on 20 March"},
	{`prodsec_review_first_response_in_window_seconds_count{window="30d",kind="threat_model"} 0`, "R5 was answered on 3 February"},
	{`prodsec_review_first_response_in_window_seconds_sum{window="90d",kind="threat_model"} 172800`, "R5: 2 d"},
	{`prodsec_exception_decision_seconds_sum{business_unit="retail",category="legacy",decision="approved"} 345600`, "1: 1 to 5 March; nobody knows when 2 was asked for"},
	{`prodsec_exception_decision_seconds_count{business_unit="platform",category="none",decision="rejected"} 0`, "5 has no date of request"},
	{`prodsec_exceptions_granted_in_window{window="30d",` + tier1 + `,category="legacy",kind="renewal"} 1`, "1 on 5 March, 63 d after 2"},
	{`prodsec_exceptions_granted_in_window{window="90d",` + tier1 + `,category="legacy",kind="first"} 1`, "2 on 1 January, 89.5 d ago"},
	{`prodsec_exceptions_granted_in_window{window="7d",` + tier1 + `,category="legacy",kind="renewal"} 0`, "1 was granted 26 d ago"},
	{`prodsec_exceptions_granted_in_window{window="7d",` + tier0 + `,category="none",kind="first"} 1`, "3 on 29 March"},
	{`prodsec_exceptions_granted_in_window{window="90d",` + docsGroup + `,category="none",kind="first"} 0`, "5 was rejected"},
	{`prodsec_followup_close_seconds_sum{business_unit="retail"} 864000`, "F3: 1 to 11 February"},
	{`prodsec_followup_close_in_window_seconds_sum{window="90d",business_unit="retail"} 864000`, "F3"},
	{`prodsec_followup_close_in_window_seconds_count{window="30d",business_unit="retail"} 0`, "F3 was closed 49 d ago"},
	{`prodsec_exception_decision_in_window_seconds_sum{window="30d",business_unit="retail",decision="approved"} 345600`, "1 on 5 March"},
	{`prodsec_exception_decision_in_window_seconds_count{window="7d",business_unit="retail",decision="approved"} 0`, "26 d ago"},
	{`prodsec_exceptions_granted_by_control_in_window{window="90d",business_unit="retail",control="none",kind="first"} 2`, "2 covers a rule of no row, 3 names nothing"},
	{`prodsec_exceptions_granted_by_control_in_window{window="90d",business_unit="retail",control="none",kind="renewal"} 1`, "1 names no control"},
	{`prodsec_escalations_in_window{window="90d",` + tier0 + `,kind="release_block",reason="No review"} 2`, "E1 and E3; E4 counts in a second"},
	{`prodsec_escalations_in_window{window="7d",` + docsGroup + `,kind="urgent",reason="none"} 0`, "known combination"},
	{`prodsec_escalations_total{` + tier0 + `,kind="release_block",reason="No review"} 2`, "E1 and E3; E4 counts in a second"},
	{`prodsec_escalations_total{` + tier1 + `,kind="urgent",reason="none"} 1`, "E2: a kind and a reason that nobody knows"},
	{`prodsec_escalations_total{` + docsGroup + `,kind="urgent",reason="none"} 0`, "known combination"},

	{`prodsec_policy_changed_timestamp_seconds 1.769904e+09`, "1 February 2026"},
	{`prodsec_target_ratio{objective="sla_attainment"} 0.9`, "policy.sla.attainment_target"},
	{`prodsec_target_ratio{objective="concentration"} 0.5`, "policy.targets.concentration"},
	{`prodsec_target_minimum_outcomes 5`, "policy.targets.minimum_outcomes"},
	{`prodsec_counting_changes_total{kind="policy"} 1`, "on 1 February"},
	{`prodsec_counting_changes_total{kind="scope"} 0`, "the one on 2 April is yet to come"},
	{`prodsec_restated{metric="findings_breached",cause="policy"} -2`, "as the change on 1 February says"},
	{`prodsec_scope_size{kind="services"} 3`, "checkout, ledger, docs"},
	{`prodsec_scope_size{kind="repositories"} 3`, "without the archived one"},
	{`prodsec_scope_size{kind="scanners"} 2`, "codeql and dependabot"},
	{`prodsec_scope_size{kind="projects"} 1`, "alerts:acme; secrets:acme was never read"},
	{`prodsec_tool_false_positive_in_window{window="30d",class="sast",source="codeql",status="false_positive"} 1`, "H on 20 March"},
	{`prodsec_tool_false_positive_in_window{window="30d",class="sast",source="codeql",status="confirmed"} 0`, "C and D are open; known combination"},
	{`prodsec_tool_false_positive_in_window{window="30d",class="sca",source="dependabot",status="confirmed"} 2`, "F and G were fixed"},
	{`prodsec_tool_false_positive_in_window{window="7d",class="sca",source="dependabot",status="confirmed"} 0`, "on 20 and 2 March"},
	{`prodsec_unread_scopes{collector="github",instance_name="acme",scope_kind="secrets",scope="secrets:acme",status="never"} 1`, "it was never read"},
	{`prodsec_record_scopes{kind="finding",status="never"} 1`, "secrets:acme"},
	{`prodsec_scopes{collector="github",status="never"} 1`, "secrets:acme"},
	{`prodsec_scopes{collector="github",status="stale"} 1`, "alerts:acme missed a poll"},
	{`prodsec_scope_last_success_timestamp_seconds{collector="github",instance_name="acme",scope_kind="alerts"} 1.7749512e+09`, "10:00"},
	{`prodsec_records{kind="finding"} 10`, "eight weaknesses and two duplicates"},
}

// TestDerivedByHand checks lines whose value follows from the hand-made organisation, with the derivation, and that every family has one.
func TestDerivedByHand(t *testing.T) {
	p := policy.Default()
	evaluation := metrics.Evaluate(organisation(p), p, noon)
	lines := strings.Split(exposed(t, evaluation), "\n")
	derived := slices.Concat(derivedByHand, deliveryDerivedByHand, controlsDerivedByHand,
		[]derivation{{`prodsec_policy_info{version="` + p.Version() + `"} 1`, "the version of the policy in force"}})
	for _, c := range derived {
		if !slices.Contains(lines, c.line) {
			t.Errorf("missing: %s\n  because %s\n  instead: %s", c.line, c.why, nearest(lines, c.line))
		}
	}
	for _, r := range evaluation.Results {
		of := regexp.MustCompile(`^` + r.Family.Name + `(_bucket|_sum|_count)?[{ ]`)
		if !slices.ContainsFunc(derived, func(d derivation) bool { return of.MatchString(d.line) }) {
			t.Errorf("no number of %s is derived by hand", r.Family.Name)
		}
	}
	for _, absent := range []string{`class="secret",sla=`, `class="secret"} `, `class="dast"`, `team="unattributed",trust_tier="unknown",status=`, `sla="none"} 0`, `repository="acme/docs"`, `reason="rejected"`} {
		for _, line := range lines {
			if strings.Contains(line, absent) {
				t.Errorf("%s must not be shown: %s", absent, line)
			}
		}
	}
}

// nearest is the line with the same series, or nothing.
func nearest(lines []string, want string) string {
	series := want[:strings.LastIndex(want, " ")+1]
	for _, line := range lines {
		if strings.HasPrefix(line, series) {
			return line
		}
	}
	return "no such series"
}

// TestLint holds the names and help texts to the conventions of the ecosystem; there are no exceptions.
func TestLint(t *testing.T) {
	p := policy.Default()
	problems, err := promlint.New(strings.NewReader(exposed(t, metrics.Evaluate(organisation(p), p, noon)))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

// TestFamilies checks that every family carries what the documentation needs, and that the hand-made organisation shows each.
func TestFamilies(t *testing.T) {
	p := policy.Default()
	shown := map[string]bool{}
	for _, s := range []*snapshot.Snapshot{organisation(p), dropped(p, func(int) bool { return true })} {
		for _, r := range metrics.Evaluate(s, p, noon).Results {
			shown[r.Family.Name] = true
		}
	}
	seen := map[string]bool{}
	for _, f := range metrics.All() {
		switch {
		case seen[f.Name]:
			t.Errorf("%s is listed twice", f.Name)
		case f.Help == "" || f.Source == "" || f.Refresh == "" || f.Stability == "":
			t.Errorf("%s lacks a part of its documentation", f.Name)
		case !strings.Contains(f.Example, f.Name):
			t.Errorf("%s: the example %q does not use it", f.Name, f.Example)
		case f.Histogrammed() != (len(f.Bounds) > 0):
			t.Errorf("%s: bounds belong to histograms and only to them", f.Name)
		case f.Histogrammed() != (f.Buckets != "") || f.Histogrammed() && !slices.Equal(f.Bounds, policy.DefaultBuckets(policy.BucketGroup(f.Buckets))):
			t.Errorf("%s: its bounds are not the default ones of a group of policy.buckets", f.Name)
		case (f.Type == metrics.Counter) != strings.HasSuffix(f.Name, "_total"):
			t.Errorf("%s: _total belongs to counters and only to them", f.Name)
		case (f.Type == metrics.Info) != strings.HasSuffix(f.Name, "_info"):
			t.Errorf("%s: _info belongs to infos and only to them", f.Name)
		case f.Type == metrics.StateHistogram && !strings.Contains(f.Description(), "never use rate()"):
			t.Errorf("%s: the help does not warn of rate()", f.Name)
		case !shown[f.Name]:
			t.Errorf("%s has no series in the hand-made organisation, so nothing tests it", f.Name)
		}
		seen[f.Name] = true
	}
}

// TestNothingRead: before any source was read only what follows from the configuration is shown, and nothing as zero.
func TestNothingRead(t *testing.T) {
	p := policy.Default()
	s := &snapshot.Snapshot{
		Services: []snapshot.Service{{Service: record.Service{Name: record.Unattributed}}}, Owners: []snapshot.Owner{snapshot.UnattributedOwner},
		Scopes: []snapshot.Scope{{Collector: "github", Instance: "acme", Kind: "alerts", Classes: record.Classes(), Kinds: record.Kinds()}},
	}
	var got []string
	for _, r := range metrics.Evaluate(s, p, noon).Results {
		got = append(got, r.Family.Name)
	}
	want := []string{
		"prodsec_counting_changes_total", "prodsec_policy_info", "prodsec_record_scopes", "prodsec_scopes", "prodsec_sla_target_seconds", "prodsec_target_minimum_outcomes",
		"prodsec_target_ratio", "prodsec_unread_scopes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("families before anything was read (-want +got):\n%s", diff)
	}
}
