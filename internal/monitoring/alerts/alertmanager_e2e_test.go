//go:build e2e

package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prodsec_exporter/internal/monitoring/names"
)

// TestRoutes asks amtool where the shipped Alertmanager configuration sends what.
func TestRoutes(t *testing.T) {
	config := filepath.Join(root, "deploy/alertmanager/alertmanager.yml")
	run := func(args ...string) {
		t.Helper()
		out, err := exec.Command("amtool", args...).CombinedOutput()
		if err != nil {
			t.Errorf("amtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("check-config", config)
	owner := []string{"business_unit=Retail Banking", "team=cards", "service_name=cards-api", "trust_tier=tier0"}
	for _, c := range []struct {
		name, receiver string
		labels         []string
	}{
		{"a critical past its deadline", "on-call", append(owner, "alertname="+SLABreached, "severity=critical", "notify=page")},
		{"a high past its deadline", "team-tickets", append(owner, "alertname="+SLABreached, "severity=high", "notify=ticket")},
		{"a high due soon", "team-digest", append(owner, "alertname="+SLADueSoon, "severity=high", "notify=info")},
		{"an expired exception", "team-tickets", []string{"alertname=" + ExceptionExpired, "team=cards", "notify=ticket"}},
		{"an unprotected repository", "team-tickets", append(owner, "alertname="+RepositoryUnprotected, "notify=ticket")},
		{"a page that nobody owns", "product-security", []string{"alertname=" + SLABreached, "team=unattributed", "notify=page"}},
		{"a stale scope", "exporter-operators", []string{"alertname=" + ScopeStale, "collector=github", "notify=ticket"}},
		{"a collector that is down", "exporter-operators", []string{"alertname=" + CollectorDown, "collector=github", "notify=ticket"}},
		{"an unguarded way to production", "team-tickets", []string{"alertname=" + PathUnprotected, "team=cards", "environment=production", "notify=ticket"}},
		{"a control that a crown jewel lost", "team-tickets", append(owner, "alertname="+ControlLost, "control=logging", "notify=ticket")},
		{"a secret that works", "on-call", append(owner, "alertname="+SecretActive, "notify=page")},
		{"known to be exploited and reachable", "on-call", append(owner, "alertname="+ExploitedExposed, "internet_facing=true", "notify=page")},
		{"known to be exploited and perhaps reachable", "team-tickets", append(owner, "alertname="+ExploitedExposed, "internet_facing=unknown", "notify=ticket")},
		{"attainment of a business unit", "product-security", []string{"alertname=" + AttainmentLow, "business_unit=Retail Banking", "severity=high", "notify=ticket"}},
		{"deadlines missed too fast", "product-security", []string{"alertname=" + BudgetBurning, "business_unit=Retail Banking", "notify=ticket"}},
		{"an exception nobody decides", "product-security", []string{"alertname=" + ExceptionPending, "business_unit=Retail Banking", "category=legacy", "notify=ticket"}},
		{"a review nobody answers", "product-security", []string{"alertname=" + ReviewWaiting, "business_unit=Retail Banking", "kind=design", "notify=ticket"}},
		{"an overdue action", "team-tickets", []string{"alertname=" + FollowupOverdue, "business_unit=Retail Banking", "team=cards", "trust_tier=tier0", "notify=ticket"}},
		{"a blocked release", "team-tickets", []string{"alertname=" + ReleaseBlocked, "business_unit=Retail Banking", "team=cards", "trust_tier=tier0", "notify=ticket"}},
		{"a change of counting", "product-security", []string{"alertname=" + CountingChanged, "kind=policy", "notify=info"}},
		{"a budget that is used up", "exporter-operators", []string{"alertname=" + BudgetLow, "collector=github", "notify=ticket"}},
		{"a ledger that fails", "exporter-operators", []string{"alertname=" + LedgerErrors, "notify=ticket"}},
		{"a refused configuration", "exporter-operators", []string{"alertname=" + ReloadFailed, "notify=ticket"}},
		{"no leader", "exporter-operators", []string{"alertname=" + NoLeader, "notify=ticket"}},
		{"two leaders", "exporter-operators", []string{"alertname=" + TwoLeaders, "notify=ticket"}},
		{"numbers that stand still", "exporter-operators", []string{"alertname=" + EvaluationStale, "notify=ticket"}},
		{"a clock that is wrong", "exporter-operators", []string{"alertname=" + ClockImplausible, "notify=ticket"}},
		{"series left out", "exporter-operators", []string{"alertname=" + SeriesDropped, "reason=duplicate", "notify=ticket"}},
		{"an exporter that is down", "exporter-operators", []string{"alertname=" + ExporterDown, "notify=ticket"}},
		{"an alert of somebody else", "product-security", []string{"alertname=Watchdog"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(append([]string{"config", "routes", "test", "--config.file=" + config, "--verify.receivers=" + c.receiver}, c.labels...)...)
		})
	}
}

// TestInhibition posts alerts to a real Alertmanager with the shipped configuration and asks it which it mutes.
func TestInhibition(t *testing.T) {
	address := startAlertmanager(t)
	owner := map[string]string{"business_unit": "Retail Banking", "team": "cards", "service_name": "cards-api"}
	alert := func(name string, labels map[string]string, more ...string) map[string]string {
		all := map[string]string{"alertname": name}
		for k, v := range labels {
			all[k] = v
		}
		for i := 0; i+1 < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	page := alert(SLABreached, owner, "severity", "critical", "notify", "page", "derived_from", names.FromFindings)
	ticket := alert(SLABreached, owner, "severity", "high", "notify", "ticket", "derived_from", names.FromFindings)
	soon := alert(SLADueSoon, owner, "severity", "high", "notify", "info", "derived_from", names.FromFindings)
	other := alert(SLABreached, map[string]string{"team": "fraud", "service_name": "fraud-api"}, "severity", "high", "notify", "ticket", "derived_from", names.FromFindings)
	expired := alert(ExceptionExpired, owner, "notify", "ticket", "derived_from", names.FromExceptions)
	gap := alert(RepositoryUnprotected, owner, "repository", "acme/cards", "notify", "ticket", "derived_from", names.FromRepositories)
	stale := alert(ScopeStale, nil, "collector", "github", "notify", "ticket")
	down := func(collector string) map[string]string {
		return alert(CollectorDown, nil, "collector", collector, "instance_name", "main", "notify", "ticket")
	}
	exporter := alert(ExporterDown, nil, "notify", "ticket")
	leaderless := alert(NoLeader, nil, "notify", "ticket")
	overdue := alert(FollowupOverdue, owner, "notify", "ticket", "derived_from", names.FromRequests)
	secret := alert(SecretActive, owner, "notify", "page", "derived_from", names.FromFindings)
	lost := alert(ControlLost, owner, "control", "logging", "notify", "ticket", "derived_from", names.FromControls)
	unit := map[string]string{"business_unit": "Retail Banking"}
	low := alert(AttainmentLow, unit, "severity", "high", "notify", "ticket", "derived_from", names.FromFindings)
	burning := alert(BudgetBurning, unit, "notify", "ticket", "derived_from", names.FromFindings)
	for _, c := range []struct {
		name       string
		all, muted []map[string]string
	}{
		{name: "a page mutes the tickets about its service and no other", all: []map[string]string{page, ticket, soon, other}, muted: []map[string]string{ticket, soon}},
		{name: "a secret that works mutes the tickets about its service's findings and nothing else", all: []map[string]string{secret, ticket, other, expired}, muted: []map[string]string{ticket}},
		{name: "a breach mutes due soon of its severity", all: []map[string]string{ticket, soon, other}, muted: []map[string]string{soon}},
		{name: "github down mutes findings and repositories, not exceptions", all: []map[string]string{down("github"), page, gap, expired, stale}, muted: []map[string]string{page, gap, stale}},
		{name: "jira down mutes exceptions and requests and nothing else", all: []map[string]string{down("jira"), page, gap, expired, overdue, stale}, muted: []map[string]string{expired, overdue}},
		{name: "no leader mutes what rests on the programme's numbers", all: []map[string]string{leaderless, page, overdue, stale}, muted: []map[string]string{page, overdue}},
		{name: "missing deadlines too fast mutes being below the target", all: []map[string]string{burning, low, ticket}, muted: []map[string]string{low}},
		{name: "github down mutes controls", all: []map[string]string{down("github"), lost, expired}, muted: []map[string]string{lost}},
		{name: "backstage is a catalog", all: []map[string]string{down("backstage"), page, expired}, muted: []map[string]string{page, expired}},
		{name: "no catalog, nobody to call", all: []map[string]string{down("catalog"), page, gap, expired}, muted: []map[string]string{page, gap, expired}},
		{name: "no exporter, no other alert", all: []map[string]string{exporter, down("github"), stale, page, expired}, muted: []map[string]string{down("github"), stale, page, expired}},
	} {
		t.Run(c.name, func(t *testing.T) {
			post(t, address, c.all, time.Hour)
			defer post(t, address, c.all, -time.Minute) // resolves them
			want := map[string]bool{}
			for _, a := range c.all {
				want[fmt.Sprint(a)] = false
			}
			for _, a := range c.muted {
				want[fmt.Sprint(a)] = true
			}
			deadline := time.Now().Add(20 * time.Second)
			for {
				got := mutedAlerts(t, address)
				if fmt.Sprint(got) == fmt.Sprint(want) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("muted:\n%v\nwant:\n%v", got, want)
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}

// startAlertmanager starts Debian's or the project's Alertmanager on loopback and returns its address once it is ready.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		binary, err = exec.LookPath("alertmanager")
	}
	if err != nil {
		t.Fatalf("Alertmanager is needed: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(filepath.Join(root, "deploy/alertmanager/alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "--config.file="+config, "--storage.path="+t.TempDir(), "--web.listen-address="+address, "--cluster.listen-address=")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("Alertmanager said:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return address
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Alertmanager is not ready: %v", err)
		}
	}
}

// post sends alerts that end after a time; a negative time resolves them.
func post(t *testing.T, address string, alerts []map[string]string, lasting time.Duration) {
	t.Helper()
	var body []map[string]any
	for _, labels := range alerts {
		body = append(body, map[string]any{"labels": labels, "startsAt": time.Now().Add(-time.Hour), "endsAt": time.Now().Add(lasting)})
	}
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post("http://"+address+"/api/v2/alerts", "application/json", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("Alertmanager answers %s", answer.Status)
	}
}

// mutedAlerts says of every active alert, by its labels, whether another one mutes it.
func mutedAlerts(t *testing.T, address string) map[string]bool {
	t.Helper()
	answer, err := http.Get("http://" + address + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var list []struct {
		Labels map[string]string `json:"labels"`
		Status struct {
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	muted := map[string]bool{}
	for _, a := range list {
		muted[fmt.Sprint(a.Labels)] = len(a.Status.InhibitedBy) > 0
	}
	return muted
}

const root = "../../.." // of the repository
