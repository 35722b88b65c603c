package sarif

import (
	"slices"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// readRun reads one run and adds its findings.
func (f Format) readRun(s *stream.JSON, r *format.Report) error {
	run := runReading{format: f, bases: map[string]artifactLocation{}, first: len(r.Findings)}
	err := s.Object(func(key string) error {
		switch key {
		case "tool":
			return run.readTool(s)
		case "taxonomies":
			return components(s, &run.taxonomies)
		case "invocations":
			return list(s, &run.invocations)
		case "versionControlProvenance":
			return list(s, &run.provenance)
		case "artifacts":
			return list(s, &run.artifacts)
		case "originalUriBaseIds":
			_, err := s.Item(&run.bases)
			return err
		case "properties":
			_, err := s.Item(&run.properties)
			return err
		case "results":
			return run.readResults(s, r)
		default:
			return s.Skip()
		}
	})
	if err != nil {
		return err
	}
	run.finish(r)
	return nil
}

// list reads a list whose bad elements do not matter: they are left out, and positions stay right.
func list[T any](s *stream.JSON, into *[]T) error {
	_, err := s.Array(func() error {
		var element T
		_, err := s.Item(&element)
		*into = append(*into, element)
		return err
	})
	return err
}

func (run *runReading) readTool(s *stream.JSON) error {
	err := s.Object(func(key string) error {
		switch key {
		case "driver":
			return readComponent(s, &run.driver)
		case "extensions":
			return components(s, &run.extensions)
		default:
			return s.Skip()
		}
	})
	run.tool = record.ToolNamed(string(run.driver.Name))
	return err
}

func components(s *stream.JSON, into *[]toolComponent) error {
	_, err := s.Array(func() error {
		*into = append(*into, toolComponent{})
		return readComponent(s, &(*into)[len(*into)-1])
	})
	return err
}

func readComponent(s *stream.JSON, c *toolComponent) error {
	return s.Object(func(key string) error {
		var err error
		switch key {
		case "name":
			_, err = s.Item(&c.Name)
		case "guid":
			_, err = s.Item(&c.GUID)
		case "rules":
			err = list(s, &c.Rules)
		case "taxa":
			err = list(s, &c.Taxa)
		default:
			err = s.Skip()
		}
		return err
	})
}

func (run *runReading) readResults(s *stream.JSON, r *format.Report) error {
	listed, err := s.Array(func() error {
		var result resultObject
		ok, err := s.Item(&result)
		switch {
		case err != nil:
			return err
		case !ok:
			r.Reject(record.RejectDecode)
		case !countedKind(string(result.Kind)):
			r.Ignored["result of kind "+record.Text(string(result.Kind))]++
		case run.ready(&result):
			run.take(r, &result)
		default:
			run.results = append(run.results, result)
		}
		return nil
	})
	run.listed = run.listed || listed
	return err
}

// countedKind reports whether a result of a kind states a weakness, or that there may be one: "pass", "notApplicable" and "informational" do not.
func countedKind(kind string) bool {
	return slices.Contains([]string{"", "fail", "review", "open"}, kind)
}

// ready reports whether a result can be made a finding at once: the tool was read before, as most tools write it, and neither place nor taxa need
// what may still come. It keeps long reports from being held twice.
func (run *runReading) ready(result *resultObject) bool {
	if run.driver.Name == "" || len(result.Locations) == 0 || len(result.Taxa) > 0 {
		return false
	}
	l := result.Locations[0].Physical.Artifact
	if l.URI == "" || l.URIBaseID != "" || isAbsolute(string(l.URI)) {
		return false
	}
	rule, _ := run.rule(result)
	return !slices.ContainsFunc(rule.Relationships, func(r relationship) bool { return run.cweOf(&r.Target) == "" })
}

// take makes a finding of a result, unless it is about no weakness.
func (run *runReading) take(r *format.Report, result *resultObject) {
	rule, id := run.rule(result)
	nature := run.natureOf(rule, id)
	if urls := result.packageURLs(); len(urls) > 0 {
		nature.class, nature.subject = record.ClassOfPackage(record.EcosystemOfURL(urls[0])), record.SubjectSecurity
	}
	switch nature.subject {
	case record.SubjectLicense:
		r.Ignored["license"]++
		r.Reject(record.RejectNotSecurity)
		return
	case record.SubjectQuality:
		if !run.format.Quality {
			r.Ignored["rule that is not about security"]++
			r.Reject(record.RejectNotSecurity)
			return
		}
	default:
	}
	run.counted++
	f, identity, levelled := run.finding(result, rule, id, nature)
	if levelled {
		run.rated = append(run.rated, ratedFinding{len(r.Findings), rule, result.Provenance.InvocationIndex})
	}
	r.Add(f, identity...)
}

// finish turns the remaining results into findings, now that rules, artifacts and tool are known, and says what the run as a whole says.
func (run *runReading) finish(r *format.Report) {
	if run.driver.Name == "" {
		run.tool = record.ToolNamed("")
	}
	for i := range run.results {
		run.take(r, &run.results[i])
	}
	run.override(r)
	image := format.Image(append([]string{string(run.properties.ImageName)}, texts(run.properties.RepoTags)...)...)
	sole := run.repository()
	for i := range r.Findings[run.first:] {
		f := &r.Findings[run.first+i]
		if f.Repository == "" {
			f.Repository = sole
		}
		if image != "" && run.properties.ImageName != "" {
			f.Place = record.Text(inImage(f, image))
		}
	}
	run.conclude(r, sole)
}

// inImage is the place of a finding of a report on an image.
func inImage(f *record.Finding, image string) string {
	if f.Class == record.ClassContainer || f.Place == "" || f.Place == image {
		return image
	}
	return format.InImage(image, f.Place)
}
