package exposition

import (
	"log/slog"
	"maps"
	"sync"
)

// The reasons why a series is left out: the label "reason" of prodsec_series_dropped_total.
const (
	// reasonName: the family or a label has a name that is not allowed, or the family comes twice.
	reasonName = "name"
	// reasonLabels: the number of label values is not that of the labels, or a value is not valid UTF-8.
	reasonLabels = "labels"
	// reasonValue: a value that its type does not allow.
	reasonValue = "value"
	// reasonDuplicate: another series has the same labels, or a live family the same name.
	reasonDuplicate = "duplicate"
	// reasonEncoding: the format cannot express it.
	reasonEncoding = "encoding"
	// reasonGather: the exporter's own metrics could not be gathered in full.
	reasonGather = "gather"
)

// reasons lists every reason, so that each is shown at 0 before it happens.
var reasons = []string{reasonName, reasonLabels, reasonValue, reasonDuplicate, reasonEncoding, reasonGather}

// maxLogged bounds the number of different warnings that are remembered as logged.
const maxLogged = 1000

// drops count the series that were left out, and log each kind once.
type drops struct {
	logger  *slog.Logger
	mutex   sync.Mutex
	dropped map[string]int
	logged  map[string]bool
}

func newDrops(logger *slog.Logger) *drops {
	d := &drops{logger: logger, dropped: map[string]int{}, logged: map[string]bool{}}
	for _, reason := range reasons {
		d.dropped[reason] = 0
	}
	return d
}

// drop counts series and logs the first time per family and reason.
func (d *drops) drop(family, reason string, n int) {
	if n == 0 {
		return
	}
	d.count(reason, n)
	if d.first(family + " " + reason) {
		d.logger.Warn("Leaving out series", "family", family, "reason", reason, "series", n)
	}
}

func (d *drops) count(reason string, n int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.dropped[reason] += n
}

// first reports whether a key comes for the first time.
func (d *drops) first(key string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.logged[key] || len(d.logged) >= maxLogged {
		return false
	}
	d.logged[key] = true
	return true
}

// counts are the numbers of series that were left out, by reason.
func (d *drops) counts() map[string]int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return maps.Clone(d.dropped)
}
