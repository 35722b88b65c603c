// Package config reads the exporter's configuration file: one YAML document, strictly. An unknown key or section, a wrong
// type, a key set twice, a missing name: each is reported with file, line, column, key and remedy, all at once, and no message
// holds the value of a secret. Secrets are never in the file; it names the file or environment variable that holds them.
//
// It decodes and points at places; what values mean is decided by their owners. To add a key: a field of the collector's own Config, or of policy.Config; a section of its own is a field of Config here.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/policy"
)

// maxFile bounds the size of a configuration file in bytes.
const maxFile = 4 << 20

// DefaultEvaluationInterval is how often metrics are evaluated when nothing else changes: ages and deadlines move.
const DefaultEvaluationInterval = time.Minute

// Config is a configuration file that was read and understood, as far as that is possible without building its collectors.
type Config struct {
	// File is the name it was read from, for messages.
	File string
	// EvaluationInterval is how often metrics are evaluated when no batch lands.
	EvaluationInterval time.Duration
	Policy             *policy.Policy
	// Instances are the collector instances in the order of the file.
	Instances []Instance

	data []byte
	root *yaml.Node
	// problems are what Load found, for Build to tell together with its own.
	problems Problems
}

// Instance is one collector instance: its kind, its name and its section of the file.
type Instance struct {
	Kind collectors.Kind
	Name string

	section section
}

// file is the document's form, but for the collectors, whose form their kinds know.
type file struct {
	EvaluationInterval collectors.Duration `yaml:"evaluation_interval"`
	Policy             policy.Config       `yaml:"policy"`
	Collectors         opaque              `yaml:"collectors"`
}

// opaque stands in for a section that is read elsewhere.
type opaque struct{}

// Read reads and checks the file at path. See Load for errors.
func Read(path string, kinds []collectors.Kind) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w; name one by --config.file, or try --demo", err)
	}
	defer f.Close() //nolint:errcheck // Opened for reading only.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: reading %s: %w", path, err)
	}
	return Load(path, data, kinds)
}

// Load reads the document in data; name is for messages. The error is of type Problems and lists everything that is
// wrong outside of the collectors' sections; those are read by Build, whose error then lists both. Without a Config the
// document could not be read at all.
func Load(name string, data []byte, kinds []collectors.Kind) (*Config, error) {
	root, problem := parse(name, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	d := &decoder{file: name}
	f := file{EvaluationInterval: collectors.Duration(DefaultEvaluationInterval), Policy: defaultPolicy(root)}
	c := &Config{File: name, data: data, root: root}
	d.document(root, &f, kinds)
	if f.EvaluationInterval.Std() < time.Second {
		d.fail(locate(root, "evaluation_interval"), "evaluation_interval", "must be at least 1s")
	}
	c.EvaluationInterval = f.EvaluationInterval.Std()
	var err error
	if c.Policy, err = policy.New(f.Policy); err != nil {
		d.located(root, "", err)
	}
	c.Instances = d.instances(child(root, "collectors"), kinds)
	if listed := child(root, "collectors"); len(c.Instances) == 0 && (listed == nil || empty(listed) || len(d.problems) == 0) {
		d.fail(root, "collectors", "no collector is configured, so there is nothing to measure; see prodsec.example.yml")
	}
	c.problems = d.problems
	return c, d.problems.err()
}

// anchorText is the one place where the parser quotes a value: an unquoted text that begins with an asterisk.
var anchorText = regexp.MustCompile(`unknown anchor '.*' referenced`)

// parse returns the document's root mapping.
func parse(name string, data []byte) (*yaml.Node, *Problem) {
	fail := func(line int, message string) (*yaml.Node, *Problem) {
		return nil, &Problem{File: name, Line: line, Column: min(line, 1), Message: message}
	}
	if len(data) > maxFile {
		return fail(0, fmt.Sprintf("is larger than %d bytes, which no configuration is", maxFile))
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return fail(0, "is empty; see prodsec.example.yml")
		}
		message, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
		if n, err := fmt.Sscanf(message, "line %d: ", &line); n == 1 && err == nil {
			_, message, _ = strings.Cut(message, ": ")
		}
		message = anchorText.ReplaceAllString(message, "an alias (*) names an anchor that does not exist; put text that begins with * in quotes")
		return nil, syntaxProblem(name, data, message, line)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return fail(max(second.Line, 1), "holds more than one document; keep one and remove the line ---")
	}
	root := deref(document.Content[0])
	if empty(root) {
		return fail(0, "is empty; see prodsec.example.yml")
	}
	if root.Kind != yaml.MappingNode {
		return fail(root.Line, "must be a section with the keys collectors, evaluation_interval, policy, not "+describe(root))
	}
	return root, nil
}

