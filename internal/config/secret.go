package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/apiclient"
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
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if element := v.MapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key())); element.IsValid() {
				found = append(found, secretsOf(n.Content[i+1], element, join(path, n.Content[i].Value))...)
			}
		}
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		for i := range min(len(n.Content), v.Len()) {
			found = append(found, secretsOf(n.Content[i], v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return found
}

// connectionFiles are the files that the section's http_client names.
func connectionFiles(s section, settings *collectors.HTTPClient) []namedSecret {
	if settings == nil {
		return nil
	}
	var files []namedSecret
	for key, path := range map[string]string{"ca_file": settings.TLS.CAFile, "cert_file": settings.TLS.CertFile, "key_file": settings.TLS.KeyFile} {
		key = "http_client.tls_config." + key
		if path != "" {
			files = append(files, namedSecret{place: apiclient.Secret{File: path}, node: nearest(s.node, key), path: join(s.path, key)})
		}
	}
	slices.SortFunc(files, func(a, b namedSecret) int { return strings.Compare(a.path, b.path) })
	return files
}

// UnreadableSecrets reads every secret and every file for the connection that the instance's section names, as the collector will, and tells those
// that cannot be read or are empty, with key, place and remedy. No message holds a secret.
func (b Built) UnreadableSecrets() Problems {
	d := &decoder{file: b.file}
	for _, s := range slices.Concat(b.secrets, b.files) {
		if _, err := s.place.Read(); err != nil {
			d.fail(s.node, s.path, "%v%s", err, placeRemedy(s.node))
		}
	}
	return d.problems
}

// placeRemedy names what is often wrong with the name of a place, empty if nothing is.
func placeRemedy(n *yaml.Node) string {
	if name := child(n, "env"); name != nil && strings.ContainsAny(name.Value, "${}") {
		return "; write the variable's bare name, without $ and braces"
	}
	path := child(n, "file")
	switch {
	case path == nil:
		return ""
	case strings.HasPrefix(path.Value, "~"):
		return "; ~ is not expanded here, write the whole path"
	case strings.Contains(path.Value, "$"):
		return "; variables are not expanded here, write the whole path"
	default:
		return typographic(path.Value)
	}
}

// assignment recognises the line of an environment file or shell script where the bare value was meant.
var assignment = regexp.MustCompile(`^(export\s+)?[A-Za-z_][A-Za-z0-9_]{2,}=[^=\s]`)

// DoubtfulSecrets reads every secret that the instance's section names and tells those that can be read but do not look like what a source takes. No message holds
// a secret.
func (b Built) DoubtfulSecrets() Problems {
	d := &decoder{file: b.file}
	for _, s := range b.secrets {
		value, err := s.place.Read()
		if err != nil {
			continue // told by UnreadableSecrets
		}
		if doubt := doubtOf(value); doubt != "" {
			d.fail(s.node, s.path, "%s", doubt)
		}
	}
	return d.problems
}

// doubtOf says what a secret looks like instead of one, empty if nothing is odd about it.
func doubtOf(value string) string {
	first, last := value[:1], value[len(value)-1:]
	switch {
	case strings.HasPrefix(value, "-----BEGIN"):
		return "" // a key in PEM form has lines
	case assignment.MatchString(value):
		return "looks like NAME=value; write the value alone"
	case len(value) > 1 && first == last && strings.Contains("\"'`", first):
		return "is in quotes, which are taken for a part of it; remove them"
	case typographic(value) != "":
		return "looks edited by a word processor" + typographic(value)
	case strings.ContainsAny(value, "\r\n"):
		return "has more than one line; write the secret alone"
	case strings.TrimSpace(value) != value:
		return "begins or ends with white space, which is taken for a part of it; remove it"
	default:
		return ""
	}
}
