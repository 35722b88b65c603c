package derivation

import (
	"time"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/record"
)

// application is one batch that is being applied to the state.
type application struct {
	*State
	tx     store.Tx
	batch  *record.Batch
	source store.SourceID
	// scope is the number of the batch's scope; first says that it was never read before.
	scope int32
	first bool
	// read is when the scope was read last before; now where nothing is read and what changes does so now.
	read time.Time
	// whole: what the batch lacks is gone. A full sweep that could not understand more items than the last whole one may
	// lack just those.
	whole bool

	// pending are the reports that changed; byReport finds them.
	pending  []*identity.Report
	byReport map[int32]*identity.Report
	// groups are those whose members changed, in the order in which they were touched; loose the changed reports without one.
	groups  []uint32
	touched map[uint32]bool
	// split are the weaknesses that were a part of another one before the batch, absorbed those that are now.
	split, absorbed []int32
	// stored are the reports of the batch that say something else than the store does.
	stored map[int32]*identity.Report
}

// known is what is held of a report: as changed by this batch, or as stored.
func (a *application) known(number int32) (*identity.Report, error) {
	if d := a.byReport[number]; d != nil {
		return d, nil
	}
	if d := a.stored[number]; d != nil {
		return d, nil
	}
	loaded, err := a.details(a.tx, []int32{number}) // a report that this batch brought back to what it said before
	if err != nil {
		return nil, err
	}
	return loaded[0], nil
}

// change notes that a report says something new, and moves it to the group it belongs to now.
func (a *application) change(d *identity.Report) error {
	if before := a.byReport[d.Number]; before != nil {
		*before = *d
		d = before
	} else {
		a.pending = append(a.pending, d)
		a.byReport[d.Number] = d
	}
	r := a.changeReport(d.Number)
	r.set(declaresBit, d.Finding.Service != "")
	group := identity.Hash(identity.Key(&d.Finding))
	if group != r.group {
		a.touch(r.group)
		a.leave(d.Number)
		a.join(d.Number, group)
	}
	a.touch(group)
	return nil
}

func (a *application) touch(group uint32) {
	if group != 0 && !a.touched[group] {
		a.touched[group] = true
		a.groups = append(a.groups, group)
	}
}

// head is the first report of a group, -1 if it has none.
func (s *State) head(group uint32) int32 {
	return s.byGroup.probe(spread(group), func(p int32) bool { return s.reports.At(int(p)).group == group })
}

// join puts a report at the head of a group.
func (s *State) join(number int32, group uint32) {
	r := s.changeReport(number)
	r.group, r.next = group, -1
	if group == 0 {
		return
	}
	if head := s.head(group); head >= 0 {
		r.next = head
		s.byGroup.replace(head, number)
	} else {
		s.byGroup.add(number)
	}
}

// leave takes a report out of its group.
func (s *State) leave(number int32) {
	r := s.changeReport(number)
	if r.group == 0 {
		return
	}
	head := s.head(r.group)
	switch {
	case head == number && r.next >= 0:
		s.byGroup.replace(number, r.next)
	case head == number:
		s.byGroup.remove(number)
	default:
		p := head
		for s.reports.At(int(p)).next != number {
			p = s.reports.At(int(p)).next
		}
		s.changeReport(p).next = r.next
	}
	r = s.changeReport(number)
	r.group, r.next = 0, -1
}

// absent closes the reports that their source no longer has.
func (a *application) absent(missing func(p int32, r *report) bool, absence record.Closure) error {
	if absence == record.ClosureNone {
		absence = record.ClosureVanished
	}
	var numbers []int32
	for i := range a.reports.Len() {
		if r := a.reports.At(i); !r.gone() && missing(int32(i), r) {
			numbers = append(numbers, int32(i))
		}
	}
	details, err := a.details(a.tx, numbers)
	if err != nil {
		return err
	}
	unread, read := setOf(a.batch.Unread), setOf(a.batch.Read)
	for _, d := range details {
		if unread[d.Finding.Place] || a.batch.Read != nil && !read[d.Finding.Place] {
			continue
		}
		d.GoneAt, d.ChangedAt, d.Changed = a.now, a.now, true
		if d.Open() {
			d.Finding.Closure, d.Finding.ClosedAt = a.absenceOf(absence, d.Finding.Repository), store.TimeOf(a.now)
			if produced := a.batch.AsOf; !produced.IsZero() && produced.Before(d.Finding.ClosedAt) && produced.After(d.Finding.FirstSeen) {
				d.Finding.ClosedAt = produced
			}
		}
		r := a.changeReport(d.Number)
		a.count(r, -1)
		r.set(goneBit, true)
		r.content = 0
		if err := a.change(d); err != nil {
			return err
		}
	}
	return nil
}

func setOf(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// absenceOf is why a source lacks a finding: where it does not say itself, what became of the repository does. A repository that was
// renamed looks like one that was deleted and one that is new.
func (a *application) absenceOf(absence record.Closure, repository record.RepositoryName) record.Closure {
	if absence != record.ClosureVanished || !a.whole || !a.catalog.Retired[repository] {
		return absence
	}
	for _, e := range a.tables.Repositories.Entries {
		if !e.Gone && e.Value.Name == repository {
			return record.ClosureRepositoryArchived // retired and still there
		}
	}
	return record.ClosureRepositoryDeleted
}
