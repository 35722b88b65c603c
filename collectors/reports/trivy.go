package reports

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"prodsec_exporter/internal/record"
)

// trivyParser reads the JSON of Trivy: schema 2, the list of results that came before it, and reports on a Kubernetes
// cluster.
type trivyParser struct{}

const trivyTool = "trivy"

func (trivyParser) name() string { return "Trivy JSON" }

func (trivyParser) sniff(s sketch) bool {
	switch s.form {
	case 'n':
		return true // what old versions write when there is nothing to report
	case '[':
		return s.has("Target") || s.complete && len(s.keys) == 0
	default:
		return s.has("ArtifactName") || s.has("ArtifactType") || s.has("SchemaVersion") || s.has("ClusterName")
	}
}

func (trivyParser) parse(s *stream, r *report) error {
	t := &trivyReport{into: r}
	first, err := s.token()
	if err != nil {
		return err
	}
	switch first {
	case nil:
		return nil
	case json.Delim('{'):
		err = s.members(func(key string) error { return t.member(s, key) })
	case json.Delim('['):
		err = s.elements(func() error { return t.result(s, "") })
	default:
		return s.unexpected("an object or a list", first)
	}
	if err != nil {
		return err
	}
	t.finish()
	return nil
}

// trivyReport collects results until the report was read to its end, because keys may come in any order.
type trivyReport struct {
	into         *report
	artifactName text
	artifactType text
	metadata     trivyMetadata
	results      []trivyResult
}

type trivyMetadata struct {
	RepoURL     text `json:"RepoURL"`
	ImageConfig struct {
		Config struct {
			Labels map[string]text `json:"Labels"`
		} `json:"config"`
	} `json:"ImageConfig"`
}

// trivyResult is one target of a scan. Its findings lack what the target and the report say.
type trivyResult struct {
	target, class, kind text
	resource            string // namespace/kind/name in a cluster
	findings            []trivyFinding
}

type trivyFinding struct {
	record.Finding
	identity []string
	// path is where the package is in an image, empty where the target says it.
	path string
}

func (t *trivyReport) member(s *stream, key string) error {
	var err error
	switch key {
	case "ArtifactName":
		_, err = s.item(&t.artifactName)
	case "ArtifactType":
		_, err = s.item(&t.artifactType)
	case "Metadata":
		_, err = s.item(&t.metadata)
	case "CreatedAt":
		var created text
		_, err = s.item(&created)
		t.into.dated(string(created))
	case "Results":
		_, err = s.array(func() error { return t.result(s, "") })
	case "Resources", "Vulnerabilities", "Misconfigurations", "Findings":
		_, err = s.array(func() error { return t.resource(s) })
	default:
		err = s.skip()
	}
	return err
}

// resource reads what a cluster report says about one workload.
func (t *trivyReport) resource(s *stream) error {
	var namespace, kind, name text
	first := len(t.results)
	err := s.object(func(key string) error {
		var err error
		switch key {
		case "Namespace":
			_, err = s.item(&namespace)
		case "Kind":
			_, err = s.item(&kind)
		case "Name":
			_, err = s.item(&name)
		case "Results":
			_, err = s.array(func() error { return t.result(s, "") })
		default:
			err = s.skip()
		}
		return err
	})
	resource := strings.Trim(strings.Join([]string{string(namespace), string(kind), string(name)}, "/"), "/")
	for i := range t.results[first:] {
		t.results[first+i].resource = resource
	}
	return err
}

// result reads one target.
func (t *trivyReport) result(s *stream, resource string) error {
	result := trivyResult{resource: resource}
	err := s.object(func(key string) error {
		var err error
		switch key {
		case "Target":
			_, err = s.item(&result.target)
		case "Class":
			_, err = s.item(&result.class)
		case "Type":
			_, err = s.item(&result.kind)
		case "Vulnerabilities":
			err = trivyItems(s, t.into, &result, trivyVulnerability.finding)
		case "Misconfigurations":
			err = trivyItems(s, t.into, &result, trivyMisconfiguration.finding)
		case "Secrets":
			err = trivyItems(s, t.into, &result, trivySecret.finding)
		case "ExperimentalModifiedFindings":
			err = trivyItems(s, t.into, &result, trivyModified.finding)
		case "Licenses":
			_, err = s.array(func() error {
				t.into.ignored["license"]++
				return s.skip()
			})
		default:
			err = s.skip()
		}
		return err
	})
	t.results = append(t.results, result)
	return err
}

