package monitoring

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// trace says what a row of the pack asks and which families answer it. Rules, panels and alerts follow from the code: a recording rule by the
// families it reads, a panel and an alert by the rows they name.
type trace struct {
	row PackRow
	// asks is the row in the pack's words, drives the decision it should lead to.
	asks, drives string
	families     []string
}

// traceSections are the rows of the pack under the headings of docs/traceability.md.
var traceSections = []struct {
	title  string
	traces []trace
}{
	{"Weekly operating metrics", []trace{
		{PackFlow, "Critical and high findings opened against closed", "Is risk intake being reduced or accumulated?", []string{findingFlow, findingEvents}},
		{PackExceptions, "Exception count and aging", "Where is policy debt becoming structural?", []string{exceptions, exceptionAge, exceptionNextExpiry}},
		{PackReviews, "Reviews waiting for first response", "Is security a delivery bottleneck?", []string{reviewsOpen, reviewWaiting}},
		{PackBlocks, "Release blocks and urgent escalations", "Where does risk collide with delivery?", []string{escalationsOpen, "prodsec_escalations_total"}},
		{PackFollowups, "Incident-related follow-up actions aging", "Do lessons become controls?", []string{followupsOpen, "prodsec_followup_age_seconds"}},
	}},
	{"Monthly programme metrics", []trace{
		{PackBaselines, "Crown-jewel and internet-facing services with named owners and required baselines", "Where to focus platform standardisation and management attention", []string{"prodsec_baseline_services", "prodsec_control_services", serviceInfo, unmappedRepositories}},
		{PackAdoption, "AppSec, cloud and Kubernetes control adoption by trust tier", "Which domains depend on heroic reviews instead of paved roads", []string{"prodsec_control_services", "prodsec_control_gap", scanRepositories}},
		{PackAttainment, "High-severity remediation SLA attainment by business unit", "Where accountability or staffing is weak", []string{slaOutcomesWindow, slaOutcomes, slaTarget}},
		{PackRepeated, "Repeated exception categories", "Is the standard unrealistic, the platform missing a feature, or ownership weak?", []string{"prodsec_exceptions_granted_in_window"}},
		{PackEvidence, "Privileged pipelines with release evidence, provenance and approval", "How much deployment trust is evidence instead of faith", []string{"prodsec_privileged_pipelines"}},
		{PackRecurring, "Recurring finding categories by product area", "Which secure-default investment gives the best return", []string{"prodsec_category_findings_in_window"}},
	}},
	{"Quarterly leadership pack", []trace{
		{PackUnprotected, "Control coverage", "Where are we materially under-protected relative to our exposure?", []string{"prodsec_risk_score", "prodsec_control_gap", "prodsec_control_services", findingsOpen}},
		{PackConcentrated, "Risk concentration", "Which teams, products or platforms carry most of the residual risk?", []string{"prodsec_risk_concentration_ratio", "prodsec_risk_score", "prodsec_findings_exploited_open"}},
		{PackFriction, "Friction against safety", "Where do we create unnecessary pain, and where are we too permissive?", []string{reviewWaiting, "prodsec_exception_decision_seconds", "prodsec_escalations_total", "prodsec_tool_false_positive_in_window"}},
		{PackInvestment, "Investment case", "Which investments would remove the most repeat work or exception debt?", []string{"prodsec_control_failures_in_window", "prodsec_category_findings_in_window", "prodsec_exceptions_granted_in_window"}},
		{PackTrend, "Trend quality", "Is security healthier, or did counting change?", []string{findingFlow, countingChanges, scopeSize, "prodsec_restated", policyInfo, policyChanged, duplicateFindings, catalogConflicts}},
	}},
	{"Coverage panel", []trace{
		{TrackGoldenPaths, "Services on approved golden paths", "Which services still need a paved road?", []string{"prodsec_control_services"}},
		{TrackDesign, "Critical services with threat model and design review", "Which designs has nobody looked at?", []string{"prodsec_control_services", "prodsec_control_evidence_timestamp_seconds"}},
		{TrackBaselines, "Production services with logging, ownership and baseline controls", "Which services run without the basics?", []string{"prodsec_control_services", "prodsec_baseline_services", "prodsec_control_gap"}},
		{TrackProtection, "Privileged repositories and pipelines covered by required protections", "Which way to production is unguarded?", []string{protectedRepositories, protectionGap}},
	}},
	{"Exposure panel", []trace{
		{TrackOpen, "Open critical and high findings by age", "What has been open too long?", []string{findingsOpen, findingAge, findingOldest}},
		{TrackExceptions, "Exception inventory by category and expiry horizon", "What has to be decided before it ends?", []string{exceptions, exceptionNextExpiry}},
		{TrackFailures, "Top recurring control failures", "Which control fails again and again?", []string{"prodsec_control_failures_in_window"}},
		{TrackConcentrated, "Concentration of risk in a small number of teams or services", "Who needs help first?", []string{"prodsec_risk_concentration_ratio", "prodsec_risk_score"}},
	}},
	{"Responsiveness panel", []trace{
		{TrackResponse, "Time to first response for reviews", "Does security answer in time?", []string{"prodsec_review_first_response_seconds", "prodsec_review_first_response_in_window_seconds"}},
		{TrackAttainment, "Remediation SLA attainment by severity and business unit", "Who fixes in time?", []string{slaOutcomesWindow, slaTarget, findingRemediation}},
		{TrackDecision, "Time to exception decision", "How long does a team wait for a decision?", []string{"prodsec_exception_decision_seconds", exceptionPending}},
		{TrackFollowups, "Time to close incident follow-up actions", "How long until a lesson is a control?", []string{"prodsec_followup_close_seconds"}},
	}},
	{"Delivery trust panel", []trace{
		{TrackPaths, "Protected deployment paths for higher-trust services", "Which services reach production unguarded?", []string{"prodsec_deployment_paths", "prodsec_rule_bypasses_total"}},
		{TrackEvidence, "Provenance, attestation and release-evidence coverage", "Which releases prove where they came from?", []string{"prodsec_release_evidence_in_window"}},
		{TrackRunners, "Runner and cloud identity trust-tier compliance", "Where could a build be taken over?", []string{"prodsec_runners", "prodsec_cloud_identity_repositories", "prodsec_control_services"}},
		{TrackRollback, "Rollback readiness for critical services", "Which services could not go back?", []string{"prodsec_rollback_exercise_timestamp_seconds", "prodsec_control_services"}},
	}},
	{"DORA and product security", []trace{
		{DORAFrequency, "Deployment frequency", "Do faster teams still use approved release controls?", []string{"prodsec_deployments_total", "prodsec_deployments_in_window"}},
		{DORALeadTime, "Lead time for changes", "Are reviews and fixes early, or last-minute blockers?", []string{"prodsec_change_lead_time_seconds"}},
		{DORAFailures, "Change failure rate", "How many failed changes came from avoidable control gaps?", []string{"prodsec_changes_total", "prodsec_change_failures_total"}},
		{DORARestore, "Time to restore service", "Can teams recover from security-impacting releases quickly?", []string{"prodsec_restore_seconds"}},
	}},
}

