package metrics

// distributions gathers times into one histogram per entity and dimension of a family.
type distributions struct {
	out     *Sink
	tallies map[cellKey]*tally
	// order is that of the first observations, so that the same input makes the same series.
	order []cellKey
}

type cellKey struct {
	entity int32
	dim    int
}

func newDistributions(out *Sink) *distributions {
	return &distributions{out: out, tallies: map[cellKey]*tally{}}
}

// observe counts one time in whole seconds.
func (d *distributions) observe(entity int32, dim int, seconds uint32) {
	k := cellKey{entity, dim}
	t := d.tallies[k]
	if t == nil {
		t = newTally(d.out.family.Bounds)
		d.tallies[k] = t
		d.order = append(d.order, k)
	}
	t.sum += float64(seconds)
	t.observe(d.out.family.Bounds, seconds, 1)
}

// finish hands the histograms over.
func (d *distributions) finish() {
	for _, k := range d.order {
		d.out.Observe(k.entity, k.dim, d.tallies[k].histogram())
	}
}
