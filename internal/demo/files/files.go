// Package files serves what the organisation of package world publishes as files: its catalog of services, the reports that pipelines leave behind, and the evidence of
// controls. It may use package world and what the fakes share (answer), and no other fake.
//
// To serve one more file: a route in New and the function that writes it; a report also has a name in ReportNames, which the demo's configuration lists.
package files

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// New is the handler of all files; now is the instant at which the world is told.
func New(w *world.World, now func() time.Time) http.Handler {
	f := &files{world: w, now: now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /catalog.yml", func(w http.ResponseWriter, r *http.Request) {
		answer.WriteTagged(w, r, "application/yaml", catalogOf(f.world, f.now()))
	})
	mux.HandleFunc("GET /reports/{file}", f.report)
	mux.HandleFunc("GET /evidence/posture.json", f.serve(f.posture))
	mux.HandleFunc("GET /evidence/policyreports.json", f.serve(f.policyReports))
	return mux
}

// catalogOf writes the catalog as Meridian keeps it.
func catalogOf(w *world.World, t time.Time) []byte {
	var b strings.Builder
	b.WriteString("services:\n")
	for _, s := range w.Services {
		fmt.Fprintf(&b, "  - name: %s\n    business_unit: %s\n    team: %s\n    trust_tier: %s\n    product_area: %s\n    lifecycle: %s\n",
			s.Name, s.Team.BusinessUnit, s.Team.Name, s.TrustTier, s.ProductArea, s.Lifecycle)
		fmt.Fprintf(&b, "    crown_jewel: %t\n    internet_facing: %t\n    repositories:\n", s.CrownJewel, s.InternetFacing)
		for _, h := range s.Repositories {
			if len(h.Paths) == 0 {
				fmt.Fprintf(&b, "      - %s\n", h.Repository.FullName())
				continue
			}
			fmt.Fprintf(&b, "      - name: %s\n        paths:\n", h.Repository.FullName())
			for _, path := range h.Paths {
				fmt.Fprintf(&b, "          - %s/**\n", path)
			}
		}
		fmt.Fprintf(&b, "    facts: {platform: %s}\n", s.Platform())
		if len(s.Controls) > 0 {
			b.WriteString("    controls:\n")
		}
		for _, c := range s.Controls {
			fmt.Fprintf(&b, "      %s: {holds: %t, date: %s}\n", c.Name, c.Holds, c.ControlDate(t).Format(time.DateOnly))
		}
	}
	return []byte(b.String())
}
