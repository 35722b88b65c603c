package tools

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-jsonnet"
	"sigs.k8s.io/yaml"
)

// mixin is the monitoring mixin as jsonnet evaluates it.
type mixin struct {
	Dashboards map[string]any
	Rules      ruleFile
	Alerts     ruleFile
	Adapted    ruleFile
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []map[string]any
	}
}

// TestMixin holds the mixin to what is shipped: the same boards, rules and alerts, and its settings reach every alert.
func TestMixin(t *testing.T) {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{})
	out, err := vm.EvaluateAnonymousSnippet("mixin_test.jsonnet", `
		local m = import '../deploy/mixin/mixin.libsonnet';
		{
		  dashboards: m.grafanaDashboards, rules: m.prometheusRules, alerts: m.prometheusAlerts,
		  adapted: (m { _config+:: { runbookURL: 'https://wiki.example.com', alertLabels: { cluster: 'eu-1' } } }).prometheusAlerts,
		}`)
	if err != nil {
		t.Fatal(err)
	}
	var got mixin
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	boards, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(boards) == 0 || len(boards) != len(got.Dashboards) {
		t.Fatalf("%d boards are shipped, the mixin has %d: %v", len(boards), len(got.Dashboards), err)
	}
	for _, name := range boards {
		var shipped any
		if read(t, name, &shipped); !reflect.DeepEqual(shipped, got.Dashboards[filepath.Base(name)]) {
			t.Errorf("%s differs in the mixin", name)
		}
	}
	for name, have := range map[string]ruleFile{"recording.yml": got.Rules, "alerts.yml": got.Alerts} {
		var shipped ruleFile
		if read(t, filepath.Join(prometheus, name), &shipped); len(shipped.Groups) == 0 || !reflect.DeepEqual(shipped, have) {
			t.Errorf("%s differs in the mixin", name)
		}
	}
	for _, group := range got.Adapted.Groups {
		for _, rule := range group.Rules {
			labels, _ := rule["labels"].(map[string]any)
			annotations, _ := rule["annotations"].(map[string]any)
			if labels["cluster"] != "eu-1" || annotations["runbook_url"] != "https://wiki.example.com/"+rule["alert"].(string)+".md" {
				t.Errorf("the settings do not reach %v: %v, %v", rule["alert"], labels, annotations["runbook_url"])
			}
		}
	}
}

// read reads JSON or YAML.
func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
