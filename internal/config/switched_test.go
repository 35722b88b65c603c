package config

import (
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"
)

// selection may be written as true or false, too.
type selection struct {
	off   bool
	Names []string `yaml:"names"`
}

func (s *selection) Switch(on bool) { s.off = !on }

func TestSectionsThatMayBeTrueOrFalse(t *testing.T) {
	for text, want := range map[string]struct {
		selection
		problems int
	}{
		"true": {selection{}, 0}, "false": {selection{off: true}, 0}, "{names: [a]}": {selection{Names: []string{"a"}}, 0},
		"7": {selection{}, 1}, `"yes"`: {selection{}, 1}, "yes": {selection{}, 1}, "[a]": {selection{}, 1},
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		var got selection
		d := &decoder{file: "f"}
		d.decode(n.Content[0], reflect.ValueOf(&got).Elem(), "repositories", 0)
		if !reflect.DeepEqual(got, want.selection) || len(d.problems) != want.problems {
			t.Errorf("%s: %+v with problems %v, want %+v and %d", text, got, d.problems, want.selection, want.problems)
		}
	}
}
