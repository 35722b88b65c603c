package files

import (
	"net/http"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// files serves the catalog and the reports that pipelines leave behind, as a web server would.
type files struct {
	world *world.World
	now   func() time.Time
}

// serve answers with a value as JSON.
func (f *files) serve(value func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := answer.Marshal(value())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer.WriteTagged(w, r, "application/json", body)
	}
}
