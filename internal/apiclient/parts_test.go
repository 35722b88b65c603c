package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/internal/record"
)

func TestSecretRead(t *testing.T) {
	write := func(content string) Secret {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return Secret{File: path}
	}
	t.Setenv("PRODSEC_TEST_SECRET", "from-env\n")
	tests := []struct {
		name    string
		secret  Secret
		want    string
		wantErr string
	}{
		{"file", write("abc\n"), "abc", ""},
		{"file of Windows", write("abc\r\n"), "abc", ""},
		{"only one line break goes", write("abc\n\n"), "abc\n", ""},
		{"environment", Secret{Env: "PRODSEC_TEST_SECRET"}, "from-env", ""},
		{"empty file", write("\n"), "", "is empty"},
		{"large file", write(strings.Repeat("x", maxSecret+1)), "", "larger than"},
		{"no file", Secret{File: "/nonexistent/token"}, "", "/nonexistent/token"},
		{"unset variable", Secret{Env: "PRODSEC_TEST_UNSET"}, "", "PRODSEC_TEST_UNSET is not set or empty"},
		{"none", Secret{}, "", "set file or env"},
		{"both", Secret{File: "a", Env: "b"}, "", "either"},
		{"token instead of a place", Secret{Env: "ghp_abcdef012345"}, "", "written into the configuration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.secret.Read()
			if got != tt.want || (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("Read() = %q, %v; want %q and an error with %q", got, err, tt.want, tt.wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "abcdef012345") {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestSecretIsMasked(t *testing.T) {
	s := Secret{Env: "ghp_abcdef012345"}
	out, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(out), s.String(), fmt.Sprintf("%v %+v %#v", s, s, s), s.LogValue().String()} {
		if strings.Contains(text, "abcdef") {
			t.Errorf("%q shows the secret", text)
		}
	}
	out, err = yaml.Marshal(Secret{File: "/run/secrets/token"})
	if err != nil || string(out) != "file: /run/secrets/token\n" {
		t.Errorf("Marshal = %q, %v", out, err)
	}
}

func TestRotatedSecretIsUsed(t *testing.T) {
	secret := tokenFile(t, "first-token")
	var got string
	c, _ := newClient(t, Options{Auth: Token(secret, "token")}, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") })
	for _, token := range []string{"first-token", "second-token"} {
		if err := os.WriteFile(secret.File, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got != "token "+token {
			t.Errorf("sent %q, want %q", got, "token "+token)
		}
	}
}

func TestUnreadableSecretSendsNothing(t *testing.T) {
	var calls atomic.Int32
	multiline := tokenFile(t, "one\ntwo")
	for _, secret := range []Secret{{File: "/nonexistent/token"}, multiline} {
		c, _ := newClient(t, Options{Auth: Bearer(secret)}, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
		_, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil)
		if record.ReasonOf(err) != record.ReasonUnauthorized || strings.Contains(err.Error(), "two") {
			t.Errorf("Do() with %s = %v, want unauthorized", secret, err)
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d requests were sent without a credential", calls.Load())
	}
}

// TestDatesOfAnswers: the date of an answer is the host's own, so that of a cache on the way says nothing.
func TestDatesOfAnswers(t *testing.T) {
	date := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var dates []time.Time
	var host string
	c, _ := newClient(t, Options{Dated: func(h string, at time.Time) { host, dates = h, append(dates, at) }}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", date.Format(http.TimeFormat))
		switch r.URL.Path {
		case "/cached":
			w.Header().Set("Age", "120")
		case "/undated":
			w.Header()["Date"] = nil
		case "/odd":
			w.Header().Set("Date", "yesterday")
		}
		_, _ = w.Write([]byte("[]"))
	})
	for _, path := range []string{"plain", "cached", "undated", "odd"} {
		var out []string
		if _, err := c.Do(t.Context(), http.MethodGet, path, nil, nil, &out); err != nil {
			t.Fatal(err)
		}
	}
	if len(dates) != 1 || !dates[0].Equal(date) || !strings.HasPrefix(host, "127.0.0.1:") {
		t.Errorf("dates %v of %q, want one of %s", dates, host, date)
	}
}

func TestConditionalRequests(t *testing.T) {
	watch, secret := &seen{}, tokenFile(t, "token-one")
	c, _ := newClient(t, Options{Auth: Bearer(secret), Observer: watch}, func(w http.ResponseWriter, r *http.Request) {
		etag := `"` + r.Header.Get("Authorization") + `"`
		w.Header().Set("ETag", etag)
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(len(watch.codes)))
		if match := r.Header.Get("If-None-Match"); match == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		} else if match != "" {
			t.Errorf("If-None-Match %q is of another credential than %q", match, etag)
		}
		w.Header().Set("Link", `</x?page=2>; rel="next"`)
		w.Header().Set("X-Prodsec-Not-Modified", "1")
		_, _ = fmt.Fprintf(w, `["%s"]`, r.Header.Get("Authorization"))
	})
	get := func(wantToken string, wantKept bool) {
		t.Helper()
		var out []string
		resp, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, &out)
		if err != nil {
			t.Fatal(err)
		}
		if resp.NotModified != wantKept || resp.StatusCode != 200 || len(out) != 1 || out[0] != "Bearer "+wantToken || !strings.HasSuffix(resp.Next, "/x?page=2") {
			t.Errorf("Do() = %+v %v, want the body of %s, kept %t, and the next page", resp, out, wantToken, wantKept)
		}
		if fresh := strconv.Itoa(len(watch.codes) - 1); resp.Header.Get("X-RateLimit-Remaining") != fresh {
			t.Errorf("budget header = %q, want the fresh %q", resp.Header.Get("X-RateLimit-Remaining"), fresh)
		}
	}
	get("token-one", false)
	get("token-one", true)
	if err := os.WriteFile(secret.File, []byte("token-two"), 0o600); err != nil {
		t.Fatal(err)
	}
	get("token-two", false)
	get("token-two", true)
	if fmt.Sprint(watch.codes) != "[200 304 200 304]" || watch.cached != 2 {
		t.Errorf("observed %v, %d cached", watch.codes, watch.cached)
	}
}

func TestCacheIsBounded(t *testing.T) {
	kept := newCache(nil, 4*(1000+entryOverhead), nil)
	for i := range 100 {
		kept.put(&cached{key: [32]byte{byte(i)}, body: make([]byte, 1000)})
	}
	kept.put(&cached{key: [32]byte{200}, body: make([]byte, 100_000)})
	if len(kept.entries) != 4 || kept.recent.Len() != 4 || kept.size > kept.capacity {
		t.Errorf("%d entries of %d bytes, want 4 within %d", len(kept.entries), kept.size, kept.capacity)
	}
	if kept.get([32]byte{99}) == nil || kept.get([32]byte{0}) != nil || kept.get([32]byte{200}) != nil {
		t.Error("the least recent entries should be gone, the latest there, the oversized never")
	}
}

func TestLinkRelation(t *testing.T) {
	tests := []struct{ header, want string }{
		{`<https://h/x?page=2>; rel="next", <https://h/x?page=9>; rel="last"`, "https://h/x?page=2"},
		{`<https://h/x?page=1>; rel="prev",<https://h/x?page=3>; rel="next"`, "https://h/x?page=3"},
		{`<https://h/a,b;c?x=1>; title="x"; rel=next`, "https://h/a,b;c?x=1"},
		{`<https://h/x>; rel="last next"`, "https://h/x"},
		{`<https://h/x>; rel="nextish"`, ""},
		{`<https://h/x; rel="next"`, ""},
		{``, ""},
	}
	for _, tt := range tests {
		if got, ok := linkRelation(tt.header, "next"); got != tt.want || ok != (tt.want != "") {
			t.Errorf("linkRelation(%q) = %q, %t; want %q", tt.header, got, ok, tt.want)
		}
	}
}

func FuzzLinkRelation(f *testing.F) {
	f.Add(`<https://h/x?page=2>; rel="next", <https://h>; rel=last`)
	f.Add(`<;,<>=">`)
	f.Fuzz(func(t *testing.T, header string) {
		if target, ok := linkRelation(header, "next"); ok && !strings.Contains(header, "<"+target+">") {
			t.Errorf("linkRelation(%q) = %q, which is not in it", header, target)
		}
	})
}

func TestFollow(t *testing.T) {
	pages := func(next func(page int) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("after"))
			if n := next(page); n != "" {
				w.Header().Set("Link", `<http://`+r.Host+`/x?after=`+n+`>; rel="next"`)
			}
			_, _ = fmt.Fprintf(w, `[%d]`, page)
		}
	}
	upTo := func(last int) func(int) string {
		return func(page int) string {
			if page == last {
				return ""
			}
			return strconv.Itoa(page + 1)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		max     int
		want    int
		reason  record.ErrorReason
	}{
		{"to the end", pages(upTo(4)), 0, 5, ""},
		{"exactly as many as allowed", pages(upTo(4)), 5, 5, ""},
		{"more than allowed", pages(upTo(5)), 5, 5, record.ReasonTruncated},
		{"repeated cursor", pages(func(int) string { return "1" }), 0, 2, record.ReasonTruncated},
		{"loop of two", pages(func(p int) string { return strconv.Itoa(1 + p%2) }), 0, 3, record.ReasonTruncated},
		{"failing page", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("after") == "2" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			pages(upTo(4))(w, r)
		}, 0, 2, record.ReasonPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{}, tt.handler)
			got := 0
			err := c.Follow(t.Context(), "x", nil, tt.max, func(items []json.RawMessage) (bool, error) {
				got += len(items)
				return true, nil
			})
			if got != tt.want || (err == nil) != (tt.reason == "") || err != nil && record.ReasonOf(err) != tt.reason {
				t.Errorf("Follow() read %d items, error %v; want %d and %q", got, err, tt.want, tt.reason)
			}
		})
	}
}

