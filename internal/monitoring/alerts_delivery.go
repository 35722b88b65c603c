package monitoring

func pathUnprotected() Rule {
	return Rule{
		Why:    "Only what is known to be unprotected: a path that could not be read is unknown and shown on the board.",
		Expr:   sumBy(groupLabels+", environment", series(recPaths, is("status", "unprotected"))) + " > 0",
		Labels: map[string]string{"notify": string(Ticket), "derived_from": fromRepositories},
		Alert: &Alert{
			Name: AlertPathUnprotected, For: settlePosture, Hold: hold, Answers: answers(TrackPaths),
			Summary: "{{ $value | humanize }} service(s) of team {{ $labels.team }} ({{ $labels.business_unit }}, {{ $labels.trust_tier }}) can reach {{ $labels.environment }} unguarded",
			Description: "The environment lacks a check that policy requires, or so does the branch behind it, or one of the last deployments was not approved. " +
				"Whoever can push can deploy.",
			Board: BoardDeliveryTrust, Panel: panelPaths, Select: boardVariables,
		},
	}
}
