package policy

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

// TestVersion: the version is stable, and changes with any field of the configuration.
func TestVersion(t *testing.T) {
	p := Default()
	if again := Default(); again.Version() != p.Version() {
		t.Errorf("the same configuration has versions %s and %s", p.Version(), again.Version())
	}
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(p.Version()) {
		t.Errorf("version %q is not twelve hexadecimal digits", p.Version())
	}
	unchanged, err := hash(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	leaves := 0
	for _, c := range changes(reflect.ValueOf(DefaultConfig())) {
		version, err := hash(c.config)
		if err != nil {
			t.Fatal(err)
		}
		if version == unchanged {
			t.Errorf("the version does not change with %s", c.path)
		}
		if other, ok := seen[version]; ok {
			t.Errorf("%s and %s give the same version", c.path, other)
		}
		seen[version] = c.path
		leaves++
	}
	if leaves < 20 {
		t.Errorf("only %d fields were changed; the test has lost its subject", leaves)
	}
}

type change struct {
	path   string
	config Config
}

// changes is a configuration for every field below a value, with that field alone changed.
func changes(v reflect.Value) []change {
	var all []change
	var walk func(path []int, names string, t reflect.Type)
	walk = func(path []int, names string, t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			at, name := append(append([]int(nil), path...), i), names+"."+f.Name
			if f.Type.Kind() == reflect.Struct {
				walk(at, name, f.Type)
				continue
			}
			c := DefaultConfig()
			alter(reflect.ValueOf(&c).Elem().FieldByIndex(at))
			all = append(all, change{name, c})
		}
	}
	walk(nil, "", v.Type())
	return all
}

// alter changes a value to another one.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Int64: // a Duration, which is written to the millisecond
		v.SetInt(v.Int() + int64(time.Millisecond))
	case reflect.Float64:
		v.SetFloat(v.Float() + 0.01)
	case reflect.Slice:
		grown := reflect.MakeSlice(v.Type(), v.Len()+1, v.Len()+1)
		reflect.Copy(grown, v)
		v.Set(grown)
	case reflect.Map: // by a word
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString("word")
		alter(element)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, element)
	case reflect.Struct:
		alter(v.Field(0))
	default:
		panic("a field of kind " + v.Kind().String() + " needs a change of its own")
	}
}

