package reports

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"prodsec_exporter/internal/record"
)

// sarifParser reads SARIF 2.1.0, the exchange format of static analysers. Rules may stand before or after the results that
// refer to them: results that need what may still come are kept until their run was read to its end.
type sarifParser struct{}

func (sarifParser) name() string { return "SARIF" }

func (sarifParser) sniff(s sketch) bool {
	return s.form == '{' && (s.has("runs") || s.complete && strings.Contains(s.texts["$schema"], "sarif"))
}

func (sarifParser) parse(s *stream, r *report) error {
	version, listed, runs := text(""), false, 0
	err := s.object(func(key string) error {
		switch key {
		case "version":
			_, err := s.item(&version)
			return err
		case "runs":
			var err error
			listed, err = s.array(func() error {
				runs++
				return readSARIFRun(s, r)
			})
			return err
		default:
			return s.skip()
		}
	})
	switch {
	case err != nil:
		return err
	case version != "" && !strings.HasPrefix(string(version), "2."):
		return &malformedError{message: "version " + strconv.Quote(record.Text(string(version))) + " is not 2.1.0; let the tool write SARIF 2.1.0"}
	case !listed:
		return &malformedError{message: `the key "runs" is missing`}
	case runs == 0:
		r.incomplete = true // nobody scanned, so nothing is known to be gone
	}
	return nil
}

// sarifRun is what a run says besides its results.
type sarifRun struct {
	tool        sarifTool
	invocations []sarifInvocation
	provenance  []struct {
		RepositoryURI text `json:"repositoryUri"`
	}
	artifacts []sarifArtifact
	bases     map[string]sarifLocation
	// results are those that need what may still come.
	results []sarifResult
	// listed says that there is a list of results: null or absent means that the tool did not get to scanning.
	listed bool
	// first is the position of the run's first finding in the report.
	first int
}

type sarifTool struct {
	Driver     sarifComponent   `json:"driver"`
	Extensions []sarifComponent `json:"extensions"`
}

type sarifComponent struct {
	Name text `json:"name"`
	// GUID and Index identify a component to results.
	GUID  text        `json:"guid"`
	Rules []sarifRule `json:"rules"`
	byID  map[text]int
}

type sarifRule struct {
	ID                   text                 `json:"id"`
	Name                 text                 `json:"name"`
	HelpURI              text                 `json:"helpUri"`
	ShortDescription     sarifText            `json:"shortDescription"`
	MessageStrings       map[string]sarifText `json:"messageStrings"`
	DefaultConfiguration struct {
		Level text `json:"level"`
	} `json:"defaultConfiguration"`
	Properties    sarifProperties     `json:"properties"`
	Relationships []sarifRelationship `json:"relationships"`
}

type sarifProperties struct {
	SecuritySeverity text     `json:"security-severity"`
	Tags             textList `json:"tags"`
	CWE              textList `json:"cwe"`
}

type sarifText struct {
	Text text `json:"text"`
}

type sarifReference struct {
	ID            text `json:"id"`
	ToolComponent struct {
		Name text `json:"name"`
	} `json:"toolComponent"`
}

type sarifRelationship struct {
	Target sarifReference `json:"target"`
}

type sarifInvocation struct {
	ExecutionSuccessful *bool `json:"executionSuccessful"`
	StartTimeUTC        text  `json:"startTimeUtc"`
	EndTimeUTC          text  `json:"endTimeUtc"`
}

type sarifLocation struct {
	URI       text   `json:"uri"`
	URIBaseID text   `json:"uriBaseId"`
	Index     *index `json:"index"`
}

type sarifArtifact struct {
	Location sarifLocation `json:"location"`
}