// misleading are the metrics that the pack warns of as headlines, and what stands in their place.
var misleading = [][2]string{
	{"total vulnerability count by itself", "open findings are shown by severity, age, SLA standing and owner, and only criticals and highs are headlines"},
	{"number of scans run", "scans count by whether they are current for each repository and class, never by how many there were"},
	{"training completions with no behaviour signal", "are not collected"},
	{"percent of backlog closed", "closures are split by reason (fixed, dismissed as what, excepted, out of scope), reopenings revoke a met deadline, duplicates are folded first"},
	{"mean severity without blast radius", "risk weighs severity by exposure, criticality and exploitation; no severity is averaged"},
}

const traceabilityHead = `<!-- ` + generatedBy + ` -->

# From the leadership pack to the numbers

Every row of the *Leadership Metrics Pack for Product Security* (Ivan Piskunov, 2026): what answers it, from the families to what people see. The definitions of the families are in
[metrics.md](metrics.md); how numbers come about in [definitions.md](definitions.md). A row that no family or no panel answers fails the generation of this file.
`

// Traceability is the content of docs/traceability.md. It fails when a row of the pack is answered by no family or no panel.
func Traceability() ([]byte, error) {
	var out bytes.Buffer
	var errs []error
	out.WriteString(traceabilityHead)
	seen := map[PackRow]bool{}
	for _, section := range traceSections {
		fmt.Fprintf(&out, "\n## %s\n", section.title)
		for _, t := range section.traces {
			seen[t.row] = true
			errs = append(errs, t.write(&out))
		}
	}
	for _, row := range PackRows() {
		if !seen[row] {
			errs = append(errs, fmt.Errorf("row %s of the pack is in no section of the trace", row))
		}
	}
	out.WriteString("\n## Metrics that often mislead\n\nNone of these is a headline:\n\n| Instead of | |\n|---|---|\n")
	for _, m := range misleading {
		fmt.Fprintf(&out, "| %s | %s |\n", m[0], m[1])
	}
	out.WriteString("\n## Narrative\n\nEvery panel's description says what the number means and what decision it asks for; what changed, and why, is in the events by cause and the counting changes of row " +
		string(PackTrend) + ".\n")
	return out.Bytes(), errors.Join(errs...)
}

