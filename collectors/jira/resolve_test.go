package jira

import (
	"strings"
	"testing"

	"prodsec_exporter/collectors"
	"prodsec_exporter/collectors/collectorstest"
	"prodsec_exporter/internal/record"
)

// TestFieldsThatCannotBeTold: each is a way in which an exception would have lost its end and held for ever.
func TestFieldsThatCannotBeTold(t *testing.T) {
	const service = `{"id": "customfield_1", "name": "Service"}, `
	for name, tt := range map[string]struct {
		configured, fields string
		reason             record.ErrorReason
		says               []string
	}{
		"one of the usual name":               {"", `{"id": "customfield_2", "name": "Expires on"}`, "", nil},
		"two of the usual name":               {"", `{"id": "customfield_2", "name": "Expires on"}, {"id": "customfield_99", "name": "expires ON"}`, record.ReasonRejected, []string{"customfield_2", "customfield_99", "fields.expires"}},
		"one that looks like it":              {"", `{"id": "customfield_2", "name": "Exception end", "schema": {"type": "date"}}`, record.ReasonNotFound, []string{"customfield_2", "Exception end", "none"}},
		"one in German":                       {"", `{"id": "customfield_2", "name": "Gültig bis"}`, record.ReasonNotFound, []string{"customfield_2"}},
		"there is none, as is said":           {"None", `{"id": "customfield_2", "name": "Exception end"}`, "", nil},
		"the end of a sprint and a front end": {"", `{"id": "customfield_3", "name": "Target end"}, {"id": "customfield_4", "name": "Front end"}, {"id": "customfield_5", "name": "Expiry class", "schema": {"type": "option"}}`, "", nil},
		"configured, and two are named so":    {"Ends", `{"id": "customfield_2", "name": "Ends"}, {"id": "customfield_3", "name": "Ends"}`, record.ReasonRejected, []string{"customfield_3"}},
	} {
		s := collectorstest.NewServer(t)
		cloud(s, ticket(1, ""))
		s.JSON("GET /rest/api/3/field", "["+service+tt.fields+"]")
		b := gather(t, s, ExceptionsConfig{JQL: query, Fields: ExceptionFields{Expires: tt.configured}}, nil)
		if tt.reason == "" {
			if b.Err != nil || len(b.Exceptions) != 1 {
				t.Errorf("%s: %d exceptions, %v", name, len(b.Exceptions), b.Err)
			}
			continue
		}
		if record.ReasonOf(b.Err) != tt.reason {
			t.Errorf("%s: got %v, want %s", name, b.Err, tt.reason)
			continue
		}
		for _, words := range tt.says {
			if !strings.Contains(b.Err.Error(), words) {
				t.Errorf("%s: %v does not name %s", name, b.Err, words)
			}
		}
	}
}

// TestFieldsThatChangeUnderWay: what was found by its name, guessed or configured, may not be lost or become another field while the collector runs,
// and a scope recovers at the next poll after it was mended in Jira.
func TestFieldsThatChangeUnderWay(t *testing.T) {
	const service = `{"id": "customfield_1", "name": "Service"}, `
	const sound = service + `{"id": "customfield_2", "name": "Expires on"}`
	for name, tt := range map[string]struct {
		configured, fields string
		says               []string
	}{
		"renamed to what looks like it":  {"", service + `{"id": "customfield_2", "name": "Exception end"}`, []string{"customfield_2", "Exception end", "fields.expires"}},
		"renamed to anything":            {"", service + `{"id": "customfield_2", "name": "Foo"}`, []string{"customfield_2", "Foo"}},
		"renamed, and it was configured": {"Expires on", service + `{"id": "customfield_2", "name": "Foo"}`, []string{"customfield_2", "Foo"}},
		"deleted":                        {"", strings.TrimSuffix(service, ", "), []string{"customfield_2", "does not exist"}},
		"replaced":                       {"", service + `{"id": "customfield_2", "name": "Old end"}, {"id": "customfield_8", "name": "Expires on"}`, []string{"customfield_2", "customfield_8"}},
		"joined by a second one":         {"", sound + `, {"id": "customfield_8", "name": "Expires on"}`, []string{"customfield_2", "customfield_8"}},
		"another field is renamed":       {"", `{"id": "customfield_1", "name": "Product"}, {"id": "customfield_2", "name": "Expires on"}`, []string{"field service", "customfield_1", "Product"}},
	} {
		s := collectorstest.NewServer(t)
		cloud(s, ticket(1, ""))
		s.JSON("GET /rest/api/3/field", "["+sound+"]")
		c, err := New(Config{URL: s.URL(), Auth: AuthConfig{Bearer: collectorstest.Secret(t, "t0ken-for-jira")}, Exceptions: &ExceptionsConfig{JQL: query, Fields: ExceptionFields{Expires: tt.configured}}}, env())
		if err != nil {
			t.Fatal(err)
		}
		collect := func(cursors collectors.Cursors) record.Batch {
			t.Helper()
			batches, err := collectorstest.Gather(t.Context(), c, cursors)
			if err != nil {
				t.Fatal(err)
			}
			return batches["exceptions:default"]
		}
		first := collect(nil)
		if first.Err != nil || first.Exceptions[0].ExpiresAt.IsZero() {
			t.Fatalf("%s: %+v", name, first)
		}
		s.JSON("GET /rest/api/3/field", "["+tt.fields+"]")
		for range 2 { // it does not get used to it
			b := collect(nil)
			if b.Err == nil || len(b.Exceptions) != 0 {
				t.Errorf("%s: %d exceptions, %v", name, len(b.Exceptions), b.Err)
				continue
			}
			for _, words := range tt.says {
				if !strings.Contains(b.Err.Error(), words) {
					t.Errorf("%s: %v does not name %s", name, b.Err, words)
				}
			}
		}
		s.JSON("GET /rest/api/3/field", "["+sound+"]")
		if b := collect(collectors.Cursors{"exceptions:default": first.Cursor}); b.Err != nil {
			t.Errorf("%s: mended in Jira, and still %v", name, b.Err)
		}
	}
}