type sarifResult struct {
	RuleID    text   `json:"ruleId"`
	RuleIndex *index `json:"ruleIndex"`
	Rule      struct {
		ID            text   `json:"id"`
		Index         *index `json:"index"`
		ToolComponent struct {
			Name  text   `json:"name"`
			GUID  text   `json:"guid"`
			Index *index `json:"index"`
		} `json:"toolComponent"`
	} `json:"rule"`
	Kind    text `json:"kind"`
	Level   text `json:"level"`
	Message struct {
		Text      text     `json:"text"`
		ID        text     `json:"id"`
		Arguments textList `json:"arguments"`
	} `json:"message"`
	Locations []struct {
		Physical struct {
			Artifact sarifLocation `json:"artifactLocation"`
			Region   struct {
				StartLine   number `json:"startLine"`
				StartColumn number `json:"startColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
		Logical []struct {
			FullyQualifiedName text `json:"fullyQualifiedName"`
		} `json:"logicalLocations"`
	} `json:"locations"`
	PartialFingerprints map[string]text    `json:"partialFingerprints"`
	Fingerprints        map[string]text    `json:"fingerprints"`
	Suppressions        []sarifSuppression `json:"suppressions"`
	BaselineState       text               `json:"baselineState"`
	Taxa                []sarifReference   `json:"taxa"`
	Properties          sarifProperties    `json:"properties"`
}

type sarifSuppression struct {
	Kind          text `json:"kind"`
	Status        text `json:"status"`
	State         text `json:"state"` // the name of status in drafts of the standard
	Justification text `json:"justification"`
}

// readSARIFRun reads one run and adds its findings.
func readSARIFRun(s *stream, r *report) error {
	run := sarifRun{bases: map[string]sarifLocation{}, first: len(r.findings)}
	err := s.object(func(key string) error {
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
			_, err := s.item(&run.bases)
			return err
		case "results":
			return run.readResults(s, r)
		default:
			return s.skip()
		}
	})
	if err != nil {
		return err
	}
	run.finish(r)
	return nil
}

// list reads a list whose bad elements do not matter: they are left out, and positions stay right.
func list[T any](s *stream, into *[]T) error {
	_, err := s.array(func() error {
		var element T
		_, err := s.item(&element)
		*into = append(*into, element)
		return err
	})
	return err
}

func (run *sarifRun) readTool(s *stream) error {
	return s.object(func(key string) error {
		switch key {
		case "driver":
			return readComponent(s, &run.tool.Driver)
		case "extensions":
			_, err := s.array(func() error {
				run.tool.Extensions = append(run.tool.Extensions, sarifComponent{})
				return readComponent(s, &run.tool.Extensions[len(run.tool.Extensions)-1])
			})
			return err
		default:
			return s.skip()
		}
	})
}

func readComponent(s *stream, c *sarifComponent) error {
	return s.object(func(key string) error {
		var err error
		switch key {
		case "name":
			_, err = s.item(&c.Name)
		case "guid":
			_, err = s.item(&c.GUID)
		case "rules":
			err = list(s, &c.Rules)
		default:
			err = s.skip()
		}
		return err
	})
}

func (run *sarifRun) readResults(s *stream, r *report) error {
	listed, err := s.array(func() error {
		var result sarifResult
		ok, err := s.item(&result)
		switch {
		case err != nil:
			return err
		case !ok:
			r.reject(record.RejectDecode)
		case !countedKind(string(result.Kind)):
			r.ignored["result of kind "+record.Text(string(result.Kind))]++
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
func (run *sarifRun) ready(result *sarifResult) bool {
	if run.tool.Driver.Name == "" || len(result.Locations) == 0 {
		return false
	}
	l := result.Locations[0].Physical.Artifact
	return l.URI != "" && l.URIBaseID == "" && !strings.Contains(string(l.URI), "://")
}

// take makes a finding of a result.
func (run *sarifRun) take(r *report, result *sarifResult) {
	f, identity := run.finding(result, toolNamed(string(run.tool.Driver.Name)))
	r.add(f, identity...)
}

// finish turns the remaining results into findings, now that rules, artifacts and tool are known, and says what the run as a whole says.
func (run *sarifRun) finish(r *report) {
	tool := toolNamed(string(run.tool.Driver.Name))
	repository := run.repository()
	ok := run.listed
	for _, i := range run.invocations {
		r.dated(cmp.Or(string(i.EndTimeUTC), string(i.StartTimeUTC)))
		ok = ok && (i.ExecutionSuccessful == nil || *i.ExecutionSuccessful)
	}
	r.incomplete = r.incomplete || !ok
	for i := range run.results {
		run.take(r, &run.results[i])
	}
	classes := map[record.Class]bool{}
	for i := range r.findings[run.first:] {
		f := &r.findings[run.first+i]
		f.Repository = repository
		classes[f.Class] = true
	}
	if len(classes) == 0 {
		classes[tool.Class] = true
	}
	for class := range classes {
		r.scanned(tool.Name, class, repository, ok)
	}
}

// repository is the one repository that the run says it scanned.
func (run *sarifRun) repository() record.RepositoryName {
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

// index is a position in a list; -1 is the standard's word for "none".
type index int

// UnmarshalJSON never fails on valid JSON: a text that holds a number counts, anything else is none.
func (i *index) UnmarshalJSON(data []byte) error {
	n := number(-1)
	if trimmed := bytes.Trim(data, `" `); len(trimmed) > 0 && (trimmed[0] == '-' || trimmed[0] >= '0' && trimmed[0] <= '9') {
		if err := n.UnmarshalJSON(data); err != nil {
			return err
		}
	}
	*i = index(max(-1, min(n, 1<<30)))
	return nil
}

// textList is a list of scalars; one scalar counts as a list of one.
type textList []text

// UnmarshalJSON never fails on valid JSON.
func (l *textList) UnmarshalJSON(data []byte) error {
	*l = nil
	if len(data) > 0 && data[0] == '[' {
		return decodeElements(data, l)
	}
	var one text
	if err := one.UnmarshalJSON(data); err != nil {
		return err
	}
	if one != "" {
		*l = textList{one}
	}
	return nil
}
