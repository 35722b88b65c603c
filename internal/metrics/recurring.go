package metrics

import (
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// recurrence counts, of the events in the windows, what is asked about weaknesses rather than about owners: which categories come
// back where, and which tools are right.
type recurrence struct {
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

// The positions of kinds in recurrence.categories and of verdicts in recurrence.verdicts.
const (
	isNew, isReopened             = 0, 1
	isConfirmed, isFalsePositive  = 0, 1
	recurrenceKinds, verdictKinds = 2, 2
)

func newRecurrence(s *snapshot.Snapshot, windows int) *recurrence {
	r := &recurrence{weaknesses: &s.Weaknesses, windows: windows, verdicts: make([]uint32, len(s.Strings)*classCount*verdictKinds*windows)}
	area := map[string]string{}
	for i := range s.Services {
		area[s.Services[i].Name] = named(s.Services[i].ProductArea, none)
	}
	at := map[string]int32{}
	for _, owner := range s.Owners {
		name, known := area[owner.Service]
		if !known {
			name = none
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
func (r *recurrence) add(e *snapshot.Event, window int) {
	switch e.Kind { //nolint:exhaustive // Other events say nothing about categories or tools.
	case snapshot.EventOpened:
		r.addCategory(e, isNew, window)
	case snapshot.EventReopened:
		r.addCategory(e, isReopened, window)
	case snapshot.EventFixed, snapshot.EventDismissedWontFix:
		r.addVerdict(e, isConfirmed, window)
	case snapshot.EventDismissedFalsePositive:
		r.addVerdict(e, isFalsePositive, window)
	}
}

func (r *recurrence) addCategory(e *snapshot.Event, kind, window int) {
	pair := r.pairs.of(r.areaOf[e.Owner], r.weaknesses.At(int(e.Weakness)).Category)
	width := recurrenceKinds * r.windows
	if need := (int(pair) + 1) * width; need > len(r.categories) {
		r.categories = append(r.categories, make([]uint32, width)...)
	}
	r.categories[int(pair)*width+kind*r.windows+window]++
}

func (r *recurrence) addVerdict(e *snapshot.Event, verdict, window int) {
	tool := r.weaknesses.At(int(e.Weakness)).Tool
	r.verdicts[((int(tool)*classCount+int(e.Class))*verdictKinds+verdict)*r.windows+window]++
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

// The values of the label "kind" of prodsec_category_findings_in_window, by position.
var categoryKinds = [recurrenceKinds]string{isNew: "new", isReopened: "reopened"}

func categoryFindings(in *Input, out *Sink) {
	r, windows := in.shared.events.recurrence, windowNames(in.Policy)
	names := make([]string, len(in.Snapshot.Strings))
	for at, pair := range r.pairs.all {
		area, category := r.areas[pair[0]], &names[pair[1]]
		if *category == "" {
			*category = named(in.Snapshot.Strings[pair[1]], none)
		}
		labels := make([]string, 0, len(out.family.Labels)*recurrenceKinds*len(windows))
		for kind, name := range categoryKinds {
			counts := r.categories[(at*recurrenceKinds+kind)*r.windows:][:r.windows]
			n := uint32(0)
			for window, more := range counts {
				n += more // a longer window holds the shorter ones
				labels = append(labels, windows[window], area, *category, name)
				if dim := out.NewDim(labels[len(labels)-4:]...); n > 0 {
					out.Add(noEntity, dim, float64(n))
				} else {
					out.Zero(noEntity, dim)
				}
			}
		}
	}
}

// The values of the label "status" of prodsec_tool_false_positive_in_window, by position.
var verdictNames = [verdictKinds]string{isConfirmed: "confirmed", isFalsePositive: "false_positive"}

func toolFalsePositives(in *Input, out *Sink) {
	r, windows := in.shared.events.recurrence, windowNames(in.Policy)
	for at, class := 0, 0; at < len(in.shared.open.tools); at, class = at+1, (class+1)%classCount {
		counts := r.verdicts[at*verdictKinds*r.windows:][:verdictKinds*r.windows]
		shown := in.shared.open.tools[at] && in.shared.sources.classes[class].ever
		if !shown && sumOf(counts) == 0 {
			continue
		}
		tool := named(in.Snapshot.Strings[at/classCount], none)
		for verdict, name := range verdictNames {
			n := uint32(0)
			for window := range windows {
				n += counts[verdict*r.windows+window]
				dim := out.Dim(windows[window], string(record.Classes()[class]), tool, name)
				if n > 0 {
					out.Add(noEntity, dim, float64(n))
				} else if shown {
					out.Zero(noEntity, dim)
				}
			}
		}
	}
}
