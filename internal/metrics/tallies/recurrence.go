package tallies

import (
	"prodsec_exporter/internal/metrics/frame"
	"prodsec_exporter/internal/record"
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
	// fixed is when something of a pair was fixed first, in Unix seconds, by pair; 0 while nothing was.
	fixed []int64
}

// The positions of the kinds of recurrence.
const (
	// RecurrenceNew: opened, and nothing of its category had been fixed in its product area before.
	RecurrenceNew = iota
	// RecurrenceRepeat: opened after something of its category had been fixed in its product area.
	RecurrenceRepeat
	// RecurrenceReopened: the same weakness came back.
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
	r.noteFixed(s)
	return r
}

// noteFixed notes when something of each category was fixed in each product area first. Weaknesses tell, and not events, because compaction keeps no single event of long
// ago. One that is open again tells nothing.
func (r *Recurrence) noteFixed(s *snapshot.Snapshot) {
	fixed := snapshot.IndexOfClosure(record.ClosureFixed)
	for i := range s.Weaknesses.Len() {
		w := s.Weaknesses.At(i)
		if w.Closure != fixed || w.ClosedAt == 0 {
			continue
		}
		pair := int(r.pairs.of(r.areaOf[s.Services[w.Service].Owner], w.Category))
		for pair >= len(r.fixed) {
			r.fixed = append(r.fixed, 0)
		}
		if r.fixed[pair] == 0 || w.ClosedAt < r.fixed[pair] {
			r.fixed[pair] = w.ClosedAt
		}
	}
}

// repeats reports whether something of the category of a weakness that opened had been fixed in its product area before.
func (r *Recurrence) repeats(e *snapshot.Event) bool {
	pair := int(r.pairs.of(r.areaOf[e.Owner], r.weaknesses.At(int(e.Weakness)).Category))
	return pair < len(r.fixed) && r.fixed[pair] != 0 && r.fixed[pair] < e.At
}

// add counts an event that falls into a window; repeat says that it opened a weakness of a category that had been fixed before.
func (r *Recurrence) add(e *snapshot.Event, window int, repeat bool) {
	switch e.Kind { //nolint:exhaustive // Other events say nothing about categories or tools.
	case snapshot.EventOpened:
		kind := RecurrenceNew
		if repeat {
			kind = RecurrenceRepeat
		}
		r.addCategory(e, kind, window)
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
	for (int(pair)+1)*width > len(r.categories) {
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

// Categories are the counts of the pair with a number and of a kind, by window; a longer window does not hold the shorter ones. They are nil for a pair of which
// nothing fell into a window.
func (r *Recurrence) Categories(pair, kind int) []uint32 {
	if (pair+1)*RecurrenceKinds*r.windows > len(r.categories) {
		return nil
	}
	return r.categories[(pair*RecurrenceKinds+kind)*r.windows:][:r.windows]
}

// Occurred reports whether anything of the pair with a number fell into a window.
func (r *Recurrence) Occurred(pair int) bool {
	for kind := range RecurrenceKinds {
		for _, n := range r.Categories(pair, kind) {
			if n > 0 {
				return true
			}
		}
	}
	return false
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
