package derivation

// dictionary numbers values in the order in which they were first seen.
type dictionary[T comparable] struct {
	values []T
	index  map[T]int32
	saved  int
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

// save writes what was added.
func (d *dictionary[T]) save(put func(id int32, v T) error) error {
	for ; d.saved < len(d.values); d.saved++ {
		if err := put(int32(d.saved), d.values[d.saved]); err != nil {
			return err
		}
	}
	return nil
}
