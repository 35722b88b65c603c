package derivation

// dictionary numbers values in the order in which they were first seen.
type dictionary[T comparable] struct {
	values []T
	index  map[T]int32
	saved  int
	// replaced are values that were stored and are others now.
	replaced map[int32]struct{}
}

func (d *dictionary[T]) of(v T) int32 {
	if i, ok := d.index[v]; ok {
		return i
	}
	if d.index == nil {
		d.index = map[T]int32{}
	}
	i := int32(len(d.values))
	d.values = append(d.values, v)
	d.index[v] = i
	return i
}

// replace puts another value in the place of one.
func (d *dictionary[T]) replace(i int32, v T) {
	delete(d.index, d.values[i])
	values := append([]T(nil), d.values...) // snapshots share the old ones
	values[i] = v
	d.values = values
	d.index[v] = i
	if d.replaced == nil {
		d.replaced = map[int32]struct{}{}
	}
	d.replaced[i] = struct{}{}
}

// save writes what was added or replaced.
func (d *dictionary[T]) save(put func(id int32, v T) error) error {
	for i := range d.replaced {
		if int(i) < d.saved {
			if err := put(i, d.values[i]); err != nil {
				return err
			}
		}
	}
	clear(d.replaced)
	for ; d.saved < len(d.values); d.saved++ {
		if err := put(int32(d.saved), d.values[d.saved]); err != nil {
			return err
		}
	}
	return nil
}
