package reports

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// vexStatement is what a document says about one vulnerability in one product.
type vexStatement struct {
	rules, advisories []string
	// products are the names of one product; none means everything in the repository that the document speaks for.
	products []string
	// parts are the packages in the product that are meant; none means the product as a whole.
	parts      []string
	repository record.RepositoryName
	closure    record.Closure
	at         time.Time
}

// covers reports whether a statement is about a finding: the same advisory (or rule), in the repository that the document speaks for if it
// is known, and in the product, which is the finding's package, or the image or repository that holds it and, if the statement names
// packages in it, one of these. A name without a version means all versions.
func (v *vexStatement) covers(f *record.Finding) bool {
	if v.repository != "" && v.repository != f.Repository {
		return false
	}
	if !slices.Contains(v.rules, f.Rule) && !slices.ContainsFunc(v.advisories, func(id string) bool { return slices.Contains(f.Aliases, id) }) {
		return false
	}
	if len(v.products) == 0 {
		return v.repository != "" && v.part(f)
	}
	for _, product := range v.products {
		if isPackage(product, f) && len(v.parts) == 0 || holds(product, f) && v.part(f) {
			return true
		}
	}
	return false
}

func (v *vexStatement) part(f *record.Finding) bool {
	return len(v.parts) == 0 || slices.ContainsFunc(v.parts, func(name string) bool { return isPackage(name, f) })
}

// isPackage reports whether a package URL names a finding's package in its version.
func isPackage(purl string, f *record.Finding) bool {
	if f.Package == "" || record.PackageOfURL(purl) != f.Package {
		return false
	}
	version := versionOfURL(purl)
	return version == "" || f.Version == "" || version == f.Version
}

// holds reports whether a product is the image or the repository of a finding.
func holds(product string, f *record.Finding) bool {
	kind, rest, isURL := strings.Cut(strings.TrimPrefix(product, "pkg:"), "/")
	if !strings.HasPrefix(product, "pkg:") || !isURL {
		kind = ""
	}
	bare, _, _ := strings.Cut(rest, "?")
	bare, _, _ = strings.Cut(bare, "@")
	switch {
	case kind == "oci":
		return inImage(f) && isImage(rest, f.Place)
	case kind == "docker":
		return inImage(f) && sameImage(imageName(bare), f.Place)
	case kind == "github":
		return isRepository("https://github.com/"+bare, f)
	case kind == "golang" && strings.HasPrefix(bare, "github.com/"):
		return isRepository("https://"+bare, f)
	case kind != "":
		return false
	case strings.Contains(product, "://"):
		return isRepository(strings.TrimPrefix(product, "git+"), f)
	default:
		return inImage(f) && sameImage(imageName(product), f.Place)
	}
}

// inImage reports whether a finding's place is in an image and not a path in a repository.
func inImage(f *record.Finding) bool {
	return f.Place != "" && (f.Class == record.ClassContainer || strings.Contains(f.Place, ":"))
}

func isRepository(address string, f *record.Finding) bool {
	name, err := record.ParseRepository(address)
	return err == nil && name == f.Repository
}

// isImage compares the rest of an image's package URL with the place of a finding: with the address of the registry if it is given, else
// by the image's own name.
func isImage(rest, place string) bool {
	name, qualifiers, _ := strings.Cut(rest, "?")
	name = imageName(name)
	for qualifier := range strings.SplitSeq(qualifiers, "&") {
		if registry, ok := strings.CutPrefix(qualifier, "repository_url="); ok {
			registry = strings.NewReplacer("%2F", "/", "%2f", "/", "%3A", ":", "%3a", ":").Replace(registry)
			if registry != "" && !strings.HasSuffix(registry, "/"+name) {
				registry += "/" + name
			}
			return sameImage(registry, place)
		}
	}
	return sameImage(name, place)
}

// sameImage reports whether a finding's place is an image, or a file in it. A name without a registry or folder is the last part of the
// place's.
func sameImage(image, place string) bool {
	place, _, _ = strings.Cut(imageOf(place), "@")
	return image != "" && (place == image || strings.HasSuffix(place, "/"+image))
}

// imageOf drops the path of a file from "registry:5000/image:path/in/image".
func imageOf(place string) string {
	last := strings.LastIndexByte(place, ':')
	for at := last; at > 0; at = strings.LastIndexByte(place[:at], ':') {
		// A colon before digits and a slash belongs to the port of a registry.
		port, _, slash := strings.Cut(place[at+1:], "/")
		if slash && port != "" && strings.Trim(port, "0123456789") == "" {
			break
		}
		place = place[:at]
	}
	return place
}

// versionOfURL is the version in a package URL, empty if there is none.
func versionOfURL(purl string) string {
	rest, _, _ := strings.Cut(purl, "#")
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at > strings.LastIndexByte(rest, '/') {
		return rest[at+1:]
	}
	return ""
}

// suppress closes the open findings that statements cover. Of several statements about one finding the latest counts, of equally old ones
// that which claims least: a doubt is no dismissal.
func suppress(findings []record.Finding, statements []vexStatement) {
	if len(statements) == 0 {
		return
	}
	about := map[string][]*vexStatement{}
	for i := range statements {
		s := &statements[i]
		for _, id := range slices.Concat(s.rules, s.advisories) {
			about[id] = append(about[id], s)
		}
	}
	for i := range findings {
		f := &findings[i]
		if f.Closure != record.ClosureNone {
			continue
		}
		var latest *vexStatement
		for _, id := range append([]string{f.Rule}, f.Aliases...) {
			for _, s := range about[id] {
				if s.covers(f) && (latest == nil || s.at.After(latest.at) || s.at.Equal(latest.at) && weaker(s.closure, latest.closure)) {
					latest = s
				}
			}
		}
		if latest != nil && latest.closure != record.ClosureNone {
			f.Closure, f.ClosedAt = latest.closure, latest.at
		}
	}
}

// weaker orders closures by how little they claim.
func weaker(a, b record.Closure) bool {
	order := []record.Closure{record.ClosureNone, record.ClosureMitigated, record.ClosureFalsePositive, record.ClosureFixed}
	return slices.Index(order, a) < slices.Index(order, b)
}

// statements reads what the OpenVEX documents among the files say, before the reports that they are about. A document that cannot be read
// now goes on saying what it said last, so that a damaged file reopens nothing.
func (c *Collector) statements(ctx context.Context, files []source) ([]vexStatement, error) {
	said := map[string][]vexStatement{}
	var all []vexStatement
	for _, s := range files {
		if err := canceled(ctx); err != nil {
			return nil, err
		}
		now, known := c.vex(ctx, s)
		if !known {
			now = c.said[s.relative]
		}
		if len(now) > 0 {
			said[s.relative] = now
		}
		all = append(all, now...)
	}
	c.said = said
	return all, nil
}

// vex reads the statements of a report if it is an OpenVEX document. It reports false for one that cannot be read; the error is told when
// the report's own turn comes.
func (c *Collector) vex(ctx context.Context, s source) ([]vexStatement, bool) {
	if s.err != nil {
		return nil, false
	}
	format, err := recognise(s.open)
	if malformed, ok := errors.AsType[*malformedError](err); ok && malformed.markup {
		return nil, true
	}
	if err != nil {
		return nil, false
	}
	if format.name() != openvexName {
		return nil, true
	}
	r, err := c.report(ctx, s)
	if err != nil {
		return nil, false
	}
	return r.statements, true
}
