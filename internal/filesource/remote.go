package filesource

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// Remote is a file behind an http or https address.
type Remote struct {
	// Address is as configured; Name is its host and path.
	Address, Name string

	client *apiclient.Client
}

// RemoteOptions say how addresses are read.
type RemoteOptions struct {
	Auth apiclient.Auth
	// MaxBody and CacheBytes are as in apiclient.Options.
	MaxBody    int64
	CacheBytes int64
	// Example is an address, and Content what is read, for messages: "findings".
	Example, Content string
}

// NewRemotes checks addresses and makes their clients; it sends nothing.
func NewRemotes(addresses []string, env collectors.Env, o RemoteOptions) ([]Remote, error) {
	var all []Remote
	for _, address := range addresses {
		r, err := newRemote(address, env, o)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other Remote) bool { return other.Name == r.Name }) {
			return nil, fmt.Errorf("two addresses have host and path %s; their %s could not be told apart", r.Name, o.Content)
		}
		all = append(all, r)
	}
	return all, nil
}

func newRemote(address string, env collectors.Env, o RemoteOptions) (Remote, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return Remote{}, fmt.Errorf("an address is not a full one such as %s", o.Example)
	case u.User != nil:
		return Remote{}, fmt.Errorf("the address at %s holds a user or password; name a token file instead", u.Host)
	}
	client, err := env.Client(apiclient.Options{BaseURL: u.Scheme + "://" + u.Host, Auth: o.Auth, MaxBody: o.MaxBody, CacheBytes: o.CacheBytes})
	if err != nil {
		return Remote{}, err
	}
	return Remote{Address: address, Name: record.Text(u.Host + u.EscapedPath()), client: client}, nil
}

// Fetch reads the content into out, as apiclient.Client.Do does: bytes into a *[]byte, JSON into anything else. It returns when the content was last
// changed, zero if the server does not say. Errors are *record.Error.
func (r Remote) Fetch(ctx context.Context, out any) (written time.Time, err error) {
	response, err := r.client.Do(ctx, http.MethodGet, r.Address, nil, nil, out)
	if err != nil {
		return time.Time{}, err
	}
	if at, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		written = at.UTC()
	}
	return written, nil
}
