package reports

import (
	"strings"

	"prodsec_exporter/internal/record"
)

// toolInfo is a tool's canonical name and the class of what it finds.
type toolInfo struct {
	name  string
	class record.Class
}

// knownTools maps marks in a tool's name (in lower case) to its canonical name and class. The first match counts. What is
// not in the table keeps its own name and counts as static analysis, which is what SARIF is for.
var knownTools = []struct {
	mark string
	toolInfo
}{
	{"codeql", toolInfo{"codeql", record.ClassSAST}},
	{"semgrep", toolInfo{"semgrep", record.ClassSAST}},
	{"opengrep", toolInfo{"opengrep", record.ClassSAST}},
	{"gitleaks", toolInfo{"gitleaks", record.ClassSecret}},
	{"trufflehog", toolInfo{"trufflehog", record.ClassSecret}},
	{"detect-secrets", toolInfo{"detect-secrets", record.ClassSecret}},
	{"ggshield", toolInfo{"ggshield", record.ClassSecret}},
	{"trivy", toolInfo{"trivy", record.ClassSCA}},
	{"grype", toolInfo{"grype", record.ClassSCA}},
	{"osv-scanner", toolInfo{"osv-scanner", record.ClassSCA}},
	{"dependency-check", toolInfo{"dependency-check", record.ClassSCA}},
	{"govulncheck", toolInfo{"govulncheck", record.ClassSCA}},
	{"snyk open source", toolInfo{"snyk", record.ClassSCA}},
	{"snyk container", toolInfo{"snyk", record.ClassContainer}},
	{"snyk iac", toolInfo{"snyk", record.ClassIaC}},
	{"snyk", toolInfo{"snyk", record.ClassSAST}},
	{"docker scout", toolInfo{"docker-scout", record.ClassContainer}},
	{"dockle", toolInfo{"dockle", record.ClassContainer}},
	{"clair", toolInfo{"clair", record.ClassContainer}},
	{"checkov", toolInfo{"checkov", record.ClassIaC}},
	{"tfsec", toolInfo{"tfsec", record.ClassIaC}},
	{"terrascan", toolInfo{"terrascan", record.ClassIaC}},
	{"kics", toolInfo{"kics", record.ClassIaC}},
	{"kubescape", toolInfo{"kubescape", record.ClassIaC}},
	{"kube-linter", toolInfo{"kube-linter", record.ClassIaC}},
	{"hadolint", toolInfo{"hadolint", record.ClassIaC}},
	{"zap", toolInfo{"zap", record.ClassDAST}},
	{"nuclei", toolInfo{"nuclei", record.ClassDAST}},
	{"burp", toolInfo{"burp", record.ClassDAST}},
}

// toolNamed finds a tool by the name it gives itself.
func toolNamed(name string) toolInfo {
	folded := strings.ToLower(strings.TrimSpace(name))
	for _, known := range knownTools {
		if containsWord(folded, known.mark) {
			return known.toolInfo
		}
	}
	if folded == "" {
		folded = "unknown"
	}
	return toolInfo{name: record.Text(folded), class: record.ClassSAST}
}

// containsWord finds a mark that is not a part of a longer word ("zap" is not in "zapier").
func containsWord(s, mark string) bool {
	for at := 0; ; {
		i := strings.Index(s[at:], mark)
		if i < 0 {
			return false
		}
		i += at
		before := i == 0 || !isWord(s[i-1])
		after := i+len(mark) == len(s) || !isWord(s[i+len(mark)])
		if before && after {
			return true
		}
		at = i + 1
	}
}

func isWord(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }

// classOf refines a tool's class where its rules tell more: Trivy and Semgrep find several classes of weakness, and say so in a rule's
// name, id or tags.
func (t toolInfo) classOf(rule *sarifRule) record.Class {
	switch t.name {
	case "trivy":
		switch rule.Name {
		case "OsPackageVulnerability":
			return record.ClassContainer
		case "Misconfiguration":
			return record.ClassIaC
		case "Secret":
			return record.ClassSecret
		}
	case "semgrep", "opengrep":
		if semgrepSecret(string(rule.ID)) {
			return record.ClassSecret
		}
	}
	return t.class
}
