//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDemo runs the demo once and looks at it the way a scraper, a person who is paged and a director do.
func TestDemo(t *testing.T) {
	hook := startWebhook(t)
	began := time.Now()
	e := startExporter(t, "--demo")
	e.ready(time.Until(began.Add(20 * time.Second)))
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	alertmanager := startAlertmanager(t, hook.URL)
	p := startPrometheus(t, e.address, alertmanager)

	t.Run("promtool finds nothing to lint", func(t *testing.T) { lint(t, e) })
	t.Run("a strict OpenMetrics parser takes the scrape", func(t *testing.T) { strictlyParsed(t, e) })
	t.Run("every panel has data", func(t *testing.T) { panels(t, p) })
	t.Run("every recording rule records", func(t *testing.T) { recordings(t, p) })
	t.Run("a breached critical finding pages its team", func(t *testing.T) { page(t, hook) })
	t.Run("the story's alerts are delivered, and no others", func(t *testing.T) { story(t, hook) })
	t.Run("no rule fails", func(t *testing.T) {
		body, err := get("http://" + p.address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(body)) {
			if strings.HasPrefix(line, "prometheus_rule_evaluation_failures_total{") && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
				t.Errorf("rules failed: %s", line)
			}
		}
	})
}

func lint(t *testing.T, e *exporter) {
	body, err := get(e.url("/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = bytes.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// page waits for a page about a critical finding and follows its links into the repository.
func page(t *testing.T, hook *webhook) {
	var paged alert
	eventually(t, 90*time.Second, "a page", func() (err error) {
		paged, err = hook.first("on-call", func(a alert) bool {
			return a.Labels["alertname"] == "ProdsecSLABreached" && a.Labels["severity"] == "critical"
		})
		return err
	})
	for _, label := range []string{"team", "service_name", "business_unit", "trust_tier"} {
		if v := paged.Labels[label]; v == "" || v == "unattributed" {
			t.Errorf("label %s of the page is %q: nobody knows whose it is", label, v)
		}
	}
	runbook, err := url.Parse(paged.Annotations["runbook_url"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join("../docs/runbooks", path.Base(runbook.Path))); err != nil {
		t.Errorf("the page's runbook %s is not in the repository: %v", runbook, err)
	}
	board, err := url.Parse(paged.Annotations["dashboard_url"])
	if err != nil {
		t.Fatal(err)
	}
	if got := board.Query().Get("var-team"); got != paged.Labels["team"] {
		t.Errorf("the board link %s selects team %q, want %q", board, got, paged.Labels["team"])
	}
	uids := map[string]bool{}
	for _, b := range boards(t) {
		uids[b.UID] = true
	}
	if uid := path.Base(board.Path); !uids[uid] {
		t.Errorf("the page links to board %q, which is none of %v", uid, uids)
	}
}

// board is what the test needs of a Grafana board.
type board struct {
	file       string
	UID        string  `json:"uid"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
}

type panel struct {
	Title   string  `json:"title"`
	Panels  []panel `json:"panels"`
	Targets []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
}

type variable struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	AllValue string `json:"allValue"`
	Current  struct {
		Value any `json:"value"`
	} `json:"current"`
}

func boards(t *testing.T) []board {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(files) != 8 {
		t.Fatalf("%d boards (%v), want 8", len(files), err)
	}
	all := make([]board, len(files))
	for i, file := range files {
		if err := json.Unmarshal([]byte(read(t, file)), &all[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[i].file = filepath.Base(file)
	}
	return all
}

// substitute fills in the variables as they are when a board is opened.
func (b *board) substitute(expression string) string {
	for _, v := range b.Templating.List {
		value := fmt.Sprint(v.Current.Value)
		if value == "$__all" {
			value = v.AllValue
		}
		expression = regexp.MustCompile(`\$\{`+v.Name+`(:\w+)?\}|\$`+v.Name+`\b`).ReplaceAllLiteralString(expression, value)
	}
	for name, value := range map[string]string{"$__rate_interval": "1m", "$__interval": "15s", "$__range": "1h"} {
		expression = strings.ReplaceAll(expression, name, value)
	}
	return expression
}

// silentRules are recording rules that record nothing in a demo which has just been started, with the reason.
var silentRules = map[string]string{
	"business_unit:prodsec_sla_outcomes:burn_ratio": "no deadline falls within the first minutes, and a share of nothing is no share",
}

// recordings asks for every recording rule by its name; those that record nothing are named.
func recordings(t *testing.T, p *prometheus) {
	text := read(t, filepath.Join(rules, "recording.yml"))
	names := regexp.MustCompile(`(?m)^\s*- record: (\S+)`).FindAllStringSubmatch(text, -1)
	if len(names) < 50 {
		t.Fatalf("only %d recording rules were found", len(names))
	}
	for _, name := range names {
		if silentRules[name[1]] != "" {
			continue
		}
		eventually(t, 30*time.Second, "samples of "+name[1], func() error {
			if n, err := p.samples(name[1]); err != nil || n == 0 {
				return fmt.Errorf("%d samples: %w", n, errors.Join(err, errors.New("the rule records nothing")))
			}
			return nil
		})
	}
}

// the alerts of the demo's story, with the receiver that must hear of each and labels it must have.
var storyAlerts = []struct {
	alert, receiver string
	labels          []string
}{
	{"ProdsecSLABreached", "on-call", []string{"team", "service_name", "business_unit", "trust_tier", "severity"}},
	{"ProdsecSLAAttainmentLow", "product-security", []string{"business_unit", "severity"}},
	{"ProdsecExceptionExpired", "team-tickets", []string{"team", "business_unit", "category"}},
	{"ProdsecReviewWaiting", "product-security", []string{"business_unit", "kind"}},
	{"ProdsecFollowupOverdue", "team-tickets", []string{"team", "business_unit"}},
	{"ProdsecPrivilegedRepositoryUnprotected", "team-tickets", []string{"team", "repository", "scope"}},
	{"ProdsecProductionPathUnprotected", "team-tickets", []string{"team", "environment"}},
	{"ProdsecActiveSecretOpen", "on-call", []string{"team", "service_name"}},
	{"ProdsecKnownExploitedExposed", "on-call", []string{"team", "service_name", "internet_facing"}},
}

// neverInStory are alerts that would say that the exporter or the demo is broken.
var neverInStory = regexp.MustCompile(`^Prodsec(ExporterDown|CollectorDown|LedgerErrors|ConfigReloadFailed|NoLeader|TwoLeaders|EvaluationStale|SeriesDropped|CountingChanged|CrownJewelControlLost|SLABudgetBurning)$`)

// story waits for each alert of the demo's story at the receiver it belongs to, and then looks for those that have no place in it.
func story(t *testing.T, hook *webhook) {
	for _, want := range storyAlerts {
		var got alert
		eventually(t, 120*time.Second, want.alert+" at "+want.receiver, func() (err error) {
			got, err = hook.first(want.receiver, func(a alert) bool { return a.Labels["alertname"] == want.alert })
			return err
		})
		for _, label := range want.labels {
			if got.Labels[label] == "" {
				t.Errorf("%s has no label %s: %v", want.alert, label, got.Labels)
			}
		}
		if got.Annotations["summary"] == "" || strings.Contains(got.Annotations["summary"], "<no value>") {
			t.Errorf("%s says %q", want.alert, got.Annotations["summary"])
		}
	}
	for _, a := range hook.alerts() {
		if neverInStory.MatchString(a.Labels["alertname"]) {
			t.Errorf("the demo fires %s, which is not in its story: %v", a.Labels["alertname"], a.Labels)
		}
	}
}

// compareWithThePast are panels that show what was an hour or a month before, of which a Prometheus that was started for the test knows nothing.
var compareWithThePast = []string{"Requests per hour, by collector", "Median time to remediate, previous 30 days"}

// panels asks the queries of every panel of every board until one of them has a sample: the others may be for what is unknown, withheld or too few to
// compare, of which the demo need not have any. Panels without a sample are named.
func panels(t *testing.T, p *prometheus) {
	type asked struct {
		name    string
		queries []string
	}
	var open []asked
	queries := 0
	var collect func(b *board, panels []panel)
	collect = func(b *board, panels []panel) {
		for _, panel := range panels {
			one := asked{name: fmt.Sprintf("%s, panel %q", b.file, panel.Title)}
			for _, target := range panel.Targets {
				one.queries = append(one.queries, b.substitute(target.Expr))
			}
			if queries += len(one.queries); len(one.queries) > 0 && !slices.Contains(compareWithThePast, panel.Title) {
				open = append(open, one)
			}
			collect(b, panel.Panels)
		}
	}
	for _, b := range boards(t) {
		collect(&b, b.Panels)
	}
	t.Logf("%d queries in %d panels", queries, len(open))
	if queries < 100 || len(open) < 50 {
		t.Fatalf("only %d queries in %d panels were found in the boards", queries, len(open))
	}
	deadline := time.Now().Add(60 * time.Second)
	for len(open) > 0 && time.Now().Before(deadline) {
		open = slices.DeleteFunc(open, func(one asked) bool {
			has := false
			for _, expression := range one.queries {
				n, err := p.samples(expression)
				if err != nil {
					t.Errorf("%s: %s: %v", one.name, expression, err)
				}
				has = has || n > 0
			}
			return has
		})
		time.Sleep(time.Second) // the rules need time to be evaluated
	}
	for _, one := range open {
		t.Errorf("no sample: %s: %s", one.name, strings.Join(one.queries, "\n"))
	}
	if t.Failed() {
		t.Log(errors.New("a panel that a reader of the demo finds empty has no data to show or asks for the wrong thing"))
	}
}
