package demo

import (
	"fmt"
	"strings"

	"prodsec_exporter/internal/demo/files"
	"prodsec_exporter/internal/demo/jira"
	"prodsec_exporter/internal/demo/world"
)

// configuration writes the file that an operator of Meridian would write.
func configuration(w *world.World, urls endpoints) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, configurationHead, urls.files, urls.github, world.OrgMeridian, world.OrgLabs, world.SecurityLabel, world.OrgMeridian, world.SecurityTeam, urls.jira, jira.Email, jira.Project, jira.IssueType,
		world.StatusAwaiting, world.StatusApproved, world.StatusRejected, world.StatusWithdrawn, world.StatusClosed,
		world.ProjectReviews, jira.Group, world.TicketReviewed, world.TicketWaiting, world.ProjectIncidents, world.TicketAction, world.ProjectIncidents, world.TicketIncident,
		world.TicketRestored, world.TicketDone, world.ProjectEscalations, urls.defectdojo)
	b.WriteString("  reports:\n    - name: ci\n      interval: 5m\n      urls:\n")
	for _, name := range files.ReportNames(w) {
		fmt.Fprintf(&b, "        - %s/reports/%s\n", urls.files, name)
	}
	fmt.Fprintf(&b, configurationEvidence, urls.files, urls.files)
	return []byte(b.String())
}

const configurationEvidence = `  evidence:
    - name: posture
      interval: 5m
      urls: [%s/evidence/posture.json]
    - name: clusters
      interval: 5m
      urls: [%s/evidence/policyreports.json]
`

const configurationHead = `evaluation_interval: 15s
collectors:
  catalog:
    - name: services
      interval: 1m
      url: %s/catalog.yml
  github:
    - name: meridian
      interval: 1m
      full_interval: 1h
      url: %s
      organizations: [%s, %s]
      repositories_per_collection: 200
      deployment_interval: 1m
      deployment_history: 100d
      deployment_environments: [production]
      deployments_per_collection: 100000
      deployment_services:
        - {repository: meridian/storefront, task: "deploy:{service}", paths: ["services/{service}/**"]}
      security_review: {labels: [%s], teams: [%s/%s], code_scanning: true}
      token: {env: ` + TokenVariable + `}
  jira:
    - name: jira
      interval: 1m
      full_interval: 1h
      url: %s
      deployment: cloud
      auth: {email: %s, token: {env: ` + TokenVariable + `}}
      exceptions:
        jql: project = %s AND issuetype = "%s"
        fields:
          service: Service
          repository: Repository
          category: Exception category
          expires: Expires on
          advisories: Advisories
          rules: Rules
          categories: Weakness classes
          controls: Controls
        statuses:
          requested: [%s]
          approved: [%s]
          rejected: [%s]
          ended: [%s, %s]
      reviews:
        - jql: project = %s
          responders: {group: %s}
          statuses: {done: [%s], blocked: [%s]}
      followups:
        - jql: project = %s AND issuetype = "%s"
      incidents:
        - jql: project = %s AND issuetype = %s
          fields: {security_impact: Security impact, control_gap: Control gap}
          statuses: {done: [%s, %s]}
      escalations:
        - jql: project = %s
          fields: {reason: Escalation reason}
  defectdojo:
    - name: dojo
      interval: 1m
      full_interval: 1h
      without_scans: true # GitHub says when repositories were scanned
      url: %s
      token: {env: ` + TokenVariable + `}
`

// TokenVariable is the environment variable that holds the credential of every fake while a Demo runs.
const TokenVariable = "PRODSEC_DEMO_TOKEN"

// endpoints are the base URLs of the fakes, without a final slash.
type endpoints struct{ github, jira, defectdojo, files string }
