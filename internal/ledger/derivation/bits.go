package derivation

// bits is a set of positions.
type bits []uint64

func newBits(n int) bits { return make(bits, n/64+1) }

// set adds p and reports whether it was there.
func (b bits) set(p int32) bool {
	was := b.has(p)
	b[p/64] |= 1 << (p % 64)
	return was
}

func (b bits) has(p int32) bool { return b[p/64]&(1<<(p%64)) != 0 }
