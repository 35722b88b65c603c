package derivation

import (
	"encoding/binary"
	"fmt"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
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

func (s *State) decodeWeakness(b []byte) (w snapshot.Weakness, err error) {
	w.ID = int64(s.weaknesses.Len()) + 1
	w.FirstSeen, w.ClockStart, w.ClosedAt = int64(order.Uint64(b)), int64(order.Uint64(b[8:])), int64(order.Uint64(b[16:]))
	number := func(at int) int32 { return int32(order.Uint32(b[at:])) }
	w.Service = max(0, s.services.positionOf(number(24)))
	w.Repository = s.repositories.positionOf(number(28))
	w.Scope = s.scopePositionOf(number(32))
	w.Category, w.Tool = number(36), number(40)
	w.EPSS, w.Reports, w.OpenReports = order.Uint16(b[44:]), order.Uint16(b[46:]), order.Uint16(b[48:])
	c := s.codec
	w.Severity = policy.SeverityIndex(c.decode(codesSeverity, b[50], &err))
	w.Class = snapshot.ClassIndex(c.decode(codesClass, b[51], &err))
	w.Closure = snapshot.ClosureIndex(c.decode(codesClosure, b[52], &err))
	w.Outcome = snapshot.Outcome(c.decode(codesOutcome, b[53], &err))
	w.Flags = snapshot.Flags(b[54])
	return w, err
}

func (s *State) appendEvent(b []byte, e *snapshot.Event) []byte {
	b = order.AppendUint64(b, uint64(e.At))
	b = order.AppendUint64(b, uint64(e.Counted))
	b = order.AppendUint32(b, uint32(e.Weakness))
	b = order.AppendUint32(b, uint32(e.Owner))
	b = order.AppendUint32(b, e.Seconds)
	return append(b, s.codec.encode(codesEvent, uint8(e.Kind))|uint8(e.Sums)<<SumsShift, s.codec.encode(codesSeverity, uint8(e.Severity)),
		s.codec.encode(codesClass, uint8(e.Class)))
}

func (s *State) decodeEvent(b []byte) (e snapshot.Event, err error) {
	e.At, e.Counted = int64(order.Uint64(b)), int64(order.Uint64(b[8:]))
	e.Weakness, e.Owner, e.Seconds = int32(order.Uint32(b[16:])), int32(order.Uint32(b[20:])), order.Uint32(b[24:])
	e.Kind = snapshot.EventKind(s.codec.decode(codesEvent, b[KindByte]&(1<<SumsShift-1), &err))
	e.Sums = snapshot.Sums(b[KindByte] >> SumsShift)
	e.Severity = policy.SeverityIndex(s.codec.decode(codesSeverity, b[29], &err))
	e.Class = snapshot.ClassIndex(s.codec.decode(codesClass, b[30], &err))
	return e, err
}

// loadBlock decodes a block into memory.
func (s *State) loadBlock(t store.BlockTable, _ int32, body []byte) error {
	if size := entryBytes[t]; len(body)%size != 0 || len(body) > size*blockSize {
		return fmt.Errorf("a block of %s has %d bytes, which is no multiple of %d", t, len(body), size)
	}
	return s.LoadEntries(t, body)
}

var entryBytes = map[store.BlockTable]int{store.ReportBlocks: ReportBytes, store.WeaknessBlocks: WeaknessBytes, store.EventBlocks: EventBytes}

// LoadEntries decodes whole entries into memory.
func (s *State) LoadEntries(t store.BlockTable, body []byte) error {
	size := entryBytes[t]
	for ; len(body) > 0; body = body[size:] {
		switch t {
		case store.ReportBlocks:
			r := decodeReport(body)
			if scope := r.scopeNumber(); int(scope) >= len(s.scopes) {
				return fmt.Errorf("a report belongs to scope %d and there are %d: the file is damaged; restore a backup", scope, len(s.scopes))
			}
			s.enter(r)
		case store.WeaknessBlocks:
			w, err := s.decodeWeakness(body)
			if err != nil {
				return err
			}
			s.weaknesses.Append(w)
		case store.EventBlocks:
			e, err := s.decodeEvent(body)
			if err != nil {
				return err
			}
			s.events.Append(e)
		}
	}
	return nil
}

// saveBlocks writes the blocks that changed.
func (s *State) saveBlocks(t store.Tx) error {
	if s.Importing() {
		clear(s.dirtyEvents) // the history is stored at the founding
	}
	var body []byte
	numbering := s.numbering()
	for _, table := range []struct {
		name   store.BlockTable
		dirty  map[int32]struct{}
		length int
		entry  func(b []byte, i int) []byte
	}{
		{store.ReportBlocks, s.dirtyReports, s.reports.Len(), func(b []byte, i int) []byte { return appendReport(b, s.reports.At(i)) }},
		{store.WeaknessBlocks, s.dirtyWeaknesses, s.weaknesses.Len(), func(b []byte, i int) []byte { return s.codec.appendWeakness(b, numbering, s.weaknesses.At(i)) }},
		{store.EventBlocks, s.dirtyEvents, s.events.Len(), func(b []byte, i int) []byte { return s.appendEvent(b, s.events.At(i)) }},
	} {
		for _, number := range sortedKeys(table.dirty) {
			body = body[:0]
			for i := int(number) * blockSize; i < min(table.length, int(number+1)*blockSize); i++ {
				body = table.entry(body, i)
			}
			if err := t.PutBlock(table.name, number, body); err != nil {
				return err
			}
		}
		clear(table.dirty)
	}
	return nil
}
