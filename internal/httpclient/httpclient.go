// Package httpclient makes the connections of collectors from settings in the form of Prometheus' own, by the library that Prometheus uses for it. It stands apart
// from package apiclient because that library brings a Prometheus client with it, which no collector may depend on.
//
// To take one more of Prometheus' settings: a field of collectors.HTTPClient, its translation here, and a row in docs/configuration.md.
package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/common/config"

	"prodsec_exporter/collectors"
)

var _ collectors.Transport = New

// New checks settings and makes the connection that they describe. Files are not read before the first request, as those of other secrets are not, and
// anew when they change. Errors begin with the key that is wrong and never hold a password.
func New(settings collectors.HTTPClient) (http.RoundTripper, error) {
	proxy, err := proxyOf(settings)
	if err != nil {
		return nil, err
	}
	header, err := connectHeader(settings)
	if err != nil {
		return nil, err
	}
	chosen, err := tlsOf(settings.TLS)
	if err != nil {
		return nil, fmt.Errorf("tls_config: %w", err)
	}
	return &connection{tls: chosen, over: func(tlsConfig *tls.Config) (http.RoundTripper, error) {
		// The library's own transport does without compression, which suits metrics; what APIs answer shrinks to a tenth.
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy, t.GetProxyConnectHeader, t.TLSClientConfig = proxy, header, tlsConfig
		if settings.EnableHTTP2 != nil && !*settings.EnableHTTP2 {
			t.ForceAttemptHTTP2 = false
			t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		return t, nil
	}}, nil
}

// connection is made at the first request for which its files can be read.
type connection struct {
	tls  *config.TLSConfig
	over func(*tls.Config) (http.RoundTripper, error)

	mu   sync.Mutex
	made http.RoundTripper
}

func (c *connection) RoundTrip(req *http.Request) (*http.Response, error) {
	made, err := c.make()
	if err != nil {
		return nil, fmt.Errorf("http_client.tls_config: %w", err)
	}
	return made.RoundTrip(req)
}

func (c *connection) make() (http.RoundTripper, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made != nil {
		return c.made, nil
	}
	tlsConfig, err := config.NewTLSConfig(c.tls)
	if err != nil {
		return nil, err
	}
	made, err := config.NewTLSRoundTripper(tlsConfig, config.TLSRoundTripperSettings{
		CA: secret(c.tls.CA, c.tls.CAFile), Cert: secret(c.tls.Cert, c.tls.CertFile), Key: secret("", c.tls.KeyFile),
	}, c.over)
	if err == nil {
		c.made = made
	}
	return made, err
}

// secret is where the library finds a text; nil if there is none.
func secret(text, file string) config.SecretReader {
	switch {
	case file != "":
		return config.NewFileSecret(file)
	case text != "":
		return config.NewInlineSecret(text)
	default:
		return nil
	}
}

// proxyOf is what decides about the proxy of a request.
func proxyOf(settings collectors.HTTPClient) (func(*http.Request) (*url.URL, error), error) {
	c := config.ProxyConfig{NoProxy: settings.NoProxy}
	if settings.ProxyURL != "" {
		u, err := url.Parse(settings.ProxyURL)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
			return nil, errors.New("proxy_url: must be an address such as http://proxy.example:3128") // not quoted: it may hold a password
		}
		c.ProxyURL = config.URL{URL: u}
	}
	c.ProxyFromEnvironment = settings.ProxyURL == "" && settings.NoProxy == ""
	if settings.ProxyFromEnvironment != nil {
		c.ProxyFromEnvironment = *settings.ProxyFromEnvironment
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("proxy_url: %w", err)
	}
	if len(settings.ProxyConnectHeader) > 0 && settings.ProxyURL == "" && !c.ProxyFromEnvironment {
		return nil, errors.New("proxy_connect_header: is for a proxy, and there is none; set proxy_url")
	}
	return c.Proxy(), nil
}

// connectHeader reads the headers for proxies, anew for each connection.
func connectHeader(settings collectors.HTTPClient) (func(context.Context, *url.URL, string) (http.Header, error), error) {
	if len(settings.ProxyConnectHeader) == 0 {
		return nil, nil //nolint:nilnil // Without headers nothing is to be read.
	}
	for name, values := range settings.ProxyConnectHeader {
		for _, value := range values {
			if err := value.Validate(); err != nil {
				return nil, fmt.Errorf("proxy_connect_header.%s: %w", name, err)
			}
		}
	}
	return func(context.Context, *url.URL, string) (http.Header, error) {
		header := http.Header{}
		for name, values := range settings.ProxyConnectHeader {
			for _, value := range values {
				text, err := value.Read()
				if err != nil {
					return nil, fmt.Errorf("header %s for the proxy: %w", name, err)
				}
				header.Add(name, text)
			}
		}
		return header, nil
	}, nil
}

// tlsOf are the settings in the library's form.
func tlsOf(c collectors.TLSConfig) (*config.TLSConfig, error) {
	chosen := &config.TLSConfig{
		CA: c.CA, CAFile: c.CAFile, Cert: c.Cert, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: c.ServerName, InsecureSkipVerify: c.InsecureSkipVerify,
	}
	for _, version := range []struct {
		key, name string
		into      *config.TLSVersion
	}{{"min_version", c.MinVersion, &chosen.MinVersion}, {"max_version", c.MaxVersion, &chosen.MaxVersion}} {
		if version.name == "" {
			continue
		}
		number, ok := config.TLSVersions[version.name]
		if !ok {
			return nil, fmt.Errorf("%s: %.20q is none of TLS10, TLS11, TLS12, TLS13", version.key, version.name)
		}
		*version.into = number
	}
	if chosen.MaxVersion != 0 && chosen.MaxVersion < chosen.MinVersion {
		return nil, errors.New("max_version: is below min_version")
	}
	if c.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CA)) {
		return nil, errors.New("ca: holds no certificate in PEM form")
	}
	if strings.Contains(c.Cert, "PRIVATE KEY") {
		return nil, errors.New("cert: holds a private key; put it into a file and name that as key_file")
	}
	return chosen, chosen.Validate()
}
