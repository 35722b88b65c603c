package undo

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathbits "math/bits"
)

// The first byte of the stored form is its version. What version 1 lacks is empty in it.
const (
	firstVersion   = 1
	presentVersion = 2
)

// Encode is the stored form of an undo of a transaction at an instant: variable-length integers, positions as differences.
func (u *Transaction) Encode(at int64) ([]byte, error) {
	w := writer{presentVersion}
	w.signed(at - u.Settled)
	w.lengths(&u.Added)
	w.numbers(u.Services)
	w.numbers(u.Repositories)
	w.number(len(u.Scopes))
	for _, s := range u.Scopes {
		removed := 0
		if s.Removed {
			removed = 1
		}
		w.number(int(s.Number)<<1 | removed)
		w.date(at, s.Success)
		w.date(at, s.Full)
		w.text(s.Failed)
		w.number(s.Classes)
		w.number(s.Kinds)
	}
	w.number(len(u.Weaknesses))
	last := int32(0)
	for _, b := range u.Weaknesses {
		w.number(int(b.Position - last))
		last = b.Position
		w = binary.LittleEndian.AppendUint64(w, b.Mask)
		w = append(w, b.Bytes...)
	}
	w.number(len(u.Pauses))
	for _, p := range u.Pauses {
		w.number(int(p.Weakness))
		w.text(p.Spans)
	}
	w.number(len(u.Renamed))
	for _, n := range u.Renamed {
		w.number(int(n.Number))
		w.text(n.Name)
	}
	w.number(len(u.Sums))
	last = 0
	for _, e := range u.Sums {
		w.number(int(e.Event - last))
		last = e.Event
		w.number(int(e.Sums))
	}
	if u.Sources != nil {
		body, err := json.Marshal(u.Sources)
		if err != nil {
			return nil, fmt.Errorf("encoding the sources: %w", err)
		}
		w = append(w, body...)
	}
	return w, nil
}

// ErrDamaged says that the stored form cannot be decoded, or does not fit what is stored beside it.
var ErrDamaged = errors.New("the history of the ledger is damaged or was written by a newer version")

// Decode is the inverse of Encode.
func Decode(at int64, body []byte) (*Transaction, error) {
	if len(body) == 0 || body[0] < firstVersion || body[0] > presentVersion {
		return nil, ErrDamaged
	}
	r := &reader{rest: body[1:]}
	u := &Transaction{Settled: at - r.signed()}
	r.lengths(&u.Added)
	u.Services, u.Repositories = r.numbers(), r.numbers()
	for range r.count() {
		number := r.number()
		u.Scopes = append(u.Scopes, ScopeBefore{
			Number: int32(number >> 1), Removed: number&1 != 0, Success: r.date(at), Full: r.date(at), Failed: r.text(),
			Classes: r.number(), Kinds: r.number(),
		})
	}
	position := 0
	for range r.count() {
		if position += r.number(); position > math.MaxInt32 {
			r.fail()
			break
		}
		u.Weaknesses = append(u.Weaknesses, r.weakness(int32(position)))
	}
	for range r.count() {
		u.Pauses = append(u.Pauses, PausesBefore{int32(r.number()), r.text()})
	}
	if body[0] > firstVersion {
		r.later(u)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = json.Unmarshal(r.rest, &u.Sources)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, r.err)
	}
	return u, nil
}

// later reads what came with the second version.
func (r *reader) later(u *Transaction) {
	for range r.count() {
		u.Renamed = append(u.Renamed, NameBefore{int32(r.number()), r.text()})
	}
	event := 0
	for range r.count() {
		if event += r.number(); event > math.MaxInt32 {
			r.fail()
			return
		}
		u.Sums = append(u.Sums, SumsBefore{int32(event), uint8(min(r.number(), math.MaxUint8))})
	}
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
func (w *writer) lengths(l *Lengths) {
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

func (r *reader) lengths(l *Lengths) {
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

func (r *reader) weakness(position int32) WeaknessBefore {
	b := WeaknessBefore{Position: position}
	if mask := r.take(8); mask != nil {
		b.Mask = binary.LittleEndian.Uint64(mask)
		b.Bytes = r.take(mathbits.OnesCount64(b.Mask))
	}
	return b
}
