package metrics_test

const (
	docsFacts   = `,crown_jewel="unknown",internet_facing="unknown"`
	jewelFacts  = `,crown_jewel="true",internet_facing="true"`
	ledgerFacts = `,crown_jewel="false",internet_facing="false"`
)

// controlsDerivedByHand are lines about controls, which TestDerivedByHand looks for. The controls are the built-in ones.
var controlsDerivedByHand = []derivation{
	{`prodsec_control_services{control="owner",domain="governance",` + docsGroup + docsFacts + `,status="pass"} 1`, "the catalog names the team docs"},
	{`prodsec_control_services{control="sast",domain="appsec",` + tier0 + jewelFacts + `,status="pass"} 1`, "acme/shop: CodeQL yesterday"},
	{`prodsec_control_services{control="sast",domain="appsec",` + tier1 + ledgerFacts + `,status="fail"} 1`, "acme/ledger: 8 d ago, policy allows 7 d"},
	{`prodsec_control_services{control="sast",domain="appsec",` + docsGroup + docsFacts + `,status="fail"} 1`, "acme/docs: no tool has scanned it"},
	{`prodsec_control_services{control="sca",domain="appsec",` + docsGroup + docsFacts + `,status="unknown"} 1`, "acme/docs: GitHub did not say"},
	{`prodsec_control_services{control="secret_scanning",domain="appsec",` + docsGroup + docsFacts + `,status="pass"} 1`, "acme/docs: secret scanning is on"},
	{`prodsec_control_services{control="branch_protection",domain="delivery",` + tier0 + jewelFacts + `,status="fail"} 1`, "acme/shop: no approvals on the release branch"},
	{`prodsec_control_services{control="branch_protection",domain="delivery",` + docsGroup + docsFacts + `,status="unknown"} 1`, "acme/docs could not be read"},
	{`prodsec_control_services{control="cloud_identity",domain="delivery",` + tier0 + jewelFacts + `,status="fail"} 1`, "acme/shop has a static key besides its tokens"},
	{`prodsec_control_services{control="provenance",domain="delivery",` + tier0 + jewelFacts + `,status="pass"} 1`, "D4 carries provenance"},
	{`prodsec_control_services{control="rollback",domain="delivery",` + tier1 + ledgerFacts + `,status="pass"} 1`, "an exercise on 5 March, less than 180 d ago"},
	{`prodsec_control_services{control="threat_model",domain="appsec",` + tier0 + jewelFacts + `,status="fail"} 1`, "R1 and R2 wait; none is done"},
	{`prodsec_control_services{control="threat_model",domain="appsec",` + tier1 + ledgerFacts + `,status="pass"} 1`, "R5 was done on 10 February"},
	{`prodsec_control_services{control="logging",domain="governance",` + tier0 + jewelFacts + `,status="unknown"} 1`, "nobody says"},
	{`prodsec_control_gap{` + checkoutOwner + `,control="branch_protection",domain="delivery",status="fail"} 1`, "a crown jewel's failure is named"},
	{`prodsec_control_gap{` + ledgerOwner + `,control="secret_scanning",domain="appsec",status="unknown"} 1`, "acme/ledger: secret scanning could not be read"},
	{`prodsec_baseline_services{` + tier0 + jewelFacts + `,status="fail"} 1`, "checkout lacks branch protection and others"},
	{`prodsec_baseline_services{` + docsGroup + docsFacts + `,status="pass"} 1`, "at tier3 only an owner is required"},
	{`prodsec_control_evidence_timestamp_seconds{` + checkoutOwner + `,control="rollback"} 1.7731548e+09`, "R1 of 10 March 15:00, a deployment"},
	{`prodsec_control_evidence_timestamp_seconds{` + ledgerOwner + `,control="threat_model"} 1.7706816e+09`, "R5: 10 February"},
	{`prodsec_control_failures_in_window{window="30d",control="none",source="bypass"} 1`, "B1 on 2 March, whose rule names no control"},
	{`prodsec_control_failures_in_window{window="30d",control="none",source="exception"} 1`, "3 on 29 March names no control"},
	{`prodsec_control_failures_in_window{window="30d",control="none",source="renewal"} 1`, "1 on 5 March, 63 d after 2, names none either"},
	{`prodsec_product_area_controls{product_area="shop",status="fail"} 5`, "checkout alone: as many controls of tier0 fail"},
	{`prodsec_product_area_controls{product_area="shop",status="exempt"} 0`, "known combination"},
	{`prodsec_production_basics_services{` + tier0 + `,status="unknown"} 1`, "checkout: nobody says whether its logs are kept"},
	{`prodsec_production_basics_services{` + tier0 + `,status="pass"} 0`, "known combination"},
	{`prodsec_control_failures_in_window{window="90d",control="none",source="exception"} 2`, "and 2 on 1 January"},
	{`prodsec_control_failures_in_window{window="30d",control="sca",source="finding"} 2`, "A on 26 and B on 5 March"},
	{`prodsec_control_failures_in_window{window="90d",control="sca",source="finding"} 4`, "and F on 20 and G on 25 February"},
	{`prodsec_control_failures_in_window{window="7d",control="sca",source="regression"} 1`, "G came back on 28 March"},
}
