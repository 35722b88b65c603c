// Package jira plays the REST API of Jira Cloud for the tickets of package world: search by JQL with page tokens, changelogs, users and groups. What it does not know
// it refuses as Jira does. It may use package world and what the fakes share (answer), and no other fake.
//
// To answer one more call: a route in New. To give tickets one more field: issues.go. To understand more of JQL: jql.go.
package jira

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
)

// New is the handler of the API, served under a base URL, for whoever shows Email and the token; now is the instant at which the world is told.
func New(w *world.World, now func() time.Time, token, url string) http.Handler {
	j := &jira{world: w, now: now, token: token, url: url, mux: http.NewServeMux()}
	for _, version := range []string{"2", "3"} {
		base := "/rest/api/" + version
		j.mux.HandleFunc("GET "+base+"/serverInfo", j.serverInfo)
		j.mux.HandleFunc("GET "+base+"/myself", j.myself)
		j.mux.HandleFunc("GET "+base+"/field", j.fields)
		j.mux.HandleFunc("GET "+base+"/search/jql", j.search)
		j.mux.HandleFunc("POST "+base+"/search/jql", j.search)
		j.mux.HandleFunc(base+"/search", j.gone)
		j.mux.HandleFunc("POST "+base+"/search/approximate-count", j.count)
		j.mux.HandleFunc("POST "+base+"/changelog/bulkfetch", j.changelogs)
		j.mux.HandleFunc("GET "+base+"/issue/{key}/changelog", j.changelog)
		j.mux.HandleFunc("GET "+base+"/issue/{key}/comment", j.comments)
		j.mux.HandleFunc("GET "+base+"/status", j.statuses)
		j.mux.HandleFunc("GET "+base+"/group/member", j.members)
	}
	j.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuseJira(w, http.StatusNotFound, "No endpoint "+r.URL.Path)
	})
	return j
}

// ServeHTTP checks the credential: e-mail address and API token. serverInfo needs none.
func (j *jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	email, token, ok := r.BasicAuth()
	right := ok && email == Email && subtle.ConstantTimeCompare([]byte(token), []byte(j.token)) == 1
	if !right && !strings.HasSuffix(r.URL.Path, "/serverInfo") {
		w.Header().Set("WWW-Authenticate", `OAuth realm="`+j.url+`"`)
		refuseJira(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	j.mux.ServeHTTP(w, r)
}

func (j *jira) gone(w http.ResponseWriter, _ *http.Request) {
	refuseJira(w, http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
}

func (j *jira) serverInfo(w http.ResponseWriter, _ *http.Request) {
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"baseUrl": j.url, "version": "1001.0.0-SNAPSHOT", "deploymentType": "Cloud", "serverTitle": "Meridian", "serverTime": j.now().Format(Layout),
	})
}

func (j *jira) myself(w http.ResponseWriter, _ *http.Request) {
	answer.WriteJSON(w, http.StatusOK, map[string]any{
		"accountId": "demo:prodsec-exporter", "accountType": "app", "emailAddress": Email, "displayName": "prodsec exporter", "active": true, "timeZone": "Etc/UTC",
	})
}
