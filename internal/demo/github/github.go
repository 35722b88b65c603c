// Package github plays GitHub's REST and GraphQL APIs for the organisations of package world: what the collector of that name asks for, with pages, cursors,
// entity tags, budgets and missing permissions. What it does not know it refuses as GitHub does. It may use package world and what the fakes share (answer),
// and no other fake.
//
// To answer one more REST call: a route in New and its handler in the file of its subject. To answer one more field of GraphQL: the field in the object of
// its type (graphql.go, protection in posture.go, deployments.go, workflows.go). query.go executes any query over such objects and knows no GitHub.
package github

import (
	"net/http"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// New is the handler of both APIs, served under a base URL, for whoever shows the token; now is the instant at which the world is told.
func New(w *world.World, now func() time.Time, token, url string) http.Handler {
	g := &gitHub{
		world: w, now: now, token: token, url: url, mux: http.NewServeMux(), views: map[world.Source]*answer.View{},
		budgets: map[string]*budget{"core": {limit: 15000}, "graphql": {limit: 10000}},
	}
	g.mux.HandleFunc("GET /rate_limit", g.rateLimit)
	g.organisationRoute("", g.organisation)
	g.organisationRoute("/repos", g.repositories)
	g.organisationRoute("/properties/values", g.properties)
	g.organisationRoute("/rulesets", g.forbidden("organization_administration=write"))
	g.organisationRoute("/rulesets/{id}", g.forbidden("organization_administration=write"))
	for source, path := range map[world.Source]string{
		world.SourceDependabot: "/dependabot/alerts", world.SourceCodeScanning: "/code-scanning/alerts",
		world.SourceSecretScanning: "/secret-scanning/alerts",
	} {
		g.views[source] = &answer.View{}
		g.organisationRoute(path, g.alerts(source))
	}
	g.repositoryRoute("", g.repository)
	g.repositoryRoute("/rulesets", g.rulesets)
	g.repositoryRoute("/rulesets/{id}", g.ruleset)
	g.repositoryRoute("/rules/branches/{branch}", g.effectiveRules)
	g.repositoryRoute("/branches", g.branches)
	g.repositoryRoute("/branches/{branch}/protection", g.classicProtection)
	g.repositoryRoute("/environments", g.environments)
	g.postureRoutes()
	g.deliveryRoutes()
	g.runnerRoutes()
	g.releaseRoutes()
	g.pipelineRoutes()
	g.mux.HandleFunc("POST /graphql", g.graphQL)
	g.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { g.refuse(w, http.StatusNotFound, "Not Found") })
	return g
}
