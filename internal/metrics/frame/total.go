package frame

import "slices"

// Total adds up the contributions to the label sets that have certain label values, given as name, value, name, value... Known is false if
// one of them cannot be known, or if there is none and the family shows no zero either, because nothing was ever read that would contribute.
// A Sink that is asked for totals is not finished.
func (s *Sink) Total(want ...string) (value float64, known bool) {
	known = len(s.zeros) > 0
	var labels []string
	for _, cells := range [][]cell{s.cells, s.zeros} {
		for i := range cells {
			c := &cells[i]
			if labels = s.labels(labels[:0], c); !s.family.matches(labels, want) {
				continue
			}
			if c.unknown {
				return 0, false
			}
			value, known = value+c.value, true
		}
	}
	return value, known
}

func (f *Family) matches(labels, want []string) bool {
	for pair := range slices.Chunk(want, 2) {
		if at := slices.Index(f.Labels, pair[0]); at < 0 || at >= len(labels) || labels[at] != pair[1] {
			return false
		}
	}
	return true
}
