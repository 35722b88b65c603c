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
	annotationGitHub          = "github.com/project-slug"
	annotationGitLab          = "gitlab.com/project-slug"
	annotationGitLabInstance  = "gitlab.com/instance"
	annotationAzure           = "dev.azure.com/project-repo"
	annotationAzureHost       = "dev.azure.com/host-org"
	annotationBitbucket       = "bitbucket.org/project-slug"
	annotationBitbucketServer = "bitbucket.com/project-slug"
	annotationSource          = "backstage.io/source-location"
	annotationManagedBy       = "backstage.io/managed-by-location"
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
// What names a repository comes first, because source-location is by default derived from where the description stands, which may be a repository
// of descriptions. The folder counts only if it is in the same repository.
func repositoryPath(annotations map[string]string, config *Config) (claim record.RepositoryPath, ok bool) {
	source, hasSource := parseLocation(annotations[annotationSource], false)
	managed, hasManaged := parseLocation(annotations[annotationManagedBy], true)
	named := namedRepository(annotations, config)
	for _, l := range []location{managed, source} {
		// The slug names no host; an address of the same repository does.
		if named.fullName != "" && l.fullName == named.fullName {
			named.repository = l.repository
		}
	}
	switch {
	case named.repository != "":
		claim.Repository = named.repository
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

// namedRepository is the repository that an annotation names, the first one in the order of the hosts below. It has a full name where the annotation leaves the host open, and that alone
// for Bitbucket Data Center, which has no host of its own.
func namedRepository(annotations map[string]string, config *Config) location {
	host := func(annotation, fallback string) string {
		address := strings.TrimSpace(annotations[annotation])
		if _, rest, ok := strings.Cut(address, "://"); ok {
			address = rest
		}
		return cmp.Or(strings.Trim(address, "/"), fallback)
	}
	for _, n := range []struct {
		annotation, host string
		// parts are how many the slug has, 0 for two or more.
		parts int
		open  bool
	}{
		{annotationGitHub, config.GitHubHost, 2, true},
		{annotationGitLab, host(annotationGitLabInstance, config.GitLabHost), 0, annotations[annotationGitLabInstance] == ""},
		{annotationAzure, host(annotationAzureHost, config.AzureOrganization), 2, false},
		{annotationBitbucket, "bitbucket.org", 2, false},
		{annotationBitbucketServer, "", 2, true},
	} {
		slug := strings.Trim(strings.TrimSpace(annotations[n.annotation]), "/")
		if slug == "" {
			continue
		}
		if n.annotation == annotationGitHub { // which may name the host itself
			full, err := record.ParseRepository(slug)
			if err == nil && strings.Count(string(full), "/") > 1 {
				return location{repository: full}
			}
			slug = string(full)
		}
		count := strings.Count(slug, "/") + 1
		if count < 2 || n.parts > 0 && count != n.parts || n.host == "" && !n.open {
			continue
		}
		var l location
		if n.open {
			l.fullName = strings.ToLower(slug)
		}
		if n.host != "" {
			name, err := record.ParseRepository("https://" + n.host + "/" + slug)
			if err != nil {
				continue
			}
			l.repository = name
		}
		return l
	}
	return location{}
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
	if folder, server, ok := otherFolder(u, parts); ok {
		if l.folder = folderOf(folder, file); server != "" {
			l.fullName = server
		}
		return l, true
	}
	below := parts[at:]
	if len(below) > 0 && below[0] == "-" {
		below = below[1:]
	}
	if len(below) > 2 { // word, branch, folder
		l.folder = folderOf(below[2:], file)
	}
	return l, true
}

// otherFolder is the folder in addresses that do not have it below the branch: of Azure DevOps (?path=/folder) and Bitbucket Data Center (/browse/folder), whose full name is not a
// part of the address.
func otherFolder(u *url.URL, parts []string) (folder []string, fullName string, ok bool) {
	split := func(path string) []string {
		return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	}
	switch {
	case slices.Contains(parts, "_git"):
		return split(u.Query().Get("path")), "", true
	case len(parts) > 3 && parts[0] == "projects" && parts[2] == "repos":
		if len(parts) > 5 && (parts[4] == "browse" || parts[4] == "raw") {
			folder = parts[5:]
		}
		return folder, strings.ToLower(parts[1] + "/" + parts[3]), true
	default:
		return nil, "", false
	}
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
	if len(parts) == 0 {
		return ""
	}
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
