package record

import "strings"

// ecosystems maps the words of scanners and package managers to the package URL type of the same ecosystem, so that reports by
// different tools about one package can be folded.
var ecosystems = map[string]string{
	"npm": "npm", "node-pkg": "npm", "yarn": "npm", "pnpm": "npm", "node": "npm", "javascript": "npm", "bun": "npm",
	"pip": "pypi", "pypi": "pypi", "pipenv": "pypi", "poetry": "pypi", "uv": "pypi", "python": "pypi", "python-pkg": "pypi",
	"maven": "maven", "jar": "maven", "pom": "maven", "gradle": "maven", "java-archive": "maven", "java": "maven", "gradle-lockfile": "maven", "sbt-lockfile": "maven",
	"go": "golang", "golang": "golang", "gomod": "golang", "gobinary": "golang", "go-module": "golang",
	"rubygems": "gem", "gem": "gem", "bundler": "gem", "gemspec": "gem", "ruby": "gem",
	"rust": "cargo", "cargo": "cargo", "rustbinary": "cargo", "rust-crate": "cargo", "crates.io": "cargo",
	"composer": "composer", "packagist": "composer", "php-composer": "composer", "composer-vendor": "composer",
	"nuget": "nuget", "dotnet": "nuget", "dotnet-core": "nuget", "packages-props": "nuget",
	"erlang": "hex", "hex": "hex", "mix-lock": "hex", "pub": "pub", "swift": "swift", "cocoapods": "cocoapods", "conan": "conan",
	"actions": "githubactions", "github-action": "githubactions", "githubactions": "githubactions", "github actions": "githubactions",
	"deb": "deb", "debian": "deb", "ubuntu": "deb", "dpkg": "deb",
	"apk": "apk", "alpine": "apk", "wolfi": "apk", "chainguard": "apk",
	"rpm": "rpm", "redhat": "rpm", "centos": "rpm", "rocky": "rpm", "alma": "rpm", "amazon": "rpm", "oracle": "rpm", "fedora": "rpm", "photon": "rpm",
}

// GenericEcosystem is the ecosystem of a package whose source names none.
const GenericEcosystem = "generic"

// Package writes a package as "ecosystem/name" in one spelling for all tools: the ecosystem is a package URL type, PyPI names are
// normalised, Maven's group and artifact are joined by a colon. It is empty for an empty name.
func Package(ecosystem, name string) string {
	name = Text(name)
	if name == "" {
		return ""
	}
	folded := strings.ToLower(strings.TrimSpace(ecosystem))
	kind, known := ecosystems[folded]
	switch {
	case known:
	case folded == "":
		kind = GenericEcosystem
	default:
		kind = Text(folded)
	}
	switch kind {
	case "pypi":
		name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	case "maven":
		name = strings.ReplaceAll(name, "/", ":")
	case "npm", "composer", "deb", "apk", "githubactions":
		name = strings.ToLower(name)
	}
	return kind + "/" + name
}
