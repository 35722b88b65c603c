package derivation

import (
	"reflect"
	"slices"

	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// exceptionHistory is an exception as it was over time.
type exceptionHistory []records.Revision[record.Exception]

// exceptionIndex finds the exceptions that may cover a weakness, or may have, without looking at all of them. Each is found by every service,
// repository or finding that one of its revisions names; the service comes first, else the repository, else the findings.
type exceptionIndex struct {
	byService    map[string][]exceptionHistory
	byRepository map[record.RepositoryName][]exceptionHistory
	byFinding    map[string][]exceptionHistory
	all          map[records.Key]exceptionHistory
}

func newExceptionIndex(table *records.Table[record.Exception], former map[string]string) exceptionIndex {
	x := exceptionIndex{
		byService: map[string][]exceptionHistory{}, byRepository: map[record.RepositoryName][]exceptionHistory{},
		byFinding: map[string][]exceptionHistory{}, all: map[records.Key]exceptionHistory{},
	}
	for key, e := range table.Entries {
		history := exceptionHistory(e.Revisions).underPresentNames(former)
		if !slices.ContainsFunc(history, func(r records.Revision[record.Exception]) bool { return policy.Scoped(&r.Value) }) {
			continue
		}
		x.all[key] = history
		services, repositories, findings := history.names()
		for name := range services {
			x.byService[name] = append(x.byService[name], history)
		}
		for name := range repositories {
			x.byRepository[name] = append(x.byRepository[name], history)
		}
		for id := range findings {
			x.byFinding[id] = append(x.byFinding[id], history)
		}
	}
	return x
}

// underPresentNames is the history with services by the names that they have now.
func (h exceptionHistory) underPresentNames(former map[string]string) exceptionHistory {
	copied := false
	for i := range h {
		present := former[h[i].Value.Service]
		if present == "" {
			continue
		}
		if !copied {
			h, copied = slices.Clone(h), true
		}
		h[i].Value.Service = present
	}
	return h
}

// names are what the revisions are found by.
func (h exceptionHistory) names() (services map[string]bool, repositories map[record.RepositoryName]bool, findings map[string]bool) {
	services, repositories, findings = map[string]bool{}, map[record.RepositoryName]bool{}, map[string]bool{}
	for i := range h {
		switch e := &h[i].Value; {
		case e.Service != "":
			services[e.Service] = true
		case e.Repository != "":
			repositories[e.Repository] = true
		default:
			for _, id := range e.Findings {
				findings[id] = true
			}
		}
	}
	return services, repositories, findings
}

// equal reports whether two histories are the same: revisions are never changed, but replaced and ended.
func (h exceptionHistory) equal(o exceptionHistory) bool {
	return slices.EqualFunc(h, o, func(a, b records.Revision[record.Exception]) bool {
		return a.From == b.From && a.Until == b.Until && reflect.DeepEqual(a.Value, b.Value)
	})
}

// pausesOf are the spans in which the exception stopped or stops the clock of a subject.
func (h exceptionHistory) pausesOf(p *policy.Policy, subject *policy.Subject) []policy.Pause {
	var pauses []policy.Pause
	for i := range h {
		r := &h[i]
		if !p.Covers(&r.Value, subject) {
			continue
		}
		for _, pause := range policy.PausesOf(&r.Value) {
			if pause.Start, pause.End = max(pause.Start, r.From), min(pause.End, r.Until); pause.Start < pause.End {
				pauses = append(pauses, pause)
			}
		}
	}
	return pauses
}

// pausesOf are the spans in which exceptions stopped or stop the clock of a subject, ordered and disjoint.
func (x *exceptionIndex) pausesOf(p *policy.Policy, subject *policy.Subject) []policy.Pause {
	var pauses []policy.Pause
	consider := func(histories []exceptionHistory) {
		for _, h := range histories {
			pauses = append(pauses, h.pausesOf(p, subject)...)
		}
	}
	if subject.Service != "" {
		consider(x.byService[subject.Service])
	}
	if subject.Repository != "" {
		consider(x.byRepository[subject.Repository])
	}
	for _, id := range subject.Findings {
		consider(x.byFinding[id])
	}
	return union(pauses)
}

// differing are the exceptions of which two indexes have different histories, as one has them and as the other does.
func differing(a, b *exceptionIndex) (before, after []exceptionHistory) {
	for key, h := range a.all {
		if !h.equal(b.all[key]) {
			before = append(before, h)
		}
	}
	for key, h := range b.all {
		if !h.equal(a.all[key]) {
			after = append(after, h)
		}
	}
	return before, after
}
