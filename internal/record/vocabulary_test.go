package record

import (
	"slices"
	"strings"
	"testing"
)

func TestPackage(t *testing.T) {
	for _, tt := range []struct{ ecosystem, name, want string }{
		{"pypi", "Django_Rest.Framework", "pip/django-rest-framework"},
		{"pip", "django-rest-framework", "pip/django-rest-framework"},
		{"gomod", "github.com/BurntSushi/toml", "go/github.com/BurntSushi/toml"},
		{"jar", "org.apache/log4j", "maven/org.apache:log4j"},
		{"Maven", "org.apache:log4j", "maven/org.apache:log4j"},
		{"bundler", "rails", "rubygems/rails"},
		{"alpine", "Musl", "apk/musl"},
		{"", "thing", "generic/thing"},
		{"Novel", "thing", "novel/thing"},
		{"npm", "", ""},
	} {
		if got := Package(tt.ecosystem, tt.name); got != tt.want {
			t.Errorf("Package(%q, %q) = %q, want %q", tt.ecosystem, tt.name, got, tt.want)
		}
	}
}

func TestToolNamed(t *testing.T) {
	for name, want := range map[string]Tool{
		"Semgrep OSS":                       {"semgrep", ClassSAST, FocusMixed},
		"Trivy Scan":                        {"trivy", ClassSCA, FocusSecurity},
		"OWASP ZAP":                         {"zap", ClassDAST, FocusSecurity},
		"Zapier":                            {"zapier", "", ""},
		"Snyk Open Source":                  {"snyk", ClassSCA, FocusSecurity},
		"Snyk Code":                         {"snyk", ClassSAST, FocusSecurity},
		"Snyk Container":                    {"snyk", ClassContainer, FocusSecurity},
		"":                                  {"unknown", "", ""},
		"My\nTool":                          {"my tool", "", ""},
		"Checkov Scan (JSON)":               {"checkov", ClassIaC, FocusSecurity},
		"Anchore Grype":                     {"grype", ClassSCA, FocusSecurity},
		"Checkmarx KICS":                    {"kics", ClassIaC, FocusSecurity},
		"ESLint":                            {"eslint", ClassSAST, FocusQuality},
		"GitHub CodeQL":                     {"codeql", ClassSAST, FocusMixed},
		"Clair V4":                          {"clair", ClassContainer, FocusSecurity},
		"Black":                             {"black", ClassSAST, FocusQuality},
		"Black Duck":                        {"black duck", ClassSCA, FocusSecurity},
		"Acme Black Box":                    {"acme black box", "", ""},
		"JFrog Xray Scanner":                {"jfrog xray", ClassSCA, FocusSecurity},
		"JFrog Secrets scanner":             {"jfrog secrets", ClassSecret, FocusSecurity},
		"Veracode SourceClear":              {"veracode sourceclear", ClassSCA, FocusSecurity},
		"OpenSSF Scorecard":                 {"scorecard", ClassOther, FocusSecurity},
		"Prisma Cloud":                      {"prisma cloud", ClassIaC, FocusSecurity},
		"GitLab Dependency Scanning Report": {"gitlab dependency scanning", ClassSCA, FocusSecurity},
		"Golang security checks by gosec":   {"gosec", ClassSAST, FocusSecurity},
		"AWS Inspector2 Scan":               {"aws inspector", ClassContainer, FocusSecurity},
	} {
		for range 2 { // the second time from what was remembered
			if got := ToolNamed(name); got != want {
				t.Errorf("ToolNamed(%q) = %+v, want %+v", name, got, want)
			}
		}
	}
}

// TestToolTable: every name of the table finds its own tool, none is there twice, and all are in lower case, as they are compared.
func TestToolTable(t *testing.T) {
	seen := map[string]bool{}
	for _, known := range knownTools {
		for _, mark := range known.marks {
			name := strings.TrimPrefix(mark, "=")
			if seen[name] {
				t.Errorf("%q is in the table twice", name)
			}
			seen[name] = true
			if got := ToolNamed(name); got != known.Tool || name != strings.ToLower(name) || name == "" {
				t.Errorf("ToolNamed(%q) = %+v, want %+v", name, got, known.Tool)
			}
		}
	}
	if len(seen) < 400 {
		t.Errorf("the table has %d names, want at least the lists of GitHub and DefectDojo", len(seen))
	}
}

func TestAdvisoriesAndCWE(t *testing.T) {
	got := Advisories("cve-2021-44228-log4j", "GHSA-jfh8-c2jp-5v3q, CVE-2021-44228", "DSA-5020-1", "RUSTSEC-2021-0001", "CVE-1")
	if want := []string{"CVE-2021-44228", "GHSA-JFH8-C2JP-5V3Q", "RUSTSEC-2021-0001"}; !slices.Equal(got, want) {
		t.Errorf("Advisories = %v, want %v", got, want)
	}
	for text, want := range map[string]string{
		"external/cwe/cwe-079": "CWE-79", "CWE-79: XSS": "CWE-79", "CWE 22": "CWE-22", "cwe-0": "", "nothing": "", "scwe-79x": "",
	} {
		if got := CWE(text); got != want {
			t.Errorf("CWE(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPackageOfURL(t *testing.T) {
	for purl, want := range map[string]string{
		"pkg:npm/%40babel/core@7.0.0?x=y#z":           "npm/@babel/core",
		"pkg:pypi/Django@4":                           "pip/django",
		"pkg:maven/org.apache/log4j@2":                "maven/org.apache:log4j",
		"pkg:golang/github.com/x/y@v1":                "go/github.com/x/y",
		"pkg:deb/debian/openssl@1.1?distro=debian-12": "deb/openssl",
		"pkg:npm/lodash":                              "npm/lodash",
		"pkg:":                                        "",
		"lodash":                                      "",
	} {
		if got := PackageOfURL(purl); got != want {
			t.Errorf("PackageOfURL(%q) = %q, want %q", purl, got, want)
		}
	}
}

func TestEcosystemOfFile(t *testing.T) {
	for name, want := range map[string]string{
		"web/package-lock.json": "npm", `src\app\Gemfile.lock`: "rubygems", "go.sum": "go", "Cargo.lock": "rust", "services/pay/requirements.txt": "pip", "README.md": "", "": "",
	} {
		if got := EcosystemOfFile(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, ecosystem := range manifests {
		if Ecosystem(ecosystem) != ecosystem {
			t.Errorf("%s: %q is not how the ecosystem is written", name, ecosystem)
		}
	}
}
