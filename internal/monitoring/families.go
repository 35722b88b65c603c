package monitoring

import "prodsec_exporter/internal/metrics"

func families() []*metrics.Family {
	L := func(n string, l ...string) *metrics.Family { return &metrics.Family{Name: n, Labels: l} }
	O := splitLabels(ownerLabels)
	G := splitLabels(groupLabels)
	a := func(base []string, l ...string) []string { return append(append([]string{}, base...), l...) }
	return []*metrics.Family{
		L("prodsec_service_info", a(O, "product_area", "crown_jewel", "internet_facing", "lifecycle")...),
		L("prodsec_protected_repositories", a(G, "check", "scope", "privileged", "status")...),
		L("prodsec_repository_protection_gap", a(O, "repository", "check", "scope", "status")...),
		L("prodsec_unmapped_repositories", "reason"),
		L("prodsec_findings_open", a(O, "severity", "class", "sla")...),
		L("prodsec_finding_age_seconds", "business_unit", "team", "severity"),
		L("prodsec_finding_oldest_opened_timestamp_seconds", a(O, "severity")...),
		L("prodsec_finding_events_total", a(G, "severity", "class", "event")...),
		L("prodsec_finding_flow_in_window", a(G, "window", "severity", "event")...),
		L("prodsec_exceptions", a(G, "category", "state", "expires")...),
		L("prodsec_exception_age_seconds", "business_unit", "category"),
		L("prodsec_exception_next_expiry_timestamp_seconds", a(O, "category")...),
		L("prodsec_duplicate_findings", "class"),
		L("prodsec_sla_target_seconds", "severity", "trust_tier", "internet_facing", "crown_jewel", "exploited"),
		L("prodsec_sla_outcomes_total", a(O, "severity", "outcome")...),
		L("prodsec_sla_outcomes_in_window", a(G, "window", "severity", "outcome")...),
		L("prodsec_finding_remediation_seconds", "business_unit", "team", "severity", "class"),
		L("prodsec_policy_info", "version"),
		L("prodsec_policy_changed_timestamp_seconds"),
		L("prodsec_counting_changes_total", "kind"),
		L("prodsec_scope_size", "kind"),
		L("prodsec_collector_up", "collector", "instance_name"),
		L("prodsec_scope_last_success_timestamp_seconds", "collector", "instance_name", "scope_kind"),
		L("prodsec_scopes", "collector", "status"),
		L("prodsec_evaluation_timestamp_seconds"),
		L("prodsec_exporter_build_info"),
	}
}
