package record

import (
	"strings"
	"sync"
)

// Tool is a scanner's canonical name, the class of what it finds, and what it is made for.
type Tool struct {
	// Name is in lower case, e.g. "codeql".
	Name string
	// Class is what it mostly finds; empty for a tool that is not known.
	Class Class
	// Focus is what its rules are about; empty for a tool that is not known.
	Focus Focus
}

// Focus says what the rules of a tool are about.
type Focus string

// The focuses.
const (
	// FocusSecurity: everything that it reports is a weakness.
	FocusSecurity Focus = "security"
	// FocusMixed: rules about security and about quality; each says what it is about.
	FocusMixed Focus = "mixed"
	// FocusQuality: a linter; what it reports is a weakness only where a rule says that it is about security.
	FocusQuality Focus = "quality"
)

// ToolNamed finds a tool by any name that it or a platform gives it, such as "Semgrep OSS" or "Trivy Scan": the longest name of the table that is in
// it counts. One that is not in the table keeps its own name, in lower case, and has no class.
func ToolNamed(name string) Tool {
	folded := strings.ToLower(strings.TrimSpace(Text(name)))
	if known, ok := toolsSeen.Load(folded); ok {
		return known.(Tool) //nolint:forcetypeassert // Only tools are stored.
	}
	tool, length := Tool{Name: folded}, 0
	if folded == "" {
		tool.Name = "unknown"
	}
	for i := range knownTools {
		known := &knownTools[i]
		for _, mark := range known.marks {
			if len(mark) > length && isNamed(folded, mark) {
				tool, length = known.Tool, len(mark)
			}
		}
	}
	if length > 0 { // unknown names come from outside and are not kept
		toolsSeen.Store(folded, tool)
	}
	return tool
}

// toolsSeen are the known tools by the names under which they were met: a list of alerts names one thousands of times.
var toolsSeen sync.Map

// knownTool is a tool and the marks by which its names are known.
type knownTool struct {
	Tool
	marks []string
}

// isNamed reports whether a name has a mark, or is it where the mark begins with "=".
func isNamed(name, mark string) bool {
	if whole, ok := strings.CutPrefix(mark, "="); ok {
		return name == whole
	}
	return containsWord(name, mark)
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
