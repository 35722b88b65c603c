package record

import (
	"regexp"
	"slices"
	"strings"
)

// Rule is what a tool, or a platform that shows its results, says about one of its rules: SARIF's reporting descriptors, "rule" in GitHub's code scanning
// alerts.
type Rule struct {
	ID, Name string
	// Formerly are further ids under which the rule is or was known (SARIF deprecatedIds).
	Formerly []string
	// Description is what it says about itself in words.
	Description string
	Tags        []string
	// Rated says that it has a security severity (SARIF "security-severity", GitHub's security_severity_level).
	Rated bool
	// Weakness says that it names a CWE elsewhere than in its tags.
	Weakness bool
	// PackageURLs are the packages that it is about.
	PackageURLs []string
}

// Subject is what a rule is about.
type Subject string

// The subjects.
const (
	// SubjectSecurity is also that of a rule that says nothing about itself.
	SubjectSecurity Subject = "security"
	SubjectQuality  Subject = "quality"
	// SubjectLicense: what packages may be used for is no weakness.
	SubjectLicense Subject = "license"
)

// Classify says what the findings of a tool's rule are: the class that the rule itself tells, else the tool's. A tool that is not known is classified by what
// its rule reports: packages and advisories make it composition analysis, anything else static analysis, which is what SARIF is for. Where the subject
// is not security, the class says nothing.
func (t Tool) Classify(r *Rule) (Class, Subject) {
	if r.license(t) {
		return t.Class, SubjectLicense
	}
	class, known := r.class(t)
	if !known {
		class = t.Class
		if class == "" {
			class = ClassSAST
		}
	}
	if known && class != ClassSAST || r.security() || !r.otherwise(t) {
		return class, SubjectSecurity
	}
	return class, SubjectQuality
}

// license tells rules about licences, which scanners of packages bring along.
func (r *Rule) license(t Tool) bool {
	if t.Name == "trivy" && r.Name != "" {
		return r.Name == "License"
	}
	if slices.ContainsFunc(r.Tags, func(tag string) bool { return isOneOf(tag, "license", "licence", "licensing", "license-compliance") }) {
		return len(Advisories(r.ID)) == 0
	}
	return false
}

func isOneOf(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(s, w) })
}

// security reports whether a rule says that it is about security.
func (r *Rule) security() bool {
	if r.Rated || r.Weakness || len(r.PackageURLs) > 0 || len(Advisories(r.ID)) > 0 {
		return true
	}
	return slices.ContainsFunc(r.Tags, func(tag string) bool { return CWE(tag) != "" || securityTag.MatchString(tag) }) || securityRule.MatchString(r.ID)
}

// securityTag are the words by which tags, categories and severities of rules say that they are about security: "security", "external/cwe/...",
// "OWASP-A1", "SECURITY" of SpotBugs.
var securityTag = regexp.MustCompile(`(?i)(^|[^a-z])(security|owasp|vulnerabilit(y|ies)|secrets?|injection|crypto(graphy)?|supply-chain|cve|wasc|pci|capec)([^a-z]|$)`)

// securityRule are the ids of linters' rules that are about security: plug-ins and departments named after it, Ruff's and flake8's port of Bandit, SpotBugs'
// plug-in, and Sonar's hotspots.
var securityRule = regexp.MustCompile(`(?i)^(security|no-unsanitized|no-secrets|xss|scanjs|@microsoft/sdl|anti-trojan-source)/|^@[a-z-]+/(security|no-secrets|no-unsanitized)[/-]|(^|[/.:])security[/.:-]|\bno-(implied-)?eval\b|^S[1-7][0-9]{2}$|^B[1-7][0-9]{2}$`)

// otherwise reports whether a rule that does not say that it is about security says, by what it does say, that it is not: a linter's is not, a mixed or
// unknown tool's is not where it has tags.
func (r *Rule) otherwise(t Tool) bool {
	switch t.Focus {
	case FocusQuality:
		return true
	case FocusSecurity:
		return false
	default:
		return slices.ContainsFunc(r.Tags, func(tag string) bool { return strings.TrimSpace(tag) != "" })
	}
}

// class is the class that a rule itself states; known is false where only the tool can.
func (r *Rule) class(t Tool) (class Class, known bool) {
	if class, known = r.classOfProduct(t); known {
		return class, true
	}
	if len(r.PackageURLs) > 0 {
		return ClassOfPackage(EcosystemOf(PackageOfURL(r.PackageURLs[0]))), true
	}
	if slices.Contains([]Class{"", ClassSAST, ClassOther}, t.Class) && len(Advisories(append(r.Formerly, r.ID, r.Name)...)) > 0 {
		return ClassSCA, true
	}
	if t.Class == "" && slices.ContainsFunc(r.Tags, func(tag string) bool { return isOneOf(tag, "secret", "secrets") }) {
		return ClassSecret, true
	}
	return "", false
}

