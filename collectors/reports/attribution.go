package reports

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// RepositoryConfig says how to find the repository that a report speaks for. Of what applies, the first counts: sidecar, path, field,
// default. Where none applies the findings are kept, without a repository.
type RepositoryConfig struct {
	// Path is a template for a report's path, relative to where the pattern begins or any number of folders further up, e.g.
	// "reports/{owner}/{repo}/*.json"; {host} may be named too.
	Path string `yaml:"path,omitempty"`
	// Field takes what the report itself says: SARIF versionControlProvenance, Trivy's repository scans and image labels.
	// It is on unless switched off.
	Field *bool `yaml:"field,omitempty"`
	// Sidecar reads "<report>.meta.json" beside the report: {"repository": "acme/api", "image": "registry/acme/api"}.
	Sidecar bool `yaml:"sidecar,omitempty"`
	// Default is used where nothing else applies.
	Default string `yaml:"default,omitempty"`
}

// attribution is a checked RepositoryConfig.
type attribution struct {
	template *regexp.Regexp
	// anywhere says that the template begins with the name of a folder, so that it may be found in the whole path of a file as well.
	anywhere bool
	path     string
	field    bool
	sidecar  bool
	fallback record.RepositoryName
}

func newAttribution(config RepositoryConfig) (attribution, error) {
	a := attribution{field: config.Field == nil || *config.Field, sidecar: config.Sidecar}
	if config.Default != "" {
		name, err := record.ParseRepository(config.Default)
		if err != nil {
			return a, fmt.Errorf("default: %w", err)
		}
		a.fallback = name
	}
	if config.Path == "" {
		return a, nil
	}
	template, err := compileTemplate(config.Path)
	if err != nil {
		return a, fmt.Errorf("path: %w", err)
	}
	a.template, a.path, a.anywhere = template, config.Path, !strings.ContainsAny(config.Path[:1], "{*?")
	return a, nil
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}|\*\*/|\*\*|\*|\?`)

// compileTemplate turns a path template into an expression with the groups owner, repo and host.
func compileTemplate(template string) (*regexp.Regexp, error) {
	if last := template[strings.LastIndexByte(template, '/')+1:]; last == "{repo}" || last == "{owner}" {
		return nil, fmt.Errorf("%q: %s at the end would take the name of a report's file; write \"{owner}/{repo}/*\" for a folder of each repository, or \"{owner}/{repo}.json\" for a file of each", template, last)
	}
	var b strings.Builder
	b.WriteString("(?:^|/)")
	template = strings.TrimPrefix(strings.TrimPrefix(template, "./"), "/")
	seen := map[string]bool{}
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		b.WriteString(regexp.QuoteMeta(template[at:m[0]]))
		at = m[1]
		switch mark := template[m[0]:m[1]]; mark {
		case "**/":
			b.WriteString("(?:.*/)?")
		case "**":
			b.WriteString(".*")
		case "*":
			b.WriteString("[^/]*")
		case "?":
			b.WriteString("[^/]")
		default:
			name := template[m[2]:m[3]]
			if name != "owner" && name != "repo" && name != "host" {
				return nil, fmt.Errorf("%q: unknown placeholder %s; known are {owner}, {repo} and {host}", template, mark)
			}
			if seen[name] {
				return nil, fmt.Errorf("%q: %s appears twice", template, mark)
			}
			seen[name] = true
			fmt.Fprintf(&b, "(?P<%s>[^/]+?)", name)
		}
	}
	b.WriteString(regexp.QuoteMeta(template[at:]) + "$")
	if !seen["owner"] || !seen["repo"] {
		return nil, fmt.Errorf(`%q: want {owner} and {repo}, e.g. "reports/{owner}/{repo}/*.json"`, template)
	}
	return regexp.Compile(b.String())
}

// statement is what is known about a report before it was read.
type statement struct {
	repository record.RepositoryName // counts more than the report's own word
	fallback   record.RepositoryName
	field      bool
	image      string
}

// of finds what sidecar and path say about a report.
func (a attribution) of(s source) (statement, error) {
	says := statement{fallback: a.fallback, field: a.field}
	if a.sidecar && s.sidecar != nil {
		beside, err := s.sidecar()
		if err != nil {
			return says, fmt.Errorf("report %s: sidecar %s%s: %w", s.shown, s.shown, sidecarSuffix, err)
		}
		if beside != nil {
			says.image = format.ImageName(beside.Image)
		}
		if beside != nil && beside.Repository != "" {
			says.repository, err = record.ParseRepository(beside.Repository)
			if err != nil {
				return says, fmt.Errorf("report %s: sidecar %s%s: repository: %w", s.shown, s.shown, sidecarSuffix, err)
			}
			return says, nil
		}
	}
	if a.template != nil {
		if m := a.match(s); m != nil {
			part := func(name string) string {
				if i := a.template.SubexpIndex(name); i > 0 {
					return m[i]
				}
				return ""
			}
			name, err := record.ParseRepository(part("owner") + "/" + part("repo"))
			if err != nil {
				return says, fmt.Errorf("report %s: its path names no repository: %w", s.shown, err)
			}
			says.repository = record.RepositoryOn(part("host"), string(name))
		}
	}
	return says, nil
}

// match finds the parts of the template in a report's path, relative as in its scope or else whole.
func (a attribution) match(s source) []string {
	m := a.template.FindStringSubmatch(s.relative)
	if m == nil && a.anywhere && !s.remote {
		m = a.template.FindStringSubmatch(filepath.ToSlash(s.shown))
	}
	return m
}

// matchesNone says that there are files and a path template that fits none of them, which leaves all of them without a repository.
func (a attribution) matchesNone(files []source) error {
	if a.template == nil || len(files) == 0 || slices.ContainsFunc(files, func(s source) bool { return a.match(s) != nil }) {
		return nil
	}
	return &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf(
		"the template %q fits none of %d reports, such as %s; it is compared with the path from the configured folder on, so that {owner} and {repo} are folders below it or the template names folders above it", a.path, len(files), files[0].relative)}
}

// apply decides the repository of every finding, scan and statement of a report.
func (s statement) apply(r *format.Report) {
	decide := func(own record.RepositoryName) record.RepositoryName {
		if !s.field {
			own = ""
		}
		return cmp.Or(s.repository, own, s.fallback)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Repository = decide(f.Repository)
		if s.image != "" && f.Class == record.ClassContainer {
			f.Place = record.Text(s.image)
		}
	}
	for i := range r.Scans {
		r.Scans[i].Repository = decide(r.Scans[i].Repository)
	}
	for i := range r.Statements {
		// The default is for what names no target: it must not narrow what does.
		statement := &r.Statements[i]
		if statement.Repository = s.repository; len(statement.Products) == 0 {
			statement.Repository = decide("")
		}
	}
}
