package monitoring

import "fmt"

// controlLost fires for a control that fails on a crown jewel and neither failed nor was unknown a week ago, while the service was there already: a
// gap that nobody ever closed is on the board, one that opened is news.
func controlLost() Rule {
	const by = ownerLabels + ", control, domain"
	failing := maxBy(by, one(controlGap, is("status", "fail")))
	before := "max without (" + joinLabels(replicaLabels) + ") (" + series(controlGap) + " offset " + promDuration(lostWithin) + ")"
	there := "max without (" + joinLabels(replicaLabels) + ") (" + series(serviceInfo, is("crown_jewel", affirmative)) + " offset " + promDuration(lostWithin) + ")"
	return Rule{
		Why:    "Fails now, and a week ago it did not, although the service was a crown jewel then. It ends when the control passes again, or has failed for a week.",
		Expr:   fmt.Sprintf("max by (%s) (\n  %s\n  unless on (%s) %s\n  and on (service_name, team, business_unit) %s\n) > 0", by, failing, "service_name, control", before, there),
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromControls},
		Alert: &Alert{
			Name: AlertControlLost, For: settlePosture, Hold: hold, Answers: answers(PackBaselines, TrackBaselines),
			Summary:     "Crown jewel {{ $labels.service_name }} (team {{ $labels.team }}) lost the control {{ $labels.control }}",
			Description: "It passed within the last week and fails now. Find out what was switched off, or grant a dated exception that names the control.",
			Board:       BoardCoverage, Panel: panelControlGaps, Select: boardVariables,
		},
	}
}
