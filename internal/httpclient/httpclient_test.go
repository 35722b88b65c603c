package httpclient

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// authority is a certificate authority of its own.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "An authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key}
}

func (a *authority) file(t *testing.T) string {
	t.Helper()
	return write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue makes a certificate with its key, both as PEM.
func (a *authority) issue(t *testing.T, name string, usage x509.ExtKeyUsage) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
}

// server is an API over TLS with a certificate for a name that only server_name can match, which tells who its client is.
func (a *authority) server(t *testing.T, wanted tls.ClientAuthType) *httptest.Server {
	t.Helper()
	certificate, key := a.issue(t, "api.internal.example", x509.ExtKeyUsageServerAuth)
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			client = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		fmt.Fprintf(w, `{"client": %q, "protocol": %q}`, client, r.Proto) //nolint:errcheck // A client that is gone fails the test.
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: wanted, ClientCAs: pool}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

type answer struct{ Client, Protocol string }

// ask sends a request as a collector with such settings does.
func ask(t *testing.T, address string, settings collectors.HTTPClient) (answer, error) {
	t.Helper()
	connection, err := New(settings)
	if err != nil {
		return answer{}, err
	}
	return askOver(t, address, connection)
}

func askOver(t *testing.T, address string, connection http.RoundTripper) (got answer, err error) {
	t.Helper()
	client, err := apiclient.New(apiclient.Options{BaseURL: address, Transport: connection, Retries: -1})
	if err != nil {
		return got, err
	}
	_, err = client.Do(t.Context(), http.MethodGet, "x", nil, nil, &got)
	return got, err
}

func TestTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	open, strict := a.server(t, tls.NoClientCert), a.server(t, tls.RequireAndVerifyClientCert)
	certificate, key := a.issue(t, "prodsec-exporter", x509.ExtKeyUsageClientAuth)
	certFile, keyFile := write(t, "client.pem", certificate), write(t, "client.key", key)
	foreignCert, foreignKey := other.issue(t, "somebody", x509.ExtKeyUsageClientAuth)
	ca, err := os.ReadFile(a.file(t))
	if err != nil {
		t.Fatal(err)
	}
	const name = "api.internal.example"
	off := false
	for what, tt := range map[string]struct {
		server *httptest.Server
		config collectors.TLSConfig
		http2  *bool
		client string // empty: refused
	}{
		"nothing said":                  {open, collectors.TLSConfig{}, nil, ""},
		"own authority, another name":   {open, collectors.TLSConfig{CAFile: a.file(t)}, nil, ""},
		"own authority and name":        {open, collectors.TLSConfig{CAFile: a.file(t), ServerName: name}, nil, "nobody"},
		"own authority as text":         {open, collectors.TLSConfig{CA: string(ca), ServerName: name}, nil, "nobody"},
		"another authority":             {open, collectors.TLSConfig{CAFile: other.file(t), ServerName: name}, nil, ""},
		"any certificate":               {open, collectors.TLSConfig{InsecureSkipVerify: true}, nil, "nobody"},
		"no client certificate":         {strict, collectors.TLSConfig{CAFile: a.file(t), ServerName: name}, nil, ""},
		"client certificate":            {strict, collectors.TLSConfig{CAFile: a.file(t), ServerName: name, CertFile: certFile, KeyFile: keyFile}, nil, "prodsec-exporter"},
		"client certificate, as text":   {strict, collectors.TLSConfig{CAFile: a.file(t), ServerName: name, Cert: string(certificate), KeyFile: keyFile}, nil, "prodsec-exporter"},
		"client certificate, a foreign": {strict, collectors.TLSConfig{CAFile: a.file(t), ServerName: name, CertFile: write(t, "f.pem", foreignCert), KeyFile: write(t, "f.key", foreignKey)}, nil, ""},
		"HTTP/1.1 alone":                {open, collectors.TLSConfig{CAFile: a.file(t), ServerName: name}, &off, "nobody"},
		"a version that is too old":     {open, collectors.TLSConfig{CAFile: a.file(t), ServerName: name, MaxVersion: "TLS10"}, nil, ""},
	} {
		got, err := ask(t, tt.server.URL, collectors.HTTPClient{TLS: tt.config, EnableHTTP2: tt.http2})
		if (err == nil) != (tt.client != "") || got.Client != tt.client {
			t.Errorf("%s: client %q, %v; want %q", what, got.Client, err, tt.client)
		}
		if err != nil && record.ReasonOf(err) != record.ReasonTransport {
			t.Errorf("%s: %v, want %s", what, err, record.ReasonTransport)
		}
		if want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[tt.http2 == nil]; err == nil && got.Protocol != want {
			t.Errorf("%s: spoke %s, want %s", what, got.Protocol, want)
		}
	}
}

