// Package grafana brings boards to a running Grafana through its HTTP API: raw JSON into a folder, nothing written that is there
// already, and nothing at all on a dry run.
//
// Requests go through grafana-tools/sdk, but boards never through its typed Board, which drops what it does not know (fieldConfig,
// overrides, transformations). The library dereferences a nil message on answers that have none, so every answer that is no success
// becomes a StatusError before the library sees it. Source: Grafana's HTTP API, dashboards and folders, 9.4 to 13.
//
// It knows nothing of the exporter. To push another kind of object: a method of Client beside Push that compares first and writes nothing on a dry run.
package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/grafana-tools/sdk"
)

// Options say which Grafana and as whom.
type Options struct {
	// URL is Grafana's root, with its sub-path if it has one.
	URL string
	// Token is a service account's token. User and Password are used when it is empty; with neither, requests are anonymous.
	Token, User, Password string
	// Transport carries the requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
}

// Client writes boards to one Grafana.
type Client struct {
	api *sdk.Client
}

// New checks the options. Nothing is sent.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the URL of a Grafana, such as https://grafana.example.com", o.URL)
	}
	if u.User != nil {
		return nil, errors.New("the URL of Grafana must not hold a password; give the user and a password file instead")
	}
	next := o.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	// Credentials are set by the transport, because the library puts a password into the URL, where errors show it.
	carrier := &http.Client{
		Transport:     &transport{next: next, options: o, host: u.Host},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	api, err := sdk.NewClient(u.String(), "", carrier)
	if err != nil {
		return nil, fmt.Errorf("client of Grafana %s: %w", o.URL, err)
	}
	return &Client{api: api}, nil
}

// Folder is where boards are kept.
type Folder struct {
	UID, Title string
}

// Action is what became of a board.
type Action string

// The actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Moved     Action = "moved"
	Unchanged Action = "unchanged"
)

// Result is what a push did, or on a dry run would do, with one board.
type Result struct {
	Board  *Board
	Action Action
	// Diff is how the board in Grafana differs from the one pushed, as a unified diff; empty unless it is updated.
	Diff string
}

// Push brings boards into a folder, which is made if it does not exist, and reports each as it is done. On a dry run it only reads.
// It stops at the first board that Grafana refuses; the error names it and wraps a *StatusError where Grafana answered.
func (c *Client) Push(ctx context.Context, boards []*Board, folder Folder, dryRun bool, report func(Result)) error {
	id, err := c.folder(ctx, folder, dryRun)
	if err != nil {
		return err
	}
	for _, b := range boards {
		result, err := c.push(ctx, b, id, dryRun)
		if err != nil {
			return fmt.Errorf("board %q (%s): %w", b.Title, b.UID, err)
		}
		report(result)
	}
	return nil
}

// folder is the number of the folder, 0 if it is still to be made on a dry run.
func (c *Client) folder(ctx context.Context, f Folder, dryRun bool) (int, error) {
	found, err := c.api.GetFolderByUID(ctx, f.UID)
	switch {
	case err == nil:
		return found.ID, nil
	case !isStatus(err, http.StatusNotFound):
		return 0, fmt.Errorf("looking for folder %q (%s): %w", f.Title, f.UID, err)
	case dryRun:
		return 0, nil
	}
	made, err := c.api.CreateFolder(ctx, sdk.Folder{UID: f.UID, Title: f.Title})
	if err != nil {
		return 0, fmt.Errorf("making folder %q (%s): %w", f.Title, f.UID, err)
	}
	return made.ID, nil
}

// push brings one board into a folder.
func (c *Client) push(ctx context.Context, b *Board, folder int, dryRun bool) (Result, error) {
	result := Result{Board: b, Action: Created}
	raw, properties, err := c.api.GetRawDashboardByUID(ctx, b.UID)
	switch {
	case isStatus(err, http.StatusNotFound):
	case err != nil:
		return Result{}, fmt.Errorf("reading what is there: %w", err)
	default:
		there, err := Parse(b.File+" in Grafana", raw)
		if err != nil {
			return Result{}, err
		}
		result.Diff, err = difference(there, b)
		switch {
		case err != nil:
			return Result{}, err
		case result.Diff != "":
			result.Action = Updated
		case properties.FolderID != folder:
			result.Action = Moved
		default:
			result.Action = Unchanged
		}
	}
	if dryRun || result.Action == Unchanged {
		return result, nil
	}
	body, err := json.Marshal(b.model)
	if err != nil {
		return Result{}, fmt.Errorf("encoding: %w", err)
	}
	_, err = c.api.SetRawDashboardWithParam(ctx, sdk.RawBoardRequest{
		Dashboard: body, Parameters: sdk.SetDashboardParams{FolderID: folder, Overwrite: true},
	})
	if err != nil {
		return Result{}, fmt.Errorf("writing: %w", err)
	}
	return result, nil
}
