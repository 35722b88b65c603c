package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/policy"
)

var update = flag.Bool("update", false, "write the messages of testdata/bad instead of comparing them")

// plainConfig has a field of every form that collectors use.
type plainConfig struct {
	collectors.Common `yaml:",inline"`
	URL               string            `yaml:"url"`
	Token             apiclient.Secret  `yaml:"token"`
	Organisations     []string          `yaml:"organisations"`
	Archived          bool              `yaml:"archived"`
	Limit             int               `yaml:"limit"`
	Bound             *uint8            `yaml:"bound"`
	Labels            map[string]string `yaml:"labels"`
	Nested            *nested           `yaml:"nested"`
}

type nested struct {
	Nested *nested `yaml:"nested"`
}

// kinds is one kind whose collector refuses some values, as real ones do.
func kinds(got *plainConfig) []collectors.Kind {
	return []collectors.Kind{{
		Name:    "plain",
		Summary: "a kind for tests",
		Defaults: collectors.Common{
			Interval: collectors.Duration(5 * time.Minute), FullInterval: collectors.Duration(time.Hour),
			StaleAfter: collectors.Duration(24 * time.Hour), Timeout: collectors.Duration(time.Minute),
		},
		New: func(s collectors.Section, _ collectors.Env) (collectors.Collector, collectors.Common, error) {
			c := plainConfig{Limit: 7, Archived: true}
			if err := s.Decode(&c); err != nil {
				return nil, collectors.Common{}, err
			}
			*got = c
			if c.URL != "" && !strings.Contains(c.URL, "://") {
				return nil, c.Common, errors.New("plain: url must be an address")
			}
			if c.Limit < 0 {
				return nil, c.Common, errors.New("plain: there is no such limit")
			}
			return nil, c.Common, nil
		},
	}}
}

func noEnv(string, string) collectors.Env { return collectors.Env{} }

// load reads and builds, as the exporter does.
func load(name string, data []byte) (*Config, []Built, plainConfig, error) {
	var got plainConfig
	c, err := Load(name, data, kinds(&got))
	if err != nil {
		return nil, nil, got, err
	}
	built, err := c.Build(noEnv)
	return c, built, got, err
}

