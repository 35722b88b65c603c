package record

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// RepositoryName is the canonical, lower-case name of a repository: "owner/name" on github.com and
// "host/owner/name" anywhere else. Make one with ParseRepository.
type RepositoryName string

// ErrRepositoryName is wrapped by every error of ParseRepository.
var ErrRepositoryName = errors.New("not a repository name")

const defaultHost = "github.com"

// ParseRepository reads "owner/name", "host/owner/name", an HTTPS or SSH URL or scp-like "git@host:owner/name.git"
// and returns the canonical name. The error wraps ErrRepositoryName.
func ParseRepository(s string) (RepositoryName, error) {
	host, path, err := splitRepository(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("%w: %q: want owner/name, host/owner/name or a clone URL", ErrRepositoryName, s)
	}
	return RepositoryOn(host, path), nil
}

// RepositoryOn is the canonical name of the repository with the full name "owner/name" on a host. The API host of
// github.com counts as github.com.
func RepositoryOn(host, fullName string) RepositoryName {
	host = strings.ToLower(host)
	fullName = strings.ToLower(strings.Trim(strings.TrimSuffix(fullName, ".git"), "/"))
	host, fullName = oneSpelling(host, fullName)
	switch host {
	case "", defaultHost, "api.github.com", "www.github.com", "ssh.github.com":
		return RepositoryName(fullName)
	default:
		return RepositoryName(host + "/" + fullName)
	}
}

// oneSpelling brings the addresses by which one repository is known on Azure DevOps and Bitbucket to one: those of its pages, and of clones over HTTPS and SSH.
func oneSpelling(host, path string) (string, string) {
	parts := strings.Split(path, "/")
	git := slices.Index(parts, "_git")
	account, hosted := strings.CutSuffix(host, ".visualstudio.com")
	switch {
	case (host == "ssh.dev.azure.com" || host == "vs-ssh.visualstudio.com") && len(parts) == 4: // v3/organisation/project/repository
		return "dev.azure.com", strings.Join(parts[1:], "/")
	case host == "dev.azure.com" && git == 2 && len(parts) > 3: // organisation/project/_git/repository
		return host, strings.Join([]string{parts[0], parts[1], parts[3]}, "/")
	case host == "dev.azure.com" && git == 1 && len(parts) > 2: // the repository of a project's own name
		return host, strings.Join([]string{parts[0], parts[2], parts[2]}, "/")
	case hosted && git > 0 && len(parts) > git+1: // [collection/]project/_git/repository
		return "dev.azure.com", strings.Join([]string{account, parts[git-1], parts[git+1]}, "/")
	case len(parts) > 3 && parts[0] == "projects" && parts[2] == "repos": // a page of Bitbucket Data Center
		return host, parts[1] + "/" + parts[3]
	case len(parts) > 3 && parts[0] == "users" && parts[2] == "repos":
		return host, "~" + parts[1] + "/" + parts[3]
	case len(parts) == 3 && parts[0] == "scm" && host != "" && host != defaultHost: // a clone of it over HTTPS
		return host, parts[1] + "/" + parts[2]
	default:
		return host, path
	}
}

func splitRepository(s string) (host, path string, err error) {
	switch {
	case strings.Contains(s, "://"):
		u, err := url.Parse(s)
		if err != nil {
			return "", "", err
		}
		host, path = u.Hostname(), u.Path
	case strings.HasPrefix(s, "git@") && strings.Contains(s, ":"):
		host, path, _ = strings.Cut(strings.TrimPrefix(s, "git@"), ":")
	default:
		path = s
		if parts := strings.Split(s, "/"); len(parts) > 2 && strings.ContainsAny(parts[0], ".:") {
			host, path = parts[0], strings.Join(parts[1:], "/")
		}
	}
	path = strings.Trim(strings.TrimSuffix(strings.Trim(path, "/"), ".git"), "/")
	if owner, name, ok := strings.Cut(path, "/"); !ok || owner == "" || name == "" || strings.ContainsAny(path, " \t\n?#") {
		return "", "", ErrRepositoryName
	}
	return host, path, nil
}

// Visibility says who can read a repository.
type Visibility string

// The visibilities. Source: GitHub REST "visibility".
const (
	VisibilityUnknown  Visibility = ""
	VisibilityPublic   Visibility = "public"
	VisibilityInternal Visibility = "internal"
	VisibilityPrivate  Visibility = "private"
)

// Repository is a source repository and what is known of the rules around it.
type Repository struct {
	Name          RepositoryName
	URL           string
	Visibility    Visibility
	Archived      bool
	Fork          bool
	DefaultBranch string
	Topics        []string
	Properties    map[string]string
	PushedAt      time.Time
	// Branches holds the effective protection of the default and release branches; nil when the batch does not
	// cover protection.
	Branches []BranchProtection
	// Environments holds the deployment environments; nil when the batch does not cover them.
	Environments []EnvironmentProtection
	// Scanners says which classes of scanning are switched on, by the host's own settings.
	Scanners map[Class]Answer
	// Settings are further yes-or-no facts that may serve as control evidence (e.g. "push_protection").
	Settings map[string]Answer
}

// BranchProtection is the effective protection of one branch: the union of classic branch protection and all active
// rulesets (disabled and evaluate-only rulesets protect nothing). A field is AnswerUnknown when a part of the union
// could not be read and the readable parts do not already answer yes.
type BranchProtection struct {
	Branch  string
	Default bool
	// PullRequest: changes must come through a pull request.
	PullRequest Answer
	// Approvals is the number of approving reviews required, 0 for none and ApprovalsUnknown when unknown.
	Approvals          int
	CodeOwnerReview    Answer
	StaleDismissal     Answer
	StatusChecks       Answer
	ForcePushBlocked   Answer
	DeletionBlocked    Answer
	AdminsBound        Answer
	BypassLimited      Answer
	SignedCommits      Answer
	RequiredDeployment Answer
	// MissingPermission names what the credential lacks to answer the unknown fields, e.g. "administration:read".
	MissingPermission string
}

// ApprovalsUnknown is the value of BranchProtection.Approvals when nobody could say.
const ApprovalsUnknown = -1

// EnvironmentProtection is the protection of one deployment environment. Source: GitHub environments.
type EnvironmentProtection struct {
	Environment         string
	RequiredReviewers   Answer
	SelfReviewPrevented Answer
	BranchPolicy        Answer
	AdminsBound         Answer
	WaitTimer           time.Duration
	MissingPermission   string
}
