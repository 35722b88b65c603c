package format

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Statement is what a document says about one vulnerability in one product.
type Statement struct {
	Rules, Advisories []string
	// Products are the names of one product; none means everything in the repository that the document speaks for.
	Products []string
	// Parts are the packages in the product that are meant; none means the product as a whole.
	Parts      []string
	Repository record.RepositoryName
	Closure    record.Closure
	At         time.Time
}

// covers reports whether a statement is about a finding: the same advisory (or rule), in the repository that the document speaks for if it
// is known, and in the product, which is the finding's package, or the image or repository that holds it and, if the statement names
// packages in it, one of these. A name without a version means all versions.
func (v *Statement) covers(f *record.Finding) bool {
	if v.Repository != "" && v.Repository != f.Repository {
		return false
	}
	if !slices.Contains(v.Rules, f.Rule) && !slices.ContainsFunc(v.Advisories, func(id string) bool { return slices.Contains(f.Aliases, id) }) {
		return false
	}
	if len(v.Products) == 0 {
		return v.Repository != "" && v.part(f)
	}
	for _, product := range v.Products {
		if isPackage(product, f) && len(v.Parts) == 0 || holds(product, f) && v.part(f) {
			return true
		}
	}
	return false
}

func (v *Statement) part(f *record.Finding) bool {
	return len(v.Parts) == 0 || slices.ContainsFunc(v.Parts, func(name string) bool { return isPackage(name, f) })
}

// isPackage reports whether a package URL names a finding's package in its version.
func isPackage(purl string, f *record.Finding) bool {
	if f.Package == "" || record.PackageOfURL(purl) != f.Package {
		return false
	}
	version := record.VersionOfURL(purl)
	// Distributions write the epoch of a version into the qualifiers.
	return version == "" || f.Version == "" || version == f.Version || strings.HasSuffix(f.Version, ":"+version)
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
		return inImage(f) && sameImage(ImageName(bare), f.Place)
	case kind == "github":
		return isRepository("https://github.com/"+bare, f)
	case kind == "golang" && strings.HasPrefix(bare, "github.com/"):
		return isRepository("https://"+bare, f)
	case kind != "":
		return false
	case strings.Contains(product, "://"):
		return isRepository(strings.TrimPrefix(product, "git+"), f)
	default:
		return inImage(f) && sameImage(ImageName(product), f.Place)
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
	name = ImageName(name)
	for qualifier := range strings.SplitSeq(qualifiers, "&") {
		if registry, ok := strings.CutPrefix(qualifier, "repository_url="); ok {
			registry = strings.NewReplacer("%2F", "/", "%2f", "/", "%3A", ":", "%3a", ":").Replace(registry)
			if registry != "" && !strings.HasSuffix(registry, "/"+name) {
				registry += "/" + name
			}
			return sameImage(ImageName(registry), place)
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

// Suppress closes the open findings that statements cover. Of several statements about one finding the latest counts, of equally old ones
// that which claims least: a doubt is no dismissal.
func Suppress(findings []record.Finding, statements []Statement) {
	if len(statements) == 0 {
		return
	}
	about := map[string][]*Statement{}
	for i := range statements {
		s := &statements[i]
		for _, id := range slices.Concat(s.Rules, s.Advisories) {
			about[id] = append(about[id], s)
		}
	}
	for i := range findings {
		f := &findings[i]
		if f.Closure != record.ClosureNone {
			continue
		}
		var latest *Statement
		for _, id := range append([]string{f.Rule}, f.Aliases...) {
			for _, s := range about[id] {
				if s.covers(f) && (latest == nil || s.At.After(latest.At) || s.At.Equal(latest.At) && weaker(s.Closure, latest.Closure)) {
					latest = s
				}
			}
		}
		if latest != nil && latest.Closure != record.ClosureNone {
			f.Closure, f.ClosedAt = latest.Closure, latest.At
		}
	}
}

// weaker orders closures by how little they claim.
func weaker(a, b record.Closure) bool {
	order := []record.Closure{record.ClosureNone, record.ClosureWontFix, record.ClosureMitigated, record.ClosureFalsePositive, record.ClosureFixed}
	return slices.Index(order, a) < slices.Index(order, b)
}
