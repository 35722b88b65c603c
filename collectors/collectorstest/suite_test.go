package collectorstest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// toy is a small collector that is right, or wrong in one of the ways the suite is there to find.
type toy struct {
	config toyConfig
	client *apiclient.Client
	env    collectors.Env
	fault  string
	// refused are lists that refused once.
	refused map[string]error
}

type toyConfig struct {
	collectors.Common `yaml:",inline"`
	URL               string           `yaml:"url"`
	Token             apiclient.Secret `yaml:"token"`
}

type toyItem struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

func newToy(config toyConfig, env collectors.Env, fault string) (*toy, error) {
	client, err := env.Client(apiclient.Options{BaseURL: config.URL, Auth: apiclient.Bearer(config.Token)})
	return &toy{config: config, client: client, env: env, fault: fault}, err
}

func (c *toy) Collect(ctx context.Context, known collectors.Cursors, emit func(record.Batch) error) error {
	if c.fault == "deaf to its context" {
		ctx = context.WithoutCancel(ctx)
	}
	if c.fault == "ignores the ledger" {
		strict := emit
		emit = func(b record.Batch) error {
			_ = strict(b)
			return nil
		}
	}
	lists := []string{"a", "b"}
	if c.fault != "waits for nobody" {
		if _, err := c.client.Do(ctx, http.MethodGet, "lists", nil, nil, &lists); err != nil {
			return err
		}
	}
	for _, scope := range lists {
		b := c.read(ctx, scope)
		if c.fault == "never asks again" {
			if c.refused[scope] == nil && b.Err != nil {
				c.refused = map[string]error{scope: b.Err}
			}
			b = record.Batch{Scope: b.Scope, Mode: b.Mode, Findings: b.Findings, Rejected: b.Rejected, Err: c.refused[scope]}
		}
		if c.fault == "retires what fails" && b.Err != nil {
			b = collectors.Retired(b.Scope, record.ClosureNone)
		}
		if c.fault == "emits nothing on failure" && b.Err != nil {
			continue
		}
		if err := emit(b); err != nil {
			return err
		}
		if ctx.Err() != nil || c.fault == "one failure stops all" && b.Err != nil {
			break
		}
	}
	for _, scope := range known.Gone("items", func(scope string) bool {
		return slices.Contains(lists, scope[len("items:"):]) != (c.fault == "retires the wrong ones")
	}) {
		if c.fault == "never retires" {
			continue
		}
		if err := emit(collectors.Retired(scope, record.ClosureOutOfScope)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *toy) read(ctx context.Context, scope string) record.Batch {
	b := record.Batch{Scope: "items:" + scope, Mode: record.Full, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}}
	page := func(items []json.RawMessage) (bool, error) {
		for _, raw := range items {
			if err := c.item(&b, raw); err != nil {
				return false, err
			}
		}
		return c.fault != "reads one page", nil
	}
	var err error
	switch c.fault {
	case "sends the token anywhere":
		err = c.readAnywhere(ctx, scope, page)
	case "forgives repeats":
		err = apiclient.Walk(ctx, 0, func(ctx context.Context, cursor string) (string, error) {
			var items []json.RawMessage
			resp, err := c.client.Do(ctx, http.MethodGet, cmp.Or(cursor, "items/"+url.PathEscape(scope)), nil, nil, &items)
			if err != nil {
				return "", err
			}
			_, err = page(items)
			return resp.Next, err
		})
	case "waits for nobody":
		_, err = http.Get(c.config.URL) //nolint:all // A bad collector.
	case "forgives shrinking":
		err = c.client.Follow(ctx, "items/"+url.PathEscape(scope), nil, 0, page)
	default:
		err = c.readCounted(ctx, scope, page)
	}
	token, _ := c.config.Token.Read()
	switch c.fault {
	case "swallows errors":
		err = nil
	case "takes null for no items":
		if err != nil && strings.Contains(err.Error(), "it is null") {
			err = nil
		}
	case "guesses what fails":
		if err != nil && scope == "b" {
			b.Findings, err = []record.Finding{{ID: "b1", Tool: "toy", Class: record.ClassOther, Severity: record.SeverityUnknown, Closure: record.ClosureOther}}, nil
		}
	case "drops the reason":
		if err != nil {
			err = errors.New("failed")
		}
	case "logs the token":
		c.env.Logger.Info("Read", "auth", token)
	case "token in the error":
		if err != nil {
			err = fmt.Errorf("%w with %s", err, token)
		}
	case "is random":
		b.AsOf = c.env.Now().Add(rand.N(time.Hour))
	}
	if err != nil {
		return record.Batch{Scope: b.Scope, Err: err}
	}
	return b
}

func (c *toy) item(b *record.Batch, raw json.RawMessage) error {
	var item toyItem
	if err := json.Unmarshal(raw, &item); err != nil {
		if c.fault == "one bad item loses the page" {
			return &record.Error{Reason: record.ReasonDecode, Err: err}
		}
		b.Rejected[record.RejectDecode]++
		return nil
	}
	closure := map[string]record.Closure{"open": record.ClosureNone, "fixed": record.ClosureFixed}
	state, ok := closure[item.State]
	switch {
	case !ok && c.fault == "drops unknown values":
		return nil
	case !ok && c.fault == "passes vendor words":
		state = record.Closure(item.State)
	case !ok:
		state = record.ClosureOther
	}
	b.Findings = append(b.Findings, record.Finding{ID: item.ID, Tool: "toy", Class: record.ClassOther, Severity: record.SeverityUnknown, Closure: state})
	return nil
}

// readAnywhere follows redirects with the token by hand.
func (c *toy) readAnywhere(ctx context.Context, scope string, page func([]json.RawMessage) (bool, error)) error {
	token, err := c.config.Token.Read()
	if err != nil {
		return err
	}
	next := c.config.URL + "/items/" + scope
	for range 5 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, next, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return err
		}
		data, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if next = resp.Header.Get("Location"); next != "" {
			continue
		}
		var items []json.RawMessage
		if err := json.Unmarshal(data, &items); err != nil {
			return err
		}
		_, err = page(items)
		return err
	}
	return nil
}

