package derivation

import (
	"cmp"
	"slices"

	"prodsec_exporter/internal/policy"
)

// union merges spans that touch or overlap.
func union(pauses []policy.Pause) []policy.Pause {
	slices.SortFunc(pauses, func(a, b policy.Pause) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	merged := pauses[:0]
	for _, pause := range pauses {
		if n := len(merged); n > 0 && pause.Start <= merged[n-1].End {
			merged[n-1].End = max(merged[n-1].End, pause.End)
			continue
		}
		merged = append(merged, pause)
	}
	return merged
}

// minus is what of spans lies in none of others; both are ordered and disjoint.
func minus(pauses, others []policy.Pause) []policy.Pause {
	var left []policy.Pause
	for _, pause := range pauses {
		start := pause.Start
		for _, other := range others {
			if other.End <= start || other.Start >= pause.End {
				continue
			}
			if other.Start > start {
				left = append(left, policy.Pause{Start: start, End: other.Start})
			}
			start = max(start, other.End)
		}
		if start < pause.End {
			left = append(left, policy.Pause{Start: start, End: pause.End})
		}
	}
	return left
}

// clip is what of spans lies in [from, until).
func clip(pauses []policy.Pause, from, until int64) []policy.Pause {
	var inside []policy.Pause
	for _, pause := range pauses {
		if pause.Start, pause.End = max(pause.Start, from), min(pause.End, until); pause.Start < pause.End {
			inside = append(inside, pause)
		}
	}
	return inside
}

// lastBefore is the last of ordered spans that ends before an instant.
func lastBefore(pauses []policy.Pause, instant int64) (last policy.Pause, ok bool) {
	for _, pause := range pauses {
		if pause.End <= instant {
			last, ok = pause, true
		}
	}
	return last, ok
}
