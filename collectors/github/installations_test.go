package github_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/collectors/github"
	"prodsec_exporter/collectors/github/api"
	"prodsec_exporter/collectors/github/githubtest"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// observedBudgets are the budgets that an instance was told of.
type observedBudgets struct {
	mu        sync.Mutex
	remaining map[string]int
}

func (*observedBudgets) Requested(int, bool) {}

func (o *observedBudgets) Budget(resource string, _, remaining int, _ time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remaining[resource] = remaining
}

func installed(id int, login, more string) string {
	return fmt.Sprintf(`{"id":%d,"account":{"login":%q,"type":"Organization"}%s}`, id, login, more)
}

// apps serves an App with installations: each organisation answers its own token only, and has a budget of its own.
func apps(s *collectorstest.Server, installations ...string) {
	s.Handle("GET /app/installations", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		collectorstest.WriteJSON(w, collectorstest.Items(installations...))
	})
	for id, org := range map[int]string{1: "acme", 2: "labs"} {
		s.Handle(fmt.Sprintf("POST /app/installations/%d/access_tokens", id), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			collectorstest.WriteJSON(w, fmt.Sprintf(`{"token":"ghs_%s","expires_at":%q}`, org, time.Now().Add(time.Hour).Format(time.RFC3339)))
		})
		s.Handle("GET /orgs/"+org+"/repos", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-RateLimit-Resource", "core")
			w.Header().Set("X-RateLimit-Limit", "5000")
			w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(1000*id))
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
			if r.Header.Get("Authorization") != "token ghs_"+org {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			collectorstest.WriteJSON(w, collectorstest.Items(strings.ReplaceAll(githubtest.RepositoryJSON("api", ""), "Acme", org)))
		})
	}
}

func appOfAll(t *testing.T, s *collectorstest.Server, observer apiclient.Observer, change func(*github.Config)) (*github.Collector, *collectorstest.Clock) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	cfg := githubtest.Configuration(s.URL(), apiclient.Secret{})
	cfg.App, cfg.Organizations = api.App{ID: 7, PrivateKey: collectorstest.Secret(t, string(text))}, nil
	cfg.Alerts.Kinds, cfg.Protection.Branches = nil, false
	if change != nil {
		change(&cfg)
	}
	clock := collectorstest.NewClock()
	env := collectorstest.Env(clock, githubtest.Discard())
	env.Observer = observer
	c, err := github.New(cfg, env)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock
}

// TestAnAppReadsAllItsInstallations: each organisation with the token of its own installation, and with a budget of its own.
func TestAnAppReadsAllItsInstallations(t *testing.T) {
	s := collectorstest.NewServer(t)
	user := `{"id":3,"account":{"login":"mina","type":"User"}}`
	apps(s, installed(1, "Acme", ""), installed(2, "labs", ""), installed(4, "Sleepy", `,"suspended_at":"2026-01-01T00:00:00Z"`), user)
	seen := &observedBudgets{remaining: map[string]int{}}
	c, _ := appOfAll(t, s, seen, nil)
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, org := range []string{"acme", "labs"} {
		b := batches["repositories:"+org]
		if b.Err != nil || len(b.Repositories) != 1 || b.Repositories[0].Name != record.RepositoryName(org+"/api") {
			t.Errorf("%s: %+v", org, b)
		}
	}
	want := map[string]int{"core:acme": 1000, "core:labs": 2000}
	if diff := cmp.Diff(want, seen.remaining); diff != "" {
		t.Errorf("budgets (-want +got):\n%s", diff)
	}
	if got := slices.Sorted(maps.Keys(c.Forecast())); !slices.Contains(got, "core:acme") || !slices.Contains(got, "core:labs") {
		t.Errorf("forecast of %q, want a budget for each organisation", got)
	}
	results, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprintf("%+v", results)
	for _, text := range []string{"3 organisations: acme, labs, sleepy", "mina is not read: it is a user", "the installation of the App in sleepy is suspended", "organisation labs: repositories"} {
		if !strings.Contains(told, text) {
			t.Errorf("check does not say %q:\n%s", text, told)
		}
	}
}

