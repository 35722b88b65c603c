package frame

import (
	"strings"
	"unicode"
)

// Other is the label value under which what exceeds a series budget is folded.
const Other = "other"

// None is the label value for what a source leaves empty.
const None = "none"

// separator stands between label values in map keys. They are valid UTF-8, in which this byte does not occur.
const separator = '\xff'

// Key is a map key for label values.
func Key(labels ...string) string { return strings.Join(labels, "\xff") }

// Named is a label value for untrusted text, and the given word where there is none.
func Named(text, empty string) string {
	text = LabelValue(text)
	if text == "" {
		return empty
	}
	return text
}

// maxLabelValue bounds the bytes of a label value.
const maxLabelValue = 128

// LabelValue makes any text fit for a label: valid UTF-8 without control characters and surrounding space, and at most 128 bytes.
func LabelValue(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD")))
	if len(text) <= maxLabelValue {
		return text
	}
	cut := maxLabelValue
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut]
}
