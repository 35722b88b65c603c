package record_test

import (
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// TestCursorAt: a cursor is never later than what was read, and what is no instant asks for everything.
func TestCursorAt(t *testing.T) {
	at := time.Date(2026, time.March, 3, 10, 20, 30, 999_999_999, time.FixedZone("", 2*3600))
	cursor := record.CursorAt(at)
	if cursor != "2026-03-03T08:20:30Z" {
		t.Errorf("cursor %q", cursor)
	}
	if back, ok := cursor.Time(); !ok || !back.Equal(at.Truncate(time.Second)) {
		t.Errorf("%s, %t", back, ok)
	}
	if back, ok := record.Cursor("2026-03-03T08:20:30.5Z").Time(); !ok || back.Nanosecond() != 500_000_000 {
		t.Errorf("with a fraction, as earlier versions wrote it: %s, %t", back, ok)
	}
	for _, other := range []record.Cursor{"", "42", "2026-03-03", `{"after":"x"}`} {
		if back, ok := other.Time(); ok || !back.IsZero() {
			t.Errorf("%q: %s, %t", other, back, ok)
		}
	}
}
