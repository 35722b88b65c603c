package derivation

// report is what stays in memory of one report of a finding: 32 bytes. Everything else about it is in the store and is
// read only when its group changes.
type report struct {
	// key is a hash of (instance, id). Of a million reports two would share one with a probability of 3·10⁻⁸.
	key uint64
	// content is a hash of the finding as last read; 0 makes sure that the next one is taken as a change.
	content  uint64
	weakness int32
	// next is the next report of the same group, -1 at the end.
	next  int32
	scope int32
	// group is a hash of what reports of one weakness have in common, 0 for a report that is never folded. A chance
	// collision is harmless: folding compares the fields themselves.
	group uint32
}

// The upper bits of report.scope are flags, so that a report fits in half a cache line.
const (
	goneBit     = int32(1) << 30
	primaryBit  = int32(1) << 29
	declaresBit = int32(1) << 28
	scopeMask   = declaresBit - 1
)

// scopeNumber is the scope that yielded the report last.
func (r *report) scopeNumber() int32 { return r.scope & scopeMask }

// gone says that the source no longer has it.
func (r *report) gone() bool { return r.scope&goneBit != 0 }

// primary says that it is the primary report of its weakness; declares that its source names a service itself.
func (r *report) primary() bool  { return r.scope&primaryBit != 0 }
func (r *report) declares() bool { return r.scope&declaresBit != 0 }

func (r *report) set(bit int32, on bool) {
	r.scope &^= bit
	if on {
		r.scope |= bit
	}
}
