package derivation

// index finds positions by hash: open addressing with linear probing, four bytes for each slot and nothing else, because
// the hash of an entry can be read from the entry. A million entries take 6 MB, where a map would take 40.
type index struct {
	// slots hold position+1; 0 is empty. The length is a power of two.
	slots []int32
	n     int
	hash  func(position int32) uint64
}

// probe yields the positions whose hash shares the slot chain of h until visit returns true; it returns that position, or -1.
func (x *index) probe(h uint64, visit func(position int32) bool) int32 {
	if len(x.slots) == 0 {
		return -1
	}
	mask := uint64(len(x.slots) - 1)
	for i := h & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if p := x.slots[i] - 1; visit(p) {
			return p
		}
	}
	return -1
}

// find is the position with exactly the hash h, or -1.
func (x *index) find(h uint64) int32 {
	return x.probe(h, func(p int32) bool { return x.hash(p) == h })
}

// add enters a position under its hash.
func (x *index) add(position int32) {
	if (x.n+1)*5 > len(x.slots)*4 {
		x.grow()
	}
	x.place(position)
	x.n++
}

func (x *index) place(position int32) {
	mask := uint64(len(x.slots) - 1)
	i := x.hash(position) & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = position + 1
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]int32, max(64, 2*len(old)))
	for _, slot := range old {
		if slot != 0 {
			x.place(slot - 1)
		}
	}
}

// replace puts another position with the same hash in the place of one that is in the index.
func (x *index) replace(old, position int32) {
	if i, ok := x.slotOf(old); ok {
		x.slots[i] = position + 1
	}
}

// remove takes a position out and closes the gap behind it, so that no probe ends early.
func (x *index) remove(position int32) {
	gap, ok := x.slotOf(position)
	if !ok {
		return
	}
	mask := uint64(len(x.slots) - 1)
	x.slots[gap] = 0
	x.n--
	for i := (gap + 1) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		home := x.hash(x.slots[i]-1) & mask
		if (i-home)&mask >= (i-gap)&mask {
			x.slots[gap], x.slots[i] = x.slots[i], 0
			gap = i
		}
	}
}

func (x *index) slotOf(position int32) (uint64, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(x.slots) - 1)
	for i := x.hash(position) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		if x.slots[i] == position+1 {
			return i, true
		}
	}
	return 0, false
}