func TestEveryMistakeHasItsMessage(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d fixtures (%v), want at least 40", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yml"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = load(filepath.Base(path), data)
			if err == nil {
				t.Fatal("the file was accepted")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the message holds the secret: %v", err)
			}
			golden := strings.TrimSuffix(path, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

const good = `
evaluation_interval: 30s
policy:
  time_zone: Europe/Berlin
  sla:
    targets:
      - {severity: critical, within: 2d}
    attainment_target: 0.8
collectors:
  plain:
    - name: first
      url: https://example.com
      token: {env: PLAIN_TOKEN}
      organisations: &orgs [acme, beta]
      archived: false
      bound: 200
      labels: {"1": one, two: two}
    - name: second
      interval: 2h
      organisations: *orgs
`

func TestLoadKeepsDefaultsWhereTheFileIsSilent(t *testing.T) {
	c, built, last, err := load("good.yml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.EvaluationInterval != 30*time.Second {
		t.Errorf("evaluation interval %s, want 30s", c.EvaluationInterval)
	}
	want := policy.DefaultConfig()
	want.TimeZone = "Europe/Berlin"
	want.SLA.Targets = []policy.Target{{Severity: "critical", Within: policy.Duration(48 * time.Hour)}}
	want.SLA.AttainmentTarget = 0.8
	builtin := policy.Default().Config()
	want.Controls, want.ControlMapping = builtin.Controls, builtin.ControlMapping
	if diff := cmp.Diff(want, c.Policy.Config()); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if last.Limit != 7 || !last.Archived {
		t.Errorf("the collector's own defaults were lost: %+v", last)
	}
	if diff := cmp.Diff([]string{"acme", "beta"}, last.Organisations); diff != "" {
		t.Errorf("list by alias (-want +got):\n%s", diff)
	}
	settings := []collectors.Common{built[0].Settings, built[1].Settings}
	wantSettings := []collectors.Common{
		{Name: "first", Interval: minutes(5), FullInterval: minutes(60), StaleAfter: minutes(24 * 60), Timeout: minutes(1)},
		// A full collection cannot be rarer than every one, so an interval above the default full one moves it.
		{Name: "second", Interval: minutes(120), FullInterval: minutes(120), StaleAfter: minutes(24 * 60), Timeout: minutes(1)},
	}
	if diff := cmp.Diff(wantSettings, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func minutes(n int) collectors.Duration { return collectors.Duration(time.Duration(n) * time.Minute) }

func TestFingerprintFollowsContentNotLayout(t *testing.T) {
	fingerprintOf := func(instance string) string {
		t.Helper()
		_, built, _, err := load("f.yml", []byte("collectors:\n  plain:\n    - "+instance))
		if err != nil {
			t.Fatal(err)
		}
		return built[0].Fingerprint
	}
	base := fingerprintOf("name: a\n      limit: 1\n")
	if got := fingerprintOf("{name: a, limit: 1} # the same\n"); got != base {
		t.Error("another layout changed the fingerprint")
	}
	if got := fingerprintOf("name: a\n      limit: 2\n"); got == base {
		t.Error("another value kept the fingerprint")
	}
	if got := fingerprintOf("name: a\n      limit: 1\npolicy: {time_zone: Europe/Berlin}\n"); got == base {
		t.Error("another time zone kept the fingerprint: plain dates that were read before stay days of the old one")
	}
}

func TestCollectorsReadPlainDatesInThePolicysZone(t *testing.T) {
	for text, want := range map[string]string{"": "UTC", "policy: {time_zone: America/New_York}\n": "America/New_York"} {
		var zone *time.Location
		kind := collectors.Kind{Name: "plain", Defaults: kinds(&plainConfig{})[0].Defaults, New: func(s collectors.Section, env collectors.Env) (collectors.Collector, collectors.Common, error) {
			zone = env.TimeZone
			var c plainConfig
			err := s.Decode(&c)
			return nil, c.Common, err
		}}
		c, err := Load("z.yml", []byte("collectors:\n  plain: [{name: a}]\n"+text), []collectors.Kind{kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Build(noEnv); err != nil {
			t.Fatal(err)
		}
		if zone.String() != want {
			t.Errorf("%q: collectors read dates in %s, want %s", text, zone, want)
		}
	}
}

func TestMaskedShowsNoCredential(t *testing.T) {
	_, _, _, err := load("m.yml", nil)
	if err == nil {
		t.Fatal("an empty file was accepted")
	}
	c, _, _, err := load("m.yml", []byte(`
# hunter2 in a comment
collectors:
  plain:
    - name: a
      url: https://user:hunter2@example.com/x
      token: {env: TOKEN_VARIABLE}
      labels: {password: hunter2, note: ghp_hunter2hunter2, title: shown, signed: "https://files.example/r.json?sig=hunter2&hunter2", what: "why?"}
`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Masked()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("a credential is shown:\n%s", text)
	}
	for _, want := range []string{"title: shown", "env: TOKEN_VARIABLE", "password: <masked>", "masked@example.com", "https://files.example/r.json?sig=masked&masked", `what: "why?"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}

func TestReadNamesAMissingFile(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "absent.yml"), nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "--config.file") {
		t.Errorf("got %v, want a missing file and the flag that names one", err)
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"collectors", "evaluation_interval", "interval", "name", "policy"}
	for wrong, want := range map[string]string{
		"collector": "collectors", "Policy": "policy", "naem": "name", "evaluation-interval": "evaluation_interval", "zebra": "", "x": "",
	} {
		if got := suggest(wrong, known); got != want {
			t.Errorf("suggest(%q) = %q, want %q", wrong, got, want)
		}
	}
}

// TestTiersOfTheOrganisationAreEnough: defaults that name trust tiers follow the list, so that nothing else has to be changed with it.
func TestTiersOfTheOrganisationAreEnough(t *testing.T) {
	for _, tiers := range [][]string{{"gold", "silver", "bronze"}, {"only"}} {
		c, _, _, err := load("t.yml", []byte("policy: {trust_tiers: ["+strings.Join(tiers, ", ")+"]}\ncollectors: {plain: [{name: a}]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := c.Policy.Config()
		high := tiers[:min(2, len(tiers))]
		if diff := cmp.Diff(high, got.Detail.TrustTiers); diff != "" {
			t.Errorf("detail (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(high, got.Protection.Privileged.TrustTiers); diff != "" {
			t.Errorf("privileged (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(tiers[:1], got.SLA.Targets[1].TrustTiers); diff != "" {
			t.Errorf("the target of the highest tier (-want +got):\n%s", diff)
		}
		if weight := got.Risk.Criticality.TrustTiers[tiers[0]]; weight != 2 {
			t.Errorf("the highest tier weighs %v, want 2", weight)
		}
	}
}

// TestNamesThatMatchNothingAreTold: they have the right form and no effect.
func TestNamesThatMatchNothingAreTold(t *testing.T) {
	c, built, _, err := load("r.yml", []byte(`policy:
  catalog_precedence: [plain/first, first, plain/frist, plain, other]
  exceptions: {vendor_acceptances: [Plain, plian, zzz]}
  sla:
    targets:
      - {severity: high, within: 7d}
      - {severity: high, within: 3d}
      - {severity: high, exploited: true, within: 1d}
collectors: {plain: [{name: first}, {name: second}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.UnknownReferences(built) {
		got = append(got, p.Error())
	}
	want := []string{
		`r.yml:2:37: policy.catalog_precedence[1]: "first" is no configured collector; write KIND or KIND/NAME; did you mean "plain/first"?`,
		`r.yml:2:44: policy.catalog_precedence[2]: "plain/frist" is no configured collector; write KIND or KIND/NAME; did you mean "plain/first"?`,
		`r.yml:2:64: policy.catalog_precedence[4]: "other" is no configured collector; write KIND or KIND/NAME; known here: plain, plain/first, plain/second`,
		`r.yml:3:44: policy.exceptions.vendor_acceptances[1]: "plian" is no kind of a configured collector, so that no acceptance is its; did you mean "plain"?`,
		`r.yml:3:51: policy.exceptions.vendor_acceptances[2]: "zzz" is no kind of a configured collector, so that no acceptance is its; known here: plain`,
		`r.yml:7:9: policy.sla.targets[1]: has the conditions of targets[0], and of the two the shorter time decides; remove one`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, built, _, err := load("fuzz.yml", data)
		if err != nil {
			ps, ok := errors.AsType[Problems](err)
			if !ok || len(ps) == 0 {
				t.Fatalf("error without problems: %#v", err)
			}
			return
		}
		if len(built) == 0 {
			t.Fatal("accepted without a collector")
		}
		text, err := c.Masked()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := load("masked.yml", []byte(text)); err != nil && !strings.Contains(text, "masked") {
			t.Fatalf("the rendering of an accepted file is refused: %v\n%s", err, text)
		}
	})
}