// classOfProduct knows the tools that look for several classes, by how each of them names its rules.
func (r *Rule) classOfProduct(t Tool) (class Class, known bool) {
	switch t.Name {
	case "trivy":
		return r.classOfTrivy()
	case "grype":
		// Rules are named after the matcher, e.g. "DpkgMatcherExactDirectMatch".
		matcher, _, ok := strings.Cut(strings.ToLower(r.Name), "-matcher")
		if !ok {
			matcher, _, ok = strings.Cut(strings.ToLower(r.Name), "matcher")
		}
		if ok && matcher != "stock" && matcher != "" {
			return ClassOfPackage(matcher), true
		}
	case "semgrep", "opengrep":
		switch {
		case strings.HasPrefix(r.ID, "ssc-"), strings.HasPrefix(r.Name, "ssc-"):
			return ClassSCA, true
		case IsSemgrepSecret(r.ID):
			return ClassSecret, true
		}
	case "checkov":
		switch {
		case strings.HasPrefix(r.ID, "CKV_SECRET_"), strings.HasPrefix(r.ID, "CKV2_SECRET_"):
			return ClassSecret, true
		case strings.HasPrefix(r.ID, "BC_CVE_"), strings.HasPrefix(r.ID, "BC_VUL_"), len(Advisories(r.ID)) > 0:
			return ClassSCA, true
		}
	case "snyk":
		// Of packages in an image, the id names the distribution, e.g. "SNYK-DEBIAN12-OPENSSL-6190223"; its other products have their own names.
		if parts := strings.Split(r.ID, "-"); len(parts) > 3 && parts[0] == "SNYK" {
			if isDistribution(strings.ToLower(strings.TrimRight(parts[1], "0123456789"))) {
				return ClassContainer, true
			}
			if t.Class == ClassSAST {
				return ClassSCA, true
			}
		}
	}
	return "", false
}

// classOfTrivy reads the names that Trivy gives rules, else the tags that it gives them, else their ids.
func (r *Rule) classOfTrivy() (class Class, known bool) {
	switch r.Name {
	case "OsPackageVulnerability":
		return ClassContainer, true
	case "LanguageSpecificPackageVulnerability":
		return ClassSCA, true
	case "Misconfiguration":
		return ClassIaC, true
	case "Secret":
		return ClassSecret, true
	}
	for _, tag := range r.Tags {
		switch strings.ToLower(tag) {
		case "misconfiguration":
			return ClassIaC, true
		case "secret":
			return ClassSecret, true
		}
	}
	if trivyCheck.MatchString(r.ID) {
		return ClassIaC, true
	}
	return "", false
}

var trivyCheck = regexp.MustCompile(`(?i)^(avd-[a-z]+|aws|azu|gcp|gh|dig|nif|oci|os|ks[vc]|kcv|ds|dkr)-?[0-9]{3,}$`)

// IsSemgrepSecret recognises the rules of the secret rulesets in Semgrep's registry by their ids.
func IsSemgrepSecret(id string) bool {
	return strings.HasPrefix(id, "generic.secrets.") || strings.Contains(id, ".secrets.security.") || strings.Contains(id, ".generic.secrets.")
}

// Advisories are the ids of the weakness that a rule about a package is about: its own, those under which it is known, and, where these are of a vendor alone,
// the one that its description begins with or the only one that it mentions.
func (r *Rule) Advisories() []string {
	own := Advisories(append([]string{r.ID, r.Name}, r.Formerly...)...)
	if slices.ContainsFunc(own, func(id string) bool { return !strings.HasPrefix(id, "SNYK-") }) {
		return own
	}
	mentioned := Advisories(r.Description)
	if at := leadingAdvisories.FindStringSubmatch(strings.TrimSpace(r.Description)); at != nil {
		mentioned = Advisories(at[1])
	} else if len(mentioned) > 1 {
		mentioned = nil // which of them it is about cannot be told
	}
	return append(own, mentioned...)
}

// leadingAdvisories is how Snyk describes a weakness: "(CVE-2021-3711) openssl/libssl1.1@1.1.1d-0+deb10u3".
var leadingAdvisories = regexp.MustCompile(`^\(([^()]*)\)`)
