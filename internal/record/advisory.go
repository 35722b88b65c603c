package record

import (
	"regexp"
	"strings"
)

var cwePattern = regexp.MustCompile(`(?i)\bcwe[-_ :/]*0*([1-9][0-9]{0,4})\b`)

// CWE finds the first weakness class in a text such as "external/cwe/cwe-079" or "CWE-79: Cross-site Scripting", as
// "CWE-79"; empty if there is none.
func CWE(s string) string {
	if m := cwePattern.FindStringSubmatch(s); m != nil {
		return "CWE-" + m[1]
	}
	return ""
}

var advisoryPattern = regexp.MustCompile(`(?i)\b(CVE-[0-9]{4}-[0-9]{4,}|GHSA(-[0-9a-z]{4}){3}|(PYSEC|RUSTSEC|GO|OSV|MAL|HSEC|RSEC|PSF|JLSEC)-[0-9]{4}-[0-9]+|SNYK-[A-Z0-9]+-[A-Z0-9]+-[0-9]+)\b`)

// Advisories finds the ids that name one weakness, in upper case and each once, in the order of their first mention. A distribution's advisory (DSA, RHSA, ALAS...) covers several
// weaknesses at once: folding by it would merge what is different.
func Advisories(ids ...string) []string {
	var aliases []string
	seen := map[string]bool{}
	for _, id := range ids {
		for _, found := range advisoryPattern.FindAllString(id, -1) {
			if found = strings.ToUpper(found); !seen[found] {
				seen[found] = true
				aliases = append(aliases, found)
			}
		}
	}
	return aliases
}
