package protection

import "time"

// PeriodSince is the shortest period that covers a span.
func PeriodSince(span time.Duration) string { return periodSince(span) }
