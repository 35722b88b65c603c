package derivation

import (
	"fmt"
	"strings"

	"prodsec_exporter/internal/policy"
)

// nextEdge is the first start or end of a pause after an instant.
func nextEdge(pauses []policy.Pause, after int64) int64 {
	next := policy.Forever
	for _, pause := range pauses {
		for _, edge := range [...]int64{pause.Start, pause.End} {
			if edge > after {
				next = min(next, edge)
			}
		}
	}
	return next
}

// paused reports whether a pause holds at an instant.
func paused(pauses []policy.Pause, at int64) (policy.Pause, bool) {
	for _, pause := range pauses {
		if pause.Start <= at && at < pause.End {
			return pause, true
		}
	}
	return policy.Pause{}, false
}

// formatPauses is the stored form: "start-end" in Unix seconds, the end empty when none is known.
func formatPauses(pauses []policy.Pause) string {
	var b strings.Builder
	for i, pause := range pauses {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d-", pause.Start)
		if pause.End != policy.Forever {
			fmt.Fprintf(&b, "%d", pause.End)
		}
	}
	return b.String()
}

// parsePauses is the inverse of formatPauses.
func parsePauses(text string) ([]policy.Pause, error) {
	var pauses []policy.Pause
	for span := range strings.FieldsSeq(text) {
		pause := policy.Pause{End: policy.Forever}
		format, into := "%d-%d", []any{&pause.Start, &pause.End}
		if strings.HasSuffix(span, "-") {
			format, into = "%d-", into[:1]
		}
		if _, err := fmt.Sscanf(span, format, into...); err != nil {
			return nil, fmt.Errorf("%q is not a span of time: %w", span, err)
		}
		pauses = append(pauses, pause)
	}
	return pauses, nil
}
