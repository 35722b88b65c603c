package monitoring

func secretActive() Rule {
	return Rule{
		Why:    "A leaked secret that was verified to work is an open door, whatever severity its finding has.",
		Expr:   sumBy(ownerLabels, series(recExploited, is("evidence", "active_secret"))) + " > 0",
		Labels: map[string]string{"notify": string(Page), "derived_from": fromFindings},
		Alert: &Alert{
			Name: AlertSecretActive, For: settle, Hold: hold, Answers: answers(TrackOpen),
			Summary:     "{{ $value | humanize }} leaked secret(s) of {{ $labels.service_name }} (team {{ $labels.team }}) still work",
			Description: "Revoke them now and look for their use; deleting the line from the code is not enough. Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board:       BoardExposure, Panel: panelExploited, Select: boardVariables,
		},
	}
}

func exploitedExposed() Rule {
	return Rule{
		Why: "Known to be used in attacks, on a service that the internet reaches: that pages. Where nobody knows whether it does, that makes a ticket: unknown is not unexposed.",
		Expr: sumBy(ownerLabels+", internet_facing", series(recExploited, is("evidence", "kev"), in("internet_facing", affirmative, "unknown"))) +
			" > 0",
		Labels: map[string]string{
			"notify":       `{{ if eq $labels.internet_facing "` + affirmative + `" }}` + string(Page) + `{{ else }}` + string(Ticket) + `{{ end }}`,
			"derived_from": fromFindings,
		},
		Alert: &Alert{
			Name: AlertExploitedExposed, For: settle, Hold: hold, Answers: answers(TrackOpen, PackUnprotected),
			Summary: "{{ $value | humanize }} known-exploited finding(s) are open in {{ $labels.service_name }} (team {{ $labels.team }}), internet-facing: {{ $labels.internet_facing }}",
			Description: "Attackers use this weakness elsewhere already. Patch or shield it today, and look for signs that it was used. " +
				"An approved exception does not end this alert: silence it with the exception's end.",
			Board: BoardExposure, Panel: panelExploited, Select: boardVariables,
		},
	}
}
