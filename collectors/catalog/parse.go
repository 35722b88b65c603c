package catalog

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"prodsec_exporter/internal/record"
)

// contents is what a catalog file says.
type contents struct {
	services []record.Service
	evidence []record.Evidence
	// lines gives the line of each service by its name in lower case.
	lines map[string]int
	// defaults gives the service that claims a whole repository.
	defaults map[record.RepositoryName]string
}

// source is what evidence needs to know about the file it comes from.
type source struct {
	// name is what evidence names as its source.
	name string
	// written is when the file was last changed, zero if unknown: evidence without a date of its own is as old as the file that
	// states it, and ages with it.
	written time.Time
	// now bounds dates: nothing can have been produced later than tomorrow.
	now time.Time
}

// maxErrors bounds how many problems of one file are named.
const maxErrors = 20

// parse reads a catalog file. It returns everything or, joined, everything that is wrong with the file.
func parse(data []byte, from source) (*contents, error) {
	doc, err := decode(data)
	if err != nil {
		return nil, err
	}
	c := &contents{
		services: make([]record.Service, 0, len(doc.Services)),
		evidence: []record.Evidence{},
		lines:    make(map[string]int, len(doc.Services)),
		defaults: map[record.RepositoryName]string{},
	}
	var errs []error
	for i := range doc.Services {
		errs = append(errs, c.add(&doc.Services[i], from)...)
		if len(errs) > maxErrors {
			errs = append(errs[:maxErrors], errors.New("and more"))
			break
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// add takes up one service and returns all that is wrong with it.
func (c *contents) add(e *serviceEntry, from source) []error {
	if e.Name.line == 0 {
		return []error{invalid(e.anyLine(), `a service has no name; add the key "name"`)}
	}
	var errs []error
	for _, t := range e.texts() {
		if err := checkText(t); err != nil {
			errs = append(errs, err)
		}
	}
	name := e.Name.value
	if name == record.Unattributed || name == reservedOther {
		errs = append(errs, invalid(e.Name.line, "the service name %q is reserved for what no catalog claims; choose another", name))
	}
	folded := strings.ToLower(name)
	if first, dup := c.lines[folded]; dup {
		errs = append(errs, invalid(e.Name.line, "service %q is described already in line %d; keep one of the two", name, first))
	}
	c.lines[folded] = e.Name.line
	repositories, repositoryErrs := c.repositories(e)
	evidence, evidenceErrs := controls(e, from)
	facts, factErrs := e.facts()
	errs = append(append(append(errs, repositoryErrs...), evidenceErrs...), factErrs...)
	c.services = append(c.services, record.Service{
		Name: name, BusinessUnit: e.BusinessUnit.value, Team: e.Team.value, TrustTier: e.TrustTier.value,
		RenamedFrom: e.formerNames(),
		ProductArea: e.ProductArea.value, Lifecycle: e.Lifecycle.value,
		CrownJewel: e.CrownJewel.answer(), InternetFacing: e.InternetFacing.answer(),
		Repositories: repositories, Facts: facts,
	})
	c.evidence = append(c.evidence, evidence...)
	return errs
}

// reservedOther is the service that the exposition folds the least important services into.
const reservedOther = "other"

func (f flag) answer() record.Answer {
	if !f.set {
		return record.AnswerUnknown
	}
	return record.AnswerOf(f.value)
}

func (e *serviceEntry) texts() []text {
	return append([]text{e.Name, e.BusinessUnit, e.Team, e.TrustTier, e.ProductArea, e.Lifecycle}, e.RenamedFrom...)
}

// formerNames are the names that the service had before.
func (e *serviceEntry) formerNames() []string {
	var names []string
	for _, name := range e.RenamedFrom {
		if name.value != "" && name.value != e.Name.value {
			names = append(names, name.value)
		}
	}
	return names
}

// anyLine is the first line known of a service without a name.
func (e *serviceEntry) anyLine() int {
	line := 0
	for _, t := range e.texts() {
		if t.line > 0 && (line == 0 || t.line < line) {
			line = t.line
		}
	}
	return line
}

// checkText refuses what would be changed on its way into a label: a name must be the same everywhere.
func checkText(t text) error {
	switch {
	case t.line == 0:
		return nil
	case t.value == "":
		return invalid(t.line, "the text is empty; write a value or remove the key")
	case strings.TrimSpace(t.value) != t.value, strings.ContainsFunc(t.value, unicode.IsControl):
		return invalid(t.line, "%.60q has space around it or control characters in it; remove them", t.value)
	case len(t.value) > record.MaxText, record.Text(t.value) != t.value:
		return invalid(t.line, "%.60q is longer than %d bytes or not valid UTF-8; shorten it", t.value, record.MaxText)
	default:
		return nil
	}
}

// repositories reads a service's repositories; a whole repository has at most one default service.
func (c *contents) repositories(e *serviceEntry) ([]record.RepositoryPath, []error) {
	var (
		paths []record.RepositoryPath
		errs  []error
		seen  = map[record.RepositoryName]bool{}
	)
	for _, r := range e.Repositories {
		if r.Name.line == 0 {
			errs = append(errs, invalid(e.Name.line, `service %q: a repository has no name; add the key "name"`, e.Name.value))
			continue
		}
		name, err := record.ParseRepository(r.Name.value)
		if err != nil {
			errs = append(errs, invalid(r.Name.line, "service %q: %v", e.Name.value, err))
			continue
		}
		if seen[name] {
			errs = append(errs, invalid(r.Name.line, "service %q names repository %s twice; join the paths of the two", e.Name.value, name))
		}
		seen[name] = true
		path := record.RepositoryPath{Repository: name}
		for _, p := range r.Paths {
			if err := checkPath(p); err != nil {
				errs = append(errs, err)
			}
			path.Paths = append(path.Paths, p.value)
		}
		if other, taken := c.defaults[name]; taken && len(path.Paths) == 0 && other != e.Name.value {
			errs = append(errs, invalid(r.Name.line, "services %q and %q both claim the whole repository %s; "+
				"give one of them paths, e.g. {name: %s, paths: [\"services/x/**\"]}", other, e.Name.value, name, name))
		} else if len(path.Paths) == 0 {
			c.defaults[name] = e.Name.value
		}
		paths = append(paths, path)
	}
	return paths, errs
}

// facts reads a service's further facts.
func (e *serviceEntry) facts() (map[string]string, []error) {
	var errs []error
	var facts map[string]string
	for _, name := range slices.Sorted(maps.Keys(e.Facts)) {
		value := e.Facts[name]
		if value.line == 0 {
			errs = append(errs, invalid(e.Name.line, "service %q: fact %.60q has no value; give one or remove the key", e.Name.value, name))
		}
		for _, t := range []text{{value: name, line: value.line}, value} {
			if err := checkText(t); err != nil {
				errs = append(errs, err)
			}
		}
		if facts == nil {
			facts = make(map[string]string, len(e.Facts))
		}
		facts[name] = value.value
	}
	return facts, errs
}

func checkPath(p text) error {
	if err := checkText(p); err != nil {
		return err
	}
	if strings.HasPrefix(p.value, "/") || strings.Contains("/"+p.value+"/", "/../") {
		return invalid(p.line, "path %q must be relative to the root of the repository, e.g. services/pay/**", p.value)
	}
	if _, err := path.Match(p.value, ""); err != nil {
		return invalid(p.line, "path %q is not a glob pattern such as services/pay/**", p.value)
	}
	return nil
}

// controls reads a service's control statements in the order of their names.
func controls(e *serviceEntry, from source) ([]record.Evidence, []error) {
	var (
		evidence []record.Evidence
		errs     []error
	)
	names := make([]string, 0, len(e.Controls))
	for name := range e.Controls {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		control := e.Controls[name]
		item, err := statement(e.Name.value, name, &control, from)
		if err != nil {
			errs = append(errs, err)
		}
		evidence = append(evidence, item)
	}
	return evidence, errs
}

// statement turns one control of one service into evidence.
func statement(service, name string, c *controlEntry, from source) (record.Evidence, error) {
	item := record.Evidence{
		ID: fmt.Sprintf("%s/%s", service, name), Control: name, Service: service, Holds: c.Holds.answer(),
		ProducedAt: from.written, Source: from.name, URL: c.URL.value,
	}
	if err := checkText(text{value: name, line: c.line}); err != nil {
		return item, err
	}
	if !c.Holds.set {
		return item, invalid(c.line, "control %q says nothing; write true or false, or remove the key where it is not known", name)
	}
	if c.Date.line > 0 {
		at, err := c.Date.date()
		if err != nil {
			return item, err
		}
		if at.After(from.now.AddDate(0, 0, 1)) {
			return item, invalid(c.Date.line, "date: %s lies in the future; evidence is dated by when it was produced", c.Date.value)
		}
		item.ProducedAt = at
	}
	if c.URL.line > 0 {
		if u, err := url.Parse(c.URL.value); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || len(c.URL.value) > record.MaxText {
			return item, invalid(c.URL.line, "url: %.60q is not a link such as https://wiki.example.com/threat-model", c.URL.value)
		}
	}
	return item, nil
}
