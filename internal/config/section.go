package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// section is a part of the file that a collector reads. It implements collectors.Section.
type section struct {
	file string
	node *yaml.Node
	path string
	// secrets, if not nil, is told the secrets that a decoded section names.
	secrets *[]namedSecret
}

var _ collectors.Section = section{}

// Decode fills the struct that into points to; what the section leaves out keeps its value.
func (s section) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("config: section %s decodes into a pointer to a struct, not %T", s.path, into)
	}
	d := &decoder{file: s.file}
	d.decode(s.node, v.Elem(), s.path, 1)
	if err := d.problems.err(); err != nil {
		return err
	}
	if s.secrets != nil {
		*s.secrets = secretsOf(s.node, v.Elem(), s.path)
	}
	return nil
}

// Built is a collector instance ready to run.
type Built struct {
	Kind      collectors.Kind
	Settings  collectors.Common
	Collector collectors.Collector
	// Equal instances of two configurations have the same Fingerprint: their sections say the same, and plain dates are days of the same zone.
	Fingerprint string
	// CredentialExpiry is the first instant after credential_expires; zero if it is not set.
	CredentialExpiry time.Time

	file    string
	secrets []namedSecret
	// files are those that the connection needs.
	files []namedSecret
}

// Build builds every instance; env gives each its surroundings, and the policy its time zone. The error is of type Problems and lists what is wrong in all of
// them, and what Load had found before.
func (c *Config) Build(env func(kind, name string) collectors.Env) ([]Built, error) {
	d := &decoder{file: c.File, problems: slices.Clone(c.problems)}
	built := make([]Built, 0, len(c.Instances))
	for _, i := range c.Instances {
		var secrets []namedSecret
		i.section.secrets = &secrets
		around := env(i.Kind.Name, i.Name)
		around.TimeZone = c.timeZone()
		collector, settings, err := i.Kind.New(i.section, around)
		if err != nil {
			d.located(i.section.node, i.section.path, err)
			d.settleFile(i) // whatever else is wrong, these mistakes are told, too
			continue
		}
		d.settle(&settings, i)
		var expiry time.Time
		if !settings.CredentialExpires.IsZero() {
			expiry = record.DayEnd(settings.CredentialExpires.Time, c.timeZone())
		}
		built = append(built, Built{
			Kind: i.Kind, Settings: settings, Collector: collector, Fingerprint: fingerprint(i.section.node, c.timeZone()),
			CredentialExpiry: expiry,

			file: c.File, secrets: secrets, files: connectionFiles(i.section, settings.HTTPClient),
		})
	}
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return built, nil
}

// timeZone is that of the policy; UTC while the policy has mistakes.
func (c *Config) timeZone() *time.Location {
	if c.Policy == nil {
		return time.UTC
	}
	return c.Policy.Location()
}

// settleFile checks what all kinds have in common by what the file says, for a section that could not be decoded.
func (d *decoder) settleFile(i Instance) {
	var s struct {
		collectors.Common `yaml:",inline"`
	}
	s.Interval, s.FullInterval, s.StaleAfter, s.Timeout = i.Kind.Defaults.Interval, i.Kind.Defaults.FullInterval, i.Kind.Defaults.StaleAfter, i.Kind.Defaults.Timeout
	fields := map[string]reflect.Value{}
	collectFields(reflect.ValueOf(&s).Elem(), fields)
	for key, field := range fields {
		fallback := reflect.ValueOf(field.Interface())
		quiet := &decoder{file: d.file} // the section's own decoding told what cannot be understood
		if n := child(i.section.node, key); n != nil {
			quiet.decode(n, field, join(i.section.path, key), 1)
		}
		if len(quiet.problems) > 0 {
			field.Set(fallback)
		}
	}
	d.settle(&s.Common, i)
}

