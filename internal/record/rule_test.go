package record

import (
	"slices"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for name, tt := range map[string]struct {
		tool    string
		rule    Rule
		class   Class
		subject Subject
	}{
		"Trivy, language":       {"Trivy", Rule{ID: "CVE-2026-20001", Name: "LanguageSpecificPackageVulnerability"}, ClassSCA, SubjectSecurity},
		"Trivy, distribution":   {"Trivy", Rule{ID: "CVE-2026-20001", Name: "OsPackageVulnerability"}, ClassContainer, SubjectSecurity},
		"Trivy, configuration":  {"Trivy", Rule{ID: "ACME-0001", Name: "Misconfiguration", Tags: []string{"misconfiguration", "security"}}, ClassIaC, SubjectSecurity},
		"Trivy, by id":          {"Trivy", Rule{ID: "AVD-AWS-0143"}, ClassIaC, SubjectSecurity},
		"Trivy, secret":         {"Trivy", Rule{ID: "acme-key", Name: "Secret"}, ClassSecret, SubjectSecurity},
		"Trivy, licence":        {"Trivy", Rule{ID: "left-pad:GPL-3.0", Name: "License", Rated: true, Tags: []string{"license", "security"}}, ClassSCA, SubjectLicense},
		"licence of another":    {"FOSSA", Rule{ID: "GPL-3.0", Tags: []string{"License"}}, ClassSCA, SubjectLicense},
		"Grype, image":          {"Grype", Rule{ID: "CVE-2026-20001-acmelib", Rated: true, PackageURLs: []string{"pkg:deb/debian/acmelib@1.0"}}, ClassContainer, SubjectSecurity},
		"Grype, by matcher":     {"grype", Rule{ID: "CVE-2026-20001-acmelib", Name: "DpkgMatcherExactDirectMatch"}, ClassContainer, SubjectSecurity},
		"Grype, by new matcher": {"grype", Rule{ID: "CVE-2026-20001-acmelib", Name: "rpm-matcher-exact-direct-match"}, ClassContainer, SubjectSecurity},
		"Grype, Java":           {"Grype", Rule{ID: "CVE-2026-20001-acmelib", Name: "JavaMatcherCpeMatch"}, ClassSCA, SubjectSecurity},
		"Snyk Container":        {"Snyk Container", Rule{ID: "SNYK-DEBIAN12-OPENSSL-6190223", Tags: []string{"security", "deb"}}, ClassContainer, SubjectSecurity},
		"Snyk, distribution":    {"Snyk", Rule{ID: "SNYK-ALPINE318-OPENSSL-6190223"}, ClassContainer, SubjectSecurity},
		"Snyk, package":         {"Snyk", Rule{ID: "SNYK-JS-LODASH-567746"}, ClassSCA, SubjectSecurity},
		"Snyk Code":             {"SnykCode", Rule{ID: "javascript/Sqli", Tags: []string{"javascript", "Sqli", "Security", "SourceServer"}}, ClassSAST, SubjectSecurity},
		"Semgrep, secrets":      {"Semgrep OSS", Rule{ID: "generic.secrets.security.detected-aws"}, ClassSecret, SubjectSecurity},
		"Semgrep, packages":     {"Semgrep", Rule{ID: "ssc-11111111-2222-3333-4444-555555555555"}, ClassSCA, SubjectSecurity},
		"Semgrep, quality":      {"Semgrep", Rule{ID: "go.lang.correctness.x", Tags: []string{"LOW CONFIDENCE"}}, ClassSAST, SubjectQuality},
		"Checkov, secret":       {"checkov", Rule{ID: "CKV_SECRET_2"}, ClassSecret, SubjectSecurity},
		"Checkov, package":      {"checkov", Rule{ID: "BC_CVE_2026_0001"}, ClassSCA, SubjectSecurity},
		"Checkov":               {"checkov", Rule{ID: "CKV_AWS_20"}, ClassIaC, SubjectSecurity},
		"unknown, advisory":     {"Acme Composition Analysis", Rule{ID: "CVE-2026-10004", Tags: []string{"vulnerability", "CWE-79"}}, ClassSCA, SubjectSecurity},
		"unknown, former id":    {"Acme Analysis", Rule{ID: "X-1", Formerly: []string{"GHSA-aaaa-bbbb-cccc"}}, ClassSCA, SubjectSecurity},
		"unknown, package":      {"Acme Analysis", Rule{ID: "X-1", PackageURLs: []string{"pkg:rpm/fedora/curl@7"}}, ClassContainer, SubjectSecurity},
		"unknown, secret":       {"Acme", Rule{ID: "X-1", Tags: []string{"secret"}}, ClassSecret, SubjectSecurity},
		"unknown, silent":       {"Acme Lint", Rule{ID: "A1"}, ClassSAST, SubjectSecurity},
		"unknown, otherwise":    {"Acme Lint", Rule{ID: "A1", Tags: []string{"style"}}, ClassSAST, SubjectQuality},
		"CodeQL, security":      {"CodeQL", Rule{ID: "js/xss", Tags: []string{"external/cwe/cwe-079"}}, ClassSAST, SubjectSecurity},
		"CodeQL, rated":         {"CodeQL", Rule{ID: "js/xss", Tags: []string{"correctness"}, Rated: true}, ClassSAST, SubjectSecurity},
		"CodeQL, quality":       {"CodeQL", Rule{ID: "js/unused-local-variable", Tags: []string{"maintainability"}}, ClassSAST, SubjectQuality},
		"ESLint":                {"ESLint", Rule{ID: "no-unused-vars"}, ClassSAST, SubjectQuality},
		"ESLint, security":      {"ESLint", Rule{ID: "security/detect-eval-with-expression"}, ClassSAST, SubjectSecurity},
		"RuboCop, security":     {"RuboCop", Rule{ID: "Security/Eval"}, ClassSAST, SubjectSecurity},
		"Ruff, Bandit":          {"ruff", Rule{ID: "S608"}, ClassSAST, SubjectSecurity},
		"SpotBugs, style":       {"SpotBugs", Rule{ID: "X", Tags: []string{"STYLE"}}, ClassSAST, SubjectQuality},
		"SpotBugs, security":    {"SpotBugs", Rule{ID: "X", Tags: []string{"SECURITY"}}, ClassSAST, SubjectSecurity},
		"gosec":                 {"gosec", Rule{ID: "G101", Tags: []string{"HIGH"}}, ClassSAST, SubjectSecurity},
		"Scorecard":             {"Scorecard", Rule{ID: "BranchProtectionID", Rated: true, Tags: []string{"supply-chain", "security"}}, ClassOther, SubjectSecurity},
		"DAST with an advisory": {"nuclei", Rule{ID: "CVE-2021-44228"}, ClassDAST, SubjectSecurity},
	} {
		class, subject := ToolNamed(tt.tool).Classify(&tt.rule)
		if class != tt.class || subject != tt.subject {
			t.Errorf("%s: got %s, %s; want %s, %s", name, class, subject, tt.class, tt.subject)
		}
	}
}

