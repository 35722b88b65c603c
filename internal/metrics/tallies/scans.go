package tallies

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// ScanFreshness is how fresh the scans of a repository are.
type ScanFreshness uint8

// How fresh scans are.
const (
	ScanCurrent ScanFreshness = iota
	ScanStale
	ScanNever
	ScanUnknown
)

// repositoryScans are the scans of one class of one repository, over all tools.
type repositoryScans struct {
	// last is the latest successful scan, zero if there was none.
	last time.Time
	// continuous: a tool that looks at every change by itself is switched on.
	continuous bool
	// unclear: a source could not tell whether there was one.
	unclear bool
}

// Freshness judges what is known of the scans of one repository and class.
func (c *ClassScans) Freshness(in *Input, class record.Class, repository record.RepositoryName) ScanFreshness {
	s := c.repositories[repository]
	switch {
	case s.continuous, !s.last.IsZero() && in.At.Sub(s.last) <= in.Policy.ScanMaxAge(class):
		return ScanCurrent
	case s.unclear || c.unread:
		return ScanUnknown // what could not be read may hold a newer scan
	case !s.last.IsZero():
		return ScanStale
	default:
		return ScanNever
	}
}

// ClassScans are the scans of one class.
type ClassScans struct {
	// Reported: a source has records of scans of this class.
	Reported bool
	// unread: a source that would have some was never read, or all that have are too old.
	unread       bool
	repositories map[record.RepositoryName]repositoryScans
}

// newScans gathers the scans by class, in the order of record.Classes, and repository.
func newScans(in *Input, sources *Sources) []ClassScans {
	classes := make([]ClassScans, len(record.Classes()))
	for i := range classes {
		classes[i] = ClassScans{unread: true, repositories: map[record.RepositoryName]repositoryScans{}}
	}
	for i := range in.Snapshot.Scans {
		held := &in.Snapshot.Scans[i]
		class := &classes[snapshot.IndexOfClass(held.Record.Class)]
		class.Reported = true
		s := class.repositories[held.Record.Repository]
		if sources.IsDropped(held.Scope) {
			s.unclear = true
		} else {
			class.unread = false
			if held.Record.SucceededAt.After(s.last) {
				s.last = held.Record.SucceededAt
			}
			s.continuous = s.continuous || held.Record.Continuous && held.Record.Enabled == record.AnswerYes
			s.unclear = s.unclear || held.Record.SucceededAt.IsZero() && held.Record.Enabled == record.AnswerUnknown
		}
		class.repositories[held.Record.Repository] = s
	}
	for i := range classes {
		classes[i].unread = classes[i].unread || neverRead(in, record.Classes()[i])
	}
	return classes
}

// neverRead reports whether a scope that may hold scans of a class was never read: one that can yield findings of the class, or one of a
// collector and kind of which others hold scans.
func neverRead(in *Input, class record.Class) bool {
	type group struct{ collector, kind string }
	holdScans := map[group]bool{}
	for i := range in.Snapshot.Scopes {
		if s := &in.Snapshot.Scopes[i]; slices.Contains(s.Kinds, record.KindScan) {
			holdScans[group{s.Collector, s.Kind}] = true
		}
	}
	return slices.ContainsFunc(in.Snapshot.Scopes, func(s snapshot.Scope) bool {
		return s.Freshness(in.At) == snapshot.Never && (slices.Contains(s.Classes, class) || holdScans[group{s.Collector, s.Kind}])
	})
}

// RepositoriesToScan are the positions of the repositories that ought to be scanned: without archived ones and forks, and, once a source host
// was read, without those that only a finding names.
func RepositoriesToScan(in *Input, sources *Sources) []int {
	hosted := sources.Of(record.KindRepository).Ever
	var counted []int
	for i := range in.Snapshot.Repositories {
		r := &in.Snapshot.Repositories[i]
		if r.Archived || r.Fork || hosted && r.Scope < 0 && r.Service == 0 {
			continue
		}
		counted = append(counted, i)
	}
	return counted
}
