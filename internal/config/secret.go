package config

import (
	"fmt"
	"reflect"

	"gopkg.in/yaml.v3"
)

// secretPlace is a value that names where a secret is, as apiclient.Secret does.
type secretPlace interface {
	IsZero() bool
	// Read returns the secret as it is now. Its errors name the place and the remedy, never the secret.
	Read() (string, error)
}

// namedSecret is the place of a secret with the key that names it.
type namedSecret struct {
	place secretPlace
	node  *yaml.Node
	path  string
}

// secretsOf gathers the secrets that v names, following n for their places in the file. A secret that the file leaves out is none.
func secretsOf(n *yaml.Node, v reflect.Value, path string) (found []namedSecret) {
	n = deref(n)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return secretsOf(n, v.Elem(), path)
	}
	switch {
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Struct:
		if place, ok := v.Interface().(secretPlace); ok {
			if place.IsZero() {
				return nil
			}
			return []namedSecret{{place: place, node: n, path: path}}
		}
		fields := map[string]reflect.Value{}
		collectFields(v, fields)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if field, ok := fields[n.Content[i].Value]; ok {
				found = append(found, secretsOf(n.Content[i+1], field, join(path, n.Content[i].Value))...)
			}
		}
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		for i := range min(len(n.Content), v.Len()) {
			found = append(found, secretsOf(n.Content[i], v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return found
}

// UnreadableSecrets reads every secret that the instance's section names, as the collector will, and tells those that cannot be
// read or are empty, with key, place and remedy. No message holds a secret.
func (b Built) UnreadableSecrets() Problems {
	d := &decoder{file: b.file}
	for _, s := range b.secrets {
		if _, err := s.place.Read(); err != nil {
			d.fail(s.node, s.path, "%v", err)
		}
	}
	return d.problems
}
