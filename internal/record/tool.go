package record

import "strings"

// Tool is a scanner's canonical name and the class of what it finds.
type Tool struct {
	// Name is in lower case, e.g. "codeql".
	Name string
	// Class is what it mostly finds; empty for a tool that is not known.
	Class Class
}

// knownTools maps marks in a tool's name (in lower case) to its canonical name and class. The first
// match counts.
var knownTools = []struct {
	mark string
	Tool
}{
	{"codeql", Tool{"codeql", ClassSAST}},
	{"semgrep", Tool{"semgrep", ClassSAST}},
	{"opengrep", Tool{"opengrep", ClassSAST}},
	{"gitleaks", Tool{"gitleaks", ClassSecret}},
	{"trufflehog", Tool{"trufflehog", ClassSecret}},
	{"detect-secrets", Tool{"detect-secrets", ClassSecret}},
	{"ggshield", Tool{"ggshield", ClassSecret}},
	{"trivy", Tool{"trivy", ClassSCA}},
	{"grype", Tool{"grype", ClassSCA}},
	{"osv-scanner", Tool{"osv-scanner", ClassSCA}},
	{"dependency-check", Tool{"dependency-check", ClassSCA}},
	{"govulncheck", Tool{"govulncheck", ClassSCA}},
	{"snyk open source", Tool{"snyk", ClassSCA}},
	{"snyk container", Tool{"snyk", ClassContainer}},
	{"snyk iac", Tool{"snyk", ClassIaC}},
	{"snyk", Tool{"snyk", ClassSAST}},
	{"docker scout", Tool{"docker-scout", ClassContainer}},
	{"dockle", Tool{"dockle", ClassContainer}},
	{"clair", Tool{"clair", ClassContainer}},
	{"checkov", Tool{"checkov", ClassIaC}},
	{"tfsec", Tool{"tfsec", ClassIaC}},
	{"terrascan", Tool{"terrascan", ClassIaC}},
	{"kics", Tool{"kics", ClassIaC}},
	{"kubescape", Tool{"kubescape", ClassIaC}},
	{"kube-linter", Tool{"kube-linter", ClassIaC}},
	{"hadolint", Tool{"hadolint", ClassIaC}},
	{"zap", Tool{"zap", ClassDAST}},
	{"nuclei", Tool{"nuclei", ClassDAST}},
	{"burp", Tool{"burp", ClassDAST}},
}

// ToolNamed finds a tool by any name that it or a platform gives it, such as "Semgrep OSS" or "Trivy Scan". One that is not in
// the table keeps its own name, in lower case, and has no class.
func ToolNamed(name string) Tool {
	folded := strings.ToLower(strings.TrimSpace(Text(name)))
	for _, known := range knownTools {
		if containsWord(folded, known.mark) {
			return known.Tool
		}
	}
	if folded == "" {
		folded = "unknown"
	}
	return Tool{Name: folded}
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
