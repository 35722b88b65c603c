// Package trivy reads the JSON of Trivy. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
//
// To read one more field of an item: items.go; one more kind of item is a type there and its line in trivy.go.
package trivy

import (
	"cmp"
	"encoding/json"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads the JSON of Trivy: schema 2, the list of results that came before it, and reports on a Kubernetes
// cluster.
type Format struct{}

const toolName = "trivy"

// Name is the format in the words of its documentation.
func (Format) Name() string { return "Trivy JSON" }

// Recognises tells the format by its keys.
func (Format) Recognises(s format.Sketch) bool {
	switch s.Form {
	case 'n':
		return true // what old versions write when there is nothing to report
	case '[':
		return s.Has("Target") || s.Complete && len(s.Keys) == 0
	default:
		return s.Has("ArtifactName") || s.Has("ArtifactType") || s.Has("SchemaVersion") || s.Has("ClusterName")
	}
}

// Read reads the whole report.
func (Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	t := &reading{into: r}
	first, err := s.Token()
	if err != nil {
		return err
	}
	switch first {
	case nil:
	case json.Delim('{'):
		err = s.Members(func(key string) error { return t.member(s, key) })
	case json.Delim('['):
		err = s.Elements(func() error { return t.result(s, "") })
	default:
		return s.Unexpected("an object or a list", first)
	}
	if err != nil {
		return err
	}
	t.finish()
	return nil
}

// reading collects results until the report was read to its end, because keys may come in any order.
type reading struct {
	into         *format.Report
	artifactName stream.Text
	artifactType stream.Text
	metadata     metadata
	results      []scanTarget
	// unsupported says that a distribution is past its end of life.
	unsupported bool
}

type metadata struct {
	RepoURL     stream.Text `json:"RepoURL"`
	RepoTags    stream.List `json:"RepoTags"`
	RepoDigests stream.List `json:"RepoDigests"`
	OS          struct {
		// EOSL is "end of service life".
		EOSL bool `json:"EOSL"`
	} `json:"OS"`
	ImageConfig struct {
		Config struct {
			Labels map[string]stream.Text `json:"Labels"`
		} `json:"config"`
	} `json:"ImageConfig"`
}

// scanTarget is one target of a scan. Its findings lack what the target and the report say.
type scanTarget struct {
	target, class, kind stream.Text
	resource            string // namespace/kind/name in a cluster
	findings            []foundItem
}

func (t *reading) member(s *stream.JSON, key string) error {
	var err error
	switch key {
	case "ArtifactName":
		_, err = s.Item(&t.artifactName)
	case "ArtifactType":
		_, err = s.Item(&t.artifactType)
	case "Metadata":
		_, err = s.Item(&t.metadata)
		t.unsupported = t.unsupported || t.metadata.OS.EOSL
	case "CreatedAt":
		var created stream.Text
		_, err = s.Item(&created)
		t.into.Dated(string(created))
	case "Results":
		_, err = s.Array(func() error { return t.result(s, "") })
	case "Resources", "Vulnerabilities", "Misconfigurations", "Findings":
		_, err = s.Array(func() error { return t.resource(s) })
	default:
		err = s.Skip()
	}
	return err
}

// resource reads what a cluster report says about one workload.
func (t *reading) resource(s *stream.JSON) error {
	var namespace, kind, name stream.Text
	var about metadata
	first := len(t.results)
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "Namespace":
			_, err = s.Item(&namespace)
		case "Kind":
			_, err = s.Item(&kind)
		case "Name":
			_, err = s.Item(&name)
		case "Metadata":
			_, err = s.Item(&about)
		case "Results":
			_, err = s.Array(func() error { return t.result(s, "") })
		default:
			err = s.Skip()
		}
		return err
	})
	t.unsupported = t.unsupported || about.OS.EOSL
	resource := strings.Trim(strings.Join([]string{string(namespace), string(kind), string(name)}, "/"), "/")
	for i := range t.results[first:] {
		t.results[first+i].resource = resource
	}
	return err
}

// result reads one target.
func (t *reading) result(s *stream.JSON, resource string) error {
	result := scanTarget{resource: resource}
	err := s.Object(func(key string) error {
		var err error
		switch key {
		case "Target":
			_, err = s.Item(&result.target)
		case "Class":
			_, err = s.Item(&result.class)
		case "Type":
			_, err = s.Item(&result.kind)
		case "Vulnerabilities":
			err = readItems(s, t.into, &result, vulnerability.finding)
		case "Misconfigurations":
			err = readItems(s, t.into, &result, misconfiguration.finding)
		case "Secrets":
			err = readItems(s, t.into, &result, secret.finding)
		case "ExperimentalModifiedFindings":
			err = readItems(s, t.into, &result, modifiedFinding.finding)
		case "Licenses":
			_, err = s.Array(func() error {
				t.into.Ignored["license"]++
				return s.Skip()
			})
		default:
			err = s.Skip()
		}
		return err
	})
	t.results = append(t.results, result)
	return err
}

