// Package web is the exporter's HTTP side: the landing page, health and readiness, reload, and the server that exporter-toolkit
// gives TLS and basic authentication. Metrics themselves come from package exposition.
//
// It shows what others know and decides nothing. To add a page: a handler in a file of its own and its route in Handler, with the page's exposure (everybody, loopback or authenticated) in its test.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// Grace is how long requests under way may take when the server stops.
const Grace = 3 * time.Second

// Options are what the pages show and do.
type Options struct {
	// Metrics answers /metrics.
	Metrics http.Handler
	// Status says how the exporter is; it is called for every page and probe and must not block.
	Status func() Status
	// Reload applies the configuration file anew or says why it kept the old one.
	Reload func(ctx context.Context) error
	// Config renders the configuration without credentials.
	Config func() (string, error)
	// Private reports whether the sender of a request may see records and configuration. See Access.
	Private func(r *http.Request) bool
	// Panicked, if set, is told of every handler that panicked.
	Panicked func()
	// Receiver is who takes the deliveries of a collector's webhook; nil when nobody does. It must not block for long.
	Receiver func(kind, name string) Receiver
	// Evidence is where the evidence pages read; ShowEvidence shows them to everybody who can reach the server.
	Evidence     Evidence
	ShowEvidence bool
	// Version is shown on the landing page.
	Version string
	Logger  *slog.Logger
}

// Handler answers every path of the exporter.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing(o))
	mux.Handle("/metrics", o.Metrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "prodsec_exporter is healthy.\n")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if why := o.Status().NotReady; why != "" {
			plain(w, http.StatusServiceUnavailable, "Not ready: "+why+".\n")
			return
		}
		plain(w, http.StatusOK, "prodsec_exporter is ready.\n")
	})
	reload := func(w http.ResponseWriter, r *http.Request) {
		// A client that hangs up must not stop a reload in its middle.
		if err := o.Reload(context.WithoutCancel(r.Context())); err != nil {
			why := "see the log."
			if o.Private(r) { // the error quotes the file
				why = err.Error()
			}
			plain(w, http.StatusInternalServerError, "The old configuration stays in force: "+why+"\n")
			return
		}
		plain(w, http.StatusOK, "The configuration is in force.\n")
	}
	mux.HandleFunc("POST /-/reload", reload)
	mux.HandleFunc("PUT /-/reload", reload)
	mux.HandleFunc("POST /-/webhook/{kind}/{name}", o.delivery)
	mux.HandleFunc("GET /config", o.config)
	evidenceRoutes(mux, o)
	// A page that somebody's browser shows must not be able to make it send a reload.
	return recovered(http.NewCrossOriginProtection().Handler(mux), o)
}

func (o *Options) config(w http.ResponseWriter, r *http.Request) {
	if !o.Private(r) {
		plain(w, http.StatusForbidden, "The configuration is shown only to authenticated clients (--web.config.file), or on a server that listens on loopback alone, by a loopback name and not through a proxy.\n")
		return
	}
	text, err := o.Config()
	if err != nil {
		o.Logger.Error("Rendering the configuration failed", "error", err)
		plain(w, http.StatusInternalServerError, "The configuration cannot be shown; see the log.\n")
		return
	}
	plain(w, http.StatusOK, text)
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // there is nobody left to tell
}

// Serve serves until ctx ends, then lets requests under way finish within Grace; connections that linger longer are closed, which is no error. Listening is called with the addresses once
// they are bound, so that port 0 can be used. Flags are those of exporter-toolkit.
func Serve(ctx context.Context, handler http.Handler, flags *toolkit.FlagConfig, logger *slog.Logger, listening func([]net.Addr)) error {
	if err := toolkit.Validate(*flags.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file: %w", err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- listenAndServe(ctx, server, flags, logger, listening) }()
	select {
	case err := <-failed:
		return fmt.Errorf("web server: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		logger.Warn("Closing connections whose requests did not end in time", "grace", Grace, "error", err)
		if err := server.Close(); err != nil {
			return fmt.Errorf("web server: close: %w", err)
		}
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web server: %w", err)
	}
	return nil
}

// listenAndServe binds the addresses itself where it can, to learn the ports; sockets that systemd or a hypervisor owns are left
// to exporter-toolkit.
func listenAndServe(ctx context.Context, server *http.Server, flags *toolkit.FlagConfig, logger *slog.Logger, listening func([]net.Addr)) error {
	foreign := flags.WebSystemdSocket != nil && *flags.WebSystemdSocket
	for _, address := range *flags.WebListenAddresses {
		foreign = foreign || strings.HasPrefix(address, "vsock://")
	}
	if foreign {
		listening(nil)
		return toolkit.ListenAndServe(server, flags, logger)
	}
	var config net.ListenConfig
	var listeners []net.Listener
	var addresses []net.Addr
	for _, address := range *flags.WebListenAddresses {
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			for _, open := range listeners {
				err = errors.Join(err, open.Close())
			}
			return err
		}
		listeners = append(listeners, l)
		addresses = append(addresses, l.Addr())
	}
	listening(addresses)
	return toolkit.ServeMultiple(listeners, server, flags, logger)
}