// readCounted reads a list and compares how many items it is said to have.
func (c *toy) readCounted(ctx context.Context, scope string, page func([]json.RawMessage) (bool, error)) error {
	total := 0
	return apiclient.Follow(ctx, 0, c.client.BaseURL()+"/items/"+url.PathEscape(scope), func(ctx context.Context, address string, out any) (*apiclient.Response, error) {
		resp, err := c.client.Do(ctx, http.MethodGet, address, nil, nil, out)
		if err != nil {
			return nil, err
		}
		if now, err := strconv.Atoi(resp.Header.Get("X-Total")); err == nil {
			if now < total {
				return nil, &record.Error{Reason: record.ReasonTruncated, Err: errors.New("the list shrank")}
			}
			total = now
		}
		return resp, nil
	}, page)
}

const toySample = "# Toy\n\n```yaml\ncollectors:\n  toy:\n    - name: one\n      interval: 5m\n      url: https://toy.example\n      token: {file: /run/secrets/toy}\n```\n"

func toySuite(t *testing.T, fault string) *Suite {
	readme := filepath.Join(t.TempDir(), "README.md")
	sample := toySample
	if fault == "sample with a stale key" {
		sample = strings.Replace(sample, "interval:", "intervall:", 1)
	}
	if err := os.WriteFile(readme, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	of := func(scope string) func(Request) bool {
		return func(r Request) bool { return r.Path == "/items/"+scope }
	}
	return &Suite{
		Kind: collectors.Kind{Name: "toy", New: func(section collectors.Section, env collectors.Env) (collectors.Collector, collectors.Common, error) {
			var config toyConfig
			if err := section.Decode(&config); err != nil {
				return nil, collectors.Common{}, err
			}
			c, err := newToy(config, env, fault)
			return c, config.Common, err
		}},
		New: func(baseURL string, token apiclient.Secret, env collectors.Env) (collectors.Collector, error) {
			return newToy(toyConfig{URL: baseURL, Token: token}, env, fault)
		},
		Serve: func(s *Server) {
			s.JSON("GET /lists", `["a","b"]`)
			s.LinkPages("GET /items/a", "after", Items(`{"id":"a1","state":"open"}`, `{"id":"a2","state":"fixed"}`), Items(`{"id":"a3","state":"open"}`))
			s.Counted("GET /items/a", "X-Total", 3)
			s.JSON("GET /items/b", Items(`{"id":"b1","state":"open"}`))
		},
		Scopes: []Scope{
			{Name: "items:a", Records: 3, Requests: of("a"), Pages: 2, Cursor: true, Links: true, Total: "X-Total"},
			{Name: "items:b", Records: 1, Requests: of("b"), Pages: 1},
		},
		Altered: []Altered{
			{Name: "unknown state", Scope: "items:b", Records: 1, Serve: func(s *Server) { s.JSON("GET /items/b", Items(`{"id":"b1","state":"snoozed"}`)) }},
			{Name: "bad item", Scope: "items:b", Records: 1, Rejected: 1, Serve: func(s *Server) { s.JSON("GET /items/b", Items(`{"id":"b1","state":"open"}`, `{"id":{}}`)) }},
		},
		Gone: []Gone{{
			Name: "a list is gone", Retired: []string{"items:b"}, Reason: record.ClosureOutOfScope, Serve: func(s *Server) { s.JSON("GET /lists", `["a"]`) },
		}},
		Readme: readme,
	}
}

func TestGoodCollectorPasses(t *testing.T) { Run(t, *toySuite(t, "")) }

func TestBadCollectorsAreCaught(t *testing.T) {
	tests := []struct{ fault, check, problem string }{
		{"reads one page", "healthy source is read whole", "are all pages followed"},
		{"swallows errors", "failures never look like less", "claims to be whole"},
		{"takes null for no items", "failures never look like less", "null body at request 1 of items:b: the scope has no error"},
		{"emits nothing on failure", "failures never look like less", "neither Collect nor the scope has an error"},
		{"retires what fails", "failures never look like less", "scope items:b is retired because of a failure"},
		{"guesses what fails", "failures never look like less", "the failure closes finding b1"},
		{"one failure stops all", "what refuses stops no other, and is read once it answers", "scope items:b is missing"},
		{"never asks again", "what refuses stops no other, and is read once it answers", "once the source answers again: scope items:a failed"},
		{"never retires", "what is gone is retired, and nothing else", "scope items:b is gone and was not retired"},
		{"retires the wrong ones", "what is gone is retired, and nothing else", "ends or fails (<nil>) though its source did not change"},
		{"forgives repeats", "items that move between pages are not lost", "an item of items:a repeats"},
		{"forgives shrinking", "a list that shrinks is not whole", "an item of items:a left the list"},
		{"drops the reason", "failures never look like less", `reason "other"`},
		{"one failure stops all", "failures never look like less", "scope items:b is missing"},
		{"token in the error", "failures never look like less", "holds the token"},
		{"logs the token", "healthy source is read whole", "the log holds the token"},
		{"sends the token anywhere", "failures never look like less", "reached another host"},
		{"is random", "two collections are equal", "differ"},
		{"waits for nobody", "Retry-After is honoured", "was asked to wait"},
		{"waits for nobody", "healthy source is read whole", "no request carried the token"},
		{"deaf to its context", "a canceled context ends it promptly", "still runs"},
		{"ignores the ledger", "a failing ledger stops it", "want the error of emit"},
		{"drops unknown values", "altered sources", "unknown state: 0 records"},
		{"passes vendor words", "altered sources", `has the closure "snoozed"`},
		{"one bad item loses the page", "altered sources", "bad item: the scope failed"},
		{"sample with a stale key", "sample configuration", "intervall"},
	}
	for _, tt := range tests {
		t.Run(tt.fault+"/"+tt.check, func(t *testing.T) {
			t.Parallel()
			s := toySuite(t, tt.fault)
			for _, c := range checks() {
				if c.name != tt.check {
					continue
				}
				found := strings.Join(c.find(t, s), "\n")
				if !strings.Contains(found, tt.problem) {
					t.Errorf("check %q found %q, want %q", tt.check, found, tt.problem)
				}
				return
			}
			t.Fatalf("there is no check %q", tt.check)
		})
	}
}

// TestToleratedFaultsLeaveTheScopeWhole: who says that a fault is survived is held to it, and to showing what could not be read as unknown.
func TestToleratedFaultsLeaveTheScopeWhole(t *testing.T) {
	s := toySuite(t, "")
	s.Scopes[1].Tolerates = map[string]func(record.Batch) error{"403": func(record.Batch) error { return errors.New("it looks known") }}
	found := strings.Join(checkFaults(t, s), "\n")
	for _, want := range []string{"403 at request 1 of items:b: scope items:b failed", "what could not be read is not unknown: it looks known"} {
		if !strings.Contains(found, want) {
			t.Errorf("the suite found %q, want %q", found, want)
		}
	}
}

func TestSuiteWithoutAlteredSourcesIsRefused(t *testing.T) {
	s := toySuite(t, "")
	s.Altered = nil
	if len(checkAltered(t, s)) == 0 {
		t.Error("a suite that never shows an unknown value passes")
	}
}

func TestDuplicateScopesAreReported(t *testing.T) {
	twice := collectorFunc(func(_ context.Context, _ collectors.Cursors, emit func(record.Batch) error) error {
		return errors.Join(emit(record.Batch{Scope: "a"}), emit(record.Batch{Scope: "a"}))
	})
	if _, err := Gather(t.Context(), twice, nil); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("Gather() = %v, want a complaint", err)
	}
}

type collectorFunc func(context.Context, collectors.Cursors, func(record.Batch) error) error

func (f collectorFunc) Collect(ctx context.Context, c collectors.Cursors, emit func(record.Batch) error) error {
	return f(ctx, c, emit)
}

func TestEnvIsComplete(t *testing.T) {
	env := Env(NewClock(), slog.New(slog.DiscardHandler))
	if env.Logger == nil || env.Observer == nil || env.Now == nil || env.Sleep == nil {
		t.Errorf("Env() = %+v lacks a part", env)
	}
}
