package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"
)

// Status is how the exporter is.
type Status struct {
	// NotReady says what readiness waits for; empty when metrics are complete.
	NotReady string
	// Evaluated is the instant of the metrics that are served; zero before the first evaluation.
	Evaluated  time.Time
	Collectors []Collector
}

// Collector is how one collector instance is.
type Collector struct {
	Kind  string
	Name  string
	State State
	// LastRun and LastSuccess are when runs ended; zero before the first.
	LastRun     time.Time
	LastSuccess time.Time
	Took        time.Duration
	// Scopes is how many scopes the last run spoke of, Failed how many of them it could not read, Records what the others held.
	Scopes  int
	Failed  int
	Records int
	// LastError is why the last run, or a scope of it, failed.
	LastError string
}

// State is a collector's state in a word.
type State string

// The states.
const (
	// Waiting for the end of the first run.
	Waiting State = "waiting"
	// Up: everything was read.
	Up State = "up"
	// Partial: some scopes could not be read and keep their last records.
	Partial State = "partial"
	// Down: nothing could be read.
	Down State = "down"
)

//go:embed landing.html
var landingHTML string

func landing(o Options) http.Handler {
	page := template.Must(template.New("landing").Funcs(template.FuncMap{
		"time": func(t time.Time) string {
			if t.IsZero() {
				return "never"
			}
			return t.UTC().Format("2006-01-02 15:04:05 UTC")
		},
		"took": func(d time.Duration) string { return d.Round(time.Millisecond).String() },
	}).Parse(landingHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		private := o.Private(r)
		if err := page.Execute(&b, struct {
			Status
			Version string
			Private bool
			// Evidence says whether records are shown.
			Evidence bool
		}{o.Status(), o.Version, private, private || o.ShowEvidence}); err != nil {
			o.Logger.Error("Rendering the landing page failed", "error", err)
			plain(w, http.StatusInternalServerError, "The page cannot be shown; see the log.\n")
			return
		}
		pageHeaders(w.Header())
		_, _ = w.Write(b.Bytes()) // there is nobody left to tell
	})
}

// pageHeaders are those of every page: it loads nothing, sends nothing and is kept nowhere.
func pageHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}