// write writes what answers a row.
func (t trace) write(out *bytes.Buffer) error {
	fmt.Fprintf(out, "\n### %s: %s\n\n%s\n\n| | |\n|---|---|\n", t.row, t.asks, t.drives)
	line := func(title, list string) {
		if list != "" {
			fmt.Fprintf(out, "| %s | %s |\n", title, list)
		}
	}
	families := slices.DeleteFunc(slices.Clone(t.families), func(name string) bool { return !isFamily(name) })
	panels := panelsFor(t.row)
	line("Families", strings.Join(linked(families), ", "))
	line("Recording rules", code(rulesOver(families)))
	line("Panels", strings.Join(panels, "<br>"))
	line("Alerts", strings.Join(alertsFor(t.row), ", "))
	switch {
	case len(families) < len(t.families):
		return fmt.Errorf("row %s of the pack names families that do not exist, of %v", t.row, t.families)
	case len(panels) == 0:
		return fmt.Errorf("row %s of the pack (%s) is answered by no panel", t.row, t.asks)
	default:
		return nil
	}
}

func isFamily(name string) bool {
	for _, f := range families() {
		if f.Name == name {
			return true
		}
	}
	return false
}

// linked are links to the chapters of docs/metrics.md, whose anchors are the names.
func linked(names []string) []string {
	links := make([]string, len(names))
	for i, name := range names {
		links[i] = "[`" + name + "`](metrics.md#" + name + ")"
	}
	return links
}

// rulesOver are the recording rules that read one of the families.
func rulesOver(names []string) []string {
	behind, list := map[string][]string{}, []string(nil)
	for _, g := range RecordingGroups() {
		for _, r := range g.Rules {
			behind[r.Record] = append(behind[r.Record], resolve(r.Expr, behind)...)
			reads := slices.ContainsFunc(behind[r.Record], func(name string) bool { return slices.Contains(names, name) })
			if reads && !slices.Contains(list, r.Record) {
				list = append(list, r.Record)
			}
		}
	}
	return list
}

// panelsFor are the panels that name a row.
func panelsFor(row PackRow) []string {
	var list []string
	for _, b := range Boards() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				if slices.Contains(p.Answers, row) {
					list = append(list, b.Title+": "+p.Title)
				}
			}
		}
	}
	return list
}

// alertsFor are the alerts that name a row.
func alertsFor(row PackRow) []string {
	var list []string
	for _, g := range AlertGroups() {
		for _, r := range g.Rules {
			if slices.Contains(r.Alert.Answers, row) {
				list = append(list, "["+r.Alert.Name+"](runbooks/"+r.Alert.Name+".md)")
			}
		}
	}
	return list
}
