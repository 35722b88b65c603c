package gitlab

import (
	"encoding/json"
	"log/slog"
	"testing"

	"prodsec_exporter/collectors/collectorstest"
)

// FuzzItems: whatever an item of a list is, it becomes a record or an error, and no text in it is longer than a record may hold.
func FuzzItems(f *testing.F) {
	f.Add([]byte(projectJSON(7, "acme/api", "")))
	f.Add([]byte(vulnerabilityJSON(1, "DETECTED", `,"cveEnrichment":{"epssScore":"x"}`)))
	f.Add([]byte(`{"id":"gid://gitlab/Vulnerability/1","location":{"startLine":"7"},"project":{"fullPath":"a/b"}}`))
	f.Add([]byte(`{"name":"ma*in*","push_access_levels":[null]}`))
	c, err := newCollector("https://gitlab.example.com", collectorstest.Secret(f, "x"), collectorstest.Env(collectorstest.NewClock(), slog.New(slog.DiscardHandler)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := c.project(data); err == nil {
			if r := c.repository(p); r.Name == "" {
				t.Errorf("a repository without a name: %s", data)
			}
		}
		if finding, err := c.finding(data); err == nil && (finding.ID == "" || finding.Repository == "" || finding.Line < 0) {
			t.Errorf("half a finding: %+v", finding)
		}
		var b protectedBranch
		if json.Unmarshal(data, &b) == nil {
			b.matches("main")
			nobody(b.Push)
		}
	})
}
