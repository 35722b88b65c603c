package translate

import (
	"net/url"
	"strings"

	"prodsec_exporter/internal/record"
)

// PURL is a package URL, taken apart.
type PURL struct {
	// Type is the ecosystem, e.g. "npm" or "deb".
	Type string
	// Name is the package with its namespace, e.g. "@angular/core" or "org.apache.logging.log4j/log4j-core".
	Name    string
	Version string
}

// ParsePURL reads "pkg:type/namespace/name@version?qualifiers#subpath". ok is false for anything else.
func ParsePURL(s string) (p PURL, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "pkg:")
	if !ok {
		return PURL{}, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	kind, path, ok := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if !ok {
		return PURL{}, false
	}
	p.Type = strings.ToLower(kind)
	// The last @ starts the version, unless it starts a namespace as in "@angular/core".
	if at := strings.LastIndex(path, "@"); at > 0 && !strings.Contains(path[at:], "/") {
		path, p.Version = path[:at], unescape(path[at+1:])
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	p.Name = strings.Join(parts, "/")
	return p, p.Type != "" && p.Name != ""
}

// Package is the record's spelling of the package. A distribution's name is no part of its packages' names.
func (p PURL) Package() string {
	name := p.Name
	if p.OSPackage() {
		name = name[strings.LastIndex(name, "/")+1:]
	}
	return record.Package(p.Type, name)
}

// OSPackage reports whether a distribution's package manager installed it, which happens in images and not in repositories.
func (p PURL) OSPackage() bool {
	switch p.Type {
	case "deb", "rpm", "apk", "alpm":
		return true
	default:
		return false
	}
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
