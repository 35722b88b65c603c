package alerts

import (
	"fmt"

	"prodsec_exporter/internal/monitoring/names"
	"prodsec_exporter/internal/monitoring/packrow"
	"prodsec_exporter/internal/monitoring/promql"
	"prodsec_exporter/internal/monitoring/rulefile"
	"prodsec_exporter/internal/monitoring/settings"
)

// controlLost fires for a control that fails on a crown jewel and neither failed nor was unknown a week ago, while the service was there already: a
// gap that nobody ever closed is on the board, one that opened is news.
func controlLost() rulefile.Rule {
	const by = names.OwnerLabels + ", control, domain"
	failing := promql.MaxBy(by, promql.OnceHeld(names.ControlGap, promql.Is("status", "fail")))
	before := "max without (" + names.JoinLabels(names.ReplicaLabels) + ") (" + promql.Series(names.ControlGap) + " offset " + promql.PromDuration(settings.LostWithin) + ")"
	there := "max without (" + names.JoinLabels(names.ReplicaLabels) + ") (" + promql.Series(names.ServiceInfo, promql.Is("crown_jewel", names.Affirmative)) + " offset " + promql.PromDuration(settings.LostWithin) + ")"
	return owned(string(Ticket), names.FromControls,
		"Fails now and did not fail a week ago, when the service already was a crown jewel. Resolves when the control passes again, or after a week.",
		fmt.Sprintf("max by (%s) (\n  %s\n  unless on (%s) %s\n  and on (service_name, team, business_unit) %s\n) > 0", by, failing, "service_name, control", before, there),
		names.BoardVariables,
		rulefile.Alert{
			Name: ControlLost, For: settings.SettlePosture, Hold: settings.Hold, Answers: packrow.List(packrow.PackBaselines, packrow.TrackBaselines),
			Summary:     "Crown jewel {{ $labels.service_name }} (team {{ $labels.team }}) lost the control {{ $labels.control }}",
			Description: "It passed within the last week and fails now. Find out what changed, or grant a dated exception that names the control.",
			Board:       names.BoardCoverage, Panel: names.PanelControlGaps,
		})
}
