// Package demo serves a synthetic organisation (package world) the way real systems would: a GitHub, a Jira Cloud and a DefectDojo API, a catalog and
// the reports of a few pipelines, over HTTP on loopback in the exporter's own process. The real collectors speak to it,
// so what a demo shows has gone through every stage that real data goes through: pages, cursors, rate-limit headers, ETags, missing permissions.
//
// The answers follow the vendors' documentation, for the calls that the collectors make. What the fakes do not know they refuse as the vendor would (404,
// or an error that names the field), so that a collector that begins to ask for more is noticed.
//
// A folder holds each API that is played (github, jira, defectdojo, files); answer is what they share, world the organisation they tell of. A fake knows world and answer
// and no other fake. This package starts them and writes the configuration that points the exporter at them; only cmd/prodsec_exporter may know it.
//
// To add an API: a folder with a New like the others', a line in Start, its section in config.go, and a test here that asks it over HTTP.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"prodsec_exporter/internal/demo/defectdojo"
	"prodsec_exporter/internal/demo/files"
	"prodsec_exporter/internal/demo/github"
	"prodsec_exporter/internal/demo/jira"
	"prodsec_exporter/internal/demo/world"
)

// Options say which demo to start.
type Options struct {
	// Seed chooses the history; equal seeds agree about the past.
	Seed int64
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Logger hears about servers that fail; nil discards.
	Logger *slog.Logger
}

// Demo is a running organisation.
type Demo struct {
	world    *world.World
	now      func() time.Time
	logger   *slog.Logger
	token    string
	previous *string
	servers  []*http.Server
	running  sync.WaitGroup
	urls     endpoints
	config   []byte
}

// Start builds the organisation, serves it on loopback and sets TokenVariable. The servers end with ctx or with Close, which must be
// called in any case. The error says which listener could not be opened.
func Start(ctx context.Context, options Options) (*Demo, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Demo{now: options.Now, logger: options.Logger, token: rand.Text(), world: world.New(options.Seed, options.Now())}
	for _, fake := range []struct {
		name    string
		url     *string
		port    int
		handler func(url string) http.Handler
	}{
		{"GitHub", &d.urls.github, 0, func(url string) http.Handler { return github.New(d.world, d.now, d.token, url) }},
		{"Jira", &d.urls.jira, 0, func(url string) http.Handler { return jira.New(d.world, d.now, d.token, url) }},
		{"DefectDojo", &d.urls.defectdojo, 0, func(url string) http.Handler { return defectdojo.New(d.world, d.now, d.token, url) }},
		{"files", &d.urls.files, filesPort(options.Seed), func(string) http.Handler { return files.New(d.world, d.now) }},
	} {
		url, err := d.serve(ctx, fake.port, fake.handler)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the fake %s: %w", fake.name, err), d.Close())
		}
		*fake.url = url
	}
	d.config = configuration(d.world, d.urls)
	if before, ok := os.LookupEnv(TokenVariable); ok {
		d.previous = &before
	}
	if err := os.Setenv(TokenVariable, d.token); err != nil {
		return nil, errors.Join(fmt.Errorf("set %s: %w", TokenVariable, err), d.Close())
	}
	return d, nil
}

// filesPort is the port on which the files of a seed are served if it is free. Scopes of files are named by their address, so that a
// demo that is started again with the ledger of an earlier one finds its own.
func filesPort(seed int64) int { return 20_000 + int(uint64(seed)%10_000) }

// serve opens a loopback listener and serves on it until the Demo is closed or ctx ends.
func (d *Demo) serve(ctx context.Context, port int, handler func(url string) http.Handler) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil && port != 0 {
		listener, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", err
	}
	url := "http://" + listener.Addr().String()
	server := &http.Server{
		Handler: handler(url), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.logger.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	d.servers = append(d.servers, server)
	d.running.Go(func() {
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.logger.Error("A server of the demo ended", "url", url, "error", err)
		}
	})
	return url, nil
}

// Config is a complete configuration file for the exporter that points its collectors at the demo. It holds no credential.
func (d *Demo) Config() []byte { return append([]byte(nil), d.config...) }

// Close ends the servers, waits for them and restores TokenVariable.
func (d *Demo) Close() error {
	var err error
	for _, server := range d.servers {
		err = errors.Join(err, server.Close())
	}
	d.running.Wait()
	if os.Getenv(TokenVariable) != d.token {
		return err // another demo has been started since, or this one never was
	}
	if d.previous != nil {
		return errors.Join(err, os.Setenv(TokenVariable, *d.previous))
	}
	return errors.Join(err, os.Unsetenv(TokenVariable))
}
