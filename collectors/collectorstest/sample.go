package collectorstest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"prodsec_exporter/collectors"
)

var yamlBlock = regexp.MustCompile("(?s)```ya?ml\n(.*?)```")

// checkSample decodes the first YAML block of the README by the kind itself, strictly. The block is one instance, a
// list of instances, or these below the kind's name and "collectors".
func checkSample(_ testing.TB, s *Suite) []string {
	readme, err := os.ReadFile(s.Readme)
	if err != nil {
		return []string{err.Error()}
	}
	block := yamlBlock.FindSubmatch(readme)
	if block == nil {
		return []string{s.Readme + " has no YAML block"}
	}
	var root any
	if err := yaml.Unmarshal(block[1], &root); err != nil {
		return []string{fmt.Sprintf("the sample in %s: %v", s.Readme, err)}
	}
	instances := descend(root, s.Kind.Name)
	if len(instances) == 0 {
		return []string{fmt.Sprintf("the sample in %s configures nothing", s.Readme)}
	}
	var problems []string
	for i, instance := range instances {
		if err := s.decodeSample(instance); err != nil {
			problems = append(problems, fmt.Sprintf("instance %d of the sample in %s: %v", i, s.Readme, err))
		}
	}
	return problems
}

func descend(node any, kind string) []any {
	if m, ok := node.(map[string]any); ok {
		for _, key := range []string{"collectors", kind} {
			if below, ok := m[key]; ok && len(m) == 1 {
				return descend(below, kind)
			}
		}
		return []any{m}
	}
	list, _ := node.([]any)
	return list
}

func (s *Suite) decodeSample(instance any) error {
	text, err := yaml.Marshal(instance)
	if err != nil {
		return err
	}
	section := &Section{Text: string(text)}
	_, _, err = s.Kind.New(section, Env(NewClock(), slog.New(slog.DiscardHandler)))
	switch {
	case section.err != nil:
		return section.err
	case !section.decoded:
		return errors.New("the kind did not decode its section")
	case err != nil && !errors.Is(err, os.ErrNotExist):
		// A sample names secret files that this machine lacks.
		return err
	}
	return nil
}

// Section is the YAML text of one instance as a collectors.Section.
type Section struct {
	Text string

	decoded bool
	err     error
}

var _ collectors.Section = (*Section)(nil)

// Decode decodes the text strictly.
func (s *Section) Decode(into any) error {
	s.decoded = true
	s.err = yaml.NewDecoder(strings.NewReader(s.Text), yaml.Strict()).Decode(into)
	return s.err
}
