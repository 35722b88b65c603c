//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	rules        = "../deploy/prometheus"
	alerting     = "../deploy/alertmanager"
	receiverHost = "http://localhost:8080"
)

// prometheus is a real Prometheus that scrapes the exporter each second.
type prometheus struct {
	*process
	address string
}

var (
	intervalLine = regexp.MustCompile(`(?m)^(\s*interval:) .*$`)
	waitLine     = regexp.MustCompile(`(?m)^(\s*group_(?:wait|interval):) .*$`)
	forLine      = regexp.MustCompile(`(?m)^(\s*for:) .*$`)
)

// startPrometheus runs Prometheus with the shipped rules. The copy that it reads differs in its pace alone: groups are evaluated
// each second, and alerts wait ten seconds instead of minutes, long enough for the first scrape, since the times themselves are proved by the rules' unit tests.
func startPrometheus(t *testing.T, exporter, alertmanager string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"recording.yml", "alerts.yml"} {
		text := intervalLine.ReplaceAllString(read(t, filepath.Join(rules, name)), "$1 1s")
		text = forLine.ReplaceAllString(text, "$1 10s")
		write(t, filepath.Join(dir, name), text)
	}
	config := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [recording.yml, alerts.yml]
alerting:
  alertmanagers: [{static_configs: [{targets: [%q]}]}]
scrape_configs:
  - job_name: prodsec_exporter
    static_configs: [{targets: [%q]}]
`, alertmanager, exporter))
	p := &prometheus{address: freeAddress(t)}
	p.process = start(t, dir, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	eventually(t, 30*time.Second, "Prometheus' readiness", func() error {
		_, err := get("http://" + p.address + "/-/ready")
		return err
	})
	return p
}

// answer is what Prometheus' query API returns.
type answer struct {
	Data struct {
		ResultType string            `json:"resultType"`
		Result     []json.RawMessage `json:"result"`
	} `json:"data"`
}

// samples is how many samples an expression returns now.
func (p *prometheus) samples(expression string) (int, error) {
	body, err := get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return 0, err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, err
	}
	return len(a.Data.Result), nil
}

// webhook collects what Alertmanager delivers.
type webhook struct {
	*httptest.Server
	mu       sync.Mutex
	received []delivery
}

// delivery is a webhook message and the receiver it came for.
type delivery struct {
	Receiver string
	Status   string  `json:"status"`
	Alerts   []alert `json:"alerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func startWebhook(t *testing.T) *webhook {
	t.Helper()
	w := &webhook{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d := delivery{Receiver: strings.TrimPrefix(r.URL.Path, "/")}
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			t.Errorf("a delivery to %s cannot be read: %v", r.URL.Path, err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.received = append(w.received, d)
	}))
	t.Cleanup(w.Close)
	return w
}

// alerts are all firing alerts that were delivered, to whomever.
func (w *webhook) alerts() []alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []alert
	for _, d := range w.received {
		for _, a := range d.Alerts {
			if a.Status == "firing" {
				list = append(list, a)
			}
		}
	}
	return list
}

// first is the first firing alert for a receiver that a predicate accepts.
func (w *webhook) first(receiver string, accept func(alert) bool) (alert, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]int{}
	for _, d := range w.received {
		for _, a := range d.Alerts {
			if d.Receiver == receiver && a.Status == "firing" && accept(a) {
				return a, nil
			}
			seen[d.Receiver+" "+a.Labels["alertname"]]++
		}
	}
	return alert{}, fmt.Errorf("%s received no such alert; deliveries: %v", receiver, seen)
}

// startAlertmanager runs Alertmanager with the shipped configuration. The copy that it reads differs in the address of the receivers and in its pace:
// groups wait a second before they are sent.
func startAlertmanager(t *testing.T, receiver string) (address string) {
	t.Helper()
	dir := t.TempDir()
	text := read(t, filepath.Join(alerting, "alertmanager.yml"))
	if !strings.Contains(text, receiverHost) {
		t.Fatalf("the shipped configuration has no receiver at %s", receiverHost)
	}
	text = waitLine.ReplaceAllString(strings.ReplaceAll(text, receiverHost, receiver), "${1} 1s")
	config := write(t, filepath.Join(dir, "alertmanager.yml"), text)
	templates, err := filepath.Glob(filepath.Join(alerting, "templates", "*.tmpl"))
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates beside the shipped configuration: %v", err)
	}
	for _, path := range templates {
		write(t, filepath.Join(dir, "templates", filepath.Base(path)), read(t, path))
	}
	address = freeAddress(t)
	start(t, dir, "prometheus-alertmanager", "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=")
	eventually(t, 30*time.Second, "Alertmanager's readiness", func() error {
		_, err := get("http://" + address + "/-/ready")
		return err
	})
	return address
}

func TestShippedConfigurationPassesItsOwnTools(t *testing.T) {
	for _, args := range [][]string{
		{"promtool", "check", "config", filepath.Join(rules, "prometheus.yml")},
		{"promtool", "check", "rules", filepath.Join(rules, "recording.yml"), filepath.Join(rules, "alerts.yml")},
		{"amtool", "check-config", filepath.Join(alerting, "alertmanager.yml")},
	} {
		t.Run(strings.Join(args[:3], " "), func(t *testing.T) {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
