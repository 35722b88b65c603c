// Package web is the exporter's HTTP side: the landing page, health and readiness, reload, and the server that exporter-toolkit
// gives TLS and basic authentication. Metrics themselves come from package exposition.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"gopkg.in/yaml.v3"
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
	// Private reports whether only people who may see the configuration can reach the server. See Private.
	Private func() bool
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
		if err := o.Reload(r.Context()); err != nil {
			plain(w, http.StatusInternalServerError, "The old configuration stays in force: "+err.Error()+"\n")
			return
		}
		plain(w, http.StatusOK, "The configuration is in force.\n")
	}
	mux.HandleFunc("POST /-/reload", reload)
	mux.HandleFunc("PUT /-/reload", reload)
	mux.HandleFunc("POST /-/webhook/{kind}/{name}", o.delivery)
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { o.config(w) })
	evidenceRoutes(mux, o)
	// A page that somebody's browser shows must not be able to make it send a reload.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (o *Options) config(w http.ResponseWriter) {
	if !o.Private() {
		plain(w, http.StatusForbidden, "The configuration is shown only on loopback, or when --web.config.file asks for authentication.\n")
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

// Serve serves until ctx ends, then lets requests under way finish within Grace. Listening is called with the addresses once
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
		return errors.Join(fmt.Errorf("web server: requests did not end within %s: %w", Grace, err), server.Close())
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

// Private reports whether records and configuration may be shown: every address is on loopback, or the web configuration asks
// every client for a password or a certificate. The file is read anew, since exporter-toolkit does so, too.
func Private(flags *toolkit.FlagConfig) bool {
	if authenticated(*flags.WebConfigFile) {
		return true
	}
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return false
	}
	for _, address := range *flags.WebListenAddresses {
		host, _, err := net.SplitHostPort(address)
		ip := net.ParseIP(host)
		if err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
			return false
		}
	}
	return true
}

func authenticated(path string) bool {
	if path == "" {
		return false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var config struct {
		Users map[string]string `yaml:"basic_auth_users"`
		TLS   struct {
			ClientAuth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(data, &config); err != nil {
		return false
	}
	return len(config.Users) > 0 || config.TLS.ClientAuth == "RequireAndVerifyClientCert"
}