// trivyItems reads the findings of one sort, one by one.
func trivyItems[T any](s *stream, r *report, result *trivyResult, finding func(T) (trivyFinding, string)) error {
	_, err := s.array(func() error {
		var item T
		ok, err := s.item(&item)
		if err != nil {
			return err
		}
		if !ok {
			r.reject(record.RejectDecode)
			return nil
		}
		f, ignored := finding(item)
		switch {
		case ignored != "":
			r.ignored[ignored]++
		case f.Rule == "":
			r.reject(record.RejectNoID)
		default:
			result.findings = append(result.findings, f)
		}
		return nil
	})
	return err
}

// finish gives the findings what the report as a whole says: class, place, repository and id.
func (t *trivyReport) finish() {
	repository := t.repository()
	classes := map[record.Class]bool{t.artifactClass(): true}
	for i := range t.results {
		result := &t.results[i]
		classes[result.classOf("", t.artifactClass())] = true
		for _, f := range result.findings {
			f.Tool, f.Repository = trivyTool, repository
			f.Class = result.classOf(f.Class, t.artifactClass())
			f.Place = record.Text(t.place(result, f.path))
			if f.Package != "" {
				f.Package = record.Package(string(result.kind), f.Package)
				f.Category = cmp.Or(f.Category, strings.ToLower(record.Text(string(result.kind))))
			}
			classes[f.Class] = true
			t.into.add(f.Finding, append([]string{string(f.Class), f.Place, result.resource}, f.identity...)...)
		}
	}
	for class := range classes {
		t.into.scanned(trivyTool, class, repository, true)
	}
}

// repository is what a repository scan names, or an image's label for its source.
func (t *trivyReport) repository() record.RepositoryName {
	candidates := []text{t.metadata.RepoURL, t.metadata.ImageConfig.Config.Labels["org.opencontainers.image.source"]}
	if t.artifactType == "repository" {
		candidates = append(candidates, t.artifactName)
	}
	for _, c := range candidates {
		if name, err := record.ParseRepository(string(c)); err == nil {
			return name
		}
	}
	return ""
}

// artifactClass is the class of what a scan without any finding looked at.
func (t *trivyReport) artifactClass() record.Class {
	switch t.artifactType {
	case "container_image", "vm":
		return record.ClassContainer
	default:
		return record.ClassSCA
	}
}

// classOf is the class of a target, unless the sort of finding decides. Reports from before schema 2 name no class; there
// the package manager of a distribution tells.
func (r *trivyResult) classOf(decided, artifact record.Class) record.Class {
	if decided != "" {
		return decided
	}
	switch r.class {
	case "os-pkgs":
		return record.ClassContainer
	case "lang-pkgs":
		return record.ClassSCA
	case "config":
		return record.ClassIaC
	case "secret":
		return record.ClassSecret
	}
	if r.kind == "" {
		return artifact
	}
	if slices.Contains(trivyDistributions, string(r.kind)) {
		return record.ClassContainer
	}
	return record.ClassSCA
}

var trivyDistributions = []string{
	"alma", "alpine", "amazon", "azurelinux", "bottlerocket", "cbl-mariner", "centos", "chainguard", "debian", "fedora", "opensuse",
	"opensuse.leap", "opensuse.tumbleweed", "oracle", "photon", "redhat", "rocky", "sles", "suse linux enterprise server", "ubuntu", "wolfi",
}

// place is a file, or for packages of a distribution the image without tag and digest: the same image in its next
// version is the same place. Of packages that were found installed in an image, the target names only the language.
func (t *trivyReport) place(r *trivyResult, path string) string {
	target := string(r.target)
	if at := strings.LastIndex(target, " ("); at > 0 && strings.HasSuffix(target, ")") {
		target = target[:at]
	}
	switch {
	case r.class == "os-pkgs", r.class == "" && slices.Contains(trivyDistributions, string(r.kind)):
		return imageName(target)
	case r.resource != "" && r.class == "config":
		return r.resource
	case t.artifactType == "container_image" && t.artifactName != "":
		return inImageAt(imageName(string(t.artifactName)), cmp.Or(path, target))
	default:
		return target
	}
}

// inImageAt writes a path in an image in one way for all tools.
func inImageAt(image, path string) string { return image + ":" + strings.TrimPrefix(path, "/") }

// imageName drops the tag and the digest of an image reference.
func imageName(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		ref = ref[:at]
	}
	return ref
}

// trivySeverity is Trivy's word; where it has none, the CVSS scores and vectors of the advisories decide, that of the chosen
// source first.
func trivySeverity(word text, source text, scores map[string]trivyCVSS) record.Severity {
	severity := severityOfWord(string(word))
	if severity != record.SeverityUnknown {
		return severity
	}
	sources := append([]string{string(source), "nvd", "ghsa", "redhat"}, slices.Sorted(maps.Keys(scores))...)
	for _, name := range sources {
		if s := scores[name].severity(); s != record.SeverityUnknown {
			return s
		}
	}
	return record.SeverityUnknown
}
