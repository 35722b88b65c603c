package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// KeyOf is the identity of a report: the instance that yields it and the id it has there.
func KeyOf(source store.SourceID, id string) uint64 {
	sum := sha256.Sum256([]byte(source.Collector + "\x00" + source.Instance + "\x00" + id))
	return binary.LittleEndian.Uint64(sum[:])
}

// ContentOf is a hash of everything a finding says. buffer is reused; it is never 0.
func ContentOf(buffer []byte, f *record.Finding) ([]byte, uint64) {
	b := buffer[:0]
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	date := func(t time.Time) {
		b = binary.AppendVarint(b, store.Unix(t))
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
	for _, c := range f.Classifications {
		text(c)
	}
	date(f.FirstSeen)
	date(f.ClosedAt)
	date(f.UpdatedAt)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f.EPSS))
	sum := sha256.Sum256(b)
	return b, max(1, binary.LittleEndian.Uint64(sum[:]))
}

// Report is a report with all it says, as loaded for folding.
type Report struct {
	Number int32
	Source store.SourceID
	// Scope is the number of its scope.
	Scope         int32
	Finding       record.Finding
	FirstObserved int64
	ChangedAt     int64
	GoneAt        int64
	// Fresh: the report was not there before this batch. changed: its row has to be written.
	Fresh, Changed bool
}

// Open reports whether the report is open by its source.
func (d *Report) Open() bool { return d.Finding.Closure == record.ClosureNone }

// Row is the stored form.
func (d *Report) Row(weakness int32) (store.FindingRow, error) {
	body, err := json.Marshal(&d.Finding)
	if err != nil {
		return store.FindingRow{}, fmt.Errorf("encoding the finding %q: %w", d.Finding.ID, err)
	}
	return store.FindingRow{
		Report: d.Number, Weakness: weakness, Scope: d.Scope, ID: d.Finding.ID, FirstObserved: d.FirstObserved,
		ChangedAt: d.ChangedAt, GoneAt: d.GoneAt, Body: body,
	}, nil
}

// Earlier orders reports by first seen, then instance, then id: the first of a weakness is its primary.
func Earlier(a, b *Report) int {
	if c := a.Finding.FirstSeen.Compare(b.Finding.FirstSeen); c != 0 {
		return c
	}
	return byIdentity(a, b)
}

func byIdentity(a, b *Report) int {
	return slices.Compare(
		[]string{a.Source.Collector, a.Source.Instance, a.Finding.ID},
		[]string{b.Source.Collector, b.Source.Instance, b.Finding.ID})
}

// Normalise makes the dates of a finding complete and consistent: first seen is never later than the observation and,
// where the source gives none, the first observation, kept for ever; a closed finding has a date of closing between the two.
// before is what was known of the same report, nil for a new one.
func Normalise(f *record.Finding, before *Report, at time.Time) {
	if f.FirstSeen.IsZero() && before != nil {
		f.FirstSeen = before.Finding.FirstSeen
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
		case before != nil && !before.Open():
			f.ClosedAt = before.Finding.ClosedAt
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
