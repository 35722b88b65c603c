//go:build e2e

package monitoring

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		{"a critical past its deadline", "on-call", append(owner, "alertname="+AlertSLABreached, "severity=critical", "notify=page")},
		{"a high past its deadline", "team-tickets", append(owner, "alertname="+AlertSLABreached, "severity=high", "notify=ticket")},
		{"a high due soon", "team-digest", append(owner, "alertname="+AlertSLADueSoon, "severity=high", "notify=info")},
		{"an expired exception", "team-tickets", []string{"alertname=" + AlertExceptionExpired, "team=cards", "notify=ticket"}},
		{"an unprotected repository", "team-tickets", append(owner, "alertname="+AlertRepositoryUnprotected, "notify=ticket")},
		{"a page that nobody owns", "product-security", []string{"alertname=" + AlertSLABreached, "team=unattributed", "notify=page"}},
		{"a stale scope", "exporter-operators", []string{"alertname=" + AlertScopeStale, "collector=github", "notify=ticket"}},
		{"a collector that is down", "exporter-operators", []string{"alertname=" + AlertCollectorDown, "collector=github", "notify=ticket"}},
		{"an exporter that is down", "exporter-operators", []string{"alertname=" + AlertExporterDown, "notify=ticket"}},
		{"an alert of somebody else", "product-security", []string{"alertname=Watchdog"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(append([]string{"config", "routes", "test", "--config.file=" + config, "--verify.receivers=" + c.receiver}, c.labels...)...)
		})
	}
}
