package jira

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// PlaceFields name the fields that say what an issue is about, in the words of ExceptionFields.
type PlaceFields struct {
	Service    string `yaml:"service,omitempty"`
	Repository string `yaml:"repository,omitempty"`
	// ServiceLevel says which option of a cascading select names the service: the child, by default, or the parent.
	ServiceLevel Level `yaml:"service_level,omitempty"`
}

// Level is one of the two options of a cascading select.
type Level string

// The levels.
const (
	LevelChild  Level = "child"
	LevelParent Level = "parent"
)

// Levels lists the levels.
func Levels() []Level { return []Level{LevelChild, LevelParent} }

// place finds what an issue is about.
type place struct {
	service, repository *field
	level               Level
}

func newPlace(f PlaceFields) (place, error) {
	p := place{
		service:    newField("service", f.Service, "Service", "Affected service", "Affected services"),
		repository: newField("repository", f.Repository, "Repository"),
		level:      f.ServiceLevel,
	}
	if p.level != "" && !slices.Contains(Levels(), p.level) {
		return p, fmt.Errorf("fields.service_level: %q is neither %s nor %s", p.level, LevelChild, LevelParent)
	}
	return p, nil
}

// of is the one service and repository that an issue is about. Of several the first is taken, which the issue then says.
func (p place) of(i *issue) (service string, repository record.RepositoryName) {
	services := p.services(i)
	if len(services) > 0 {
		service = services[0]
	}
	if len(services) > 1 {
		i.warn(p.service, fmt.Sprintf("it names %d services, of which the first counts: %s", len(services), strings.Join(services, ", ")))
	}
	repositories := p.repositories(i)
	if len(repositories) > 0 {
		repository = repositories[0]
	}
	if len(repositories) > 1 {
		i.warn(p.repository, fmt.Sprintf("it names %d repositories, of which the first counts", len(repositories)))
	}
	return service, repository
}

// services are the services that the field names, each once. An object of which nothing but an id is known is named by that, so that what
// names it covers nothing instead of everything, and the issue says so.
func (p place) services(i *issue) []string {
	raw := i.raw[i.fields[p.service]]
	if p.service.prefix != "" {
		return unique(p.service.values(raw))
	}
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	elements, ok := v.([]any)
	if !ok {
		elements = []any{v}
	}
	var all []string
	for _, element := range elements {
		all = append(all, p.servicesIn(i, element)...)
	}
	return unique(all)
}

// assetKey is how Data Center ends the name of an Assets object.
var assetKey = regexp.MustCompile(`\s+\([A-Z][A-Z0-9_]*-\d+\)$`)

func (p place) servicesIn(i *issue, element any) []string {
	switch element := element.(type) {
	case string:
		all := names([]string{element})
		for n, name := range all {
			all[n] = assetKey.ReplaceAllString(name, "")
		}
		return all
	case map[string]any:
		if child, ok := element["child"].(map[string]any); ok && p.level != LevelParent {
			return p.servicesIn(i, child)
		}
		if element["type"] == "doc" {
			return names(flattenObject(nil, element))
		}
		alone := map[string]any{}
		for key, value := range element {
			if key != "child" {
				alone[key] = value
			}
		}
		found := flattenObject(nil, alone)
		if len(found) > 0 && unnamedObject(alone) && !i.warned(p.service) {
			i.warn(p.service, "Jira tells nothing but an id of what it holds: "+found[0])
		}
		return found
	default:
		return flatten(nil, element)
	}
}

// repositories are the repositories that the field names, each once.
func (p place) repositories(i *issue) []record.RepositoryName {
	return repositoriesOf(i.list(p.repository))
}

// repositoriesOf reads names of repositories. Text that is none is kept as it is where there is no other: it matches no repository, whereas without
// it the exception would cover all of a service's.
func repositoriesOf(values []string) []record.RepositoryName {
	var found []record.RepositoryName
	all := names(values)
	for _, v := range all {
		if name, err := record.ParseRepository(v); err == nil && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if len(found) == 0 && len(all) > 0 {
		found = append(found, record.RepositoryName(strings.ToLower(record.Text(all[0]))))
	}
	return found
}

func unique(values []string) []string {
	var all []string
	for _, v := range values {
		if v = record.Text(v); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// warn notes that a field holds what is not understood, or not wholly.
func (i *issue) warn(f *field, what string) {
	i.warnings = append(i.warnings, warning{f, "field " + f.purpose + ": " + record.Text(what)})
}

// warning is what is not understood in an issue.
type warning struct {
	field *field
	text  string
}

func (i *issue) warned(f *field) bool {
	return slices.ContainsFunc(i.warnings, func(p warning) bool { return p.field == f })
}
