package frame

// Distributions gathers times into one histogram per entity and dimension of a family.
type Distributions struct {
	out *Sink
	all map[cellKey]*Distribution
	// order is that of the first observations, so that the same input makes the same series.
	order []cellKey
}

type cellKey struct {
	entity int32
	dim    int
}

// NewDistributions returns Distributions for the family of a sink.
func NewDistributions(out *Sink) *Distributions {
	return &Distributions{out: out, all: map[cellKey]*Distribution{}}
}

// Observe counts one time in whole seconds.
func (d *Distributions) Observe(entity int32, dim int, seconds uint32) {
	k := cellKey{entity, dim}
	one := d.all[k]
	if one == nil {
		one = NewDistribution(d.out.family.Bounds)
		d.all[k] = one
		d.order = append(d.order, k)
	}
	one.Observe(seconds)
}

// Finish hands the histograms to the sink.
func (d *Distributions) Finish() {
	for _, k := range d.order {
		d.out.Observe(k.entity, k.dim, d.all[k].Histogram())
	}
}
