package apiclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// guard refuses to send anything to another scheme or host than the configured one, whoever asks for it.
type guard struct {
	next http.RoundTripper
	base *url.URL
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if !sameOrigin(g.base, req.URL) {
		return nil, foreign("a request", g.base, req.URL)
	}
	return g.next.RoundTrip(req)
}

const maxRedirects = 10

func checkRedirect(base *url.URL, follow bool) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch {
		case !sameOrigin(base, req.URL):
			return foreign("a redirect", base, req.URL)
		case !follow:
			return &record.Error{Reason: record.ReasonTransport, Err: fmt.Errorf(
				"%s redirects to %s, which is not followed: if the API moved, change its URL; if it is meant to redirect, set http_client.follow_redirects", describe(via[len(via)-1]), record.Text(req.URL.EscapedPath()))}
		case len(via) >= maxRedirects:
			return &record.Error{Reason: record.ReasonTransport, Err: fmt.Errorf("%s redirected %d times", base.Host, len(via))}
		}
		return nil
	}
}

func foreign(what string, base, to *url.URL) error {
	return &record.Error{Reason: record.ReasonTransport, Err: fmt.Errorf(
		"%s leads from %s://%s to %s://%s and was refused: credentials are for the configured host only; if the API moved, change its URL",
		what, base.Scheme, base.Host, record.Text(to.Scheme), record.Text(to.Host))}
}

// sameOrigin compares scheme and host; a default port is no difference.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && b.User == nil && origin(a) == origin(b)
}

func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// nextLink is the rel=next address of the header Link.
func (c *Client) nextLink(resp *http.Response) (string, error) {
	for _, header := range resp.Header.Values("Link") {
		target, ok := linkRelation(header, "next")
		if !ok {
			continue
		}
		u, err := resp.Request.URL.Parse(target)
		if err != nil {
			return "", &record.Error{Reason: record.ReasonDecode, Err: errors.New("the header Link is malformed")}
		}
		if !sameOrigin(c.base, u) {
			return "", foreign("the link to the next page", c.base, u)
		}
		return u.String(), nil
	}
	return "", nil
}

// linkRelation finds a relation in a header Link (RFC 8288).
func linkRelation(header, relation string) (string, bool) {
	for header != "" {
		start := strings.IndexByte(header, '<')
		if start < 0 {
			return "", false
		}
		end := strings.IndexByte(header[start:], '>')
		if end < 0 {
			return "", false
		}
		target := header[start+1 : start+end]
		params := header[start+end+1:]
		if next := strings.Index(params, ",<"); next >= 0 {
			params, header = params[:next], params[next+1:]
		} else if next := strings.Index(params, ", <"); next >= 0 {
			params, header = params[:next], params[next+1:]
		} else {
			header = ""
		}
		for param := range strings.SplitSeq(params, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.Contains(strings.Fields(value), relation) {
				return target, true
			}
		}
	}
	return "", false
}