func TestOnlyNamedInstallations(t *testing.T) {
	s := collectorstest.NewServer(t)
	apps(s, installed(1, "acme", ""), installed(2, "labs", ""))
	c, _ := appOfAll(t, s, nil, func(cfg *github.Config) { cfg.Organizations = []string{"Labs", "elsewhere"} })
	batches, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, read := batches["repositories:acme"]; read || batches["repositories:labs"].Err != nil {
		t.Errorf("labs: %v; acme, which is not named: %+v", batches["repositories:labs"].Err, b)
	}
	if err := batches["repositories:elsewhere"].Err; record.ReasonOf(err) != record.ReasonPermission || !strings.Contains(err.Error(), "not installed in elsewhere") {
		t.Errorf("an organisation without the App ends as %v", err)
	}
}

// TestAnInstallationThatIsGone: less visible is not gone, so its scopes fail first, and are retired after a full interval.
func TestAnInstallationThatIsGone(t *testing.T) {
	s := collectorstest.NewServer(t)
	apps(s, installed(1, "acme", ""), installed(2, "labs", ""))
	c, clock := appOfAll(t, s, nil, nil)
	first, err := collectorstest.Gather(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	cursors := collectors.Cursors{"repositories:acme": first["repositories:acme"].Cursor, "repositories:labs": first["repositories:labs"].Cursor}
	s.JSON("GET /app/installations", collectorstest.Items(installed(1, "acme", "")))
	again := func(wait time.Duration) record.Batch {
		if err := clock.Sleep(t.Context(), wait); err != nil {
			t.Fatal(err)
		}
		batches, err := collectorstest.Gather(t.Context(), c, cursors)
		if err != nil || batches["repositories:acme"].Err != nil {
			t.Fatalf("error %v, acme %v", err, batches["repositories:acme"].Err)
		}
		return batches["repositories:labs"]
	}
	if b := again(2 * time.Hour); record.ReasonOf(b.Err) != record.ReasonPermission || b.Retired {
		t.Errorf("right after it is gone: %+v", b)
	}
	if b := again(25 * time.Hour); b.Err != nil || !b.Retired || b.Absence != record.ClosureOutOfScope {
		t.Errorf("after a full interval: %+v", b)
	}
}

func TestInstallationsThatCannotBeListed(t *testing.T) {
	s := collectorstest.NewServer(t)
	s.Handle("GET /app/installations", githubtest.Refused(http.StatusUnauthorized, "A JSON web token could not be decoded"))
	c, _ := appOfAll(t, s, nil, nil)
	if _, err := collectorstest.Gather(t.Context(), c, nil); record.ReasonOf(err) != record.ReasonUnauthorized || !strings.Contains(err.Error(), "installations of app 7") {
		t.Errorf("Collect() = %v", err)
	}
}

// TestDeliveriesOfInstallations: a webhook of the App concerns the organisation that it names, and is read by its token.
func TestDeliveriesOfInstallations(t *testing.T) {
	s := collectorstest.NewServer(t)
	apps(s, installed(1, "acme", ""), installed(2, "labs", ""))
	c, _ := appOfAll(t, s, nil, withWebhook(t))
	if _, err := collectorstest.Gather(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	const body = `{"organization":{"login":"Labs"},"repository":{"full_name":"labs/api","owner":{"login":"labs"}}}`
	hint, err := c.Hint(deliveryHeader("repository", webhookSecret, body), []byte(body))
	if err != nil || !slices.Equal(hint.Scopes, []string{"repositories:labs"}) {
		t.Fatalf("hint %+v, error %v", hint, err)
	}
	if b := githubtest.Scope(t, c, hint.Scopes[0]); b.Err != nil || len(b.Repositories) != 1 {
		t.Errorf("by hint: %+v", b)
	}
}
