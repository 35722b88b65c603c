// Package undo is the stored form of what takes a transaction back.
//
// The past is kept backwards: with every transaction since the founding goes what is needed to undo it. The present is what the
// store holds anyway, so what is added costs nothing here, and the past costs what changed: about 20 bytes for a weakness that is
// closed, about 30 for a poll that brought nothing new. Package derivation writes it, package past reads it.
//
// It imports packages store and record alone. To undo one more thing: a field of Transaction with its encoding in codec.go; old ledgers must still decode.
package undo

import (
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// Lengths are those of everything that only grows.
type Lengths [10]int

// The positions in lengths.
const (
	GrownReports = iota
	GrownWeaknesses
	GrownEvents
	GrownTexts
	GrownOwners
	GrownScopes
	GrownServices
	GrownRepositories
	GrownPolicies
	GrownCountingChanges
)

// Transaction is what takes a transaction back.
type Transaction struct {
	// Settled is the instant up to which time-driven events had been settled.
	Settled int64
	// Added is how much the transaction added to everything that grows.
	Added Lengths
	// Services and repositories are the numbers of names that left.
	Services, Repositories []int32
	Scopes                 []ScopeBefore
	Weaknesses             []WeaknessBefore
	Pauses                 []PausesBefore
	// Renamed are the services that had another name.
	Renamed []NameBefore
	Sums    []SumsBefore
	// Sources are nil if they stayed.
	Sources []store.Source
}

// ScopeBefore is a scope as it was; classes and kinds are how many of those that it has now it had then.
type ScopeBefore struct {
	Number         int32
	Removed        bool
	Success, Full  int64
	Failed         string
	Classes, Kinds int
}

// WeaknessBefore is what a weakness that was changed was: the bytes of its stored form at the set bits of mask.
type WeaknessBefore struct {
	Position int32
	Mask     uint64
	Bytes    []byte
}

// NameBefore is the name that a number had.
type NameBefore struct {
	Number int32
	Name   string
}

// SumsBefore are the sums in which an event took part.
type SumsBefore struct {
	Event int32
	Sums  uint8
}

// PausesBefore are the pauses that a weakness had, in the stored form.
type PausesBefore struct {
	Weakness int32
	Spans    string
}

// Apply brings back the bytes that were others.
func (b *WeaknessBefore) Apply(entry []byte) {
	next := 0
	for at := range min(64, len(entry)) {
		if b.Mask&(1<<at) != 0 {
			entry[at] = b.Bytes[next]
			next++
		}
	}
}

// Apply makes a scope what it was.
func (b *ScopeBefore) Apply(s *store.ScopeRow) {
	s.Removed, s.LastSuccess, s.LastFull, s.LastError = b.Removed, store.TimeOf(b.Success), store.TimeOf(b.Full), record.ErrorReason(b.Failed)
	s.Classes, s.Kinds = s.Classes[:min(b.Classes, len(s.Classes))], s.Kinds[:min(b.Kinds, len(s.Kinds))]
}
