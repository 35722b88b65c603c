package backstage

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// The annotations that say where code is.
const (
	annotationSlug      = "github.com/project-slug"
	annotationSource    = "backstage.io/source-location"
	annotationManagedBy = "backstage.io/managed-by-location"
)

// location is an address of a folder in a repository.
type location struct {
	repository record.RepositoryName
	// fullName is the repository without its host.
	fullName string
	// folder is relative to the root, without slashes at its ends; empty is the root.
	folder string
}

// repositoryPath says which part of which repository holds an entity's code; ok is false when nothing says.
//
// The slug comes first, because source-location is by default derived from where the description stands, which may be a repository
// of descriptions. The folder counts only if it is in the same repository.
func repositoryPath(annotations map[string]string, githubHost string) (claim record.RepositoryPath, ok bool) {
	source, hasSource := parseLocation(annotations[annotationSource], false)
	managed, hasManaged := parseLocation(annotations[annotationManagedBy], true)
	slug, err := record.ParseRepository(annotations[annotationSlug])
	switch {
	case err == nil:
		claim.Repository = slug
		if strings.Count(string(slug), "/") == 1 {
			claim.Repository = record.RepositoryOn(githubHost, string(slug))
		}
		for _, l := range []location{source, managed} {
			// The slug names no host; an address of the same repository does.
			if l.fullName != "" && l.fullName == string(slug) {
				claim.Repository = l.repository
				break
			}
		}
	case hasSource:
		claim.Repository = source.repository
	default:
		return record.RepositoryPath{}, false
	}
	var folder string
	if hasSource && source.repository == claim.Repository {
		folder = source.folder
	}
	if hasManaged && managed.repository == claim.Repository {
		folder = cmp.Or(folder, managed.folder)
	}
	if folder != "" {
		claim.Paths = []string{folder + "/**"}
	}
	return claim, true
}

// treeWords are the words between a repository and a branch in the addresses of GitHub, GitLab and Bitbucket.
var treeWords = []string{"tree", "blob", "raw", "edit", "src"}

// parseLocation reads "url:https://host/owner/name/tree/branch/folder/"; file says that the address is one of a file, so that its
// last part is none of the folder. A branch is taken to be one part of the address. Other types of location are no address.
func parseLocation(annotation string, file bool) (location, bool) {
	address, ok := strings.CutPrefix(strings.TrimSpace(annotation), "url:")
	if !ok {
		return location{}, false
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return location{}, false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	at := repositoryEnd(parts)
	name, err := record.ParseRepository(u.Scheme + "://" + u.Host + "/" + strings.Join(parts[:at], "/"))
	if err != nil {
		return location{}, false
	}
	l := location{repository: name, fullName: strings.ToLower(strings.TrimSuffix(strings.Join(parts[:at], "/"), ".git"))}
	below := parts[at:]
	if len(below) > 0 && below[0] == "-" {
		below = below[1:]
	}
	if len(below) > 2 { // word, branch, folder
		l.folder = folderOf(below[2:], file)
	}
	return l, true
}

// repositoryEnd is how many parts of an address name the repository: GitLab ends it with a dash, the others by one of the words,
// which may also be the name of an owner or repository.
func repositoryEnd(parts []string) int {
	if dash := slices.Index(parts, "-"); dash >= 2 {
		return dash
	}
	for i := 2; i < len(parts); i++ {
		if slices.Contains(treeWords, parts[i]) {
			return i
		}
	}
	return len(parts)
}

// folderOf joins the parts of a folder. Hidden folders at its end hold descriptions and not code.
func folderOf(parts []string, file bool) string {
	if last := parts[len(parts)-1]; file || strings.HasSuffix(last, ".yaml") || strings.HasSuffix(last, ".yml") {
		parts = parts[:len(parts)-1]
	}
	for len(parts) > 0 && strings.HasPrefix(parts[len(parts)-1], ".") {
		parts = parts[:len(parts)-1]
	}
	folder := path.Clean("/" + strings.Join(parts, "/"))
	return literal.Replace(strings.Trim(folder, "/"))
}

// literal hides the characters of folders that mean something in patterns.
var literal = strings.NewReplacer("*", "?", "[", "?", "]", "?")
