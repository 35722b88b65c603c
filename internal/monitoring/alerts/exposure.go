package alerts

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
)

func secretActive() rulefile.Rule {
	return rulefile.Rule{
		Why:    "A leaked secret that was verified to work is an open door, whatever severity its finding has.",
		Expr:   promql.SumBy(names.OwnerLabels, promql.Series(names.RecExploited, promql.Is("evidence", "active_secret"))) + " > 0",
		Labels: map[string]string{"notify": string(Page), "derived_from": names.FromFindings},
		Alert: &rulefile.Alert{
			Name: SecretActive, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.TrackOpen),
			Summary:     "{{ $value | humanize }} leaked secret(s) of {{ $labels.service_name }} (team {{ $labels.team }}) still work",
			Description: "Revoke them now and look for their use; deleting the line from the code is not enough. Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board:       names.BoardExposure, Panel: names.PanelExploited, Select: names.BoardVariables,
		},
	}
}

func exploitedExposed() rulefile.Rule {
	return rulefile.Rule{
		Why: "Known to be used in attacks, on a service that the internet reaches: that pages. Where nobody knows whether it does, that makes a ticket: unknown is not unexposed.",
		Expr: promql.SumBy(names.OwnerLabels+", internet_facing", promql.Series(names.RecExploited, promql.Is("evidence", "kev"), promql.In("internet_facing", names.Affirmative, "unknown"))) +
			" > 0",
		Labels: map[string]string{
			"notify":       `{{ if eq $labels.internet_facing "` + names.Affirmative + `" }}` + string(Page) + `{{ else }}` + string(Ticket) + `{{ end }}`,
			"derived_from": names.FromFindings,
		},
		Alert: &rulefile.Alert{
			Name: ExploitedExposed, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.TrackOpen, packrow.PackUnprotected),
			Summary: "{{ $value | humanize }} known-exploited finding(s) are open in {{ $labels.service_name }} (team {{ $labels.team }}), internet-facing: {{ $labels.internet_facing }}",
			Description: "Attackers use this weakness elsewhere already. Patch or shield it today, and look for signs that it was used. " +
				"An approved exception does not end this alert: silence it with the exception's end.",
			Board: names.BoardExposure, Panel: names.PanelExploited, Select: names.BoardVariables,
		},
	}
}
