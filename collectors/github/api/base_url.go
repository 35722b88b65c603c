package api

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// baseURL finds the REST API: a GitHub Enterprise Server's host gets the path /api/v3; api.github.com, api.NAME.ghe.com and
// anything on loopback (a proxy, a test) are taken as they are.
func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(raw), "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("url must be the address of GitHub's API, such as https://api.github.com or https://github.example.com")
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "github.com" || host == "www.github.com":
		u.Host, u.Path = "api.github.com", ""
	case strings.HasPrefix(host, "api.") || loopback(host) || strings.HasSuffix(u.Path, "/api/v3"):
	case strings.HasSuffix(host, ".ghe.com"):
		u.Host, u.Path = "api."+host, ""
	default:
		u.Path += "/api/v3"
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resource is the budget a request is charged to.
func resource(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		return "graphql"
	}
	return "core"
}
