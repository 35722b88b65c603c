package derivation

import (
	"cmp"
	"slices"

	"prodsec_exporter/internal/ledger/identity"
	"prodsec_exporter/internal/ledger/records"
	"prodsec_exporter/internal/ledger/store"
	"prodsec_exporter/internal/snapshot"
)

// derive folds every group that changed into weaknesses, matches them to those that were there, and stores the reports.
func (a *application) derive() error {
	var all [][]*identity.Report
	for _, d := range a.pending {
		if a.reports.At(int(d.Number)).group == 0 {
			all = append(all, []*identity.Report{d})
		}
	}
	for _, group := range a.groups {
		members, err := a.members(group)
		if err != nil {
			return err
		}
		all = append(all, identity.Cluster(members)...)
	}
	slices.SortStableFunc(all, func(x, y []*identity.Report) int { return identity.Earlier(x[0], y[0]) })
	continued := a.match(all)
	for i, cluster := range all {
		a.become(cluster, continued[i])
	}
	return a.store(all)
}

// store writes the reports that changed, in the order of their numbers: new ones are then appended to the table.
func (a *application) store(all [][]*identity.Report) error {
	var changed []*identity.Report
	for _, cluster := range all {
		for _, d := range cluster {
			if d.Changed {
				changed = append(changed, d)
			}
		}
	}
	slices.SortFunc(changed, func(x, y *identity.Report) int { return cmp.Compare(x.Number, y.Number) })
	for _, d := range changed {
		row, err := d.Row(a.reports.At(int(d.Number)).weakness)
		if err != nil {
			return err
		}
		if err := a.tx.PutFinding(row); err != nil {
			return err
		}
	}
	return nil
}

// members are the reports of a group: as changed by this batch, or as stored.
func (a *application) members(group uint32) ([]*identity.Report, error) {
	var members []*identity.Report
	var unchanged []int32
	for p := a.head(group); p >= 0; p = a.reports.At(int(p)).next {
		if d := a.byReport[p]; d != nil {
			members = append(members, d)
		} else {
			unchanged = append(unchanged, p)
		}
	}
	stored, err := a.details(a.tx, unchanged)
	return append(members, stored...), err
}

// match says which weakness goes on in which cluster, -1 for a new one. A weakness goes on where its primary report is; of
// several in one cluster the one with the earliest primary does, and the others end.
func (a *application) match(all [][]*identity.Report) []int32 {
	continued := make([]int32, len(all))
	var ended []int32
	for i, cluster := range all {
		continued[i] = -1
		for _, d := range cluster { // ordered: the earliest primary comes first
			r := a.reports.At(int(d.Number))
			switch {
			case r.weakness < 0 || !r.primary():
			case continued[i] < 0:
				continued[i] = r.weakness
			default:
				ended = append(ended, r.weakness)
			}
		}
	}
	for _, p := range ended {
		a.absorb(p)
		a.absorbed = append(a.absorbed, p)
	}
	return continued
}

// become makes a cluster the weakness it is, under its old identity if it has one.
func (a *application) become(cluster []*identity.Report, p int32) {
	how := observed
	if a.first {
		how = gained
	}
	if p < 0 && slices.ContainsFunc(cluster, func(d *identity.Report) bool { return a.reports.At(int(d.Number)).weakness >= 0 }) {
		how = split
	}
	since := records.Always // of what was not there before, or is read for the first time, all is history
	if p >= 0 && how == observed {
		since = a.changedAt(cluster)
	}
	w := a.fold(cluster)
	way, wasOpen := passage{how: how, clock: w, ended: !w.Open()}, false
	if p >= 0 {
		wasOpen = a.weaknesses.At(int(p)).Open()
		way = a.replace(p, w, cluster, how)
	} else {
		if how == split && a.splitFromHistory(cluster) {
			w.Flags |= snapshot.ImportedHistory
		}
		p = a.create(w, how)
		if how == split {
			a.split = append(a.split, p)
		}
	}
	for i, d := range cluster {
		r := a.reports.At(int(d.Number))
		if r.weakness == p && r.primary() == (i == 0) {
			continue
		}
		r = a.changeReport(d.Number)
		if r.weakness != p {
			r.weakness = p
			d.Changed = true // its row names its weakness
		}
		r.set(primaryBit, i == 0)
	}
	if len(a.exceptions.all) > 0 || a.pauses[p] != nil {
		a.coverFrom(p, cluster, since, wasOpen)
	}
	a.settleClock(p, way)
}

// changedAt is the instant from which a change of reports counts for what covers their weakness: their last update by the source, if it lies after
// the last reading, else now.
func (a *application) changedAt(cluster []*identity.Report) int64 {
	updated := int64(0)
	for _, d := range cluster {
		if d.Changed {
			updated = max(updated, store.Unix(d.Finding.UpdatedAt))
		}
	}
	if updated <= store.Unix(a.read) || updated > a.now {
		return a.now
	}
	return updated
}

// splitFromHistory reports whether a first reading showed that a weakness of which all is history is several.
func (a *application) splitFromHistory(cluster []*identity.Report) bool {
	return a.late != nil && !slices.ContainsFunc(cluster, func(d *identity.Report) bool {
		p := a.reports.At(int(d.Number)).weakness
		return p >= 0 && !a.weaknesses.At(int(p)).Flags.Has(snapshot.ImportedHistory)
	})
}
