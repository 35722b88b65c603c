package sarif

import (
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/collectors/reports/stream"
)

// identity says what identifies a result within the report, so that it is the same weakness when its line has moved: what the tool says identifies it, else
// the text that it found, else its message. Equal ones are told apart by their order.
func (result *resultObject) identity(id, file, context, message string) []string {
	if print := result.fingerprint(); print != "" {
		return []string{id, file, print}
	}
	if words := strings.Fields(context); len(words) > 0 {
		return []string{id, file, "context=" + strings.Join(words, " ")}
	}
	return []string{id, file, message}
}

// fingerprint is what the tool says identifies a result even if it moves: GitHub's line hash if there is one, else the
// full fingerprints, else the partial ones.
func (result *resultObject) fingerprint() string {
	const lineHash = "primaryLocationLineHash"
	if v := result.PartialFingerprints[lineHash]; isPrint(v) {
		return lineHash + "=" + string(v)
	}
	for _, prints := range []map[string]stream.Text{result.Fingerprints, result.PartialFingerprints} {
		var b strings.Builder
		for _, key := range slices.Sorted(maps.Keys(prints)) {
			if isPrint(prints[key]) {
				b.WriteString(key + "=" + string(prints[key]) + ";")
			}
		}
		if b.Len() > 0 {
			return b.String()
		}
	}
	return ""
}

// isPrint tells fingerprints from what tools write where they have none.
func isPrint(v stream.Text) bool {
	return !slices.Contains([]string{"", "0", "requires login", "none", "null", "n/a", "undefined", "unknown"}, strings.ToLower(strings.TrimSpace(string(v))))
}