// TestFilesThatComeLate: a file that is not there yet fails requests, with its name, and not the start; once it is there, they succeed.
func TestFilesThatComeLate(t *testing.T) {
	a := newAuthority(t)
	s := a.server(t, tls.NoClientCert)
	file := filepath.Join(t.TempDir(), "late.pem")
	connection, err := New(collectors.HTTPClient{TLS: collectors.TLSConfig{CAFile: file, ServerName: "api.internal.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := askOver(t, s.URL, connection); record.ReasonOf(err) != record.ReasonTransport || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "http_client.tls_config") {
		t.Errorf("got %v, want an error that names the key and the file", err)
	}
	data, err := os.ReadFile(a.file(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := askOver(t, s.URL, connection); err != nil {
		t.Errorf("with the file there: %v", err)
	}
}

// TestRotation: certificates that are replaced in their files are used without a restart.
func TestRotation(t *testing.T) {
	a, next := newAuthority(t), newAuthority(t)
	before, after := a.server(t, tls.NoClientCert), next.server(t, tls.NoClientCert)
	file := a.file(t)
	connection, err := New(collectors.HTTPClient{TLS: collectors.TLSConfig{CAFile: file, ServerName: "api.internal.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := askOver(t, before.URL, connection); err != nil {
		t.Fatal(err)
	}
	if _, err := askOver(t, after.URL, connection); err == nil {
		t.Fatal("a server of another authority was trusted")
	}
	rotated, err := os.ReadFile(next.file(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, rotated, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := askOver(t, after.URL, connection); err != nil {
		t.Errorf("after the file was replaced: %v", err)
	}
}

// proxy is a real forward proxy, for CONNECT and for plain requests.
type proxy struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
	auth []string
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen, p.auth = append(p.seen, r.Method+" "+r.Host), append(p.auth, r.Header.Get("Proxy-Authorization"))
		p.mu.Unlock()
		if r.Method != http.MethodConnect {
			p.forward(w, r)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		from, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
		pipe(from, buffered.Reader, to)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) forward(w http.ResponseWriter, r *http.Request) {
	r.RequestURI = ""
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close() //nolint:errcheck // A test's proxy.
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func pipe(client net.Conn, buffered *bufio.Reader, server net.Conn) {
	go func() { _, _ = io.Copy(server, buffered); _ = server.Close() }()
	go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
}

func (p *proxy) took() ([]string, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen, auth := p.seen, p.auth
	p.seen, p.auth = nil, nil
	return seen, auth
}

func TestProxy(t *testing.T) {
	a := newAuthority(t)
	secure := a.server(t, tls.NoClientCert)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }))
	t.Cleanup(plain.Close)
	p := newProxy(t)
	trusted := collectors.TLSConfig{CAFile: a.file(t), ServerName: "api.internal.example"}
	host := func(s *httptest.Server) string { u, _ := url.Parse(s.URL); return u.Host } //nolint:errcheck // Of a server that runs.
	withUser := strings.Replace(p.URL, "http://", "http://exporter:hunter22@", 1)
	secret := apiclient.Secret{File: write(t, "proxy", []byte("Bearer of-the-proxy\n"))}
	yes, no := true, false
	for what, tt := range map[string]struct {
		server     *httptest.Server
		settings   collectors.HTTPClient
		seen, auth string
	}{
		"TLS goes through":      {secure, collectors.HTTPClient{ProxyURL: p.URL, TLS: trusted}, "CONNECT " + host(secure), ""},
		"plain, too":            {plain, collectors.HTTPClient{ProxyURL: p.URL}, "GET " + host(plain), ""},
		"no_proxy":              {secure, collectors.HTTPClient{ProxyURL: p.URL, NoProxy: "example.org,127.0.0.0/8", TLS: trusted}, "", ""},
		"a user":                {secure, collectors.HTTPClient{ProxyURL: withUser, TLS: trusted}, "CONNECT " + host(secure), "Basic ZXhwb3J0ZXI6aHVudGVyMjI="},
		"a header for CONNECT":  {secure, collectors.HTTPClient{ProxyURL: p.URL, ProxyConnectHeader: map[string][]apiclient.Secret{"Proxy-Authorization": {secret}}, TLS: trusted}, "CONNECT " + host(secure), "Bearer of-the-proxy"},
		"environment, loopback": {secure, collectors.HTTPClient{ProxyFromEnvironment: &yes, TLS: trusted}, "", ""}, // which the library never sends to a proxy
		"not the environment":   {secure, collectors.HTTPClient{ProxyFromEnvironment: &no, TLS: trusted}, "", ""},
	} {
		if _, err := ask(t, tt.server.URL, tt.settings); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		seen, auth := p.took()
		if strings.Join(seen, ", ") != tt.seen || strings.Join(auth, "") != tt.auth {
			t.Errorf("%s: the proxy saw %q with %q, want %q with %q", what, seen, auth, tt.seen, tt.auth)
		}
	}
	t.Setenv("HTTPS_PROXY", p.URL)
	for _, tt := range []struct {
		settings collectors.HTTPClient
		through  bool
	}{
		{collectors.HTTPClient{}, true}, {collectors.HTTPClient{ProxyFromEnvironment: &yes}, true}, {collectors.HTTPClient{ProxyFromEnvironment: &no}, false},
		{collectors.HTTPClient{ProxyURL: p.URL, NoProxy: "example.org"}, true}, {collectors.HTTPClient{ProxyURL: p.URL, NoProxy: "example.org, .acme.invalid"}, false},
	} {
		if _, err := ask(t, "https://api.acme.invalid", tt.settings); err == nil {
			t.Fatal("an address that does not exist answered")
		}
		if seen, _ := p.took(); (len(seen) == 1) != tt.through {
			t.Errorf("%+v: the proxy saw %q", tt.settings, seen)
		}
	}
}

// TestNoSecretOfAProxyIsShown: neither what fails on the way nor what is wrong in the settings shows the password.
func TestNoSecretOfAProxyIsShown(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "not with "+r.Header.Get("Proxy-Authorization"), http.StatusProxyAuthRequired)
	}))
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, address := range []string{refusing.URL, gone.URL} {
		_, err := ask(t, "https://api.acme.invalid", collectors.HTTPClient{ProxyURL: strings.Replace(address, "http://", "http://exporter:hunter22@", 1)})
		if err == nil || strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), "aHVudGVyMj") {
			t.Errorf("got %v", err)
		}
	}
	for _, wrong := range []string{"exporter:hunter22@proxy:3128", "ftp://exporter:hunter22@proxy", "http://exporter:hunter22@", "http://exporter:hunter22@proxy:x y"} {
		if _, err := New(collectors.HTTPClient{ProxyURL: wrong}); err == nil || strings.Contains(err.Error(), "hunter22") || !strings.HasPrefix(err.Error(), "proxy_url: ") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	yes := true
	for want, settings := range map[string]collectors.HTTPClient{
		"tls_config: at most one of cert":   {TLS: collectors.TLSConfig{Cert: "x", CertFile: "y", KeyFile: "z"}},
		"tls_config: exactly one of key":    {TLS: collectors.TLSConfig{CertFile: "/does/not/exist"}},
		"tls_config: ca: holds no":          {TLS: collectors.TLSConfig{CA: "no certificate"}},
		"tls_config: cert: holds a private": {TLS: collectors.TLSConfig{Cert: "-----BEGIN PRIVATE KEY-----", KeyFile: "k"}},
		"tls_config: min_version":           {TLS: collectors.TLSConfig{MinVersion: "1.2"}},
		"tls_config: max_version":           {TLS: collectors.TLSConfig{MinVersion: "TLS13", MaxVersion: "TLS12"}},
		"proxy_url: if no_proxy":            {NoProxy: "example.org"},
		"proxy_url: if proxy_from":          {ProxyURL: "http://proxy", ProxyFromEnvironment: &yes},
		"proxy_connect_header.X: ":          {ProxyURL: "http://proxy", ProxyConnectHeader: map[string][]apiclient.Secret{"X": {{}}}},
	} {
		if _, err := New(settings); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
