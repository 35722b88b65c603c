package snyk

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// projectKind is what a project's type says about its issues.
type projectKind struct {
	// ecosystem of the packages, in the words of record.Package.
	ecosystem string
	// image: the project is a container image.
	image bool
}

// projectKinds are Snyk's project types.
var projectKinds = translate.Vocabulary[projectKind]{
	Name: "snyk project type",
	Words: map[string]projectKind{
		"npm": {ecosystem: "npm"}, "yarn": {ecosystem: "npm"}, "yarn-workspace": {ecosystem: "npm"}, "pnpm": {ecosystem: "npm"}, "npm-workspace": {ecosystem: "npm"},
		"maven": {ecosystem: "maven"}, "gradle": {ecosystem: "maven"}, "sbt": {ecosystem: "maven"},
		"pip": {ecosystem: "pypi"}, "poetry": {ecosystem: "pypi"}, "pipenv": {ecosystem: "pypi"}, "setuptools": {ecosystem: "pypi"}, "uv": {ecosystem: "pypi"},
		"golangdep": {ecosystem: "golang"}, "gomodules": {ecosystem: "golang"}, "govendor": {ecosystem: "golang"}, "golang": {ecosystem: "golang"},
		"rubygems": {ecosystem: "gem"}, "nuget": {ecosystem: "nuget"}, "paket": {ecosystem: "nuget"}, "composer": {ecosystem: "composer"}, "cocoapods": {ecosystem: "cocoapods"},
		"swift": {ecosystem: "swift"}, "hex": {ecosystem: "hex"}, "pub": {ecosystem: "pub"}, "cargo": {ecosystem: "cargo"}, "unmanaged": {ecosystem: "generic"}, "cpp": {ecosystem: "generic"},
		"deb": {ecosystem: "deb", image: true}, "apk": {ecosystem: "apk", image: true}, "rpm": {ecosystem: "rpm", image: true},
		"linux": {image: true}, "dockerfile": {image: true}, "docker": {image: true},
		"sast": {}, "terraformconfig": {}, "terraformplan": {}, "k8sconfig": {}, "helmconfig": {}, "cloudformationconfig": {}, "armconfig": {}, "cloudconfig": {}, "": {},
	},
}

// project is what is kept of a Snyk project.
type project struct {
	id     string
	name   string
	kind   projectKind
	owner  translate.Owner
	target string // the file that was tested
	tested translate.Time
	active record.Answer
	class  record.Class
	// leftOut: the filter of the configuration does not want it.
	leftOut bool
}

// projectList is the projects of an organisation by id.
type projectList map[string]*project

