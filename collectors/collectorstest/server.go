// Package collectorstest holds the conformance suite that every collector passes, and the fake source it needs.
//
// A collector's test describes a healthy source (Suite.Serve), the scopes it yields, and sources that changed a little
// (Suite.Altered). Run then lets the source misbehave in every way that real ones do and checks that no failure ever looks like a
// smaller number. The same Server is of use for a collector's own tests.
//
// To hold collectors to one more rule: a check and its line in the list checks (suite.go). It knows no collector, and what a collector may differ in is a field of Suite.
package collectorstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// Request is a request as the fake source got it.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Server is a fake source over real HTTP on the loopback. Its routes are scripted, its requests recorded, and faults
// can be injected into any of them.
type Server struct {
	server  *httptest.Server
	foreign *httptest.Server
	done    chan struct{}

	mu       sync.Mutex
	routes   map[string]http.HandlerFunc
	mux      *http.ServeMux
	requests []Request
	leaked   []Request
	fault    *Fault
	matched  int
	first    *httptest.ResponseRecorder
}

// NewServer starts a server that answers 404 to everything, until the test ends.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{routes: map[string]http.HandlerFunc{}, mux: http.NewServeMux(), done: make(chan struct{})}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.foreign = httptest.NewServer(http.HandlerFunc(s.serveForeign))
	t.Cleanup(func() {
		close(s.done)
		s.server.Close()
		s.foreign.Close()
	})
	return s
}

// URL is the base URL of the source.
func (s *Server) URL() string { return s.server.URL }

// Handle scripts a route by a pattern of http.ServeMux, such as "GET /orgs/{org}/repos". A later handler of the same
// pattern replaces an earlier one.
func (s *Server) Handle(pattern string, handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes[pattern] = handler
	s.mux = http.NewServeMux()
	for p, h := range s.routes {
		s.mux.HandleFunc(p, h)
	}
}

// JSON scripts a route that answers a value as JSON; a string or []byte is sent as it is.
func (s *Server) JSON(pattern string, value any) {
	s.Handle(pattern, func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, value) })
}

// Counted makes a route that was scripted say in a header how many items its list has.
func (s *Server) Counted(pattern, header string, total int) {
	s.mu.Lock()
	pages := s.routes[pattern]
	s.mu.Unlock()
	s.Handle(pattern, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(header, strconv.Itoa(total))
		pages(w, r)
	})
}

// LinkPages scripts a route whose pages are linked by the header Link. The query parameter param carries an opaque
// cursor.
func (s *Server) LinkPages(pattern, param string, pages ...any) {
	s.Handle(pattern, func(w http.ResponseWriter, r *http.Request) {
		page := 0
		if cursor := r.URL.Query().Get(param); cursor != "" {
			n, err := strconv.Atoi(cursor[len(cursor)-1:])
			if err != nil || n >= len(pages) {
				http.Error(w, `{"message":"unknown cursor"}`, http.StatusBadRequest)
				return
			}
			page = n
		}
		if page+1 < len(pages) {
			next := *r.URL
			q := next.Query()
			q.Set(param, fmt.Sprintf("Y3Vyc29y%d", page+1))
			next.RawQuery = q.Encode()
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next"`, r.Host, next.RequestURI()))
		}
		WriteJSON(w, pages[page])
	})
}

// WriteJSON answers with a value as JSON; a string, json.RawMessage or []byte is sent as it is.
func WriteJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch v := value.(type) {
	case string:
		_, _ = io.WriteString(w, v)
	case []byte:
		_, _ = w.Write(v)
	case json.RawMessage:
		_, _ = w.Write(v)
	default:
		data, err := json.Marshal(value)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(data)
	}
}

// Requests are the requests so far, in the order of their arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Forget drops the recorded requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.matched, s.first = nil, 0, nil
}

// Leaked are the requests that reached the host a redirect or link led to. There must be none.
func (s *Server) Leaked() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.leaked)
}

// Inject lets matching requests fail; nil heals the source.
func (s *Server) Inject(f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.matched, s.first = f, 0, nil
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	request := capture(r)
	s.mu.Lock()
	s.requests = append(s.requests, request)
	mux, fault := s.mux, s.fault
	nth := 0
	if fault != nil && (fault.Match == nil || fault.Match(request)) {
		s.matched++
		nth = s.matched
	}
	s.mu.Unlock()
	if nth == 0 || !fault.hits(nth) {
		s.answer(w, r, mux, nth == 1)
		return
	}
	fault.Apply(&Exchange{ResponseWriter: w, Request: r, server: s, mux: mux})
}

// answer serves the healthy source, and keeps the first matching answer for the fault that repeats it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, mux *http.ServeMux, keep bool) {
	if !keep {
		mux.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	s.mu.Lock()
	s.first = rec
	s.mu.Unlock()
	replay(w, rec)
}

func replay(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (s *Server) serveForeign(w http.ResponseWriter, r *http.Request) {
	request := capture(r)
	s.mu.Lock()
	s.leaked = append(s.leaked, request)
	s.mu.Unlock()
	WriteJSON(w, `[]`)
}

// capture reads a request and leaves its body readable.
func capture(r *http.Request) Request {
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	return Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: data}
}
