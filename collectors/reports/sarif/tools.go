package sarif

import (
	"cmp"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// toolNamed finds a tool by the name it gives itself. One that nobody knows counts as static analysis, which is what SARIF is
// for.
func toolNamed(name string) record.Tool {
	tool := record.ToolNamed(name)
	tool.Class = cmp.Or(tool.Class, record.ClassSAST)
	return tool
}

// classOf refines a tool's class where its rules tell more: Trivy and Semgrep find several classes of weakness, and say so in a rule's
// name, id or tags.
func classOf(t record.Tool, rule *reportingDescriptor) record.Class {
	switch t.Name {
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
		if format.SemgrepSecret(string(rule.ID)) {
			return record.ClassSecret
		}
	}
	return t.Class
}
