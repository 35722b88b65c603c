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
)

// attainmentLow fires per business unit and severity over the default window. Few outcomes are left out: one late fix among three is no trend.
func attainmentLow() rulefile.Rule {
	window := promql.Is("window", settings.DefaultWindow)
	due := promql.SumBy("business_unit, severity", promql.Series(names.RecOutcomes, window, promql.Severe(), promql.In("outcome", "met", "missed")))
	return rulefile.Rule{
		Why: "Below the target of the policy over thirty days, where enough fell due to speak of a share.",
		Expr: fmt.Sprintf("max by (business_unit, severity) (%s) < %g\nand\n%s >= %d", promql.Series(names.RecUnitAttainment, window, promql.Severe()), settings.AttainmentTarget,
			due, settings.AttainmentOutcomes),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: AttainmentLow, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment),
			Summary: "{{ $labels.business_unit }} kept {{ $value | humanizePercentage }} of its deadlines for {{ $labels.severity }} findings in " + settings.DefaultWindow,
			Description: fmt.Sprintf("The target is %g %%. Find the teams that miss most and ask whether hands or ownership are missing; "+
				"single findings have alerts of their own.", settings.AttainmentTarget*100),
			Board: names.BoardResponsiveness, Panel: names.PanelAttainment, Select: []string{"business_unit"},
		},
	}
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
	return rulefile.Rule{
		Why: "Deadlines are missed so fast that the target is out of reach if it goes on. The last line keeps it silent while outcomes are withheld.",
		Expr: "max by (business_unit) (\n  " + strings.Join(pairs, "\n  or ") + "\n)\nand\n" +
			promql.SumBy("business_unit", promql.Once(names.SLAOutcomes, promql.Severe())),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: BudgetBurning, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackAttainment, packrow.TrackAttainment),
			Summary: "{{ $labels.business_unit }} misses deadlines {{ $value | humanize }} times as fast as its target allows",
			Description: "Criticals and highs are falling past their deadlines faster than the target of SLA attainment bears. Something changed: " +
				"find the team or the import that causes most misses before the month is lost.",
			Board: names.BoardResponsiveness, Panel: names.PanelMissed, Select: []string{"business_unit"},
		},
	}
}

// longerThanBuckets counts what a recorded snapshot histogram holds beyond a bound. The bound must be a bucket's.
func longerThanBuckets(record, labels string, bound time.Duration) string {
	return promql.SumBy(labels, promql.Series(record, promql.In("le", `\+Inf`))) + "\n- " + promql.SumBy(labels, promql.Series(record, promql.Le(bound)))
}

func exceptionPendingLong() rulefile.Rule {
	labels := names.LabelsWithout(names.RecordedLabels(names.RecPending), "le")
	return rulefile.Rule{
		Why:    "Asked for and undecided for too long, in the time of policy.calendars.decisions.",
		Expr:   longerThanBuckets(names.RecPending, labels, settings.DecisionLate) + "\n> 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromExceptions},
		Alert: &rulefile.Alert{
			Name: ExceptionPending, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.TrackDecision),
			Summary: "{{ $value | humanize }} request(s) for an exception of category {{ $labels.category }} in {{ $labels.business_unit }} have waited for a decision " +
				"for over " + promql.PromDuration(settings.DecisionLate),
			Description: "Meanwhile the clocks run and teams build on silence. Decide, or say what is missing.",
			Board:       names.BoardResponsiveness, Panel: names.PanelPending, Select: []string{"business_unit"},
		},
	}
}

func reviewWaitingLong() rulefile.Rule {
	labels := names.LabelsWithout(names.RecordedLabels(names.RecReviewWaiting), "le")
	return rulefile.Rule{
		Why:    "No answer by a responder for too long, in the time of policy.calendars.reviews.",
		Expr:   longerThanBuckets(names.RecReviewWaiting, labels, settings.AnswerLate) + "\n> 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromRequests},
		Alert: &rulefile.Alert{
			Name: ReviewWaiting, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackReviews, packrow.TrackResponse),
			Summary:     "{{ $value | humanize }} {{ $labels.kind }} review(s) for {{ $labels.business_unit }} have waited for a first answer for over " + promql.PromDuration(settings.AnswerLate),
			Description: "Security is the bottleneck here. Answer the oldest first, if only to say when it will be looked at.",
			Board:       names.BoardResponsiveness, Panel: names.PanelWaiting, Select: []string{"business_unit"},
		},
	}
}

func followupOverdue() rulefile.Rule {
	return rulefile.Rule{
		Why:    "An action that an incident left is past its due day.",
		Expr:   promql.SumBy(names.GroupLabels, promql.Series(names.RecFollowups, promql.Is("overdue", names.Affirmative))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromRequests},
		Alert: &rulefile.Alert{
			Name: FollowupOverdue, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackFollowups, packrow.TrackFollowups),
			Summary:     "{{ $value | humanize }} incident follow-up action(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are overdue",
			Description: "What the incident taught is not a control yet. Do it, or agree on a new date with whoever accepts the risk until then.",
			Board:       names.BoardResponsiveness, Panel: names.PanelFollowups, Select: names.BoardVariables,
		},
	}
}

func releaseBlocked() rulefile.Rule {
	return rulefile.Rule{
		Why:    "The number of blocked releases was at least one at every moment for a day: one that is settled within a day is how it should work.",
		Expr:   promql.SumBy(names.GroupLabels, promql.Series(names.RecEscalations, promql.Is("kind", "release_block"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": names.FromRequests},
		Alert: &rulefile.Alert{
			Name: ReleaseBlocked, For: settings.BlockedLong, Hold: settings.Hold, Answers: packrow.List(packrow.PackBlocks),
			Summary:     "{{ $value | humanize }} release(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are blocked, and some were for a day",
			Description: "Risk collides with delivery. Decide today: fix, grant a dated exception, or call the release off.",
			Board:       names.BoardResponsiveness, Panel: names.PanelEscalations, Select: names.BoardVariables,
		},
	}
}
