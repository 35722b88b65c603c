package record

import (
	"path"
	"strings"
)

// manifests are the files in which package managers keep what they install, in lower case, by the ecosystem of the packages that they list.
var manifests = spelled(map[string]string{
	"npm":       "package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock",
	"pip":       "requirements.txt pipfile.lock poetry.lock pdm.lock uv.lock pylock.toml setup.py pipdeptree.json",
	"maven":     "pom.xml build.gradle build.gradle.kts gradle.lockfile maven.graph.json build.sbt build.sbt.lock",
	"go":        "go.mod go.sum go.graph",
	"rubygems":  "gemfile.lock gems.locked",
	"rust":      "cargo.lock",
	"composer":  "composer.lock",
	"nuget":     "packages.lock.json packages.config",
	"erlang":    "mix.lock",
	"pub":       "pubspec.lock",
	"swift":     "package.resolved",
	"cocoapods": "podfile.lock",
	"conan":     "conan.lock",
	"cran":      "renv.lock",
})

// EcosystemOfFile is the ecosystem of the packages that a manifest or lock file lists, empty for a file that is not known as one.
func EcosystemOfFile(name string) string {
	return manifests[strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))]
}
