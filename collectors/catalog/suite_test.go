package catalog

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// renamed gives the scope, which carries the test server's port, a fixed name.
type renamed struct{ collectors.Collector }

func (r renamed) Collect(ctx context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
	return r.Collector.Collect(ctx, nil, func(b record.Batch) error {
		b.Scope = "catalog:host"
		return emit(b)
	})
}

func TestConformance(t *testing.T) {
	serve := func(content string) func(*collectorstest.Server) {
		return func(s *collectorstest.Server) {
			s.Handle("GET /services.yml", func(w http.ResponseWriter, _ *http.Request) {
				send(w, content)
			})
		}
	}
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		New: func(base string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			c, err := New(Config{URL: base + "/services.yml", Token: token}, env)
			return renamed{c}, err
		},
		// Flow style, so that a part of the file is not a file: of block style a cut file may be.
		Serve:  serve(`{services: [{name: a, repositories: [x/y], controls: {logging: true}}, {name: "b"}]}`),
		Scopes: []collectorstest.Scope{{Name: "catalog:host", Records: 3, Requests: func(collectorstest.Request) bool { return true }, Pages: 1}},
		Altered: []collectorstest.Altered{{
			Name: "words the policy does not know", Scope: "catalog:host", Records: 1,
			Serve: serve("services: [{name: a, trust_tier: platinum, lifecycle: sunset}]"),
			Check: func(b record.Batch) error {
				if b.Services[0].TrustTier != "platinum" || strings.Contains(b.Services[0].Lifecycle, "production") {
					return errors.New("the catalog's own words were changed")
				}
				return nil
			},
		}},
		Fixed: "the configuration names the address", Readme: "README.md",
	})
}
