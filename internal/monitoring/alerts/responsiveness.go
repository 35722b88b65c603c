package alerts

import (
	"fmt"
	"strings"
	"time"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
	"prodsec_exporter/internal/policy"
)

// attainmentLow fires per business unit and severity over the default window. Few outcomes are left out: one late fix among three is no trend.
func attainmentLow() rulefile.Rule {
	window := promql.Is("window", settings.DefaultWindow)
	due := promql.SumBy("business_unit, severity", promql.Series(names.RecOutcomes, window, promql.Severe(), promql.In("outcome", "met", "missed")))
	return owned(string(Ticket), names.FromFindings,
		"Below the policy's target over thirty days, with as many outcomes as policy.targets.minimum_outcomes asks for.",
		fmt.Sprintf("max by (business_unit, severity) (%s) < on () group_left () %s\nand\n%s >= on () group_left () %s", promql.Series(names.RecUnitAttainment, window, promql.Severe()),
			promql.Target(policy.ObjectiveSLAAttainment), due, promql.MinimumOutcomes()),
		[]string{"business_unit"},
		rulefile.Alert{
			Name: AttainmentLow, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment),
			Summary: "SLA attainment of {{ $labels.business_unit }} for {{ $labels.severity }} findings is {{ $value | humanizePercentage }} in " + settings.DefaultWindow,
			Description: `{{ with query "max(` + names.TargetRatio + `{objective=\"` + string(policy.ObjectiveSLAAttainment) + `\"})" }}The target is {{ . | first | value | humanizePercentage }}. {{ end }}` +
				"Find the teams that miss most and check capacity and ownership; individual findings have alerts of their own.",
			Board: names.BoardResponsiveness, Panel: names.PanelAttainment,
		})
}

// budgetBurning is the multi-window alert: the misses that the target allows are being spent too fast over a long window, and still are over a
// short one, so that it starts early and ends soon after misses stop.
func budgetBurning() rulefile.Rule {
	var pairs []string
	for _, p := range settings.BurnPairs {
		over := func(w time.Duration) string {
			return fmt.Sprintf("%s > %g", promql.MaxBy("business_unit", promql.Series(names.RecBurn, promql.Is("window", promql.PromDuration(w)))), p.Factor)
		}
		misses := fmt.Sprintf("%s >= %d", promql.SumBy("business_unit", promql.Series(names.RecOutcomeIncrease, promql.Is("window", promql.PromDuration(p.Long)), promql.Is("outcome", "missed"))), settings.BurnMisses)
		pairs = append(pairs, "("+over(p.Long)+"\n  and "+over(p.Short)+"\n  and "+misses+")")
	}
	return owned(string(Ticket), names.FromFindings,
		"SLA deadlines are missed so fast that the target cannot be met at this rate. The last line keeps the alert silent while outcomes are withheld.",
		"max by (business_unit) (\n  "+strings.Join(pairs, "\n  or ")+"\n)\nand\n"+promql.SumBy("business_unit", promql.Once(names.SLAOutcomes, promql.Severe())),
		[]string{"business_unit"},
		rulefile.Alert{
			Name: BudgetBurning, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment),
			Summary: "{{ $labels.business_unit }} misses SLA deadlines {{ $value | humanize }} times as fast as its target allows",
			Description: "Criticals and highs miss their SLA deadlines faster than the attainment target allows. " +
				"Find the team or the import that causes most misses.",
			Board: names.BoardResponsiveness, Panel: names.PanelMissed,
		})
}

// longerThan counts what a snapshot histogram holds beyond a bound, by its labels. The bound must be a bucket's.
func longerThan(family string, bound time.Duration) string {
	labels, buckets := names.JoinLabels(names.LabelsOf(family)), func(le string) string { return promql.OnceHeld(family+"_bucket", le) }
	return promql.SumBy(labels, buckets(promql.In("le", `\+Inf`))) + "\n- " + promql.SumBy(labels, buckets(promql.Le(bound))) + "\n> 0"
}

func exceptionPendingLong() rulefile.Rule {
	return owned(string(Ticket), names.FromExceptions,
		"Requested and undecided for too long, in the calendar policy.calendars.decisions.",
		longerThan(names.ExceptionPending, settings.DecisionLate), []string{"business_unit"},
		rulefile.Alert{
			Name: ExceptionPending, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.TrackDecision),
			Summary: "{{ $value | humanize }} exception request(s) of category {{ $labels.category }} in {{ $labels.business_unit }} have waited for a decision " +
				"for over " + promql.PromDuration(settings.DecisionLate),
			Description: "The SLA clocks run meanwhile. Decide, or state what is missing.",
			Board:       names.BoardResponsiveness, Panel: names.PanelPending,
		})
}

func reviewWaitingLong() rulefile.Rule {
	return owned(string(Ticket), names.FromRequests,
		"No response by a responder for too long, in the calendar policy.calendars.reviews.",
		longerThan(names.ReviewWaiting, settings.AnswerLate), []string{"business_unit"},
		rulefile.Alert{
			Name: ReviewWaiting, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackReviews, packrow.TrackResponse),
			Summary:     "{{ $value | humanize }} {{ $labels.kind }} review(s) for {{ $labels.business_unit }} have waited for a first response for over " + promql.PromDuration(settings.AnswerLate),
			Description: "The security function is the bottleneck. Answer the oldest first.",
			Board:       names.BoardResponsiveness, Panel: names.PanelWaiting,
		})
}

func followupOverdue() rulefile.Rule {
	return owned(string(Ticket), names.FromRequests,
		"A follow-up action of an incident is past its due date.",
		promql.SumBy(names.GroupLabels, promql.OnceHeld(names.FollowupsOpen, promql.Is("overdue", names.Affirmative)))+" > 0", names.BoardVariables,
		rulefile.Alert{
			Name: FollowupOverdue, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackFollowups, packrow.TrackFollowups),
			Summary:     "{{ $value | humanize }} incident follow-up action(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are overdue",
			Description: "The cause of the incident is not fixed yet. Complete the action, or agree on a new date with the risk owner.",
			Board:       names.BoardResponsiveness, Panel: names.PanelFollowups,
		})
}

func releaseBlocked() rulefile.Rule {
	return owned(string(Ticket), names.FromRequests,
		"At least one release was blocked at every moment for a day; a block resolved within a day is normal operation.",
		promql.SumBy(names.GroupLabels, promql.OnceHeld(names.EscalationsOpen, promql.Is("kind", "release_block")))+" > 0", names.BoardVariables,
		rulefile.Alert{
			Name: ReleaseBlocked, For: settings.BlockedLong, Hold: settings.Hold, Answers: packrow.List(packrow.PackBlocks),
			Summary:     "{{ $value | humanize }} release(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are blocked, at least one at every moment for a day",
			Description: "Decide today: fix the cause, grant a dated exception, or cancel the release.",
			Board:       names.BoardResponsiveness, Panel: names.PanelEscalations,
		})
}