type wireProject struct {
	ID         string `json:"id"`
	Attributes struct {
		Name       string `json:"name"`
		Type       string `json:"type"`
		Origin     string `json:"origin"`
		Status     string `json:"status"`
		TargetFile string `json:"target_file"`
		Tags       []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"tags"`
		Environments []string `json:"environment"`
		Lifecycles   []string `json:"lifecycle"`
	} `json:"attributes"`
	Relationships struct {
		Target struct {
			Data struct {
				Attributes struct {
					URL string `json:"url"`
				} `json:"attributes"`
			} `json:"data"`
		} `json:"target"`
	} `json:"relationships"`
	Meta struct {
		Counts struct {
			UpdatedAt translate.Time `json:"updated_at"`
		} `json:"latest_issue_counts"`
	} `json:"meta"`
}

// statuses say whether Snyk keeps testing a project.
var statuses = translate.Vocabulary[record.Answer]{
	Name:  "snyk project status",
	Words: map[string]record.Answer{"active": record.AnswerYes, "inactive": record.AnswerNo, "": record.AnswerUnknown},
	Other: record.AnswerUnknown,
}

// readProjects lists the projects of an organisation. A project that cannot be read is left out: its issues are then unattributed.
func (c *Collector) readProjects(ctx context.Context, org string) (projectList, error) {
	var projects projectList
	err := platform.Again(func() error {
		projects = projectList{}
		query := url.Values{"expand": {"target"}, "meta.latest_issue_counts": {"true"}}
		return c.pages(ctx, orgPath(org, "projects"), query, func(raw json.RawMessage) {
			w, err := translate.Decode[wireProject](raw)
			if err != nil || w.ID == "" {
				c.Env.Logger.Warn("A Snyk project cannot be read; its issues are unattributed", "organization", org, "error", err)
				return
			}
			projects[w.ID] = c.projectOf(w)
		})
	})
	return projects, translate.Needs(err, viewProject)
}

func (c *Collector) projectOf(w *wireProject) *project {
	a := &w.Attributes
	p := &project{
		id: record.Text(w.ID), name: record.Text(a.Name), kind: projectKinds.Of(c.Words, a.Type), target: record.Text(a.TargetFile),
		tested: w.Meta.Counts.UpdatedAt, active: statuses.Of(c.Words, a.Status), class: classOfProject(a.Type),
	}
	p.owner = c.ownerOf(w)
	p.leftOut = !c.config.ProjectFilter.wants(w)
	return p
}

// wants reports whether a filter lets a project through: one of the values of each list that is set.
func (f *ProjectFilter) wants(w *wireProject) bool {
	a := &w.Attributes
	any := func(wanted []string, has func(string) bool) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, has)
	}
	among := func(values []string) func(string) bool {
		return func(wanted string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, wanted) })
		}
	}
	tagged := func(wanted string) bool {
		key, value, exact := strings.Cut(wanted, ":")
		for _, tag := range a.Tags {
			if strings.EqualFold(tag.Key, key) && (!exact || strings.EqualFold(tag.Value, value)) {
				return true
			}
		}
		return false
	}
	return any(f.Statuses, among([]string{a.Status})) && any(f.Tags, tagged) && any(f.Environments, among(a.Environments)) && any(f.Lifecycles, among(a.Lifecycles))
}

// classOfProject is the discipline of a project, for the dates of tests.
func classOfProject(kind string) record.Class {
	known := projectKinds.Of(nil, kind)
	switch {
	case kind == "sast":
		return record.ClassSAST
	case strings.HasSuffix(kind, "config"), kind == "terraformplan":
		return record.ClassIaC
	case known.image:
		return record.ClassContainer
	case known.ecosystem != "":
		return record.ClassSCA
	default:
		return record.ClassOther
	}
}

// hosts are the hosts of the origins that have one for everybody. Servers that customers run are configured.
var hosts = map[string]string{
	"github": "github.com", "github-cloud-app": "github.com", "gitlab": "gitlab.com", "bitbucket-cloud": "bitbucket.org", "bitbucket-connect-app": "bitbucket.org",
}

// ownerOf is where a project belongs: by a rule, else the service by its tag and the repository by its target's address, else by its name if it comes from a
// known host. A project's name is "owner/name:file" or "owner/name(branch):file".
func (c *Collector) ownerOf(w *wireProject) translate.Owner {
	name := w.Attributes.Name
	short, _, _ := strings.Cut(name, ":")
	short, _, _ = strings.Cut(short, "(")
	if owner := c.Projects.Of(name, short); owner != (translate.Owner{}) {
		return owner
	}
	owner := c.hostedAt(w, short)
	for _, tag := range w.Attributes.Tags {
		if c.config.ServiceTag != "" && strings.EqualFold(tag.Key, c.config.ServiceTag) {
			owner.Service = record.Text(tag.Value)
		}
	}
	return owner
}

func (c *Collector) hostedAt(w *wireProject, short string) translate.Owner {
	if address := w.Relationships.Target.Data.Attributes.URL; address != "" {
		if repository, err := record.ParseRepository(address); err == nil {
			return translate.Owner{Repository: repository}
		}
	}
	host, ok := c.config.Hosts[w.Attributes.Origin]
	if !ok {
		host, ok = hosts[w.Attributes.Origin]
	}
	if !ok || !strings.Contains(short, "/") {
		return translate.Owner{}
	}
	if repository, err := record.ParseRepository(host + "/" + short); err == nil {
		return translate.Owner{Repository: repository}
	}
	return translate.Owner{}
}

// scans say when each repository was last tested, by class. Of several projects of a class the latest test counts; the class is
// switched on if it is for one of them.
func (l projectList) scans() []record.Scan {
	type key struct {
		repository record.RepositoryName
		class      record.Class
	}
	latest := map[key]record.Scan{}
	for _, p := range l {
		if p.owner.Repository == "" {
			continue
		}
		k := key{p.owner.Repository, p.class}
		scan, known := latest[k]
		enabled := p.active
		if known {
			enabled = enabled.Or(scan.Enabled)
		}
		if !known || p.tested.After(scan.SucceededAt) {
			scan = record.Scan{Tool: tool, Class: p.class, Repository: p.owner.Repository, SucceededAt: p.tested.Time, AttemptedAt: p.tested.Time}
		}
		scan.Enabled = enabled
		latest[k] = scan
	}
	scans := make([]record.Scan, 0, len(latest))
	for _, scan := range latest {
		scans = append(scans, scan)
	}
	slices.SortFunc(scans, func(a, b record.Scan) int {
		return strings.Compare(string(a.Repository)+"\x00"+string(a.Class), string(b.Repository)+"\x00"+string(b.Class))
	})
	return scans
}
