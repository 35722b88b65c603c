package format

import "strings"

// SemgrepSecret recognises the rules of the registry's secret rulesets.
func SemgrepSecret(id string) bool {
	return strings.HasPrefix(id, "generic.secrets.") || strings.Contains(id, ".secrets.security.")
}
