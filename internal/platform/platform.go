// Package platform holds what collectors of scanner platforms and catalogs share in how they reach a vendor's API: the settings of its
// requests with their checks, and what a collector is built from. What a vendor's values mean is decided in the vendor's collector;
// their forms are read by package translate.
//
// To add a setting of requests: a field of Requests with its check in settle, and a row in docs/configuration.md. To add a way in which lists are paged: a function beside Numbered.
package platform

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/translate"
)

// Requests are the settings of how a platform is asked. Config structs embed it inline.
type Requests struct {
	// PageSize is the number of items to ask for at once; the platform's default if not set.
	PageSize int `yaml:"page_size,omitempty"`
	// RequestTimeout bounds one attempt of one request, from connecting to the last byte of its answer; apiclient.DefaultTimeout if not set.
	RequestTimeout collectors.Duration `yaml:"request_timeout,omitempty"`
	// RequestsPerSecond paces requests; not at all if not set.
	RequestsPerSecond float64 `yaml:"requests_per_second,omitempty"`
}

// Pages are the sizes of pages that a platform's lists take.
type Pages struct {
	// Default is asked for where nothing is configured, Most is the largest that the platform gives.
	Default, Most int
	// Step, if set, is what a size must be a multiple of.
	Step int
}

// settle checks the settings and fills in the size of pages. Errors begin with the key.
func (r *Requests) settle(pages Pages) error {
	switch {
	case r.PageSize < 0 || r.PageSize > pages.Most:
		return fmt.Errorf("page_size must be between 1 and %d", pages.Most)
	case pages.Step > 0 && r.PageSize%pages.Step != 0:
		return fmt.Errorf("page_size must be a multiple of %d, up to %d", pages.Step, pages.Most)
	case r.RequestTimeout < 0 || r.RequestTimeout > 0 && r.RequestTimeout.Std() < time.Second:
		return errors.New("request_timeout must be at least 1s")
	case r.RequestsPerSecond < 0:
		return errors.New("requests_per_second must not be negative")
	}
	if r.PageSize == 0 {
		r.PageSize = pages.Default
	}
	return nil
}

// Options say how a collector reaches its platform.
type Options struct {
	// Kind is the collector's name; errors of New begin with it.
	Kind string
	// URL is the configured address, of which a path that the collector adds itself (Suffix, e.g. "/api") is taken off; DefaultURL is used where there is none, and Example is an address that messages
	// show.
	URL, DefaultURL, Example, Suffix string
	// Credential is the secret, configured under Key, and Auth how it is sent.
	Key        string
	Credential apiclient.Secret
	Auth       apiclient.Auth
	// MediaType is asked for; application/json if empty.
	MediaType string
	Requests  Requests
	Pages     Pages
	// CacheBytes is as in apiclient.Options.
	CacheBytes int64
	// Projects are rules of the configuration that say where the vendor's projects belong.
	Projects []translate.Project
}

// Base is what a collector of a platform is built from.
type Base struct {
	// URL is the address without the platform's own path and without a slash at its end.
	URL string
	// PageSize is how many items to ask for at once.
	PageSize int
	Env      collectors.Env
	Source   *translate.Source
	Projects *translate.Projects
	Words    *translate.UnknownWords
}

// New checks the options and builds the base; it sends nothing and reads no secret. Errors name the kind, the key and the remedy.
func New(env collectors.Env, o Options) (*Base, error) {
	b, err := newBase(env, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Kind, err)
	}
	return b, nil
}

func newBase(env collectors.Env, o Options) (*Base, error) {
	if o.URL == "" {
		o.URL = o.DefaultURL
	}
	u, err := url.Parse(o.URL)
	switch {
	case o.URL == "":
		return nil, fmt.Errorf("url is missing; write it as %s", o.Example)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("url must be absolute, such as %s", o.Example)
	}
	if err := o.Credential.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Key, err)
	}
	if err := o.Requests.settle(o.Pages); err != nil {
		return nil, err
	}
	projects, err := translate.NewProjects(o.Projects)
	if err != nil {
		return nil, err
	}
	address := strings.TrimRight(o.URL, "/")
	if o.Suffix != "" {
		address = strings.TrimSuffix(address, o.Suffix)
	}
	client, err := env.Client(apiclient.Options{
		BaseURL: address, Auth: o.Auth, RequestsPerSecond: o.Requests.RequestsPerSecond, Timeout: o.Requests.RequestTimeout.Std(), CacheBytes: o.CacheBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	source := translate.NewSource(client)
	if o.MediaType != "" {
		source = translate.NewSourceAccepting(client, o.MediaType)
	}
	return &Base{
		URL: address, PageSize: o.Requests.PageSize, Env: env, Source: source, Projects: projects, Words: translate.NewUnknownWords(env.Logger),
	}, nil
}
