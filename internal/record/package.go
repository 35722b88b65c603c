package record

import (
	"net/url"
	"strings"
)

// ecosystems maps the words of scanners and package managers to the word that GitHub's advisories use for the same ecosystem, so that
// reports by different tools about one package can be folded. Packages of distributions go by their package format.
var ecosystems = map[string]string{
	"npm": "npm", "node-pkg": "npm", "yarn": "npm", "pnpm": "npm", "node": "npm", "javascript": "npm", "bun": "npm",
	"pip": "pip", "pypi": "pip", "pipenv": "pip", "poetry": "pip", "uv": "pip", "python": "pip", "python-pkg": "pip",
	"maven": "maven", "jar": "maven", "pom": "maven", "gradle": "maven", "java-archive": "maven", "java": "maven",
	"gradle-lockfile": "maven", "sbt-lockfile": "maven",
	"go": "go", "golang": "go", "gomod": "go", "gobinary": "go", "go-module": "go",
	"rubygems": "rubygems", "gem": "rubygems", "bundler": "rubygems", "gemspec": "rubygems", "ruby": "rubygems",
	"rust": "rust", "cargo": "rust", "rustbinary": "rust", "rust-crate": "rust", "crates.io": "rust",
	"composer": "composer", "packagist": "composer", "php-composer": "composer", "composer-vendor": "composer",
	"nuget": "nuget", "dotnet": "nuget", "dotnet-core": "nuget", "packages-props": "nuget",
	"erlang": "erlang", "hex": "erlang", "mix-lock": "erlang", "pub": "pub", "swift": "swift", "cocoapods": "cocoapods", "conan": "conan",
	"actions": "actions", "github-action": "actions", "githubactions": "actions", "github actions": "actions",
	"deb": "deb", "debian": "deb", "ubuntu": "deb", "dpkg": "deb",
	"apk": "apk", "alpine": "apk", "wolfi": "apk", "chainguard": "apk",
	"rpm": "rpm", "redhat": "rpm", "centos": "rpm", "rocky": "rpm", "alma": "rpm", "amazon": "rpm", "oracle": "rpm", "fedora": "rpm",
	"photon": "rpm",
}

// GenericEcosystem is the ecosystem of a package whose source names none.
const GenericEcosystem = "generic"

// Package writes a package as "ecosystem/name" in one spelling for all tools: the ecosystem in GitHub's word for it, Python names
// normalised, Maven's group and artifact joined by a colon. It is empty for an empty name.
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
	case "pip":
		name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	case "maven":
		name = strings.ReplaceAll(name, "/", ":")
	case "npm", "composer", "deb", "apk", "actions":
		name = strings.ToLower(name)
	}
	return kind + "/" + name
}

// PackageOfURL reads a package URL such as "pkg:npm/%40babel/core@7.0.0" and writes the package as Package does, without version. It is
// empty for what is no package URL.
func PackageOfURL(purl string) string {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	kind, name, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		name = name[:at]
	}
	if unescaped, err := url.PathUnescape(name); err == nil {
		name = unescaped
	}
	switch kind {
	case "deb", "rpm", "apk": // the namespace is the distribution
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return Package(kind, name)
}
