package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"prodsec_exporter/dashboards"
	"prodsec_exporter/internal/grafana"
)

// pushTimeout bounds a whole push.
const pushTimeout = 5 * time.Minute

// push is the subcommand "dashboards push".
type push struct {
	grafana                         grafana.Options
	tokenFile, passwordFile, caFile string
	folder                          grafana.Folder
	dryRun                          bool
	files                           []string
}

// flags adds the subcommand's flags.
func (c *push) flags(cmd *kingpin.CmdClause) {
	cmd.Flag("grafana.url", "Root of the Grafana, with its sub-path.").Envar("GRAFANA_URL").Required().StringVar(&c.grafana.URL)
	cmd.Flag("grafana.token-file", "File with a service account's token.").StringVar(&c.tokenFile)
	cmd.Flag("grafana.user", "User, where there is no token.").StringVar(&c.grafana.User)
	cmd.Flag("grafana.password-file", "File with the user's password.").StringVar(&c.passwordFile)
	cmd.Flag("grafana.ca-file", "PEM file with the authorities that Grafana's certificate is checked against.").StringVar(&c.caFile)
	cmd.Flag("folder", "Title of the folder; it is made if it does not exist.").Default("Product security").StringVar(&c.folder.Title)
	cmd.Flag("folder-uid", "Uid by which the folder is found.").Default("prodsec").StringVar(&c.folder.UID)
	cmd.Flag("dry-run", "Only say what would change, and how.").BoolVar(&c.dryRun)
	cmd.Arg("file", "Boards to push instead of those in the program.").StringsVar(&c.files)
}

// pushDashboards brings the boards to a running Grafana.
func (p *program) pushDashboards(ctx context.Context, c *push) error {
	boards, err := c.boards()
	if err != nil {
		return err
	}
	if err := c.secrets(); err != nil {
		return err
	}
	client, err := grafana.New(c.grafana)
	if err != nil {
		return fmt.Errorf("--grafana.url: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	var failed error
	counts := map[grafana.Action]int{}
	err = client.Push(bounded, boards, c.folder, c.dryRun, func(r grafana.Result) {
		counts[r.Action]++
		_, err := fmt.Fprintf(p.stdout, "%-9s  %s (%s)\n%s", r.Action, r.Board.Title, r.Board.UID, r.Diff)
		failed = errors.Join(failed, err)
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("dashboards push: %w", err)
	}
	what := ""
	if c.dryRun {
		what = "Nothing was written. It would be: "
	}
	_, err = fmt.Fprintf(p.stdout, "%s%d created, %d updated, %d moved, %d unchanged.\n",
		what, counts[grafana.Created], counts[grafana.Updated], counts[grafana.Moved], counts[grafana.Unchanged])
	return err
}

// secrets reads what the flags name.
func (c *push) secrets() error {
	for _, secret := range []struct {
		flag, path string
		into       *string
	}{{"--grafana.token-file", c.tokenFile, &c.grafana.Token}, {"--grafana.password-file", c.passwordFile, &c.grafana.Password}} {
		if secret.path == "" {
			continue
		}
		data, err := os.ReadFile(secret.path)
		if err != nil {
			return fmt.Errorf("%s: %w", secret.flag, err)
		}
		if *secret.into = strings.TrimSpace(string(data)); *secret.into == "" {
			return fmt.Errorf("%s: %s is empty", secret.flag, secret.path)
		}
	}
	if c.caFile == "" {
		return nil
	}
	authorities, err := os.ReadFile(c.caFile)
	if err != nil {
		return fmt.Errorf("--grafana.ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("--grafana.ca-file: %s holds no certificate in PEM form", c.caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // The standard library's own value.
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	c.grafana.Transport = transport
	return nil
}

// boards are those of the given files, or those in the program.
func (c *push) boards() ([]*grafana.Board, error) {
	read, names := os.ReadFile, c.files
	if len(names) == 0 {
		var err error
		if names, err = fs.Glob(dashboards.Files, "*.json"); err != nil {
			return nil, fmt.Errorf("listing the boards in the program: %w", err)
		}
		read = dashboards.Files.ReadFile
	}
	var boards []*grafana.Board
	for _, name := range names {
		data, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("reading a board: %w", err)
		}
		b, err := grafana.Parse(filepath.Base(name), data)
		if err != nil {
			return nil, err
		}
		boards = append(boards, b)
	}
	return boards, nil
}