// readItems reads the findings of one sort, one by one.
func readItems[T any](s *stream.JSON, r *format.Report, result *scanTarget, finding func(T) (foundItem, string)) error {
	_, err := s.Array(func() error {
		var item T
		ok, err := s.Item(&item)
		if err != nil {
			return err
		}
		if !ok {
			r.Reject(record.RejectDecode)
			return nil
		}
		f, ignored := finding(item)
		switch {
		case ignored != "":
			r.Ignored[ignored]++
		case f.Rule == "":
			r.Reject(record.RejectNoID)
		default:
			result.findings = append(result.findings, f)
		}
		return nil
	})
	return err
}

// finish gives the findings what the report as a whole says: class, place, repository and id.
func (t *reading) finish() {
	repository := t.repository()
	classes := map[record.Class]bool{}
	for i := range t.results {
		result := &t.results[i]
		if class := result.classOf("", t.artifactClass()); class != "" {
			classes[class] = true
		}
		for _, f := range result.findings {
			f.Tool, f.Repository = toolName, repository
			f.Class = result.classOf(f.Class, t.artifactClass())
			f.Place = record.Text(t.place(result, f.path))
			if f.Package != "" {
				f.Package = record.Package(string(result.kind), f.Package)
				f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
			}
			classes[f.Class] = true
			t.into.Add(f.Finding, append([]string{string(f.Class), f.Place, result.resource}, f.identity...)...)
		}
	}
	t.conclude(classes, repository)
}

// conclude says what Trivy looked for, as far as its report shows: it has a target for each file of packages or configuration that was read, clean or not, but
// one for secrets and licences only where it found some. Distributions without support have no advisories, so that nothing found means nothing.
func (t *reading) conclude(classes map[record.Class]bool, repository record.RepositoryName) {
	for _, class := range record.Classes() {
		switch {
		case !classes[class]:
		case class == record.ClassContainer && t.unsupported:
			t.into.Scanned(toolName, class, repository, format.Failed)
		default:
			t.into.Scanned(toolName, class, repository, format.Succeeded)
		}
	}
	switch {
	case len(t.results) == 0:
		t.into.Covers(toolName, "")
	case classes[record.ClassSCA] || classes[record.ClassContainer]:
		// Where it looks for packages it looks for secrets as well, unless told otherwise.
		t.into.Covers(toolName, record.ClassSecret)
	}
}

// repository is what a repository scan names, or an image's label for its source.
func (t *reading) repository() record.RepositoryName {
	candidates := []stream.Text{t.metadata.RepoURL, t.metadata.ImageConfig.Config.Labels["org.opencontainers.image.source"]}
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
func (t *reading) artifactClass() record.Class {
	switch t.artifactType {
	case "container_image", "vm":
		return record.ClassContainer
	default:
		return record.ClassSCA
	}
}

// classOf is the class of a target, unless the sort of finding decides. Reports from before schema 2 name no class; there
// the package manager of a distribution tells.
func (r *scanTarget) classOf(decided, artifact record.Class) record.Class {
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
	case "license", "license-file", "custom":
		return ""
	}
	if r.kind == "" {
		return artifact
	}
	return record.ClassOfPackage(string(r.kind))
}

// place is a file, or for packages of a distribution the image without tag and digest: the same image in its next
// version is the same place. Of packages that were found installed in an image, the target names only the language.
func (t *reading) place(r *scanTarget, path string) string {
	target := string(r.target)
	if at := strings.LastIndex(target, " ("); at > 0 && strings.HasSuffix(target, ")") {
		target = target[:at]
	}
	switch {
	case r.class == "os-pkgs", r.class == "" && record.ClassOfPackage(string(r.kind)) == record.ClassContainer:
		return cmp.Or(t.image(), format.ImageName(target))
	case r.resource != "" && r.class == "config":
		return r.resource
	case t.image() != "":
		return format.InImage(t.image(), cmp.Or(path, target))
	default:
		return target
	}
}

// image is the image that was scanned: as it was named, or, of one that was read from a file or named by its digest, by its first tag.
func (t *reading) image() string {
	if t.artifactType != "container_image" {
		return ""
	}
	refs := []string{string(t.artifactName)}
	for _, ref := range append(t.metadata.RepoTags, t.metadata.RepoDigests...) {
		refs = append(refs, string(ref))
	}
	return format.Image(refs...)
}
