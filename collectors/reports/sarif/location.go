package sarif

import (
	"cmp"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/internal/record"
)

// where is the first place of a result, the repository whose place it is if the report says that of it in particular, and what is there.
func (run *runReading) where(result *resultObject) (file string, line int, repository record.RepositoryName, context string) {
	for i := range result.Locations {
		l := &result.Locations[i]
		file, repository = run.path(l.Physical.Artifact)
		if file == "" && len(l.Logical) > 0 {
			file = string(l.Logical[0].FullyQualifiedName)
		}
		if file != "" {
			context = string(cmp.Or(l.Physical.Region.Snippet.Text, l.Physical.Context.Snippet.Text))
			return file, format.Line(l.Physical.Region.StartLine), repository, context
		}
	}
	return "", 0, "", ""
}

// path is a place relative to the repository where the report allows it, and the repository that is mapped there.
func (run *runReading) path(l artifactLocation) (string, record.RepositoryName) {
	if l.URI == "" {
		if a := at(run.artifacts, l.Index); a != nil {
			l = a.Location
		}
	}
	uri := strings.TrimSpace(string(l.URI))
	if uri == "" {
		return "", ""
	}
	full, base := run.resolve(l)
	if repository, root := run.mapped(full); root != "" {
		return format.CleanPath(full[len(root):]), repository
	}
	switch {
	case isAbsolute(uri):
		if root := run.root(uri); root != "" {
			return format.CleanPath(strings.TrimPrefix(uri[len(root):], "/")), ""
		}
		return format.CleanPath(uri), ""
	case base != "":
		return format.CleanPath(strings.TrimPrefix(full[len(base):], "/")), ""
	default:
		return format.CleanPath(full), ""
	}
}

// resolve follows the chain of bases of a location: full is the place as far as it is known, and base the part of it that the outermost base gives, empty where
// that is no absolute place.
func (run *runReading) resolve(l artifactLocation) (full, base string) {
	full = strings.TrimSpace(string(l.URI))
	if isAbsolute(full) {
		return full, ""
	}
	id := l.URIBaseID
	for range len(run.bases) { // a base may be its own, by mistake
		b, known := run.bases[string(id)]
		uri := strings.TrimSpace(string(b.URI))
		if !known || uri == "" {
			break
		}
		full = strings.TrimSuffix(uri, "/") + "/" + strings.TrimPrefix(full, "./")
		if isAbsolute(uri) {
			return full, strings.TrimSuffix(uri, "/")
		}
		id = b.URIBaseID
	}
	return full, ""
}

// mapped is the repository that is mapped to the innermost place that holds a path, and that place, where the report says so.
func (run *runReading) mapped(full string) (repository record.RepositoryName, root string) {
	for i := range run.provenance {
		p := &run.provenance[i]
		place, _ := run.resolve(p.MappedTo)
		if p.MappedTo.URI == "" && p.MappedTo.URIBaseID != "" {
			place, _ = run.resolve(run.bases[string(p.MappedTo.URIBaseID)])
		}
		place = strings.TrimSuffix(place, "/")
		if place == "" || len(place) <= len(root) || !strings.HasPrefix(full, place+"/") {
			continue
		}
		if name, err := record.ParseRepository(string(p.RepositoryURI)); err == nil {
			repository, root = name, place+"/"
		}
	}
	return repository, root
}

// root is the longest base or working directory that an absolute place lies in.
func (run *runReading) root(uri string) string {
	longest := ""
	consider := func(root string) {
		if isAbsolute(root) && len(root) > len(longest) && strings.HasPrefix(uri, strings.TrimSuffix(root, "/")+"/") {
			longest = strings.TrimSuffix(root, "/")
		}
	}
	for _, b := range run.bases {
		full, _ := run.resolve(b)
		consider(full)
	}
	if longest == "" {
		for i := range run.invocations {
			consider(strings.TrimSpace(string(run.invocations[i].WorkingDirectory.URI)))
		}
	}
	return longest
}

// isAbsolute reports whether a URI needs no base.
func isAbsolute(uri string) bool { return strings.Contains(uri, "://") || strings.HasPrefix(uri, "/") }

// repository is the one repository that the run says it scanned.
func (run *runReading) repository() record.RepositoryName {
	var found record.RepositoryName
	for i := range run.provenance {
		name, err := record.ParseRepository(string(run.provenance[i].RepositoryURI))
		if err != nil {
			continue
		}
		if found != "" && found != name {
			return "" // several: it cannot be said which
		}
		found = name
	}
	return found
}
