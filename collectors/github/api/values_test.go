package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"prodsec_exporter/collectors/github/api"
)

func TestNumbersAndTimes(t *testing.T) {
	for text, want := range map[string]float64{`0.5`: 0.5, `"0.16001e0"`: 0.16001, `null`: 0, `""`: 0} {
		var n api.Number
		if err := json.Unmarshal([]byte(text), &n); err != nil || float64(n) != want {
			t.Errorf("number %s = %v, %v; want %v", text, n, err, want)
		}
	}
	var n api.Number
	if err := json.Unmarshal([]byte(`"high"`), &n); err == nil {
		t.Error(`"high" is a number`)
	}
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, text := range []string{`"2026-01-02T03:04:05Z"`, `"2026-01-02T04:04:05+01:00"`, `"2026-01-02T04:04:05+0100"`, `"2026-01-02 03:04:05 UTC"`} {
		var at api.Timestamp
		if err := json.Unmarshal([]byte(text), &at); err != nil || !at.Equal(want) {
			t.Errorf("timestamp %s = %v, %v; want %v", text, at, err, want)
		}
	}
}
