package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"prodsec_exporter/internal/config"
	"prodsec_exporter/internal/demo"
)

const (
	programName      = "prodsec_exporter"
	defaultAddress   = ":10042"
	defaultConfig    = "prodsec.yml"
	defaultLedger    = "data/prodsec.db"
	demoLedgerPrefix = "prodsec_exporter-demo-"
)

// program is one run of the command, so that tests can run it in their own process.
type program struct {
	stdout, stderr io.Writer
	// listening is told the addresses once they are bound.
	listening func([]net.Addr)

	configFile string
	ledgerPath string
	ledgerSet  bool
	demo       bool
	demoSeed   int64
	online     bool
	// showEvidence shows records to everybody who can reach the server.
	showEvidence bool
	web          *toolkit.FlagConfig
	log          *promslog.Config
	logger       *slog.Logger
}

func newProgram(stdout, stderr io.Writer) *program {
	return &program{stdout: stdout, stderr: stderr, listening: func([]net.Addr) {}}
}

// run parses the arguments and does what they ask for until it is done or ctx ends.
func (p *program) run(ctx context.Context, args []string) error {
	app := kingpin.New(programName, "Prometheus exporter for the metrics of a product-security programme.")
	answered := false // by --help or --version
	app.UsageWriter(p.stdout).ErrorWriter(p.stderr).Terminate(func(int) { answered = true })
	app.HelpFlag.Short('h')
	app.Version(version.Print(programName))
	p.flags(app)
	serve := app.Command("run", "Poll and serve metrics until stopped (the default).").Default()
	check := app.Command("check", "Check the configuration: every key, every secret's place and, with --online, every credential.")
	check.Flag("online", "Ask every source whether the credentials suffice, and print what API calls will cost.").BoolVar(&p.online)
	var pushing push
	pushed := app.Command("dashboards", "Work with the Grafana boards that come with this program.").Command("push", "Bring the boards to a running Grafana; what is there already stays untouched.")
	pushing.flags(pushed)
	var evaluated evaluation
	evaluate := app.Command("evaluate", "Print the metrics as they were at an instant, from the ledger alone; an exporter may be using it.")
	evaluated.flags(evaluate)
	versions := app.Command("version", "Print the version.")
	command, err := app.Parse(args)
	if answered {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; try --help", err)
	}
	p.log.Writer = p.stderr
	p.logger = promslog.New(p.log)
	switch command {
	case serve.FullCommand():
		return p.serve(ctx)
	case check.FullCommand():
		return p.check(ctx)
	case pushed.FullCommand():
		return p.pushDashboards(ctx, &pushing)
	case evaluate.FullCommand():
		return p.evaluate(ctx, &evaluated)
	case versions.FullCommand():
		_, err := fmt.Fprintln(p.stdout, version.Print(programName))
		return err
	default:
		return fmt.Errorf("unknown command %q; try --help", command)
	}
}

func (p *program) flags(app *kingpin.Application) {
	app.Flag("config.file", "Configuration file.").Default(defaultConfig).StringVar(&p.configFile)
	app.Flag("ledger.path", "File that keeps what was learned; its folder is created. The demo uses a temporary one unless this is given.").
		Default(defaultLedger).IsSetByUser(&p.ledgerSet).StringVar(&p.ledgerPath)
	app.Flag("demo", "Serve a synthetic organisation from fake APIs in this process; needs no file, network or credential.").BoolVar(&p.demo)
	app.Flag("demo.seed", "Which synthetic organisation: equal seeds share their past.").Default("1").Int64Var(&p.demoSeed)
	app.Flag("web.show-evidence", "Show the records behind the numbers to everybody who can reach the server, not only on loopback or behind authentication.").
		BoolVar(&p.showEvidence)
	p.web = kingpinflag.AddFlags(app, defaultAddress)
	p.log = &promslog.Config{}
	promslogflag.AddFlags(app, p.log)
}

// source returns what reads the configuration, which for a demo are the fakes it starts, and what ends them.
func (p *program) source(ctx context.Context) (load func() (*config.Config, error), end func() error, err error) {
	if !p.demo {
		return func() (*config.Config, error) { return config.Read(p.configFile, kinds()) }, func() error { return nil }, nil
	}
	d, err := demo.Start(ctx, demo.Options{Seed: p.demoSeed, Logger: p.logger})
	if err != nil {
		return nil, nil, fmt.Errorf("starting the demo: %w", err)
	}
	return func() (*config.Config, error) { return config.Load("demo.yml", d.Config(), kinds()) }, d.Close, nil
}

// ledgerFile is the path of the ledger and what removes it if it is temporary.
func (p *program) ledgerFile() (path string, remove func() error, err error) {
	if !p.demo || p.ledgerSet {
		return p.ledgerPath, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", demoLedgerPrefix)
	if err != nil {
		return "", nil, fmt.Errorf("making a folder for the demo's ledger: %w", err)
	}
	return filepath.Join(dir, "ledger.db"), func() error { return os.RemoveAll(dir) }, nil
}

// closing calls what ends something and joins its error to that of the function around it.
func closing(end func() error, err *error) { *err = errors.Join(*err, end()) }
