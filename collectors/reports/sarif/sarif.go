// Package sarif reads SARIF 2.1.0, the exchange format of static analysers. Types have the names that the standard gives its objects. It adds to a format.Report what
// one report says, and touches neither files nor the collector.
package sarif

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/collectors/reports/format"
	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// Format reads SARIF 2.1.0, the exchange format of static analysers. Rules may stand before or after the results that
// refer to them: results that need what may still come are kept until their run was read to its end.
type Format struct{}

// Name is the format in the words of its documentation.
func (Format) Name() string { return "SARIF" }

// Recognises tells the format by its keys.
func (Format) Recognises(s format.Sketch) bool {
	return s.Form == '{' && (s.Has("runs") || s.Complete && strings.Contains(s.Texts["$schema"], "sarif"))
}

// Read reads the whole report.
func (Format) Read(d *stream.Document, r *format.Report) error {
	s := d.JSON()
	version, listed, runs := stream.Text(""), false, 0
	err := s.Object(func(key string) error {
		switch key {
		case "version":
			_, err := s.Item(&version)
			return err
		case "runs":
			var err error
			listed, err = s.Array(func() error {
				runs++
				return readRun(s, r)
			})
			return err
		default:
			return s.Skip()
		}
	})
	switch {
	case err != nil:
		return err
	case version != "" && !strings.HasPrefix(string(version), "2."):
		return &stream.MalformedError{Message: "version " + strconv.Quote(record.Text(string(version))) + " is not 2.1.0; let the tool write SARIF 2.1.0"}
	case !listed:
		return &stream.MalformedError{Message: `the key "runs" is missing`}
	case runs == 0:
		r.Incomplete = true // nobody scanned, so nothing is known to be gone
	}
	return nil
}

// runReading is what a run says besides its results.
type runReading struct {
	tool        toolObject
	invocations []invocation
	provenance  []struct {
		RepositoryURI stream.Text `json:"repositoryUri"`
	}
	artifacts []artifact
	bases     map[string]artifactLocation
	// results are those that need what may still come.
	results []resultObject
	// listed says that there is a list of results: null or absent means that the tool did not get to scanning.
	listed bool
	// first is the position of the run's first finding in the report.
	first int
}

type toolObject struct {
	Driver     toolComponent   `json:"driver"`
	Extensions []toolComponent `json:"extensions"`
}

type toolComponent struct {
	Name stream.Text `json:"name"`
	// GUID and Index identify a component to results.
	GUID  stream.Text           `json:"guid"`
	Rules []reportingDescriptor `json:"rules"`
	byID  map[stream.Text]int
}

type reportingDescriptor struct {
	ID                   stream.Text                   `json:"id"`
	Name                 stream.Text                   `json:"name"`
	HelpURI              stream.Text                   `json:"helpUri"`
	ShortDescription     multiformatMessage            `json:"shortDescription"`
	MessageStrings       map[string]multiformatMessage `json:"messageStrings"`
	DefaultConfiguration struct {
		Level stream.Text `json:"level"`
	} `json:"defaultConfiguration"`
	Properties    propertyBag    `json:"properties"`
	Relationships []relationship `json:"relationships"`
}

type propertyBag struct {
	SecuritySeverity stream.Text `json:"security-severity"`
	Tags             stream.List `json:"tags"`
	CWE              stream.List `json:"cwe"`
}

type multiformatMessage struct {
	Text stream.Text `json:"text"`
}

type descriptorReference struct {
	ID            stream.Text `json:"id"`
	ToolComponent struct {
		Name stream.Text `json:"name"`
	} `json:"toolComponent"`
}

type relationship struct {
	Target descriptorReference `json:"target"`
}

type invocation struct {
	ExecutionSuccessful *bool       `json:"executionSuccessful"`
	StartTimeUTC        stream.Text `json:"startTimeUtc"`
	EndTimeUTC          stream.Text `json:"endTimeUtc"`
}

type artifactLocation struct {
	URI       stream.Text   `json:"uri"`
	URIBaseID stream.Text   `json:"uriBaseId"`
	Index     *stream.Index `json:"index"`
}

type artifact struct {
	Location artifactLocation `json:"location"`
}

