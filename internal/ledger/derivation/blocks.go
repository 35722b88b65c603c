package derivation

import (
	"fmt"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/snapshot"
)

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