// defaultPolicy is what the policy says where the file says nothing. Defaults that name trust tiers name those of the file.
func defaultPolicy(root *yaml.Node) policy.Config {
	var tiers []string
	if listed := locate(root, "policy.trust_tiers"); listed != nil && listed.Kind == yaml.SequenceNode {
		for _, tier := range listed.Content {
			if tier := deref(tier); tier.Kind == yaml.ScalarNode {
				tiers = append(tiers, tier.Value)
			}
		}
	}
	return policy.DefaultConfigFor(tiers)
}

// document decodes everything but the collectors, whose key it only accepts.
func (d *decoder) document(root *yaml.Node, f *file, kinds []collectors.Kind) {
	fields := map[string]reflect.Value{}
	collectFields(reflect.ValueOf(f).Elem(), fields)
	d.entries(root, "", func(key, value *yaml.Node, path string) {
		switch field, ok := fields[key.Value]; {
		case slices.ContainsFunc(kinds, func(k collectors.Kind) bool { return k.Name == key.Value }):
			d.fail(key, path, "is a kind of collector; put it, indented, under the key collectors")
		case !ok:
			d.unknown(key, path, sortedKeys(fields))
		case field.Type() != reflect.TypeFor[opaque]():
			d.decode(value, field, path, 1)
		}
	})
}

// namePattern keeps instance names fit for labels, file names and messages.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// instances reads the section "collectors": a list of instances by kind.
func (d *decoder) instances(n *yaml.Node, kinds []collectors.Kind) (instances []Instance) {
	if n == nil || empty(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "collectors", "must be a section with a list of instances by kind, not %s", describe(n))
		return nil
	}
	byName := map[string]collectors.Kind{}
	for _, k := range kinds {
		byName[k.Name] = k
	}
	d.entries(n, "collectors", func(key, value *yaml.Node, path string) {
		kind, ok := byName[key.Value]
		value = deref(value)
		switch {
		case !ok:
			d.unknown(key, path, sortedKeys(byName))
		case empty(value):
		case value.Kind != yaml.SequenceNode:
			d.fail(value, path, "must be a list of instances, each beginning with \"- name:\", not %s", describe(value))
		default:
			instances = append(instances, d.ofKind(kind, value, path)...)
		}
	})
	return instances
}

func (d *decoder) ofKind(kind collectors.Kind, list *yaml.Node, path string) (instances []Instance) {
	lines := map[string]int{}
	for i, item := range list.Content {
		item, path := deref(item), fmt.Sprintf("%s[%d]", path, i)
		if item.Kind != yaml.MappingNode {
			d.fail(item, path, "must be a section that begins with a name, not %s", describe(item))
			continue
		}
		name := child(item, "name")
		switch {
		case name == nil || empty(name):
			d.fail(item, path, "name is missing; it tells instances apart and becomes the label instance_name")
			continue
		case name.Kind != yaml.ScalarNode || !namePattern.MatchString(name.Value):
			d.fail(name, path+".name", "must be 1 to 63 letters, digits, dots, dashes or underscores")
			continue
		case lines[name.Value] > 0:
			d.fail(name, path+".name", "%q is the name of another %s instance in line %d; names must differ", name.Value, kind.Name, lines[name.Value])
			continue
		}
		lines[name.Value] = name.Line
		instances = append(instances, Instance{Kind: kind, Name: name.Value, section: section{file: d.file, node: item, path: path}})
	}
	return instances
}
