package record

import (
	"slices"
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
		"Semgrep OSS":         {"semgrep", ClassSAST},
		"Trivy Scan":          {"trivy", ClassSCA},
		"OWASP ZAP":           {"zap", ClassDAST},
		"Zapier":              {"zapier", ""},
		"Snyk Open Source":    {"snyk", ClassSCA},
		"Snyk Code":           {"snyk", ClassSAST},
		"":                    {"unknown", ""},
		"My\nTool":            {"my tool", ""},
		"Checkov Scan (JSON)": {"checkov", ClassIaC},
	} {
		if got := ToolNamed(name); got != want {
			t.Errorf("ToolNamed(%q) = %+v, want %+v", name, got, want)
		}
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
