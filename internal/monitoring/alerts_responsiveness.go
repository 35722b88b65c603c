package monitoring

import (
	"fmt"
	"strings"
	"time"
)

// attainmentLow fires per business unit and severity over the default window. Few outcomes are left out: one late fix among three is no trend.
func attainmentLow() Rule {
	window := is("window", defaultWindow)
	due := sumBy("business_unit, severity", series(recOutcomes, window, severe(), in("outcome", "met", "missed")))
	return Rule{
		Why: "Below the target of the policy over thirty days, where enough fell due to speak of a share.",
		Expr: fmt.Sprintf("max by (business_unit, severity) (%s) < %g\nand\n%s >= %d", series(recUnitAttainment, window, severe()), attainmentTarget,
			due, attainmentOutcomes),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromFindings},
		Alert: &Alert{
			Name: AlertAttainmentLow, For: settlePosture, Hold: hold, Answers: answers(PackAttainment, TrackAttainment),
			Summary: "{{ $labels.business_unit }} kept {{ $value | humanizePercentage }} of its deadlines for {{ $labels.severity }} findings in " + defaultWindow,
			Description: fmt.Sprintf("The target is %g %%. Find the teams that miss most and ask whether hands or ownership are missing; "+
				"single findings have alerts of their own.", attainmentTarget*100),
			Board: BoardResponsiveness, Panel: panelAttainment, Select: []string{"business_unit"},
		},
	}
}

// budgetBurning is the multi-window alert: the misses that the target allows are being spent too fast over a long window, and still are over a
// short one, so that it starts early and ends soon after misses stop.
func budgetBurning() Rule {
	var pairs []string
	for _, p := range burnPairs {
		over := func(w time.Duration) string {
			return fmt.Sprintf("%s > %g", maxBy("business_unit", series(recBurn, is("window", promDuration(w)))), p.factor)
		}
		misses := fmt.Sprintf("%s >= %d", sumBy("business_unit", series(recOutcomeIncrease, is("window", promDuration(p.long)), is("outcome", "missed"))), burnMisses)
		pairs = append(pairs, "("+over(p.long)+"\n  and "+over(p.short)+"\n  and "+misses+")")
	}
	return Rule{
		Why: "Deadlines are missed so fast that the target is out of reach if it goes on. The last line keeps it silent while outcomes are withheld.",
		Expr: "max by (business_unit) (\n  " + strings.Join(pairs, "\n  or ") + "\n)\nand\n" +
			sumBy("business_unit", one(slaOutcomes, severe())),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromFindings},
		Alert: &Alert{
			Name: AlertBudgetBurning, For: settlePosture, Hold: hold, Answers: answers(PackAttainment, TrackAttainment),
			Summary: "{{ $labels.business_unit }} misses deadlines {{ $value | humanize }} times as fast as its target allows",
			Description: "Criticals and highs are falling past their deadlines faster than the target of SLA attainment bears. Something changed: " +
				"find the team or the import that causes most misses before the month is lost.",
			Board: BoardResponsiveness, Panel: panelMissed, Select: []string{"business_unit"},
		},
	}
}

// longerThanBuckets counts what a recorded snapshot histogram holds beyond a bound. The bound must be a bucket's.
func longerThanBuckets(record, labels string, bound time.Duration) string {
	return sumBy(labels, series(record, in("le", `\+Inf`))) + "\n- " + sumBy(labels, series(record, le(bound)))
}

func exceptionPendingLong() Rule {
	labels := by(shape(recPending), "le")
	return Rule{
		Why:    "Asked for and undecided for too long, in the time of policy.calendars.decisions.",
		Expr:   longerThanBuckets(recPending, labels, decisionLate) + "\n> 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromExceptions},
		Alert: &Alert{
			Name: AlertExceptionPending, For: settlePosture, Hold: hold, Answers: answers(TrackDecision),
			Summary: "{{ $value | humanize }} request(s) for an exception of category {{ $labels.category }} in {{ $labels.business_unit }} have waited for a decision " +
				"for over " + promDuration(decisionLate),
			Description: "Meanwhile the clocks run and teams build on silence. Decide, or say what is missing.",
			Board:       BoardResponsiveness, Panel: panelPending, Select: []string{"business_unit"},
		},
	}
}

func reviewWaitingLong() Rule {
	labels := by(shape(recReviewWaiting), "le")
	return Rule{
		Why:    "No answer by a responder for too long, in the time of policy.calendars.reviews.",
		Expr:   longerThanBuckets(recReviewWaiting, labels, answerLate) + "\n> 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromRequests},
		Alert: &Alert{
			Name: AlertReviewWaiting, For: settlePosture, Hold: hold, Answers: answers(PackReviews, TrackResponse),
			Summary:     "{{ $value | humanize }} {{ $labels.kind }} review(s) for {{ $labels.business_unit }} have waited for a first answer for over " + promDuration(answerLate),
			Description: "Security is the bottleneck here. Answer the oldest first, if only to say when it will be looked at.",
			Board:       BoardResponsiveness, Panel: panelWaiting, Select: []string{"business_unit"},
		},
	}
}

func followupOverdue() Rule {
	return Rule{
		Why:    "An action that an incident left is past its due day.",
		Expr:   sumBy(groupLabels, series(recFollowups, is("overdue", affirmative))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromRequests},
		Alert: &Alert{
			Name: AlertFollowupOverdue, For: settlePosture, Hold: hold, Answers: answers(PackFollowups, TrackFollowups),
			Summary:     "{{ $value | humanize }} incident follow-up action(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are overdue",
			Description: "What the incident taught is not a control yet. Do it, or agree on a new date with whoever accepts the risk until then.",
			Board:       BoardResponsiveness, Panel: panelFollowups, Select: boardVariables,
		},
	}
}

func releaseBlocked() Rule {
	return Rule{
		Why:    "The number of blocked releases was at least one at every moment for a day: one that is settled within a day is how it should work.",
		Expr:   sumBy(groupLabels, series(recEscalations, is("kind", "release_block"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromRequests},
		Alert: &Alert{
			Name: AlertReleaseBlocked, For: blockedLong, Hold: hold, Answers: answers(PackBlocks),
			Summary:     "{{ $value | humanize }} release(s) of team {{ $labels.team }} ({{ $labels.business_unit }}) are blocked, and some were for a day",
			Description: "Risk collides with delivery. Decide today: fix, grant a dated exception, or call the release off.",
			Board:       BoardResponsiveness, Panel: panelEscalations, Select: boardVariables,
		},
	}
}
