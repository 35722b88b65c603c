package derivation

import (
	"encoding/binary"
	"fmt"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Blocks hold blockSize entries of a fixed length in little-endian order. Enumerations are stored by codes of the file's own,
// whose names are in the table codes, so that adding a constant to the program never changes what a file means.
const (
	blockSize     = 64
	ReportBytes   = 32
	WeaknessBytes = 62
	EventBytes    = 31
)

// KindByte is the byte of an event that holds the code of its kind in its lower bits, and from SumsShift on the sums in which it takes part.
const (
	KindByte  = 28
	SumsShift = 6
)

// codec translates between codes in the file and indexes in the program.
type codec struct {
	enumerations map[string]*enumeration
	// missing are the names that the file has no code for yet.
	missing []store.CodeRow
}

// enumeration is one kind of constant.
type enumeration struct {
	names  []string
	toFile []uint8
	toUs   map[uint8]uint8
}

// The enumerations that blocks contain.
const (
	codesSeverity = "severity"
	codesClass    = "class"
	codesClosure  = "closure"
	codesOutcome  = "outcome"
	codesEvent    = "event"
)

func newCodec() *codec {
	c := &codec{enumerations: map[string]*enumeration{}}
	add := func(name string, names []string) {
		c.enumerations[name] = &enumeration{names: names, toUs: map[uint8]uint8{}}
	}
	add(codesSeverity, namesOf(record.Severities()))
	add(codesClass, namesOf(record.Classes()))
	add(codesClosure, append([]string{""}, namesOf(record.Closures())...))
	outcomes := []string{snapshot.OutcomeNone.String()}
	for _, o := range snapshot.Outcomes() {
		outcomes = append(outcomes, o.String())
	}
	add(codesOutcome, outcomes)
	var kinds []string
	for _, k := range append(snapshot.FlowKinds(), snapshot.OutcomeKinds()...) {
		kinds = append(kinds, k.String())
	}
	add(codesEvent, kinds)
	return c
}

func namesOf[T ~string](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// load enters a code of the file. A name that the program does not know is left out: an entry that uses it fails to decode.
func (c *codec) load(row store.CodeRow) {
	e, ok := c.enumerations[row.Enumeration]
	if !ok {
		return
	}
	for i, n := range e.names {
		if n == row.Name {
			e.toUs[uint8(row.Code)] = uint8(i)
		}
	}
}

// complete gives a code to every name that the file lacks and notes those in missing, to be stored.
func (c *codec) complete() {
	for kind, e := range c.enumerations {
		e.toFile = make([]uint8, len(e.names))
		known := make([]bool, len(e.names))
		next := 0
		for code, i := range e.toUs {
			e.toFile[i], known[i] = code, true
			next = max(next, int(code)+1)
		}
		for i := range e.names {
			if !known[i] {
				e.toFile[i] = uint8(next)
				e.toUs[uint8(next)] = uint8(i)
				c.missing = append(c.missing, store.CodeRow{Enumeration: kind, Code: next, Name: e.names[i]})
				next++
			}
		}
	}
}

func (c *codec) encode(kind string, i uint8) byte { return c.enumerations[kind].toFile[i] }

func (c *codec) decode(kind string, code byte, err *error) uint8 {
	i, ok := c.enumerations[kind].toUs[code]
	if !ok && *err == nil {
		*err = fmt.Errorf("the %s code %d means nothing to this program", kind, code)
	}
	return i
}

var order = binary.LittleEndian

func appendReport(b []byte, r *report) []byte {
	b = order.AppendUint64(b, r.key)
	b = order.AppendUint64(b, r.content)
	b = order.AppendUint32(b, uint32(r.weakness))
	b = order.AppendUint32(b, uint32(r.next))
	b = order.AppendUint32(b, uint32(r.scope))
	return order.AppendUint32(b, r.group)
}

func decodeReport(b []byte) report {
	return report{
		key: order.Uint64(b), content: order.Uint64(b[8:]), weakness: int32(order.Uint32(b[16:])), next: int32(order.Uint32(b[20:])),
		scope: int32(order.Uint32(b[24:])), group: order.Uint32(b[28:]),
	}
}

func (c *codec) appendWeakness(b []byte, n numbering, w *snapshot.Weakness) []byte {
	for _, v := range [...]int64{w.FirstSeen, w.ClockStart, w.ClosedAt} {
		b = order.AppendUint64(b, uint64(v))
	}
	for _, v := range [...]int32{
		numberAt(n.services, w.Service), numberAt(n.repositories, w.Repository), numberAt(n.scopes, w.Scope), w.Category, w.Tool,
	} {
		b = order.AppendUint32(b, uint32(v))
	}
	for _, v := range [...]uint16{w.EPSS, w.Reports, w.OpenReports} {
		b = order.AppendUint16(b, v)
	}
	return append(b, c.encode(codesSeverity, uint8(w.Severity)), c.encode(codesClass, uint8(w.Class)),
		c.encode(codesClosure, uint8(w.Closure)), c.encode(codesOutcome, uint8(w.Outcome)), uint8(w.Flags),
		0, 0, 0, 0, 0, 0, 0) // spare
}

// numbering gives the number under which something is stored by its position in the snapshot.
type numbering struct{ services, repositories, scopes []int32 }

// numberAt is the number at a position, -1 for none.
func numberAt(order []int32, position int32) int32 {
	if position < 0 {
		return -1
	}
	return order[position]
}
