package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathbits "math/bits"
)

// undoVersion is the first byte of the stored form.
const undoVersion = 1

// encode is the stored form of an undo of a transaction at an instant: variable-length integers, positions as differences.
func (u *undo) encode(at int64) ([]byte, error) {
	w := writer{undoVersion}
	w.signed(at - u.settled)
	w.lengths(&u.added)
	w.numbers(u.services)
	w.numbers(u.repositories)
	w.number(len(u.scopes))
	for _, s := range u.scopes {
		removed := 0
		if s.removed {
			removed = 1
		}
		w.number(int(s.number)<<1 | removed)
		w.date(at, s.success)
		w.date(at, s.full)
		w.text(s.failed)
		w.number(s.classes)
		w.number(s.kinds)
	}
	w.number(len(u.weaknesses))
	last := int32(0)
	for _, b := range u.weaknesses {
		w.number(int(b.position - last))
		last = b.position
		w = order.AppendUint64(w, b.mask)
		w = append(w, b.bytes...)
	}
	w.number(len(u.pauses))
	for _, p := range u.pauses {
		w.number(int(p.weakness))
		w.text(p.spans)
	}
	if u.sources != nil {
		body, err := json.Marshal(u.sources)
		if err != nil {
			return nil, fmt.Errorf("encoding the sources: %w", err)
		}
		w = append(w, body...)
	}
	return w, nil
}

// errUndo says that a stored undo is not one.
var errUndo = errors.New("the history of the ledger is damaged or was written by a newer version")

// decodeUndo is the inverse of encode.
func decodeUndo(at int64, body []byte) (*undo, error) {
	if len(body) == 0 || body[0] != undoVersion {
		return nil, errUndo
	}
	r := &reader{rest: body[1:]}
	u := &undo{settled: at - r.signed()}
	r.lengths(&u.added)
	u.services, u.repositories = r.numbers(), r.numbers()
	for range r.count() {
		number := r.number()
		u.scopes = append(u.scopes, scopeBefore{
			number: int32(number >> 1), removed: number&1 != 0, success: r.date(at), full: r.date(at), failed: r.text(),
			classes: r.number(), kinds: r.number(),
		})
	}
	position := 0
	for range r.count() {
		if position += r.number(); position > math.MaxInt32 {
			r.fail()
			break
		}
		u.weaknesses = append(u.weaknesses, r.weakness(int32(position)))
	}
	for range r.count() {
		u.pauses = append(u.pauses, pausesBefore{int32(r.number()), r.text()})
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = json.Unmarshal(r.rest, &u.sources)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", errUndo, r.err)
	}
	return u, nil
}

// writer appends variable-length values.
type writer []byte

func (w *writer) number(n int)   { *w = binary.AppendUvarint(*w, uint64(n)) }
func (w *writer) signed(n int64) { *w = binary.AppendVarint(*w, n) }
func (w *writer) text(s string)  { w.number(len(s)); *w = append(*w, s...) }

// date writes an instant as its distance from another one; an absent one is 0.
func (w *writer) date(from, seconds int64) {
	if seconds == 0 {
		w.number(0)
		return
	}
	w.number(1)
	w.signed(from - seconds)
}

// lengths writes those that are not 0.
func (w *writer) lengths(l *lengths) {
	mask := 0
	for i, n := range l {
		if n != 0 {
			mask |= 1 << i
		}
	}
	w.number(mask)
	for _, n := range l {
		if n != 0 {
			w.number(n)
		}
	}
}

func (w *writer) numbers(numbers []int32) {
	w.number(len(numbers))
	for _, n := range numbers {
		w.number(int(n))
	}
}

// reader is the inverse of writer; err is the first failure, after which everything is 0.
type reader struct {
	rest []byte
	err  error
}

var errShort = errors.New("it ends too early")

func (r *reader) fail() {
	r.rest = nil
	if r.err == nil {
		r.err = errShort
	}
}

func (r *reader) number() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > math.MaxInt32 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// count is the number of things that follow, each of at least one byte.
func (r *reader) count() int {
	n := r.number()
	if n > len(r.rest) {
		r.fail()
		return 0
	}
	return n
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) text() string { return string(r.take(r.number())) }

func (r *reader) date(from int64) int64 {
	if r.number() == 0 {
		return 0
	}
	return from - r.signed()
}

func (r *reader) lengths(l *lengths) {
	mask := r.number()
	for i := range l {
		if mask&(1<<i) != 0 {
			l[i] = r.number()
		}
	}
}

func (r *reader) numbers() []int32 {
	var numbers []int32
	for range r.count() {
		numbers = append(numbers, int32(r.number()))
	}
	return numbers
}

func (r *reader) weakness(position int32) weaknessBefore {
	b := weaknessBefore{position: position}
	if mask := r.take(8); mask != nil {
		b.mask = order.Uint64(mask)
		b.bytes = r.take(mathbits.OnesCount64(b.mask))
	}
	return b
}
