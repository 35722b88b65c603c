package demo

// deliveryRoutes serves what GitHub says about deployments, the changes in them, and what went past the rules on the way.
func (g *gitHub) deliveryRoutes() {
	g.repositoryRoute("/rulesets/rule-suites", g.ruleSuites)
	g.repositoryRoute("/rulesets/rule-suites/{id}", g.ruleSuite)
}
