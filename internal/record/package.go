package record

import (
	"net/url"
	"slices"
	"strings"
)

// ecosystems maps the words of scanners (all package types of Trivy, Grype and Syft, those of package URLs and of the platforms' APIs) and of package managers to
// the word that GitHub's advisories use for the same ecosystem, so that reports by different tools about one package can be folded. Packages of
// distributions go by their package format.
var ecosystems = spelled(map[string]string{
	"npm":        "npm node-pkg yarn pnpm node javascript js bun nodejs npm-package-lock",
	"pip":        "pip pypi pipenv poetry uv pylock python python-pkg",
	"conda":      "conda conda-pkg conda-environment",
	"maven":      "maven jar pom gradle java-archive java sbt gradle-lockfile sbt-lockfile graalvm-native-image jenkins-plugin clojars",
	"go":         "go golang gomod gobinary go-module go-mod gomodules gomodule",
	"rubygems":   "rubygems gem gems bundler gemspec ruby",
	"rust":       "rust cargo rustbinary rust-binary rust-crate crates.io crates",
	"composer":   "composer packagist php-composer composer-vendor composer-installed php",
	"nuget":      "nuget dotnet dotnet-core dotnet-deps packages-props paket",
	"erlang":     "erlang hex mix-lock mix erlang-otp otp elixir",
	"pub":        "pub dart dart-pub",
	"swift":      "swift swiftpm swift-package",
	"cocoapods":  "cocoapods pod",
	"conan":      "conan",
	"actions":    "actions github-action githubactions github-actions github-action-workflow",
	"hackage":    "hackage haskell",
	"cran":       "cran r-package r",
	"luarocks":   "luarocks lua-rocks lua",
	"opam":       "opam ocaml",
	"julia":      "julia juliahub",
	"cpan":       "cpan perl",
	"pear":       "pear php-pear php-pecl pecl",
	"wordpress":  "wordpress wordpress-plugin",
	"bitnami":    "bitnami",
	"kubernetes": "kubernetes k8s",
	"homebrew":   "homebrew brew",
	"nix":        "nix",
	"terraform":  "terraform",
	"generic":    "generic binary unknownpackage",
	"deb":        "deb debian ubuntu dpkg echo raspbian kali",
	"apk":        "apk alpine wolfi chainguard minimos",
	"rpm": "rpm redhat rhel centos rocky rockylinux alma almalinux amazon amazonlinux amzn oracle oraclelinux ol fedora photon azurelinux mariner cbl-mariner bottlerocket " +
		"opensuse opensuse.leap opensuse-leap opensuse.tumbleweed opensuse-tumbleweed sles slem sle suse suse-linux-enterprise-server suse-linux-enterprise-micro rhivos",
	"alpm":    "alpm arch archlinux pacman",
	"portage": "portage ebuild gentoo",
	"msrc":    "msrc msrc-kb windows",
	"kernel":  "linux-kernel linux-kernel-module",
})

// distributions are the ecosystems of what the package manager of an operating system installs, which happens in images and not in repositories.
var distributions = []string{"deb", "apk", "rpm", "alpm", "portage", "msrc", "kernel"}

// spelled turns lists of words, by what they mean, into the meaning of each.
func spelled(words map[string]string) map[string]string {
	meanings := map[string]string{}
	for meaning, list := range words {
		for word := range strings.FieldsSeq(list) {
			meanings[word] = meaning
		}
	}
	return meanings
}

// Ecosystem is the word of GitHub's advisories for the ecosystem of a package, whatever a tool calls it; GenericEcosystem where it is empty, and the tool's
// word where nobody knows it.
func Ecosystem(word string) string {
	folded := strings.ToLower(strings.TrimSpace(word))
	if known, ok := ecosystems[strings.ReplaceAll(folded, " ", "-")]; ok {
		return known
	}
	if folded == "" {
		return GenericEcosystem
	}
	return Text(folded)
}

// ClassOfPackage is the class of a weakness in a package: what a distribution installs is a container's, everything else a dependency.
func ClassOfPackage(ecosystem string) Class {
	if isDistribution(ecosystem) {
		return ClassContainer
	}
	return ClassSCA
}

func isDistribution(ecosystem string) bool {
	return slices.Contains(distributions, Ecosystem(ecosystem))
}

// IsEcosystem reports whether a word is known as the name of an ecosystem.
func IsEcosystem(word string) bool {
	_, known := ecosystems[strings.ToLower(strings.TrimSpace(word))]
	return known
}

// EcosystemOfURL is the ecosystem of a package URL, empty for what is none.
func EcosystemOfURL(purl string) string { return EcosystemOf(PackageOfURL(purl)) }

// VersionOfURL is the version in a package URL, empty if there is none.
func VersionOfURL(purl string) string {
	rest, _, _ := strings.Cut(purl, "#")
	rest, _, _ = strings.Cut(rest, "?")
	at := strings.LastIndexByte(rest, '@')
	if !strings.HasPrefix(rest, "pkg:") || at <= strings.LastIndexByte(rest, '/') {
		return ""
	}
	if version, err := url.PathUnescape(rest[at+1:]); err == nil {
		return version
	}
	return rest[at+1:]
}

// EcosystemOf is the ecosystem of a package that Package or PackageOfURL wrote.
func EcosystemOf(pkg string) string {
	ecosystem, _, _ := strings.Cut(pkg, "/")
	return ecosystem
}

// CategoryOfPackage is the category of a weakness of which its source says no more than the package: the package's ecosystem, empty where nobody names one.
func CategoryOfPackage(pkg string) string {
	if ecosystem := EcosystemOf(pkg); ecosystem != GenericEcosystem {
		return ecosystem
	}
	return ""
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
	kind := Ecosystem(ecosystem)
	switch kind {
	case "pip":
		name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	case "maven":
		name = strings.ReplaceAll(name, "/", ":")
	case "npm", "composer", "nuget", "deb", "apk", "actions":
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
	case "deb", "rpm", "apk", "alpm", "ebuild": // the namespace is the distribution
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return Package(kind, name)
}