func TestRuleAdvisories(t *testing.T) {
	for name, tt := range map[string]struct {
		rule Rule
		want string
	}{
		"id":               {Rule{ID: "CVE-2026-20001-acmelib", Description: "like CVE-2025-1111"}, "CVE-2026-20001"},
		"former ids":       {Rule{ID: "CVE-2026-20001", Formerly: []string{"GHSA-aaaa-bbbb-cccc", "CVE-2026-20001"}}, "CVE-2026-20001 GHSA-AAAA-BBBB-CCCC"},
		"leading":          {Rule{ID: "SNYK-DEBIAN12-OPENSSL-6190223", Description: "(CVE-2021-3711) openssl/libssl1.1@1.1.1d; see CVE-2020-0001"}, "SNYK-DEBIAN12-OPENSSL-6190223 CVE-2021-3711"},
		"leading, several": {Rule{ID: "X", Description: "(CVE-2021-3711, CVE-2021-3712) openssl"}, "CVE-2021-3711 CVE-2021-3712"},
		"the only one":     {Rule{ID: "X", Description: "openssl has CVE-2021-3711"}, "CVE-2021-3711"},
		"one of several":   {Rule{ID: "X", Description: "openssl has CVE-2021-3711, unlike CVE-2021-3712"}, ""},
		"none":             {Rule{ID: "js/xss"}, ""},
	} {
		if got := strings.Join(tt.rule.Advisories(), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestEcosystems: the types of packages of Trivy and Grype that GitHub's advisories know, and those of distributions.
func TestEcosystems(t *testing.T) {
	for want, words := range map[string]string{
		"npm": "npm node-pkg yarn pnpm bun", "pip": "pip pipenv poetry uv pylock python-pkg python", "conda": "conda-pkg conda-environment conda",
		"maven": "jar pom gradle sbt java-archive jenkins-plugin graalvm-native-image", "go": "gomod gobinary go-module", "rubygems": "bundler gemspec gem",
		"rust": "cargo rustbinary rust-crate", "composer": "composer composer-vendor php-composer", "nuget": "nuget dotnet-core packages-props dotnet",
		"erlang": "hex erlang-otp", "pub": "pub dart-pub", "swift": "swift", "cocoapods": "cocoapods", "conan": "conan", "julia": "julia", "hackage": "hackage",
		"cran": "R-package", "luarocks": "lua-rocks", "opam": "opam", "wordpress": "wordpress wordpress-plugin", "actions": "github-action github-action-workflow",
		"deb": "debian ubuntu deb", "apk": "alpine wolfi chainguard apk", "alpm": "alpm", "portage": "portage",
		"rpm": "rpm redhat centos rocky alma amazon oracle fedora photon azurelinux cbl-mariner bottlerocket opensuse opensuse.leap opensuse-leap opensuse.tumbleweed opensuse-tumbleweed sles slem",
	} {
		for word := range strings.FieldsSeq(words) {
			if got := Ecosystem(word); got != want {
				t.Errorf("Ecosystem(%q) = %q, want %q", word, got, want)
			}
			if container := slices.Contains([]string{"deb", "apk", "rpm", "alpm", "portage"}, want); (ClassOfPackage(word) == ClassContainer) != container {
				t.Errorf("ClassOfPackage(%q) = %s", word, ClassOfPackage(word))
			}
		}
	}
	if got := Ecosystem("suse linux enterprise server"); got != "rpm" {
		t.Errorf("got %q, want rpm", got)
	}
}
