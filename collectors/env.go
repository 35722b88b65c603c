package collectors

import (
	"prodsec_exporter/internal/apiclient"
)

// Client builds the HTTP client of a collector: what the environment knows (logger, observer, clock, way to wait) is
// filled in where the options leave it open.
func (e Env) Client(o apiclient.Options) (*apiclient.Client, error) {
	if o.Logger == nil {
		o.Logger = e.Logger
	}
	if o.Observer == nil {
		o.Observer = e.Observer
	}
	if o.Now == nil {
		o.Now = e.Now
	}
	if o.Sleep == nil {
		o.Sleep = e.Sleep
	}
	return apiclient.New(o)
}
