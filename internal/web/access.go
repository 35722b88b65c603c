package web

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"gopkg.in/yaml.v3"
)

// Access decides which requests may see records and configuration: those of authenticated clients, and those that a program on this
// machine sends to a server that listens on loopback alone.
type Access struct {
	// webConfig is the path of exporter-toolkit's configuration, empty if the server was started without one: then nothing that is written there later
	// is in force.
	webConfig string
	// loopback says that every address of the server is on loopback.
	loopback bool
}

// NewAccess reads how a server will be started.
func NewAccess(flags *toolkit.FlagConfig) *Access {
	return &Access{webConfig: *flags.WebConfigFile, loopback: onLoopback(flags)}
}

// Allows reports whether a request may see records and configuration. It judges by what is in force at the connection, not by what a file says now.
func (a *Access) Allows(r *http.Request) bool {
	return certified(r) || a.password(r) || a.local(r)
}

// certified reports whether the client proved a certificate that the server's client CA signed.
func certified(r *http.Request) bool { return r.TLS != nil && len(r.TLS.VerifiedChains) > 0 }

// password reports whether exporter-toolkit asked for a password. It does so when it was started with a configuration that has users when the
// request comes in, and has checked the password before this server sees the request.
func (a *Access) password(r *http.Request) bool {
	user, _, given := r.BasicAuth()
	if a.webConfig == "" || !given {
		return false
	}
	data, err := os.ReadFile(a.webConfig)
	if err != nil {
		return false
	}
	var config struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(data, &config); err != nil {
		return false
	}
	_, known := config.Users[user]
	return known
}

// forwarding are the headers by which a proxy says that it asks for somebody else.
var forwarding = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip", "Cf-Connecting-Ip", "True-Client-Ip"}

// local reports whether a request comes from this machine, by the name of this machine, and not on behalf of somebody else. The name matters
// because a page on the web can make a browser here ask for its own host name, once that resolves to loopback (DNS rebinding).
func (a *Access) local(r *http.Request) bool {
	if !a.loopback {
		return false
	}
	for _, h := range forwarding {
		if len(r.Header.Values(h)) > 0 {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && loopbackName(hostOf(r.Host))
}

// hostOf is the host of a Host header, without port and brackets.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
}

// loopbackName reports whether a host can only be this machine: an address on loopback, or the name that RFC 6761 reserves for it.
func loopbackName(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func onLoopback(flags *toolkit.FlagConfig) bool {
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return false
	}
	for _, address := range *flags.WebListenAddresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil || !loopbackName(host) {
			return false
		}
	}
	return true
}
