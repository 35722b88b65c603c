package alerts

import (
	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
)

func pathUnprotected() rulefile.Rule {
	return owned(string(Ticket), names.FromRepositories,
		"Counts only unprotected paths: a path that could not be read is unknown and shown on the board.",
		promql.SumBy(names.GroupLabels+", environment", promql.OnceHeld(names.DeploymentPaths, promql.Is("status", "unprotected")))+" > 0", names.BoardVariables,
		rulefile.Alert{
			Name: PathUnprotected, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.TrackPaths),
			Summary: "{{ $value | humanize }} service(s) of team {{ $labels.team }} ({{ $labels.business_unit }}, {{ $labels.trust_tier }}) have an unprotected deployment path to {{ $labels.environment }}",
			Description: "The environment or its branch lacks a required check, or one of the last deployments was not approved. " +
				"Anyone who can push can deploy.",
			Board: names.BoardDeliveryTrust, Panel: names.PanelPaths,
		})
}
