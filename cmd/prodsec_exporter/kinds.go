package main

import (
	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/backstage"
	"prodsec_exporter/collectors/catalog"
	"prodsec_exporter/collectors/defectdojo"
	"prodsec_exporter/collectors/dependencytrack"
	"prodsec_exporter/collectors/evidence"
	"prodsec_exporter/collectors/exploited"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/gitlab"
	"prodsec_exporter/collectors/jira"
	"prodsec_exporter/collectors/reports"
	"prodsec_exporter/collectors/scorecard"
	"prodsec_exporter/collectors/semgrep"
	"prodsec_exporter/collectors/snyk"
	"prodsec_exporter/collectors/sonarqube"
)

// kinds is the one list of what the exporter can read.
func kinds() []collectors.Kind {
	return []collectors.Kind{
		backstage.Kind(),
		catalog.Kind(),
		defectdojo.Kind(),
		dependencytrack.Kind(),
		evidence.Kind(),
		exploited.Kind(),
		github.Kind(),
		gitlab.Kind(),
		jira.Kind(),
		reports.Kind(),
		scorecard.Kind(),
		semgrep.Kind(),
		snyk.Kind(),
		sonarqube.Kind(),
	}
}
