package delivery

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// ServiceRule says which service a deployment belongs to where a repository holds several.
type ServiceRule struct {
	// Repository is a glob pattern (* and ?, neither matches a slash) of OWNER/NAME.
	Repository string `yaml:"repository"`
	// Environment and Task are patterns of the deployment's environment and task. In one of them {service} stands for the service, unless Service names it.
	Environment string `yaml:"environment,omitempty"`
	Task        string `yaml:"task,omitempty"`
	Service     string `yaml:"service,omitempty"`
	// Paths are patterns, in the form of CODEOWNERS, of the files that belong to the service: only changes of these are its changes; all by default. {service} stands
	// for the service.
	Paths []string `yaml:"paths,omitempty"`
}

// serviceMark stands for the service in a pattern.
const serviceMark = "{service}"

func (r *ServiceRule) validate() error {
	marks := strings.Count(r.Environment, serviceMark) + strings.Count(r.Task, serviceMark)
	switch {
	case r.Repository == "" || strings.Count(r.Repository, "/") != 1:
		return fmt.Errorf("repository %q is not a pattern of OWNER/NAME", r.Repository)
	case r.Environment == "" && r.Task == "":
		return errors.New("set environment or task, or there is nothing to tell services apart by")
	case r.Service == "" && marks != 1:
		return fmt.Errorf("environment and task hold %s %d times, want it once, or service", serviceMark, marks)
	case r.Service != "" && marks > 0:
		return fmt.Errorf("service is set, so that %s has no place in environment and task", serviceMark)
	}
	if _, err := path.Match(r.Repository, ""); err != nil {
		return fmt.Errorf("repository %q is not a pattern of OWNER/NAME", r.Repository)
	}
	if slices.Contains(r.Paths, "") {
		return errors.New("a pattern in paths is empty")
	}
	return nil
}

// serviceRule is a rule that is ready for use.
type serviceRule struct {
	ServiceRule
	environment, task *regexp.Regexp
}

type serviceRules []serviceRule

func newServiceRules(rules []ServiceRule) (list serviceRules) {
	for _, r := range rules {
		list = append(list, serviceRule{r, namePattern(r.Environment), namePattern(r.Task)})
	}
	return list
}

// of is the service that a deployment belongs to by the first rule that fits, and the files that count for it; none if no rule fits.
func (rules serviceRules) of(fullName, environment, task string) (service string, paths []pathPattern) {
	for _, r := range rules {
		if ok, err := path.Match(strings.ToLower(r.Repository), strings.ToLower(fullName)); err != nil || !ok {
			continue
		}
		service := r.Service
		fits := true
		for _, part := range []struct {
			pattern *regexp.Regexp
			text    string
		}{{r.environment, environment}, {r.task, task}} {
			if part.pattern == nil {
				continue
			}
			match := part.pattern.FindStringSubmatch(part.text)
			if fits = fits && match != nil; len(match) > 1 {
				service = match[1]
			}
		}
		if !fits || service == "" {
			continue
		}
		for _, p := range r.Paths {
			paths = append(paths, newPathPattern(strings.ReplaceAll(p, serviceMark, service)))
		}
		return record.Text(service), paths
	}
	return "", nil
}

// needFiles reports whether a rule asks which files changed.
func (rules serviceRules) needFiles() bool {
	return slices.ContainsFunc(rules, func(r serviceRule) bool { return len(r.Paths) > 0 })
}

// namePattern compiles a pattern of names, nil for none: * and ? stand for anything, {service} for what is captured. Names differ in more than case.
func namePattern(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	quoted := quoteMeta(pattern)
	for mark, expression := range map[string]string{`\*`: ".*", `\?`: ".", regexp.QuoteMeta(serviceMark): "(.+)"} {
		quoted = strings.ReplaceAll(quoted, mark, expression)
	}
	return regexp.MustCompile("(?is)^" + quoted + "$")
}

// quoteMeta is regexp.QuoteMeta for any text: an expression has to be valid UTF-8, and takes each byte of a text that is not for U+FFFD.
func quoteMeta(text string) string {
	return regexp.QuoteMeta(string([]rune(text)))
}

// pathPattern matches paths of files.
type pathPattern struct{ expression *regexp.Regexp }

// newPathPattern compiles a pattern in the form of CODEOWNERS: * and ? stay inside a path element, ** crosses them, one with a slash before its end is anchored at
// the root, and one that names a directory holds everything below it.
func newPathPattern(pattern string) pathPattern {
	body := strings.Trim(pattern, "/")
	quoted := quoteMeta(body)
	for _, replace := range [][2]string{{`\*\*/`, "\x00"}, {`\*\*`, ".*"}, {`\*`, "[^/]*"}, {`\?`, "[^/]"}, {"\x00", "(?:.*/)?"}} {
		quoted = strings.ReplaceAll(quoted, replace[0], replace[1])
	}
	if !strings.Contains(body, "/") && !strings.HasPrefix(pattern, "/") {
		quoted = "(?:.*/)?" + quoted
	}
	return pathPattern{regexp.MustCompile("(?s)^" + quoted + "(?:/.*)?$")}
}

// touch reports whether one of the patterns matches one of the files.
func touch(patterns []pathPattern, files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		return slices.ContainsFunc(patterns, func(p pathPattern) bool { return p.expression.MatchString(file) })
	})
}

// matches reports whether a glob pattern matches a name.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
