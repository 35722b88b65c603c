package sarif

import (
	"strings"

	"prodsec_exporter/collectors/reports/stream"
	"prodsec_exporter/internal/record"
)

// toolComponent is a tool's driver, one of its extensions, or a taxonomy.
type toolComponent struct {
	Name stream.Text `json:"name"`
	// GUID identifies a component to those that refer to it.
	GUID  stream.Text           `json:"guid"`
	Rules []reportingDescriptor `json:"rules"`
	Taxa  []taxon               `json:"taxa"`
	byID  map[stream.Text]int
}

type taxon struct {
	ID   stream.Text `json:"id"`
	GUID stream.Text `json:"guid"`
	Name stream.Text `json:"name"`
}

type reportingDescriptor struct {
	ID                   stream.Text                   `json:"id"`
	GUID                 stream.Text                   `json:"guid"`
	Name                 stream.Text                   `json:"name"`
	DeprecatedIDs        stream.List                   `json:"deprecatedIds"`
	HelpURI              stream.Text                   `json:"helpUri"`
	ShortDescription     multiformatMessage            `json:"shortDescription"`
	FullDescription      multiformatMessage            `json:"fullDescription"`
	MessageStrings       map[string]multiformatMessage `json:"messageStrings"`
	DefaultConfiguration struct {
		Level stream.Text `json:"level"`
	} `json:"defaultConfiguration"`
	Properties    propertyBag    `json:"properties"`
	Relationships []relationship `json:"relationships"`

	// nature is what the rule is, once somebody has asked.
	nature *nature
}

// nature is what follows from a rule for all of its results.
type nature struct {
	class      record.Class
	subject    record.Subject
	advisories []string
}

type propertyBag struct {
	SecuritySeverity stream.Text `json:"security-severity"`
	Tags             stream.List `json:"tags"`
	Category         stream.List `json:"category"`
	CWE              stream.List `json:"cwe"`
	PURL             stream.List `json:"purl"`
	PURLs            stream.List `json:"purls"`
	CVE              stream.List `json:"cve"`
	CVEs             stream.List `json:"cves"`
	Aliases          stream.List `json:"aliases"`
	// ImageName is what Trivy scanned.
	ImageName stream.Text `json:"imageName"`
	RepoTags  stream.List `json:"repoTags"`
}

// packageURLs are the packages that properties name.
func (p *propertyBag) packageURLs() []string {
	var found []string
	for _, list := range []stream.List{p.PURLs, p.PURL} {
		for _, purl := range list {
			if record.PackageOfURL(string(purl)) != "" {
				found = append(found, string(purl))
			}
		}
	}
	return found
}

type multiformatMessage struct {
	Text stream.Text `json:"text"`
}

// componentReference names a component by its position, GUID or name.
type componentReference struct {
	Name  stream.Text   `json:"name"`
	GUID  stream.Text   `json:"guid"`
	Index *stream.Index `json:"index"`
}

// descriptorReference names a rule or taxon by its id, its position or GUID.
type descriptorReference struct {
	ID            stream.Text        `json:"id"`
	GUID          stream.Text        `json:"guid"`
	Index         *stream.Index      `json:"index"`
	ToolComponent componentReference `json:"toolComponent"`
}

type relationship struct {
	Target descriptorReference `json:"target"`
}

type invocation struct {
	ExecutionSuccessful    *bool            `json:"executionSuccessful"`
	StartTimeUTC           stream.Text      `json:"startTimeUtc"`
	EndTimeUTC             stream.Text      `json:"endTimeUtc"`
	WorkingDirectory       artifactLocation `json:"workingDirectory"`
	Overrides              []override       `json:"ruleConfigurationOverrides"`
	ExecutionNotifications []notification   `json:"toolExecutionNotifications"`
	ConfigNotifications    []notification   `json:"toolConfigurationNotifications"`
}

// override is another configuration of a rule for one invocation.
type override struct {
	Descriptor    descriptorReference `json:"descriptor"`
	Configuration struct {
		Level stream.Text `json:"level"`
	} `json:"configuration"`
}

// notification is what a tool says about its own run.
type notification struct {
	Descriptor descriptorReference `json:"descriptor"`
	Level      stream.Text         `json:"level"`
	Message    multiformatMessage  `json:"message"`
	Locations  []location          `json:"locations"`
}

type artifactLocation struct {
	URI       stream.Text   `json:"uri"`
	URIBaseID stream.Text   `json:"uriBaseId"`
	Index     *stream.Index `json:"index"`
}

type artifact struct {
	Location artifactLocation `json:"location"`
}

// versionControl says which repository was scanned, and where it was mapped to.
type versionControl struct {
	RepositoryURI stream.Text      `json:"repositoryUri"`
	MappedTo      artifactLocation `json:"mappedTo"`
}

type location struct {
	Physical struct {
		Artifact artifactLocation `json:"artifactLocation"`
		Region   region           `json:"region"`
		Context  region           `json:"contextRegion"`
	} `json:"physicalLocation"`
	Logical []struct {
		FullyQualifiedName stream.Text `json:"fullyQualifiedName"`
	} `json:"logicalLocations"`
}

type region struct {
	StartLine stream.Number      `json:"startLine"`
	Snippet   multiformatMessage `json:"snippet"`
}

type resultObject struct {
	RuleID    stream.Text         `json:"ruleId"`
	RuleIndex *stream.Index       `json:"ruleIndex"`
	Rule      descriptorReference `json:"rule"`
	Kind      stream.Text         `json:"kind"`
	Level     stream.Text         `json:"level"`
	Message   struct {
		Text      stream.Text `json:"text"`
		ID        stream.Text `json:"id"`
		Arguments stream.List `json:"arguments"`
	} `json:"message"`
	Locations           []location             `json:"locations"`
	PartialFingerprints map[string]stream.Text `json:"partialFingerprints"`
	Fingerprints        map[string]stream.Text `json:"fingerprints"`
	Suppressions        []suppression          `json:"suppressions"`
	BaselineState       stream.Text            `json:"baselineState"`
	Taxa                []descriptorReference  `json:"taxa"`
	Properties          propertyBag            `json:"properties"`
	Provenance          struct {
		FirstDetectionTimeUTC stream.Text   `json:"firstDetectionTimeUtc"`
		InvocationIndex       *stream.Index `json:"invocationIndex"`
	} `json:"provenance"`
}

type suppression struct {
	Kind          stream.Text `json:"kind"`
	Status        stream.Text `json:"status"`
	State         stream.Text `json:"state"` // the name of status in drafts of the standard
	Justification stream.Text `json:"justification"`
}

// at is the element that an index names, nil for none.
func at[T any](list []T, i *stream.Index) *T {
	if i == nil || *i < 0 || int(*i) >= len(list) {
		return nil
	}
	return &list[*i]
}

// find looks a rule up by id. The index by id is made at the first use.
func (c *toolComponent) find(id string) *reportingDescriptor {
	if c.byID == nil {
		c.byID = make(map[stream.Text]int, len(c.Rules))
		for i, rule := range c.Rules {
			if _, dup := c.byID[rule.ID]; !dup {
				c.byID[rule.ID] = i
			}
		}
	}
	if i, ok := c.byID[stream.Text(id)]; ok {
		return &c.Rules[i]
	}
	return nil
}

// findGUID looks a rule up by its GUID.
func (c *toolComponent) findGUID(guid stream.Text) *reportingDescriptor {
	for i := range c.Rules {
		if guid != "" && strings.EqualFold(string(c.Rules[i].GUID), string(guid)) {
			return &c.Rules[i]
		}
	}
	return nil
}
