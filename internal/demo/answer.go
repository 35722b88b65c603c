package demo

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

// writeJSON answers with a value that can always be encoded: the fakes' own types.
func writeJSON(w http.ResponseWriter, code int, value any) {
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

// writeTagged answers 304 if the request already has this body, and 200 with its entity tag if not. As with GitHub, the tag depends on the
// credential. It reports whether the body was sent.
func writeTagged(w http.ResponseWriter, r *http.Request, contentType string, body []byte) bool {
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

// marshal encodes without escaping HTML, as the vendors do.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// stamp is a time as GitHub and DefectDojo write it; nil for none.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

// seen is a finding and what its source says about it at an instant.
type seen struct {
	*world.Finding
	world.State
}

// view holds what one source says about some findings at one second, so that the pages of a list cost one computation.
type view struct {
	mu   sync.Mutex
	at   time.Time
	list map[string][]seen
}

// of lists the findings of a source under a key at an instant, in the order of their identity.
func (v *view) of(w *world.World, at time.Time, source world.Source, key string, keyOf func(*world.Finding) string) []seen {
	at = at.Truncate(time.Second)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list == nil || !v.at.Equal(at) {
		v.at, v.list = at, map[string][]seen{}
		for _, f := range w.FindingsAt(at) {
			if f.Source == source {
				v.list[keyOf(f)] = append(v.list[keyOf(f)], seen{f, f.At(at)})
			}
		}
	}
	return v.list[key]
}
