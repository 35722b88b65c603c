package frame_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"prodsec_exporter/internal/metrics/frame"
)

// TestLabelValue: any text becomes a value that Prometheus takes: valid UTF-8 on one line, at most 128 bytes, cut between runes.
func TestLabelValue(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{" payments ", "payments"},
		{"a\nb\tc\x00d", "a b c d"},
		{"caf\xe9", "caf\uFFFD"},
		{"\u0085next line\u009f", "next line"},
		{strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{strings.Repeat("x", 129), strings.Repeat("x", 128)},
		{"x" + strings.Repeat("é", 64), "x" + strings.Repeat("é", 63)},
		{strings.Repeat("x", 126) + "€", strings.Repeat("x", 126)},
	} {
		got := frame.LabelValue(c.text)
		if got != c.want {
			t.Errorf("LabelValue(%q) = %q, want %q", c.text, got, c.want)
		}
		if !utf8.ValidString(got) || len(got) > 128 {
			t.Errorf("LabelValue(%q) = %q: invalid, or %d bytes", c.text, got, len(got))
		}
	}
	if got := frame.Named("\n ", "none"); got != "none" {
		t.Errorf("what is empty once it is cleaned is named %q", got)
	}
}
