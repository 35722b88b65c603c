// Package contract tests the collectors against what others wrote about the APIs they read: GitHub's own OpenAPI description and GraphQL
// schema, recorded answers of GitHub with their headers, and recorded objects. A path that does not exist, a parameter in the wrong spelling, a field
// that GraphQL does not know, or an example that cannot be decoded fails here and not at a customer.
//
// GitLab is read as its own client in Go describes it, whose source is fetched by "go mod download" and parsed: its paths, parameters and answers. No package is known on npm
// or the Go module proxy that describes the APIs of DefectDojo, Dependency-Track, Snyk's REST, and Jira.
//
// The tests have the build tag e2e; "make e2e" runs them. They need node and npm, which fetches the packages of package.json once into the user's
// cache, and fail, never skip, without them.
package contract
