// Package defectdojo plays the API of DefectDojo for what the scanners of package world found: products, engagements, tests, findings and risk acceptances, with pages and
// prefetched relations. What it does not know it refuses as DefectDojo does. It may use package world and what the fakes share (answer), and no other fake.
//
// To answer one more call or filter: a route in New and its list beside the others.
package defectdojo

import (
	"net/http"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// New is the handler of the API, served under a base URL, for whoever shows the token; now is the instant at which the world is told.
func New(w *world.World, now func() time.Time, token, url string) http.Handler {
	d := &defectDojo{world: w, now: now, token: token, url: url, mux: http.NewServeMux(), view: &answer.View{}, uploads: map[*world.Repository][]engagement{}}
	d.build()
	for path, handle := range map[string]http.HandlerFunc{
		"findings": d.findings, "products": d.listProducts, "assets": d.listProducts, "product_types": d.listTypes, "organizations": d.listTypes,
		"engagements": d.listEngagements, "tests": d.listTests, "test_types": d.listTestTypes, "risk_acceptance": d.acceptances,
		"user_profile": d.profile,
	} {
		d.mux.HandleFunc("GET /api/v2/"+path+"/{$}", handle)
	}
	d.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer.WriteJSON(w, http.StatusNotFound, map[string]string{"detail": "Not found."})
	})
	return d
}

// ServeHTTP checks the credential.
func (d *defectDojo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch header := r.Header.Get("Authorization"); header {
	case "Token " + d.token:
		d.mux.ServeHTTP(w, r)
	case "":
		answer.WriteJSON(w, http.StatusUnauthorized, map[string]string{"detail": "Authentication credentials were not provided."})
	default:
		answer.WriteJSON(w, http.StatusUnauthorized, map[string]string{"detail": "Invalid token."})
	}
}
