package web

import (
	"errors"
	"net/http"
	"runtime/debug"

	"prodsec_exporter/internal/record"
)

// recovered answers 500 for a handler that panics, and tells the log and the counter. http.ErrAbortHandler is how a handler ends a connection
// on purpose, and passes.
func recovered(next http.Handler, o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler)
			}
			if o.Panicked != nil {
				o.Panicked()
			}
			o.Logger.Error("Answering a request panicked", "method", r.Method, "path", record.Text(r.URL.Path), "panic", cause, "stack", string(debug.Stack()))
			plain(w, http.StatusInternalServerError, "The request could not be answered; see the log.\n")
		}()
		next.ServeHTTP(w, r)
	})
}
