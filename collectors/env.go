package collectors

import (
	"errors"
	"fmt"

	"prodsec_exporter/internal/apiclient"
)

// connected is the environment of a collector with settings for its connection.
func (e Env) connected(settings *HTTPClient) (Env, error) {
	if settings == nil {
		return e, nil
	}
	if e.Transport == nil {
		return e, errors.New("http_client: nothing here can make such a connection")
	}
	connection, err := e.Transport(*settings)
	if err != nil {
		return e, fmt.Errorf("http_client.%w", err)
	}
	e.connection, e.redirects = connection, settings.FollowRedirects
	return e, nil
}

// Client builds the HTTP client of a collector: what the environment knows (logger, observer, clock, way to wait, connection) is
// filled in where the options leave it open. What the configuration says of redirects goes before the options.
func (e Env) Client(o apiclient.Options) (*apiclient.Client, error) {
	if o.Logger == nil {
		o.Logger = e.Logger
	}
	if o.Observer == nil {
		o.Observer = e.Observer
	}
	if o.Dated == nil {
		o.Dated = e.Dated
	}
	if o.Now == nil {
		o.Now = e.Now
	}
	if o.Sleep == nil {
		o.Sleep = e.Sleep
	}
	if o.Transport == nil {
		o.Transport = e.connection
	}
	if e.redirects != nil {
		o.FollowRedirects = *e.redirects
	}
	return apiclient.New(o)
}