// settle fills in the kind's defaults and checks what all kinds have in common.
func (d *decoder) settle(s *collectors.Common, i Instance) {
	s.Name = i.Name
	for _, f := range []struct {
		key      string
		value    *collectors.Duration
		fallback collectors.Duration
	}{
		{"interval", &s.Interval, i.Kind.Defaults.Interval},
		{"full_interval", &s.FullInterval, i.Kind.Defaults.FullInterval},
		{"stale_after", &s.StaleAfter, i.Kind.Defaults.StaleAfter},
		{"timeout", &s.Timeout, i.Kind.Defaults.Timeout},
	} {
		if child(i.section.node, f.key) == nil {
			*f.value = f.fallback
			continue
		}
		if f.value.Std() < time.Second {
			d.fail(child(i.section.node, f.key), join(i.section.path, f.key), "must be at least 1s")
		}
	}
	if s.FullInterval < s.Interval && child(i.section.node, "full_interval") == nil {
		s.FullInterval = s.Interval // a longer interval than the kind's default full one makes every collection a full one
	}
	if s.FullInterval < s.Interval {
		d.fail(child(i.section.node, "full_interval"), join(i.section.path, "full_interval"), "must not be shorter than interval (%s)", s.Interval)
	}
	if s.StaleAfter < 2*s.Interval {
		at := child(i.section.node, "stale_after")
		if at == nil {
			at = child(i.section.node, "interval")
		}
		d.fail(at, join(i.section.path, "stale_after"), "must be at least twice the interval (%s), or one late poll makes records vanish", s.Interval)
	}
}

// located adds an error that others found. Where its text begins with the path of a key, as those of packages policy and
// collectors do, the problem is given that key's place.
func (d *decoder) located(n *yaml.Node, path string, err error) {
	if ps, ok := errors.AsType[Problems](err); ok {
		d.problems = append(d.problems, ps...)
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // Only the form of errors.Join is meant.
		for _, e := range many.Unwrap() {
			d.located(n, path, e)
		}
		return
	}
	message := err.Error()
	if d.reported(path, message) {
		return
	}
	if kind, rest, ok := strings.Cut(message, ": "); ok && strings.HasPrefix(path, "collectors."+kind+"[") {
		message = rest // the path says it
	}
	for _, separator := range []string{": ", " "} {
		key, rest, ok := strings.Cut(message, separator)
		if !ok || !keyPattern.MatchString(key) {
			continue
		}
		if at := locate(n, key); at != nil {
			d.fail(at, join(path, key), "%s", rest)
			return
		}
		if separator == ": " {
			d.fail(nearest(n, key), join(path, key), "%s", rest)
			return
		}
	}
	d.fail(n, path, "%s", message)
}

// reported reports whether a message is about a key whose value could not be understood: what the default in its place leads to is no second mistake.
func (d *decoder) reported(path, message string) bool {
	key, _, ok := strings.Cut(message, ": ")
	return ok && slices.ContainsFunc(d.problems, func(p Problem) bool { return p.decoding && p.Path == join(path, key) })
}

var keyPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*(\[\d+\])*(\.[A-Za-z0-9_-]+(\[\d+\])*)*$`)

// locate is the node of a key path such as "sla.targets[0].within", nil if the file does not have it.
func locate(n *yaml.Node, path string) *yaml.Node {
	for step := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		if n = deref(n); strings.HasPrefix(step, "[") {
			i, err := strconv.Atoi(strings.Trim(step, "[]"))
			if err != nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
				return nil
			}
			n = n.Content[i]
		} else {
			n = child(n, step)
		}
		if n == nil {
			return nil
		}
	}
	return deref(n)
}

// nearest is the node of the longest part of a key path that the file has: n itself if it has none.
func nearest(n *yaml.Node, path string) *yaml.Node {
	for path != "" {
		if at := locate(n, path); at != nil {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return n
}

// child is the value of a key of a mapping, nil if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return deref(n.Content[i+1])
		}
	}
	return nil
}