// TestFollowNoticesRepeats: what a list gives twice stands in place of something else, unless the end of the list was not wanted.
func TestFollowNoticesRepeats(t *testing.T) {
	answers := map[string][]json.RawMessage{"1": {[]byte(`{"n":1}`), []byte(`{"n":2}`)}, "2": {[]byte(`{"n":2}`)}}
	get := func(_ context.Context, address string, out any) (*Response, error) {
		*out.(*[]json.RawMessage) = answers[address]
		return &Response{Next: map[string]string{"1": "2"}[address]}, nil
	}
	for _, whole := range []bool{true, false} {
		pages := 0
		err := Follow(t.Context(), 0, "1", get, func([]json.RawMessage) (bool, error) { pages++; return whole || pages < 2, nil })
		if got := record.ReasonOf(err) == record.ReasonTruncated; got != whole || pages != 2 {
			t.Errorf("wanted to the end %t: %v after %d pages", whole, err, pages)
		}
	}
}

func TestWalkStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := Walk(ctx, 0, func(context.Context, string) (string, error) {
		n++
		cancel()
		return strconv.Itoa(n), nil
	})
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("Walk() fetched %d pages and returned %v", n, err)
	}
}

func TestClassifyForeignErrors(t *testing.T) {
	c, _ := newClient(t, Options{}, func(http.ResponseWriter, *http.Request) {})
	tests := []struct {
		err  error
		want record.ErrorReason
	}{
		{fmt.Errorf("sdk: %w", context.DeadlineExceeded), record.ReasonCanceled},
		{fmt.Errorf("sdk: %w", json.Unmarshal([]byte(`{"a":`), &struct{}{})), record.ReasonTruncated},
		{fmt.Errorf("sdk: %w", json.Unmarshal([]byte(`{"a"}`), &struct{}{})), record.ReasonDecode},
		{fmt.Errorf("sdk: %w", &record.Error{Reason: record.ReasonServer}), record.ReasonServer},
		{io.ErrClosedPipe, record.ReasonTransport},
	}
	for _, tt := range tests {
		if got := record.ReasonOf(c.Classify(tt.err)); got != tt.want {
			t.Errorf("Classify(%v) = %s, want %s", tt.err, got, tt.want)
		}
	}
	if c.Classify(nil) != nil {
		t.Error("Classify(nil) is not nil")
	}
}

func TestServerWithoutBudgetHeadersIsNotThrottled(t *testing.T) {
	clk := newClock()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":{"rateLimit":null}}`) }))
	t.Cleanup(server.Close)
	c, err := New(Options{BaseURL: server.URL, Now: clk.Now, Sleep: clk.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := c.Do(t.Context(), http.MethodGet, "x", nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(clk.waits) != 0 {
		t.Errorf("waited %v for a budget nobody stated", clk.waits)
	}
}
