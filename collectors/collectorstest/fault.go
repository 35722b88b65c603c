package collectorstest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// Fault is one way to misbehave.
type Fault struct {
	// Name describes the fault in messages of the suite.
	Name string
	// Match chooses requests; nil means all.
	Match func(Request) bool
	// From is the first matching request that is hit, counted from 1; 0 means the first.
	From int
	// Times bounds how many are hit; 0 means all from there on.
	Times int
	// Apply answers a request that is hit.
	Apply func(*Exchange)
}

func (f *Fault) hits(nth int) bool {
	from := max(1, f.From)
	return nth >= from && (f.Times == 0 || nth < from+f.Times)
}

// Exchange is a request that a fault answers.
type Exchange struct {
	http.ResponseWriter
	Request *http.Request
	server  *Server
	mux     *http.ServeMux
}

// Healthy is what the source would have answered.
func (e *Exchange) Healthy() *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	e.mux.ServeHTTP(rec, e.Request)
	return rec
}

// Status answers with a status code and a message that repeats the credential, as careless servers and proxies do.
func Status(code int) func(*Exchange) {
	return func(e *Exchange) {
		e.Header().Set("Content-Type", "application/json")
		e.WriteHeader(code)
		_, _ = fmt.Fprintf(e, `{"message":%s}`, strconv.Quote("injected; you sent "+fmt.Sprint(credentials(e.Request))))
	}
}

// RetryAfter answers with a status code and asks to be left alone.
func RetryAfter(code int, wait time.Duration) func(*Exchange) {
	return func(e *Exchange) {
		e.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		Status(code)(e)
	}
}

// CutBody sends half of the healthy answer and closes the connection.
func CutBody(e *Exchange) {
	healthy := e.Healthy()
	data := healthy.Body.Bytes()
	for name, values := range healthy.Header() {
		e.Header()[name] = values
	}
	e.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = e.Write(data[:len(data)/2])
}

// Malformed sends the healthy answer with its last bracket turned around, so that it is no JSON.
func Malformed(e *Exchange) {
	healthy := e.Healthy()
	for name, values := range healthy.Header() {
		e.Header()[name] = values
	}
	data := bytes.TrimRight(healthy.Body.Bytes(), " \n]}")
	_, _ = e.Write(append(bytes.Clone(data), ')', '!'))
}

// Body answers with status 200 and a JSON text, such as null or an object that lacks what was asked for.
func Body(text string) func(*Exchange) {
	return func(e *Exchange) { WriteJSON(e, text) }
}

// HTML sends a sign-in page with status 200, as an expired single sign-on does.
func HTML(e *Exchange) {
	e.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = e.Write([]byte("<!doctype html><html><title>Sign in</title></html>"))
}

// Hang answers nothing until the client gives up or the server closes.
func Hang(e *Exchange) {
	select {
	case <-e.Request.Context().Done():
	case <-e.server.done:
	}
}

// ForeignRedirect sends the client to another host.
func ForeignRedirect(e *Exchange) {
	http.Redirect(e, e.Request, e.server.foreign.URL+e.Request.URL.RequestURI(), http.StatusTemporaryRedirect)
}

// ForeignLink sends the healthy answer, whose header Link leads to another host.
func ForeignLink(e *Exchange) {
	healthy := e.Healthy()
	healthy.Header().Set("Link", "<"+e.server.foreign.URL+e.Request.URL.RequestURI()+`>; rel="next"`)
	replay(e, healthy)
}

// RepeatFirst answers as the first matching request was answered, so that its cursor comes again.
func RepeatFirst(e *Exchange) {
	e.server.mu.Lock()
	first := e.server.first
	e.server.mu.Unlock()
	if first == nil {
		first = e.Healthy()
	}
	replay(e, first)
}

// Reset closes the connection without an answer.
func Reset(*Exchange) { panic(http.ErrAbortHandler) }

func credentials(r *http.Request) []string {
	var found []string
	for name, values := range r.Header {
		switch name {
		case "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent":
		default:
			found = append(found, values...)
		}
	}
	return found
}
