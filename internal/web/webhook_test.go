package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// inbox answers every delivery with one result.
type inbox struct {
	answer   DeliveryResult
	received []string
	refused  []DeliveryResult
}

func (i *inbox) Receive(header http.Header, body []byte) DeliveryResult {
	i.received = append(i.received, header.Get("X-Event")+" "+string(body))
	return i.answer
}

func (i *inbox) Refused(result DeliveryResult) { i.refused = append(i.refused, result) }

func webhookServer(t *testing.T, to *inbox) *httptest.Server {
	t.Helper()
	o := options()
	o.Receiver = func(kind, name string) Receiver {
		if kind != "github" || name != "acme" {
			return nil
		}
		return to
	}
	s := httptest.NewServer(Handler(o))
	t.Cleanup(s.Close)
	return s
}

func TestDeliveriesAreAnswered(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		answer       DeliveryResult
		body         string
		want         int
	}{
		{"POST", "/-/webhook/github/acme", DeliveryAccepted, "{}", http.StatusAccepted},
		{"POST", "/-/webhook/github/acme", DeliveryIgnored, "{}", http.StatusAccepted},
		{"POST", "/-/webhook/github/acme", DeliveryDuplicate, "{}", http.StatusAccepted},
		{"POST", "/-/webhook/github/acme", DeliveryForged, "{}", http.StatusUnauthorized},
		{"POST", "/-/webhook/github/acme", DeliveryMalformed, "{}", http.StatusBadRequest},
		{"POST", "/-/webhook/github/acme", DeliveryFailed, "{}", http.StatusInternalServerError},
		{"POST", "/-/webhook/github/acme", DeliveryAccepted, strings.Repeat("x", maxDelivery), http.StatusAccepted},
		{"POST", "/-/webhook/github/acme", DeliveryAccepted, strings.Repeat("x", maxDelivery+1), http.StatusRequestEntityTooLarge},
		{"POST", "/-/webhook/github/other", DeliveryAccepted, "{}", http.StatusNotFound},
		{"POST", "/-/webhook/jira/acme", DeliveryAccepted, "{}", http.StatusNotFound},
		{"POST", "/-/webhook/github", DeliveryAccepted, "{}", http.StatusNotFound},
		{"GET", "/-/webhook/github/acme", DeliveryAccepted, "", http.StatusMethodNotAllowed},
	} {
		to := &inbox{answer: tt.answer}
		s := webhookServer(t, to)
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Event", "push")
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		what := fmt.Sprintf("%s %s of %d bytes", tt.method, tt.path, len(tt.body))
		if resp.StatusCode != tt.want {
			t.Errorf("%s is answered %d, want %d", what, resp.StatusCode, tt.want)
		}
		if arrives := tt.want != http.StatusNotFound && tt.want != http.StatusMethodNotAllowed && len(tt.body) <= maxDelivery; arrives != (len(to.received) == 1) {
			t.Errorf("%s was received %d times", what, len(to.received))
		} else if arrives && to.received[0] != "push "+tt.body {
			t.Errorf("%s was not received as it was sent", what)
		}
		if large := tt.want == http.StatusRequestEntityTooLarge; large != slices.Equal(to.refused, []DeliveryResult{DeliveryTooLarge}) {
			t.Errorf("%s: refused %v", what, to.refused)
		}
	}
}

// TestNobodyTakesDeliveries: without a receiver there is no webhook.
func TestNobodyTakesDeliveries(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(options()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/-/webhook/github/acme", bytes.NewReader([]byte("{}"))))
	if w.Code != http.StatusNotFound {
		t.Errorf("answered %d, want 404", w.Code)
	}
}

// TestDeliveryThatBreaksOff sends less than it announces.
func TestDeliveryThatBreaksOff(t *testing.T) {
	to := &inbox{answer: DeliveryAccepted}
	s := webhookServer(t, to)
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /-/webhook/github/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	_ = conn.Close()
	if resp.StatusCode != http.StatusBadRequest || len(to.received) > 0 || len(to.refused) != 1 {
		t.Errorf("answered %d, received %v, refused %v; want 400 and nothing received", resp.StatusCode, to.received, to.refused)
	}
}
