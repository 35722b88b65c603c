package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/record"
)

// report is what stays in memory of one report of a finding: 32 bytes. Everything else about it is in the store and is
// read only when its group changes.
type report struct {
	// key is a hash of (instance, id). Of a million reports two would share one with a probability of 3·10⁻⁸.
	key uint64
	// content is a hash of what the source said last; 0 makes sure that whatever it says next is taken as a change.
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

// keyOf is the identity of a report: the instance that yields it and the id it has there.
func keyOf(source sourceID, id string) uint64 {
	sum := sha256.Sum256([]byte(source.collector + "\x00" + source.instance + "\x00" + id))
	return binary.LittleEndian.Uint64(sum[:])
}

// contentOf is a hash of everything a finding says. buffer is reused; it is never 0.
func contentOf(buffer []byte, f *record.Finding) ([]byte, uint64) {
	b := buffer[:0]
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	date := func(t time.Time) {
		b = binary.AppendVarint(b, unix(t))
	}
	for _, s := range [...]string{
		f.ID, f.Tool, string(f.Class), string(f.Repository), f.Service, f.Title, f.URL, string(f.Severity), f.Category, f.Rule,
		f.Package, f.Version, f.Place, string(f.Closure), string(f.FixAvailable), string(f.KnownExploited), string(f.ActiveSecret),
	} {
		text(s)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Aliases)))
	for _, a := range f.Aliases {
		text(a)
	}
	b = binary.AppendVarint(b, int64(f.Line))
	date(f.FirstSeen)
	date(f.ClosedAt)
	date(f.UpdatedAt)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f.EPSS))
	sum := sha256.Sum256(b)
	return b, max(1, binary.LittleEndian.Uint64(sum[:]))
}

// detail is a report with all it says, as loaded for folding.
type detail struct {
	number int32
	source sourceID
	// scope is the number of its scope.
	scope         int32
	finding       record.Finding
	firstObserved int64
	changedAt     int64
	goneAt        int64
	// fresh: the report was not there before this batch. changed: its row has to be written.
	fresh, changed bool
}

func (d *detail) open() bool { return d.finding.Closure == record.ClosureNone }

// row is the stored form.
func (d *detail) row(weakness int32) (findingRow, error) {
	body, err := json.Marshal(&d.finding)
	if err != nil {
		return findingRow{}, fmt.Errorf("encoding the finding %q: %w", d.finding.ID, err)
	}
	return findingRow{
		report: d.number, weakness: weakness, scope: d.scope, id: d.finding.ID, firstObserved: d.firstObserved,
		changedAt: d.changedAt, goneAt: d.goneAt, body: body,
	}, nil
}

// earlier orders reports by first seen, then instance, then id: the first of a weakness is its primary.
func earlier(a, b *detail) int {
	if c := a.finding.FirstSeen.Compare(b.finding.FirstSeen); c != 0 {
		return c
	}
	return byIdentity(a, b)
}

func byIdentity(a, b *detail) int {
	return slices.Compare(
		[]string{a.source.collector, a.source.instance, a.finding.ID},
		[]string{b.source.collector, b.source.instance, b.finding.ID})
}

// normalise makes the dates of a finding complete and consistent: first seen is never later than the observation and,
// where the source gives none, the first observation, kept for ever; a closed finding has a date of closing between the two.
// before is what was known of the same report, nil for a new one.
func normalise(f *record.Finding, before *detail, at time.Time) {
	if f.FirstSeen.IsZero() && before != nil {
		f.FirstSeen = before.finding.FirstSeen
	}
	if f.FirstSeen.IsZero() || f.FirstSeen.After(at) {
		f.FirstSeen = at
	}
	if f.FirstSeen.Unix() <= 0 {
		f.FirstSeen = time.Unix(1, 0).UTC()
	}
	if f.Closure == record.ClosureNone {
		f.ClosedAt = time.Time{}
		return
	}
	if f.ClosedAt.IsZero() {
		switch {
		case before != nil && !before.open():
			f.ClosedAt = before.finding.ClosedAt
		case !f.UpdatedAt.IsZero():
			f.ClosedAt = f.UpdatedAt
		default:
			f.ClosedAt = at
		}
	}
	if f.ClosedAt.After(at) {
		f.ClosedAt = at
	}
	if f.ClosedAt.Before(f.FirstSeen) {
		f.ClosedAt = f.FirstSeen
	}
}
