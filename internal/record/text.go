package record

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes untrusted text fit for a record: valid UTF-8, no control characters, no surrounding space, at most
// MaxText bytes (cut between runes, marked by an ellipsis).
func Text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	if len(s) <= MaxText {
		return s
	}
	const ellipsis = "…"
	cut := MaxText - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ellipsis
}
