package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
)

func options() Options {
	return Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "metrics") }),
		Status:  func() Status { return Status{Evaluated: time.Unix(1_700_000_000, 0)} },
		Reload:  func(context.Context) error { return nil },
		Config:  func() (string, error) { return "collectors: {}\n", nil },
		Private: func(*http.Request) bool { return true },
		Version: "1.2.3",
		Logger:  slog.New(slog.DiscardHandler),
	}
}

func TestPaths(t *testing.T) {
	waiting := options()
	waiting.Status = func() Status { return Status{NotReady: "the first pass is under way"} }
	refused := options()
	refused.Reload = func(context.Context) error { return errors.New("prodsec.yml:3:1: nope") }
	strangers := refused
	strangers.Private = func(*http.Request) bool { return false }
	public := options()
	public.Private = func(*http.Request) bool { return false }
	for _, tt := range []struct {
		name         string
		o            Options
		method, path string
		header       [2]string
		code         int
		body         string
	}{
		{name: "landing", o: options(), method: "GET", path: "/", code: 200, body: "Metrics are as of 2023-11-14 22:13:20 UTC"},
		{name: "unknown path", o: options(), method: "GET", path: "/elsewhere", code: 404},
		{name: "metrics", o: options(), method: "GET", path: "/metrics", code: 200, body: "metrics"},
		{name: "healthy while waiting", o: waiting, method: "GET", path: "/-/healthy", code: 200, body: "healthy"},
		{name: "ready", o: options(), method: "GET", path: "/-/ready", code: 200, body: "ready"},
		{name: "not ready", o: waiting, method: "GET", path: "/-/ready", code: 503, body: "the first pass is under way"},
		{name: "reload", o: options(), method: "POST", path: "/-/reload", code: 200, body: "in force"},
		{name: "reload by PUT", o: options(), method: "PUT", path: "/-/reload", code: 200, body: "in force"},
		{name: "reload by GET", o: options(), method: "GET", path: "/-/reload", code: 405},
		{name: "reload refused", o: refused, method: "POST", path: "/-/reload", code: 500, body: "old configuration stays in force: prodsec.yml:3:1: nope"},
		{name: "reload refused to a stranger", o: strangers, method: "POST", path: "/-/reload", code: 500, body: "old configuration stays in force: see the log"},
		{name: "reload by another site's page", o: options(), method: "POST", path: "/-/reload", header: [2]string{"Sec-Fetch-Site", "cross-site"}, code: 403},
		{name: "configuration", o: options(), method: "GET", path: "/config", code: 200, body: "collectors: {}"},
		{name: "configuration in public", o: public, method: "GET", path: "/config", code: 403, body: "authenticated clients"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			if tt.header[0] != "" {
				r.Header.Set(tt.header[0], tt.header[1])
			}
			w := httptest.NewRecorder()
			Handler(tt.o).ServeHTTP(w, r)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%s %s: got %d %q, want %d with %q", tt.method, tt.path, w.Code, w.Body, tt.code, tt.body)
			}
		})
	}
}

func TestLandingEscapesWhatSourcesSay(t *testing.T) {
	o := options()
	const hostile = `<script>alert("1")</script>`
	o.Status = func() Status {
		return Status{NotReady: hostile, Collectors: []Collector{{Kind: "jira", Name: hostile, State: Down, LastError: hostile}}}
	}
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if strings.Contains(w.Body.String(), "<script") {
		t.Errorf("unescaped text in the page:\n%s", w.Body)
	}
	if strings.Count(w.Body.String(), "&lt;script") != 3 {
		t.Errorf("the texts are missing from the page:\n%s", w.Body)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy %q", policy)
	}
}

// serve runs a server with a web configuration until the test ends and returns its address.
func serve(t *testing.T, webConfig string) string {
	t.Helper()
	address := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, Handler(options()), flags(webConfig, "127.0.0.1:0"), slog.New(slog.DiscardHandler), func(a []net.Addr) { address <- a[0].String() })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	select {
	case a := <-address:
		return a
	case err := <-ended:
		ended <- nil
		t.Fatalf("server: %v", err)
		return ""
	}
}

func flags(webConfig string, addresses ...string) *toolkit.FlagConfig {
	no := false
	return &toolkit.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &no, WebConfigFile: &webConfig}
}

func TestServeWithTLSAndPassword(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	webConfig := filepath.Join(dir, "web.yml")
	write(t, webConfig, fmt.Sprintf("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\nbasic_auth_users:\n  prometheus: %s\n", hash))
	address := serve(t, webConfig)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		user, password string
		code           int
	}{{"", "", 401}, {"prometheus", "wrong", 401}, {"prometheus", "correct horse", 200}} {
		r, err := http.NewRequest(http.MethodGet, "https://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.user != "" {
			r.SetBasicAuth(tt.user, tt.password)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		if response.StatusCode != tt.code {
			t.Errorf("user %q, password %q: got %d, want %d", tt.user, tt.password, response.StatusCode, tt.code)
		}
	}
	response, err := http.Get("http://" + address + "/metrics") //nolint:noctx // The server is on loopback and up.
	if err == nil {
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		if response.StatusCode == http.StatusOK {
			t.Error("plain HTTP was answered although TLS is configured")
		}
	}
}

func TestServeRefusesABadWebConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.yml")
	write(t, path, "basic_auth_user: {}\n")
	err := Serve(context.Background(), http.NotFoundHandler(), flags(path, "127.0.0.1:0"), slog.New(slog.DiscardHandler), func([]net.Addr) {})
	if err == nil || !strings.Contains(err.Error(), "--web.config.file") {
		t.Errorf("got %v, want an error that names the flag", err)
	}
}

func TestServeNamesATakenAddress(t *testing.T) {
	address := serve(t, "")
	err := Serve(context.Background(), http.NotFoundHandler(), flags("", address), slog.New(slog.DiscardHandler), func([]net.Addr) {})
	if err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want an error that names %s", err, address)
	}
}

// certificate writes a certificate for 127.0.0.1 and its key into dir.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, filepath.Join(dir, "cert.pem"), string(certPEM))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
