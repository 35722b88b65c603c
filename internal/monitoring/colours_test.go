package monitoring

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prodsec_exporter/internal/monitoring/boards"
	"prodsec_exporter/internal/monitoring/boards/panel"
)

// fieldSettings are the settings by which Grafana colours a field, of a panel's defaults or of an override.
type fieldSettings struct {
	Thresholds struct {
		Steps []struct {
			Value *float64 `json:"value"`
			Color string   `json:"color"`
		} `json:"steps"`
	} `json:"thresholds"`
	Mappings []struct {
		Type    string          `json:"type"`
		Options json.RawMessage `json:"options"`
	} `json:"mappings"`
	NoValue string `json:"noValue"`
	Color   struct {
		Mode       string `json:"mode"`
		FixedColor string `json:"fixedColor"`
	} `json:"color"`
	DisplayMode string `json:"custom.displayMode"`
}

// text is what a mapping shows.
type mapped struct{ Text, Color string }

// results are what the mappings show, by value; special values are called null and nan.
func (f fieldSettings) results(t *testing.T) map[string]mapped {
	t.Helper()
	found := map[string]mapped{}
	for _, m := range f.Mappings {
		if m.Type == "special" {
			var special struct {
				Match  string
				Result mapped
			}
			if err := json.Unmarshal(m.Options, &special); err != nil {
				t.Fatal(err)
			}
			found[special.Match] = special.Result
			continue
		}
		values := map[string]mapped{}
		if err := json.Unmarshal(m.Options, &values); err != nil {
			t.Fatal(err)
		}
		for value, result := range values {
			found[value] = result
		}
	}
	return found
}

// merged are the defaults with an override's properties in their place.
func (f fieldSettings) merged(t *testing.T, properties []property) fieldSettings {
	t.Helper()
	for _, p := range properties {
		body, err := json.Marshal(map[string]json.RawMessage{strings.TrimPrefix(p.ID, ""): p.Value})
		if err != nil {
			t.Fatal(err)
		}
		switch p.ID {
		case "thresholds":
			f.Thresholds.Steps = nil
		case "mappings":
			f.Mappings = nil
		}
		if err := json.Unmarshal(body, &f); err != nil {
			t.Fatalf("%s: %v", p.ID, err)
		}
	}
	return f
}

type property struct {
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value"`
}

// unknownWords are the words for what nobody knows, or what is too few to know.
var unknownWords = regexp.MustCompile(`(?i)not known|unknown|not read|no history|^–$|too few|at least|withheld|not stated|nothing due|none judged|none decided`)

// TestWhatIsNotKnownIsNeverDrawnInTheColourOfGood walks the mappings and thresholds of every field of every panel as Grafana gets them.
func TestWhatIsNotKnownIsNeverDrawnInTheColourOfGood(t *testing.T) {
	checked := 0
	for _, b := range boards.All() {
		content, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Panels []struct {
				ID          int
				Title, Type string
				Targets     []struct{ LegendFormat string }
				FieldConfig struct {
					Defaults  fieldSettings
					Overrides []struct {
						Matcher    struct{ Options any }
						Properties []property
					}
				}
			}
		}
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatal(err)
		}
		for _, p := range board.Panels {
			fields := map[string]fieldSettings{"": p.FieldConfig.Defaults}
			for _, o := range p.FieldConfig.Overrides {
				fields[fmt.Sprint(o.Matcher.Options)] = p.FieldConfig.Defaults.merged(t, o.Properties)
			}
			for name, f := range fields {
				where := fmt.Sprintf("%s, %d %q, field %q", b.UID, p.ID, p.Title, name)
				checked++
				checkField(t, where, name, p.Type, f)
			}
		}
	}
	if checked < 500 {
		t.Errorf("%d fields were looked at", checked)
	}
}

// checkField holds one field to the rule.
func checkField(t *testing.T, where, name, look string, f fieldSettings) {
	t.Helper()
	results := f.results(t)
	for value, r := range results {
		if unknownWords.MatchString(r.Text) && r.Color != "" && r.Color != panel.Unknown {
			t.Errorf("%s: %s is called %q and drawn in %s", where, value, r.Text, r.Color)
		}
	}
	isGood := slices.ContainsFunc(f.Thresholds.Steps, func(s struct {
		Value *float64 `json:"value"`
		Color string   `json:"color"`
	}) bool {
		return s.Color == panel.Good
	})
	byThreshold := look == string(panel.Stat) || look == string(panel.Ranking) || look == string(panel.Table)
	if fixed := f.Color.Mode == "fixed"; fixed {
		isGood = f.Color.FixedColor == panel.Good
	} else if byThreshold && len(f.Thresholds.Steps) > 1 {
		for _, missing := range []string{"null", "nan"} {
			if r, ok := results[missing]; !ok || r.Color != panel.Unknown {
				t.Errorf("%s: %s has the colour of a threshold (%+v)", where, missing, r)
			}
		}
	}
	if byThreshold && isGood && unknownWords.MatchString(name) {
		t.Errorf("%s: what is not known can be drawn in the colour of good", where)
	}
}

// TestLowerBoundsAreNeverGood: of a number that is known in part, what is known is no good news.
func TestLowerBoundsAreNeverGood(t *testing.T) {
	bounds := 0
	for _, b := range boards.All() {
		for _, p := range panels(b) {
			for _, q := range p.Queries {
				if !strings.Contains(q.Name, "at least") {
					continue
				}
				bounds++
				good := func(s panel.Step) bool { return s.Colour == panel.Good }
				if q.Colour == panel.Good || slices.ContainsFunc(q.Steps, good) || q.Steps == nil && q.Colour == "" && slices.ContainsFunc(p.Steps, good) {
					t.Errorf("%s, %q: %q can be drawn in the colour of good", b.UID, p.Title, q.Name)
				}
			}
		}
	}
	if bounds == 0 {
		t.Error("no panel shows a lower bound")
	}
}
