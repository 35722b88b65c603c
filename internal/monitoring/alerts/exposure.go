package alerts

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
)

func secretActive() rulefile.Rule {
	return owned(string(Page), names.FromFindings,
		"A leaked secret that was verified as active can be used now, whatever severity its finding has.",
		promql.SumBy(names.OwnerLabels, promql.Series(names.RecExploitedHeld, promql.Is("evidence", "active_secret")))+" > 0", names.BoardVariables,
		rulefile.Alert{
			Name: SecretActive, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.TrackOpen),
			Summary: "{{ $value | humanize }} leaked secret(s) of {{ $labels.service_name }} (team {{ $labels.team }}) are still active",
			Description: lastKnown() + "Revoke them now and check for their use; deleting them from the code is not enough. " +
				"Business unit {{ $labels.business_unit }}, trust tier {{ $labels.trust_tier }}.",
			Board: names.BoardExposure, Panel: names.PanelExploited,
		})
}

func exploitedExposed() rulefile.Rule {
	notify := `{{ if eq $labels.internet_facing "` + names.Affirmative + `" }}` + string(Page) + `{{ else }}` + string(Ticket) + `{{ end }}`
	return owned(notify, names.FromFindings,
		"Known exploited on an internet-facing service: pages. If it is unknown whether the service is internet-facing, it creates a ticket: unknown is not unexposed.",
		promql.SumBy(names.OwnerLabels+", internet_facing", promql.Series(names.RecExploitedHeld, promql.Is("evidence", "kev"), promql.In("internet_facing", names.Affirmative, "unknown")))+" > 0",
		names.BoardVariables,
		rulefile.Alert{
			Name: ExploitedExposed, For: settings.Settle, Hold: settings.Hold, Answers: packrow.List(packrow.TrackOpen, packrow.PackUnprotected),
			Summary: "{{ $value | humanize }} known-exploited finding(s) are open in {{ $labels.service_name }} (team {{ $labels.team }}), internet-facing: {{ $labels.internet_facing }}",
			Description: lastKnown() + "This weakness is exploited in the wild. Patch or mitigate it today, and check for signs of exploitation. " +
				"An approved exception does not resolve this alert: silence it until the exception expires.",
			Board: names.BoardExposure, Panel: names.PanelExploited,
		})
}
