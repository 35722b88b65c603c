package metrics

import (
	"slices"
	"time"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// freshness is how fresh the scans of a repository are: a position in freshnesses.
type freshness uint8

const (
	scanCurrent freshness = iota
	scanStale
	scanNever
	scanUnknown
)

// freshnesses are the values of the label "status" of prodsec_scan_repositories.
var freshnesses = []string{"current", "stale", "never", "unknown"}

// scanned is what the scans of one class say about one repository, over all tools.
type scanned struct {
	// last is the latest successful scan, zero if there was none.
	last time.Time
	// continuous: a tool that looks at every change by itself is switched on.
	continuous bool
	// unclear: a source could not say whether there was one.
	unclear bool
}

// scanRepositories counts repositories by class and freshness.
func scanRepositories(in *Input, out *Sink) {
	classes := record.Classes()
	counted := countedRepositories(in)
	said := in.shared.scans
	names := make([]string, len(classes))
	for i, class := range classes {
		names[i] = string(class)
	}
	out.Product(names, freshnesses)
	shown := map[int32]bool{}
	for _, at := range counted {
		r := &in.Snapshot.Repositories[at]
		group := in.shared.own.groupOf[in.Snapshot.Services[r.Service].Owner]
		dropped := in.shared.sources.isDropped(r.Scope)
		for class := range classes {
			if !said[class].spoken {
				continue
			}
			status := in.freshness(classes[class], said[class].repositories[r.Name], said[class].unread)
			dim := class*len(freshnesses) + int(status)
			if dropped {
				out.Unknown(group, dim)
			} else {
				out.Add(group, dim, 1)
			}
			if !shown[group] {
				for status := range freshnesses {
					out.Zero(group, class*len(freshnesses)+status)
				}
			}
		}
		shown[group] = true
	}
}

// freshness judges what is known of one repository and class.
func (in *Input) freshness(class record.Class, s scanned, unread bool) freshness {
	switch {
	case s.continuous, !s.last.IsZero() && in.At.Sub(s.last) <= in.Policy.ScanMaxAge(class):
		return scanCurrent
	case s.unclear || unread:
		return scanUnknown // what could not be read may hold a newer scan
	case !s.last.IsZero():
		return scanStale
	default:
		return scanNever
	}
}

// scanReading is what the sources say about the scans of one class.
type scanReading struct {
	// spoken: a source says something about this class.
	spoken bool
	// unread: a source that would say something was never read, or all that did are too old.
	unread       bool
	repositories map[record.RepositoryName]scanned
}

// readScans gathers the scans by class and repository.
func readScans(in *Input) []scanReading {
	said := make([]scanReading, len(record.Classes()))
	for i := range said {
		said[i] = scanReading{unread: true, repositories: map[record.RepositoryName]scanned{}}
	}
	for i := range in.Snapshot.Scans {
		held := &in.Snapshot.Scans[i]
		class := &said[snapshot.IndexOfClass(held.Record.Class)]
		class.spoken = true
		s := class.repositories[held.Record.Repository]
		if in.shared.sources.isDropped(held.Scope) {
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
	for i := range said {
		said[i].unread = said[i].unread || neverRead(in, record.Classes()[i])
	}
	return said
}

// neverRead reports whether a scope that would say something about the scans of a class was never read: one that can yield findings of the
// class, or one of a sort of which others speak of scans.
func neverRead(in *Input, class record.Class) bool {
	type sort struct{ collector, kind string }
	speaks := map[sort]bool{}
	for i := range in.Snapshot.Scopes {
		if s := &in.Snapshot.Scopes[i]; slices.Contains(s.Kinds, record.KindScan) {
			speaks[sort{s.Collector, s.Kind}] = true
		}
	}
	return slices.ContainsFunc(in.Snapshot.Scopes, func(s snapshot.Scope) bool {
		return s.Freshness(in.At) == snapshot.Never && (slices.Contains(s.Classes, class) || speaks[sort{s.Collector, s.Kind}])
	})
}

// countedRepositories are the positions of the repositories that ought to be scanned: without archived ones and forks, and, once a source host
// was read, without those that only a finding names.
func countedRepositories(in *Input) []int {
	hosted := in.shared.sources.of(record.KindRepository).ever
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
