// Package answer is what the fakes' answers share: how bodies are written and tagged, lists are cut into pages, and findings are told at an instant. It may use package
// world and knows no API.
//
// To share one more thing: a function that at least two fakes need.
package answer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"prodsec_exporter/internal/demo/world"
)

// WriteJSON answers with a value that can always be encoded: the fakes' own types.
func WriteJSON(w http.ResponseWriter, code int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeBody(w, code, "application/json; charset=utf-8", body)
}

func writeBody(w http.ResponseWriter, code int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// WriteTagged answers 304 if the request already has this body, and 200 with its entity tag if not. As with GitHub, the tag depends on the
// credential. It reports whether the body was sent.
func WriteTagged(w http.ResponseWriter, r *http.Request, contentType string, body []byte) bool {
	sum := sha256.Sum256(append([]byte(r.Header.Get("Accept")+":"+r.Header.Get("Authorization")+":"), body...))
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, max-age=60, s-maxage=60")
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == strings.TrimPrefix(tag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return false
		}
	}
	writeBody(w, http.StatusOK, contentType, body)
	return true
}

// Marshal encodes without escaping HTML, as the vendors do.
func Marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// Stamp is a time as GitHub and DefectDojo write it; nil for none.
func Stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

// Seen is a finding and what its source says about it at an instant.
type Seen struct {
	*world.Finding
	world.State
}

// View holds what one source says about some findings at one second, so that the pages of a list cost one computation.
type View struct {
	mu   sync.Mutex
	at   time.Time
	list map[string][]Seen
}

// Of lists the findings of a source under a key at an instant, in the order of their identity.
func (v *View) Of(w *world.World, at time.Time, source world.Source, key string, keyOf func(*world.Finding) string) []Seen {
	at = at.Truncate(time.Second)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list == nil || !v.at.Equal(at) {
		v.at, v.list = at, map[string][]Seen{}
		for _, f := range w.FindingsAt(at) {
			if f.Source == source {
				v.list[keyOf(f)] = append(v.list[keyOf(f)], Seen{f, f.At(at)})
			}
		}
	}
	return v.list[key]
}

// WebURL is where people would look at the demo's repositories.
const WebURL = "https://github.com/"

// TrivyTypes are Trivy's words for the ecosystems.
var TrivyTypes = map[string]string{"npm": "npm", "pip": "pip", "maven": "pom", "go": "gomod", "nuget": "nuget"}
