package derivation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/snapshot"
)

// Exceptions in time. A weakness is covered while an exception was in force and named it, both as they were then. So an exception takes part with all
// its revisions, each in the span in which it held (package records), those of tickets that are gone included; and what a weakness was covered by
// stays in its pauses when it, its service or the policy changes: such a change counts from when it was made.

// subjectOf is a cluster in the words an exception uses.
func (s *State) subjectOf(w *snapshot.Weakness, cluster []*identity.Report) *policy.Subject {
	subject := &policy.Subject{Repository: cluster[0].Finding.Repository, Category: cluster[0].Finding.Category}
	if w.Service > 0 {
		subject.Service = s.services.at(w.Service)
	}
	for _, d := range cluster {
		subject.Findings = append(subject.Findings, d.Finding.ID)
		subject.Advisories = append(subject.Advisories, d.Finding.Aliases...)
		if d.Finding.Rule != "" {
			subject.Rules = append(subject.Rules, d.Finding.Rule)
		}
	}
	return subject
}

// coverFrom brings the pauses of a weakness up to date that changed, or whose service or policy did, at an instant: what it was covered by before stays.
// An instant of records.Always says that it is not a change but history that was not known yet: it is added to what was lived under, and of a weakness of
// which all is history it takes the place of what had been imported. wasOpen says whether the weakness was open before the change under way.
func (s *State) coverFrom(p int32, cluster []*identity.Report, instant int64, wasOpen bool) {
	pauses := s.exceptions.pausesOf(s.policy, s.subjectOf(s.weaknesses.At(int(p)), cluster))
	if !s.Importing() {
		lived := clip(s.pauses[p], records.Always, min(instant, s.now))
		if instant == records.Always {
			since := int64(records.Always)
			if s.weaknesses.At(int(p)).Flags.Has(snapshot.ImportedHistory) {
				since = store.Unix(s.founded)
			}
			lived = clip(s.pauses[p], since, s.now)
		}
		pauses = union(slices.Concat(lived, clip(pauses, instant, policy.Forever)))
	}
	s.cover(p, pauses, wasOpen)
}

// cover puts other pauses in the place of those that a weakness has.
func (s *State) cover(p int32, pauses []policy.Pause, wasOpen bool) {
	w := s.weaknesses.At(int(p))
	old := s.pauses[p]
	changed := !slices.Equal(old, pauses)
	if changed {
		s.setPauses(p, pauses)
	}
	if s.Importing() || (!changed && wasOpen) || !w.Open() {
		return
	}
	before, wasPaused := paused(old, s.now)
	after, isPaused := paused(pauses, s.now)
	switch {
	case isPaused && (!wasOpen || !wasPaused):
		s.emit(snapshot.EventExcepted, p, w, max(after.Start, w.FirstSeen), s.now)
	case !isPaused && wasOpen && wasPaused:
		end := min(before.End, s.now)
		if last, ok := lastBefore(pauses, s.now); ok && last.End > before.Start {
			end = last.End
		}
		s.emit(snapshot.EventExceptionEnded, p, w, end, s.now)
	}
}

// exceptionChange is a change of exceptions, and the instant until which it was known that they were as they were.
type exceptionChange struct {
	before, after []exceptionHistory
	known         int64
}

// pausesAfter are the pauses of a weakness after a change of exceptions: what they gave is taken off from the change on, unless another one
// gives it, and what they give is added. What was lived under until then stays.
func (s *State) pausesAfter(p int32, subject *policy.Subject, change *exceptionChange) []policy.Pause {
	given := func(histories []exceptionHistory) []policy.Pause {
		var pauses []policy.Pause
		for _, h := range histories {
			pauses = append(pauses, h.pausesOf(s.policy, subject)...)
		}
		return union(pauses)
	}
	before, after := given(change.before), given(change.after)
	all := s.exceptions.pausesOf(s.policy, subject)
	taken := clip(minus(before, all), change.known, policy.Forever)
	return union(slices.Concat(minus(s.pauses[p], taken), minus(after, before)))
}

// candidates are the weaknesses that any of the given exceptions may cover.
func (s *State) candidates(histories []exceptionHistory) map[int32]bool {
	services, repositories := map[int32][]exceptionHistory{}, map[int32][]exceptionHistory{}
	var gone []exceptionHistory // what names a repository may have covered what is not known by it any more
	found := map[int32]bool{}
	for _, h := range histories {
		named, hosted, listed := h.names()
		for name := range named {
			if at := s.services.find(name); at > 0 {
				services[at] = append(services[at], h)
			}
		}
		if len(hosted) > 0 {
			gone = append(gone, h)
		}
		for name := range hosted {
			if at := s.repositories.find(string(name)); at >= 0 {
				repositories[at] = append(repositories[at], h)
			}
		}
		for id := range listed {
			s.weaknessesOf(id, found)
		}
	}
	if len(services)+len(gone) == 0 {
		return found
	}
	for i := range s.weaknesses.Len() {
		w := s.weaknesses.At(i)
		within := gone
		if w.Repository >= 0 {
			within = repositories[w.Repository]
		}
		if s.mayCover(services[w.Service], w) || s.mayCover(within, w) {
			found[int32(i)] = true
		}
	}
	return found
}

// mayCover says no where the category alone rules an exception out, so that no record has to be read for it.
func (s *State) mayCover(histories []exceptionHistory, w *snapshot.Weakness) bool {
	return w.Reports > 0 && slices.ContainsFunc(histories, func(h exceptionHistory) bool {
		return slices.ContainsFunc(h, func(r records.Revision[record.Exception]) bool {
			return len(r.Value.Categories) == 0 || slices.ContainsFunc(r.Value.Categories, func(c string) bool {
				return strings.EqualFold(c, s.texts.values[w.Category])
			})
		})
	})
}

// weaknessesOf adds the weaknesses that hold a report with the given id in any instance.
func (s *State) weaknessesOf(id string, into map[int32]bool) {
	for _, source := range s.instances() {
		if r := s.byKey.find(identity.KeyOf(source, id)); r >= 0 {
			into[s.reports.At(int(r)).weakness] = true
		}
	}
}

// instances are all collector instances that ever yielded a scope that is still there.
func (s *State) instances() []store.SourceID {
	seen := map[store.SourceID]bool{}
	for _, number := range s.scopeOrder {
		seen[s.scopes[number].Source] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b store.SourceID) int { return cmp.Compare(a.String(), b.String()) })
}
