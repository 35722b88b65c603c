package apiclient

import (
	"time"
)

// Observer is told of every request and budget, so that the exporter can report them. Implementations are safe for concurrent use.
type Observer interface {
	// Requested is called once per HTTP answer, or with code 0 when there was none. Cached says that the answer was 304.
	Requested(code int, cached bool)
	// Budget is called when an answer states a budget: the limit, what remains and when it resets, by resource.
	Budget(resource string, limit, remaining int, reset time.Time)
}
