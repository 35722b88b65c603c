package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestLoopbackIsWhatComesFromHere: by a loopback name, and for nobody else.
func TestLoopbackIsWhatComesFromHere(t *testing.T) {
	here := NewAccess(flags("", "127.0.0.1:1", "[::1]:1", "localhost:1"))
	for _, tt := range []struct {
		name, peer, host string
		header           [2]string
		want             bool
	}{
		{name: "an address", peer: "127.0.0.1:5", host: "127.0.0.1:10042", want: true},
		{name: "another address of loopback", peer: "127.0.0.1:5", host: "127.8.9.1", want: true},
		{name: "IPv6", peer: "[::1]:5", host: "[::1]:10042", want: true},
		{name: "IPv6 without a port", peer: "[::1]:5", host: "[::1]", want: true},
		{name: "IPv4 in IPv6", peer: "[::ffff:127.0.0.1]:5", host: "localhost", want: true},
		{name: "the name", peer: "127.0.0.1:5", host: "LocalHost.:10042", want: true},
		{name: "a name of the web that resolves to here", peer: "127.0.0.1:5", host: "attacker.example", want: false},
		{name: "a name that looks like the name", peer: "127.0.0.1:5", host: "localhost.attacker.example:10042", want: false},
		{name: "a name that looks like an address", peer: "127.0.0.1:5", host: "127.0.0.1.attacker.example", want: false},
		{name: "no name", peer: "127.0.0.1:5", host: "", want: false},
		{name: "another machine", peer: "192.0.2.1:5", host: "localhost", want: false},
		{name: "a proxy", peer: "127.0.0.1:5", host: "localhost", header: [2]string{"X-Forwarded-For", "192.0.2.1"}, want: false},
		{name: "a proxy that says nothing", peer: "127.0.0.1:5", host: "localhost", header: [2]string{"X-Forwarded-For", ""}, want: false},
		{name: "a proxy by the standard", peer: "127.0.0.1:5", host: "localhost", header: [2]string{"Forwarded", "for=192.0.2.1"}, want: false},
		{name: "a gateway", peer: "127.0.0.1:5", host: "localhost", header: [2]string{"Via", "1.1 gateway"}, want: false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/config", nil)
			r.RemoteAddr, r.Host = tt.peer, tt.host
			if tt.header[0] != "" {
				r.Header.Set(tt.header[0], tt.header[1])
			}
			if got := here.Allows(r); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// TestOneAddressThatIsNotLoopbackEndsTheExemption: who can reach the one may come through the other.
func TestOneAddressThatIsNotLoopbackEndsTheExemption(t *testing.T) {
	for _, addresses := range [][]string{{":1"}, {"0.0.0.0:1"}, {"127.0.0.1:1", "192.0.2.1:1"}, {"vsock://:1"}} {
		r := httptest.NewRequest(http.MethodGet, "/config", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:5", "localhost"
		if NewAccess(flags("", addresses...)).Allows(r) {
			t.Errorf("%v counts as loopback", addresses)
		}
	}
}

// guarded serves with a web configuration on an address that does not count as loopback, and asks for /config.
func guarded(t *testing.T, webConfig string) (ask func(client *http.Client, scheme string, change func(*http.Request)) (int, error)) {
	t.Helper()
	o := options()
	o.Private = NewAccess(flags(webConfig, ":1")).Allows
	address := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, Handler(o), flags(webConfig, "127.0.0.1:0"), slog.New(slog.DiscardHandler), func(a []net.Addr) { address <- a[0].String() })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	at := <-address
	return func(client *http.Client, scheme string, change func(*http.Request)) (int, error) {
		r, err := http.NewRequest(http.MethodGet, scheme+"://"+at+"/config", nil)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(r)
		}
		response, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode, response.Body.Close()
	}
}

// TestPasswordsAreJudgedByWhatIsInForce: users that the file gains later are asked for at once, as exporter-toolkit does.
func TestPasswordsAreJudgedByWhatIsInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.yml")
	write(t, path, "http_server_config:\n  http2: true\n")
	ask := guarded(t, path)
	known := func(r *http.Request) { r.SetBasicAuth("prometheus", "correct horse") }
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{{"nobody is asked for a password", nil, http.StatusForbidden}, {"a password that nobody checks", known, http.StatusForbidden}} {
		if got, err := ask(http.DefaultClient, "http", tt.change); err != nil || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, fmt.Sprintf("basic_auth_users:\n  prometheus: %s\n", hash))
	if got, err := ask(http.DefaultClient, "http", nil); err != nil || got != http.StatusUnauthorized {
		t.Errorf("without a password: got %d, %v, want 401", got, err)
	}
	if got, err := ask(http.DefaultClient, "http", known); err != nil || got != http.StatusOK {
		t.Errorf("with the password: got %d, %v, want 200", got, err)
	}
}

// TestCertificatesAreJudgedByTheConnection: what is written into the file after the start is not in force.
func TestCertificatesAreJudgedByTheConnection(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.yml")
	write(t, path, "http_server_config:\n  http2: true\n")
	ask := guarded(t, path)
	if got, err := ask(http.DefaultClient, "http", nil); err != nil || got != http.StatusForbidden { // and the server has read the file by then
		t.Errorf("plain HTTP without certificates: got %d, %v, want 403", got, err)
	}
	pool := certificate(t, dir)
	mutual := "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  client_ca_file: cert.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
	write(t, path, mutual)
	if got, err := ask(http.DefaultClient, "http", nil); err != nil || got != http.StatusForbidden {
		t.Errorf("plain HTTP after certificates were configured, without a restart: got %d, %v, want 403", got, err)
	}
	ask = guarded(t, path)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	if got, err := ask(client, "https", nil); err != nil || got != http.StatusOK {
		t.Errorf("with a certificate: got %d, %v, want 200", got, err)
	}
}

// TestPanicsAreLoggedAndCounted: and the client gets an answer.
func TestPanicsAreLoggedAndCounted(t *testing.T) {
	var log bytes.Buffer
	var counted int
	o := options()
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	o.Panicked = func() { counted++ }
	o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no such page") })
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusInternalServerError || counted != 1 || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "no such page") {
		t.Errorf("got %d, counted %d, logged %s", w.Code, counted, &log)
	}
}

// TestStopWithClientsThatLinger: neither half a request nor a slow answer makes a stop an error or long.
func TestStopWithClientsThatLinger(t *testing.T) {
	o := options()
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(entered) })
		<-release
	})
	t.Cleanup(func() { close(release) })
	address := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, Handler(o), flags("", "127.0.0.1:0"), slog.New(slog.DiscardHandler), func(a []net.Addr) { address <- a[0].String() })
	}()
	at := <-address
	for _, sent := range []string{"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /metrics HT", ""} {
		connection, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		if _, err := io.WriteString(connection, sent); err != nil {
			t.Fatal(err)
		}
	}
	<-entered
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("stopped with %v, want no error", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("did not stop within 10 s")
	}
}

// TestReloadIsNotStoppedByItsClient: who hangs up leaves no half of a reload.
func TestReloadIsNotStoppedByItsClient(t *testing.T) {
	o := options()
	entered, hungUp, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	o.Reload = func(ctx context.Context) error {
		close(entered)
		<-hungUp
		time.Sleep(50 * time.Millisecond) // until the server has noticed
		ended <- ctx.Err()
		return nil
	}
	server := httptest.NewServer(Handler(o))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-entered
		cancel()
		close(hungUp)
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/-/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Fatal("the client did not hang up")
	}
	if err := <-ended; err != nil {
		t.Errorf("the reload was stopped: %v", err)
	}
}