type resultObject struct {
	RuleID    stream.Text   `json:"ruleId"`
	RuleIndex *stream.Index `json:"ruleIndex"`
	Rule      struct {
		ID            stream.Text   `json:"id"`
		Index         *stream.Index `json:"index"`
		ToolComponent struct {
			Name  stream.Text   `json:"name"`
			GUID  stream.Text   `json:"guid"`
			Index *stream.Index `json:"index"`
		} `json:"toolComponent"`
	} `json:"rule"`
	Kind    stream.Text `json:"kind"`
	Level   stream.Text `json:"level"`
	Message struct {
		Text      stream.Text `json:"text"`
		ID        stream.Text `json:"id"`
		Arguments stream.List `json:"arguments"`
	} `json:"message"`
	Locations []struct {
		Physical struct {
			Artifact artifactLocation `json:"artifactLocation"`
			Region   struct {
				StartLine   stream.Number `json:"startLine"`
				StartColumn stream.Number `json:"startColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
		Logical []struct {
			FullyQualifiedName stream.Text `json:"fullyQualifiedName"`
		} `json:"logicalLocations"`
	} `json:"locations"`
	PartialFingerprints map[string]stream.Text `json:"partialFingerprints"`
	Fingerprints        map[string]stream.Text `json:"fingerprints"`
	Suppressions        []suppression          `json:"suppressions"`
	BaselineState       stream.Text            `json:"baselineState"`
	Taxa                []descriptorReference  `json:"taxa"`
	Properties          propertyBag            `json:"properties"`
}

type suppression struct {
	Kind          stream.Text `json:"kind"`
	Status        stream.Text `json:"status"`
	State         stream.Text `json:"state"` // the name of status in drafts of the standard
	Justification stream.Text `json:"justification"`
}

// readRun reads one run and adds its findings.
func readRun(s *stream.JSON, r *format.Report) error {
	run := runReading{bases: map[string]artifactLocation{}, first: len(r.Findings)}
	err := s.Object(func(key string) error {
		switch key {
		case "tool":
			return run.readTool(s)
		case "invocations":
			return list(s, &run.invocations)
		case "versionControlProvenance":
			return list(s, &run.provenance)
		case "artifacts":
			return list(s, &run.artifacts)
		case "originalUriBaseIds":
			_, err := s.Item(&run.bases)
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
	return s.Object(func(key string) error {
		switch key {
		case "driver":
			return readComponent(s, &run.tool.Driver)
		case "extensions":
			_, err := s.Array(func() error {
				run.tool.Extensions = append(run.tool.Extensions, toolComponent{})
				return readComponent(s, &run.tool.Extensions[len(run.tool.Extensions)-1])
			})
			return err
		default:
			return s.Skip()
		}
	})
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

// countedKind reports whether a result of a kind states a weakness: "pass", "notApplicable" and "informational" do not.
func countedKind(kind string) bool {
	return slices.Contains([]string{"", "fail", "review", "open"}, kind)
}

// ready reports whether a result can be made a finding at once: the tool was read before, as most tools write it, and the place needs
// nothing that may still come. It keeps long reports from being held twice.
func (run *runReading) ready(result *resultObject) bool {
	if run.tool.Driver.Name == "" || len(result.Locations) == 0 {
		return false
	}
	l := result.Locations[0].Physical.Artifact
	return l.URI != "" && l.URIBaseID == "" && !strings.Contains(string(l.URI), "://")
}

// take makes a finding of a result.
func (run *runReading) take(r *format.Report, result *resultObject) {
	f, identity := run.finding(result, toolNamed(string(run.tool.Driver.Name)))
	r.Add(f, identity...)
}

// finish turns the remaining results into findings, now that rules, artifacts and tool are known, and says what the run as a whole says.
func (run *runReading) finish(r *format.Report) {
	tool := toolNamed(string(run.tool.Driver.Name))
	repository := run.repository()
	ok := run.listed
	for _, i := range run.invocations {
		r.Dated(cmp.Or(string(i.EndTimeUTC), string(i.StartTimeUTC)))
		ok = ok && (i.ExecutionSuccessful == nil || *i.ExecutionSuccessful)
	}
	r.Incomplete = r.Incomplete || !ok
	for i := range run.results {
		run.take(r, &run.results[i])
	}
	classes := map[record.Class]bool{}
	for i := range r.Findings[run.first:] {
		f := &r.Findings[run.first+i]
		f.Repository = repository
		classes[f.Class] = true
	}
	if len(classes) == 0 {
		classes[tool.Class] = true
	}
	for class := range classes {
		r.Scanned(tool.Name, class, repository, ok)
	}
}

// repository is the one repository that the run says it scanned.
func (run *runReading) repository() record.RepositoryName {
	var found record.RepositoryName
	for _, p := range run.provenance {
		name, err := record.ParseRepository(string(p.RepositoryURI))
		if err != nil {
			continue
		}
		if found != "" && found != name {
			return "" // several: it cannot be said which
		}
		found = name
	}
	return found
}
