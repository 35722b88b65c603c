package tallies

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/snapshot"
)

// Recurrence counts the events in the windows by category and product area, to find categories that come back, and by tool, to find tools
// whose reports are dismissed.
type Recurrence struct {
	weaknesses *snapshot.Table[snapshot.Weakness]
	// areaOf is by owner: a position in areas, the names of the product areas.
	areaOf []int32
	areas  []string
	pairs  pairs
	// windows is the number of windows. categories is by pair, kind and window, verdicts by tool, class, verdict and window, each counted
	// under the shortest window that holds the event.
	windows    int
	categories []uint32
	verdicts   []uint32
}

// The positions of the kinds of recurrence.
const (
	RecurrenceNew = iota
	RecurrenceReopened
	// RecurrenceKinds is their number.
	RecurrenceKinds
)

// The positions of the verdicts on tools.
const (
	VerdictConfirmed = iota
	VerdictFalsePositive
	// VerdictKinds is their number.
	VerdictKinds
)

func newRecurrence(s *snapshot.Snapshot, windows int) *Recurrence {
	r := &Recurrence{weaknesses: &s.Weaknesses, windows: windows, verdicts: make([]uint32, len(s.Strings)*ClassCount*VerdictKinds*windows)}
	area := map[string]string{}
	for i := range s.Services {
		area[s.Services[i].Name] = frame.Named(s.Services[i].ProductArea, frame.None)
	}
	at := map[string]int32{}
	for _, owner := range s.Owners {
		name, known := area[owner.Service]
		if !known {
			name = frame.None
		}
		if _, known := at[name]; !known {
			at[name] = int32(len(r.areas))
			r.areas = append(r.areas, name)
		}
		r.areaOf = append(r.areaOf, at[name])
	}
	r.pairs = newPairs(len(r.areas), len(s.Strings))
	return r
}

// add counts an event that falls into a window.
func (r *Recurrence) add(e *snapshot.Event, window int) {
	switch e.Kind { //nolint:exhaustive // Other events do not count here.
	case snapshot.EventOpened:
		r.addCategory(e, RecurrenceNew, window)
	case snapshot.EventReopened:
		r.addCategory(e, RecurrenceReopened, window)
	case snapshot.EventFixed, snapshot.EventDismissedWontFix:
		r.addVerdict(e, VerdictConfirmed, window)
	case snapshot.EventDismissedFalsePositive:
		r.addVerdict(e, VerdictFalsePositive, window)
	}
}

func (r *Recurrence) addCategory(e *snapshot.Event, kind, window int) {
	pair := r.pairs.of(r.areaOf[e.Owner], r.weaknesses.At(int(e.Weakness)).Category)
	width := RecurrenceKinds * r.windows
	if need := (int(pair) + 1) * width; need > len(r.categories) {
		r.categories = append(r.categories, make([]uint32, width)...)
	}
	r.categories[int(pair)*width+kind*r.windows+window]++
}

func (r *Recurrence) addVerdict(e *snapshot.Event, verdict, window int) {
	tool := r.weaknesses.At(int(e.Weakness)).Tool
	r.verdicts[((int(tool)*ClassCount+int(e.Class))*VerdictKinds+verdict)*r.windows+window]++
}

// Pair is a product area and a category, by position in Snapshot.Strings.
type Pair struct {
	Area     string
	Category int32
}

// Pairs are the product areas and categories that occur, in the order in which they first did.
func (r *Recurrence) Pairs(yield func(number int, p Pair) bool) {
	for i, pair := range r.pairs.all {
		if !yield(i, Pair{r.areas[pair[0]], pair[1]}) {
			return
		}
	}
}

// Categories are the counts of the pair with a number and of a kind, by window; a longer window does not hold the shorter ones.
func (r *Recurrence) Categories(pair, kind int) []uint32 {
	return r.categories[(pair*RecurrenceKinds+kind)*r.windows:][:r.windows]
}

// Verdicts are the counts of a tool (by position in Snapshot.Strings) and class, by verdict and window; a longer window does not hold the
// shorter ones.
func (r *Recurrence) Verdicts(tool, class int) []uint32 {
	return r.verdicts[(tool*ClassCount+class)*VerdictKinds*r.windows:][:VerdictKinds*r.windows]
}

// pairs numbers the pairs of product area and category that occur, in the order in which they do.
type pairs struct {
	// table is by area and category, one more than the number of the pair; nil when it would be too large, and then index is used.
	table      []int32
	index      map[[2]int32]int32
	categories int
	all        [][2]int32
}

// maxPairTable bounds the memory of a table of pairs to 4 MB.
const maxPairTable = 1 << 20

func newPairs(areas, categories int) pairs {
	p := pairs{categories: categories}
	if areas*categories <= maxPairTable {
		p.table = make([]int32, areas*categories)
	} else {
		p.index = map[[2]int32]int32{}
	}
	return p
}

// of is the number of a pair.
func (p *pairs) of(area, category int32) int32 {
	pair := [2]int32{area, category}
	if p.table != nil {
		at := &p.table[int(area)*p.categories+int(category)]
		if *at == 0 {
			p.all = append(p.all, pair)
			*at = int32(len(p.all))
		}
		return *at - 1
	}
	at, ok := p.index[pair]
	if !ok {
		at = int32(len(p.all))
		p.index[pair] = at
		p.all = append(p.all, pair)
	}
	return at
}