// TestErrors: everything that is wrong is named at once, each by its key.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"zone", func(c *Config) { c.TimeZone = "Mars/Olympus" }, []string{`policy.time_zone: "Mars/Olympus" is not an IANA time zone`}},
		{"the machine's own zone", func(c *Config) { c.TimeZone = "Local" }, []string{`policy.time_zone: "Local"`}},
		{"tiers", func(c *Config) { c.TrustTiers = []string{"tier0", "tier1", "tier1", "unknown", ""} }, []string{
			`policy.trust_tiers[2]: "tier1" is listed twice`, `policy.trust_tiers[3]: "unknown" is reserved`, `policy.trust_tiers[4]: "" is reserved`,
		}},
		{"too many tiers", func(c *Config) {
			c.TrustTiers = append(strings.Split("a b c d e f g h i j k l m n o", " "), "tier0", "tier1")
		}, []string{`policy.trust_tiers: at most 16`}},
		{"targets", func(c *Config) {
			c.SLA.Targets = []Target{{Severity: "dire", Within: 1}, {Severity: record.SeverityUnknown, Within: 1}, {Severity: record.SeverityLow, TrustTiers: []string{"gold"}}}
		}, []string{
			`policy.sla.targets[0].severity: "dire"`, `policy.sla.targets[1].severity: "unknown"`,
			`policy.sla.targets[2].trust_tiers: "gold" is not listed`, `policy.sla.targets[2].within: must be longer than 0`,
		}},
		{"sla", func(c *Config) {
			c.SLA.DueSoonRatio, c.SLA.AttainmentTarget, c.SLA.Reopen, c.SLA.ReopenWithin = 1.5, -0.1, "maybe", -1
		}, []string{
			`policy.sla.due_soon_ratio: 1.5`, `policy.sla.attainment_target: -0.1`, `policy.sla.reopen: "maybe"`, `policy.sla.reopen_within: must not`,
		}},
		{"exceptions", func(c *Config) { c.Exceptions.RejectedRecently, c.Exceptions.RenewalWithin, c.EPSS = -1, -1, 2 }, []string{
			`policy.exceptions.rejected_recently: must not`, `policy.exceptions.renewal_within: must not`, `policy.epss_threshold: 2`,
		}},
		{"protection", func(c *Config) {
			c.Protection.Required = []Check{CheckPullRequest, CheckRequiredReviewers}
			c.Protection.RequiredEnvironment = []Check{CheckSignedCommits}
			c.Protection.Approvals = 0
			c.Protection.ProductionEnvironments = []string{"[prod"}
			c.Protection.Privileged = PrivilegedConfig{TrustTiers: []string{"gold"}, Repositories: []string{"acme/["}}
		}, []string{
			`policy.protection.required[1]: "required_reviewers"`, `policy.protection.required_environment[0]: "signed_commits"`,
			`policy.protection.approvals: 0`, `policy.protection.production_environments: "[prod"`,
			`policy.protection.privileged.repositories: "acme/["`, `policy.protection.privileged.trust_tiers: "gold"`,
		}},
		{"nothing required", func(c *Config) { c.Protection.Required = nil }, []string{`policy.protection.required: name at least one check`}},
		{"windows", func(c *Config) { c.Windows = append(c.Windows, 0) }, []string{`policy.windows[3]: must be longer than 0`}},
		{"no windows", func(c *Config) { c.Windows = nil }, []string{`policy.windows: name at least one`}},
		{"detail", func(c *Config) { c.Detail.MaxSeries, c.Detail.TrustTiers = 0, []string{"gold"} }, []string{
			`policy.detail.max_series: 0`, `policy.detail.trust_tiers: "gold"`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := DefaultConfig()
			c.change(&config)
			p, err := New(config)
			if err == nil {
				t.Fatalf("no error, but a policy %s", p.Version())
			}
			lines := strings.Split(err.Error(), "\n")
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%s", want, err)
				}
			}
			if len(lines) != len(c.want) {
				t.Errorf("%d messages, want %d:\n%s", len(lines), len(c.want), err)
			}
		})
	}
}

func TestWindows(t *testing.T) {
	days := func(n int) Duration { return Duration(time.Duration(n) * Day) }
	p := policyWith(t, func(c *Config) {
		c.Windows = []Duration{days(90), days(7), days(30), days(7), Duration(36 * time.Hour)}
	})
	want := []Window{{"1d12h", 36 * time.Hour}, {"7d", 7 * Day}, {"30d", 30 * Day}, {"90d", 90 * Day}}
	if diff := cmp.Diff(want, p.Windows()); diff != "" {
		t.Errorf("windows are shortest first and each once (-want +got):\n%s", diff)
	}
}

func TestDurationText(t *testing.T) {
	for text, want := range map[string]string{"7d": "7d", "13w": "91d", "12h": "12h", "1d12h": "1d12h", "90m": "1h30m"} {
		var d Duration
		if err := json.Unmarshal([]byte(`"`+text+`"`), &d); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := d.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%s is written as %s, want %s (%v)", text, got, want, err)
		}
	}
	var d Duration
	if err := d.UnmarshalText([]byte("a week")); err == nil || !strings.Contains(err.Error(), `"a week" is not a duration`) {
		t.Errorf("a week: got %v", err)
	}
}

func TestTiers(t *testing.T) {
	p := Default()
	for i, name := range p.TierNames() {
		if p.Tier(name) != TierIndex(i) {
			t.Errorf("tier %s is at %d, want %d", name, p.Tier(name), i)
		}
	}
	if last := p.TierNames()[len(p.TierNames())-1]; last != TierUnknown || p.Tier("gold") != p.Tier(TierUnknown) {
		t.Errorf("a tier that is not listed must be the last one, %s", last)
	}
}
