package collectors

import (
	"net/http"

	"prodsec_exporter/internal/apiclient"
)

// HTTPClient is how a collector reaches its source, in the form of Prometheus' own HTTP client configuration without the credentials, which each kind of collector has
// keys of its own for. What is not set is as in Prometheus but for two things: proxies are taken from the environment unless the file says otherwise,
// and redirects are not followed.
type HTTPClient struct {
	// ProxyURL is the proxy, NoProxy a comma-separated list of hosts, domains, addresses and CIDR ranges that are reached without it.
	ProxyURL string `yaml:"proxy_url,omitempty"`
	NoProxy  string `yaml:"no_proxy,omitempty"`
	// ProxyFromEnvironment takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not; nil does, unless ProxyURL is set.
	ProxyFromEnvironment *bool `yaml:"proxy_from_environment,omitempty"`
	// ProxyConnectHeader are headers for proxies, sent with CONNECT.
	ProxyConnectHeader map[string][]apiclient.Secret `yaml:"proxy_connect_header,omitempty"`
	TLS                TLSConfig                     `yaml:"tls_config,omitempty"`
	// FollowRedirects follows redirects on the same scheme and host, never to another; nil leaves it to the kind of collector, most of which do not.
	FollowRedirects *bool `yaml:"follow_redirects,omitempty"`
	// EnableHTTP2 lets servers choose HTTP/2; nil does.
	EnableHTTP2 *bool `yaml:"enable_http2,omitempty"`
}

// TLSConfig is whom a collector trusts and who it is, in the form of Prometheus' own. Files are read anew when they change.
type TLSConfig struct {
	// CA is the certificates of the authorities that are trusted, in PEM form, CAFile a file with them; those of the system without either.
	CA     string `yaml:"ca,omitempty"`
	CAFile string `yaml:"ca_file,omitempty"`
	// Cert and CertFile are the client's certificate, KeyFile its key, which is never part of the configuration.
	Cert     string `yaml:"cert,omitempty"`
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
	// ServerName is the name that the server's certificate has to bear; that of the address if nothing is said.
	ServerName string `yaml:"server_name,omitempty"`
	// InsecureSkipVerify trusts any certificate.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify,omitempty"`
	// MinVersion and MaxVersion are TLS10, TLS11, TLS12 or TLS13.
	MinVersion string `yaml:"min_version,omitempty"`
	MaxVersion string `yaml:"max_version,omitempty"`
}

// Transport makes the connection that settings describe. Its errors begin with the key below "http_client".
type Transport func(HTTPClient) (http.RoundTripper, error)
