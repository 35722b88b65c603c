package tallies

import (
	"time"

	"prodsec_exporter/internal/policy"
)

// WindowsHolding are the trailing windows that hold an instant, shortest first; their start is not in them.
func (in *Input) WindowsHolding(t time.Time) []policy.Window {
	all := in.Policy.Windows()
	return all[FirstWindow(all, t, in.At):]
}

// FirstWindow is the position of the shortest trailing window that holds an instant, which all longer ones do, too; the number of windows if
// none does.
func FirstWindow(windows []policy.Window, at, now time.Time) int {
	for i := range windows {
		if InWindow(&windows[i], at, now) {
			return i
		}
	}
	return len(windows)
}

// InWindow reports whether an instant is in the trailing window, whose start is not.
func InWindow(w *policy.Window, at, now time.Time) bool {
	return at.After(now.Add(-w.Length)) && !at.After(now)
}

// windowStarts are the exclusive starts of the windows in Unix seconds, latest first.
func windowStarts(windows []policy.Window, at int64) []int64 {
	starts := make([]int64, len(windows))
	for i, w := range windows {
		starts[i] = at - int64(w.Length.Seconds())
	}
	return starts
}

// windowOf is the position of the shortest window that holds an instant, or the number of windows if none does.
func windowOf(starts []int64, counted int64) int {
	for i, start := range starts {
		if counted > start {
			return i
		}
	}
	return len(starts)
}

// WindowCounts counts in total and in each trailing window. The count of a window in which something is too old to be shown is not known.
type WindowCounts struct {
	Total uint64
	// In and Dropped are by position in Policy.Windows; nil while nothing was counted.
	In      []uint64
	Dropped []bool
}

// addRecent counts one thing that happened in some windows from the first that holds it; Total counts by itself, because an owner of windows may be another one.
func (w *WindowCounts) addRecent(first, windows int, dropped bool) {
	w.grow(windows)
	for i := first; i < windows; i++ {
		w.In[i]++
		w.Dropped[i] = w.Dropped[i] || dropped
	}
}

func (w *WindowCounts) grow(windows int) {
	if w.In == nil {
		w.In, w.Dropped = make([]uint64, windows), make([]bool, windows)
	}
}

// Join adds what another one counted.
func (w *WindowCounts) Join(o *WindowCounts) {
	w.Total += o.Total
	if o.In == nil {
		return
	}
	w.grow(len(o.In))
	for i, n := range o.In {
		w.In[i] += n
		w.Dropped[i] = w.Dropped[i] || o.Dropped[i]
	}
}
