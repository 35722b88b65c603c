package gitlab

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"prodsec_exporter/internal/record"
	"prodsec_exporter/internal/translate"
)

// optionalFields are those of a vulnerability that older versions do not have; one that is refused is left out from then on.
var optionalFields = []struct{ name, text string }{
	{"cveEnrichment", "cveEnrichment{epssScore isKnownExploit}"},
	{"findingTokenStatus", "findingTokenStatus{status}"},
	{"dismissalReason", "dismissalReason"},
	{"hasRemediations", "hasRemediations"},
}

// vulnerabilityQuery asks for a page of a group's vulnerabilities in every state, so that what was resolved or dismissed is told from what vanished.
func vulnerabilityQuery(without map[string]bool) string {
	var optional []string
	for _, f := range optionalFields {
		if !without[f.name] {
			optional = append(optional, f.text)
		}
	}
	return `query($group:ID!,$first:Int!,$after:String){group(fullPath:$group){vulnerabilities(first:$first,after:$after,sort:detected_asc,
 state:[DETECTED,CONFIRMED,RESOLVED,DISMISSED]){pageInfo{hasNextPage endCursor} nodes{
 id title severity state reportType detectedAt resolvedAt dismissedAt updatedAt resolvedOnDefaultBranch webUrl
 project{fullPath webUrl} scanner{externalId name} primaryIdentifier{name} identifiers{externalType externalId name} ` + strings.Join(optional, " ") + `
 location{...on VulnerabilityLocationSast{file startLine} ...on VulnerabilityLocationSecretDetection{file startLine}
  ...on VulnerabilityLocationDependencyScanning{file dependency{package{name} version}}
  ...on VulnerabilityLocationContainerScanning{image dependency{package{name} version}}
  ...on VulnerabilityLocationClusterImageScanning{image dependency{package{name} version}}
  ...on VulnerabilityLocationDast{hostname path}}}}}}`
}

type vulnerabilityPage struct {
	Group *struct {
		Vulnerabilities *struct {
			PageInfo pageInfo          `json:"pageInfo"`
			Nodes    []json.RawMessage `json:"nodes"`
		} `json:"vulnerabilities"`
	} `json:"group"`
}

type pageInfo struct {
	HasNext   bool   `json:"hasNextPage"`
	EndCursor string `json:"endCursor"`
}

type vulnerability struct {
	ID              string         `json:"id"`
	Title           string         `json:"title"`
	Severity        string         `json:"severity"`
	State           string         `json:"state"`
	ReportType      string         `json:"reportType"`
	DetectedAt      translate.Time `json:"detectedAt"`
	ResolvedAt      translate.Time `json:"resolvedAt"`
	DismissedAt     translate.Time `json:"dismissedAt"`
	UpdatedAt       translate.Time `json:"updatedAt"`
	DismissalReason string         `json:"dismissalReason"`
	NoLongerFound   bool           `json:"resolvedOnDefaultBranch"`
	HasRemediations *bool          `json:"hasRemediations"`
	URL             string         `json:"webUrl"`
	Project         struct {
		Path string `json:"fullPath"`
		URL  string `json:"webUrl"`
	} `json:"project"`
	Scanner struct {
		ExternalID string `json:"externalId"`
		Name       string `json:"name"`
	} `json:"scanner"`
	Primary struct {
		Name string `json:"name"`
	} `json:"primaryIdentifier"`
	Identifiers []struct {
		Type string `json:"externalType"`
		ID   string `json:"externalId"`
		Name string `json:"name"`
	} `json:"identifiers"`
	Enrichment *struct {
		EPSS      translate.Number `json:"epssScore"`
		Exploited *bool            `json:"isKnownExploit"`
	} `json:"cveEnrichment"`
	Token *struct {
		Status string `json:"status"`
	} `json:"findingTokenStatus"`
	Location struct {
		File       string `json:"file"`
		Line       any    `json:"startLine"` // text or a number, by version
		Image      string `json:"image"`
		Host       string `json:"hostname"`
		Path       string `json:"path"`
		Dependency struct {
			Package struct {
				Name string `json:"name"`
			} `json:"package"`
			Version string `json:"version"`
		} `json:"dependency"`
	} `json:"location"`
}

var (
	severities = translate.Vocabulary[record.Severity]{
		Name: "gitlab severity",
		Words: map[string]record.Severity{
			"critical": record.SeverityCritical, "high": record.SeverityHigh, "medium": record.SeverityMedium, "low": record.SeverityLow,
			"info": record.SeverityLow, "unknown": record.SeverityUnknown, "": record.SeverityUnknown,
		},
		Other: record.SeverityUnknown,
	}
	classes = translate.Vocabulary[record.Class]{
		Name: "gitlab report type",
		Words: map[string]record.Class{
			"sast": record.ClassSAST, "dependency_scanning": record.ClassSCA, "secret_detection": record.ClassSecret, "dast": record.ClassDAST,
			"container_scanning": record.ClassContainer, "cluster_image_scanning": record.ClassContainer, "container_scanning_for_registry": record.ClassContainer,
			"api_fuzzing": record.ClassDAST, "coverage_fuzzing": record.ClassDAST, "generic": record.ClassOther, "": record.ClassOther,
		},
		Other: record.ClassOther,
	}
	dismissals = translate.Vocabulary[record.Closure]{
		Name: "gitlab dismissal reason",
		Words: map[string]record.Closure{
			"acceptable_risk": record.ClosureRiskAccepted, "false_positive": record.ClosureFalsePositive, "mitigating_control": record.ClosureMitigated,
			"used_in_tests": record.ClosureUsedInTests, "not_applicable": record.ClosureOutOfScope, "": record.ClosureOther,
		},
		Other: record.ClosureOther,
	}
	tokenStatuses = translate.Vocabulary[record.Answer]{
		Name:  "gitlab token status",
		Words: map[string]record.Answer{"active": record.AnswerYes, "inactive": record.AnswerNo, "unknown": record.AnswerUnknown, "": record.AnswerUnknown},
		Other: record.AnswerUnknown,
	}
)

// readVulnerabilities reads the vulnerabilities of a group, page by page and, where GitLab finds a page too heavy, in smaller ones down to one.
func (c *Collector) readVulnerabilities(ctx context.Context, group string) record.Batch {
	scope := scopeVulnerabilities + ":" + group
	b := record.Batch{Scope: scope, Mode: record.Full, Findings: []record.Finding{}, Rejected: map[record.RejectReason]int{}}
	seen := map[string]bool{}
	after, first, without := "", firstPage, map[string]bool{}
	cursors := map[string]bool{}
	for {
		if err := canceled(ctx); err != nil {
			return translate.Failed(scope, err)
		}
		var page vulnerabilityPage
		err := c.api.query(ctx, vulnerabilityQuery(without), map[string]any{"group": group, "first": first, "after": nullable(after)}, &page)
		if field := missingField(err); field != "" && !without[field] {
			without[field] = true
			continue
		}
		if tooHeavy(err) && first > 1 {
			first /= 2
			continue
		}
		if err == nil {
			err = vulnerabilitiesShown(&page)
		}
		if err != nil {
			return translate.Failed(scope, fmt.Errorf("read the vulnerabilities of group %s: %w", group, needs(err, asDeveloper)))
		}
		list := page.Group.Vulnerabilities
		for _, raw := range list.Nodes {
			f, err := c.finding(raw)
			if err != nil {
				b.Rejected[translate.Reason(err)]++
				continue
			}
			if seen[f.ID] {
				return translate.Failed(scope, &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("%s is listed twice: the list changed while it was read", f.ID)})
			}
			seen[f.ID] = true
			b.Findings = append(b.Findings, f)
		}
		if !list.PageInfo.HasNext {
			return b
		}
		if after = list.PageInfo.EndCursor; after == "" || cursors[after] {
			return translate.Failed(scope, &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf("the source repeated a page cursor")})
		}
		cursors[after] = true
	}
}

// vulnerabilitiesShown tells a group without vulnerabilities from one whose vulnerabilities are not shown.
func vulnerabilitiesShown(page *vulnerabilityPage) error {
	switch {
	case page.Group == nil:
		return &record.Error{Reason: record.ReasonNotFound, Err: fmt.Errorf("GraphQL: the group does not exist or is not visible")}
	case page.Group.Vulnerabilities == nil || page.Group.Vulnerabilities.Nodes == nil:
		return &record.Error{Reason: record.ReasonPermission, Err: fmt.Errorf("GraphQL: the group's vulnerabilities are not shown, or the tier is not Ultimate")}
	default:
		return nil
	}
}

// nullable is null for an empty cursor.
func nullable(cursor string) any {
	if cursor == "" {
		return nil
	}
	return cursor
}

func (c *Collector) finding(raw json.RawMessage) (record.Finding, error) {
	v, err := translate.Decode[vulnerability](raw)
	if err != nil {
		return record.Finding{}, err
	}
	number := v.ID[strings.LastIndex(v.ID, "/")+1:]
	if number == "" {
		return record.Finding{}, fmt.Errorf("vulnerability: %w", translate.ErrNoID)
	}
	name, err := c.repositoryName(v.Project.URL, v.Project.Path)
	if err != nil {
		return record.Finding{}, fmt.Errorf("vulnerability %s: %w", record.Text(number), translate.ErrNoTarget)
	}
	f := record.Finding{
		ID: "vulnerability:" + record.Text(number), Tool: toolOf(v), Class: classes.Of(c.words, v.ReportType), Repository: name, Title: record.Text(v.Title),
		URL: record.Text(v.URL), Severity: severities.Of(c.words, v.Severity), Rule: record.Text(v.Primary.Name), Version: record.Text(v.Location.Dependency.Version),
		FirstSeen: v.DetectedAt.Time, UpdatedAt: v.UpdatedAt.Time,
	}
	c.identify(&f, v)
	c.locate(&f, v)
	f.Category = cmp.Or(f.Category, record.CategoryOfPackage(f.Package))
	if f.Category == "" && len(f.Aliases) == 0 {
		f.Category = f.Rule // an advisory does not recur, a rule does
	}
	c.settle(&f, v)
	return f, nil
}

func toolOf(v *vulnerability) string {
	for _, name := range []string{v.Scanner.ExternalID, v.Scanner.Name, v.ReportType} {
		if name != "" {
			return record.Text(strings.ToLower(name))
		}
	}
	return kindName
}

// identify reads what a vulnerability is known by.
func (c *Collector) identify(f *record.Finding, v *vulnerability) {
	var texts []string
	for _, id := range v.Identifiers {
		if strings.EqualFold(id.Type, "cwe") && f.Category == "" {
			f.Category = translate.CWE("CWE-"+id.ID, id.Name)
		}
		texts = append(texts, id.Name, id.ID)
	}
	f.Aliases = translate.Aliases(texts...)
	if v.Enrichment != nil {
		f.EPSS = v.Enrichment.EPSS.Probability()
		if v.Enrichment.Exploited != nil {
			f.KnownExploited = record.AnswerOf(*v.Enrichment.Exploited)
		}
	}
	if v.Token != nil {
		f.ActiveSecret = tokenStatuses.Of(c.words, v.Token.Status)
	}
	if v.HasRemediations != nil && *v.HasRemediations {
		f.FixAvailable = record.AnswerYes // without one a fixed version may exist all the same
	}
}

// locate reads where a vulnerability is.
func (c *Collector) locate(f *record.Finding, v *vulnerability) {
	l := &v.Location
	switch {
	case l.Image != "":
		f.Place = record.Text(imageName(l.Image))
	case l.File != "":
		f.Place = record.Text(l.File)
	case l.Host != "" || l.Path != "":
		f.Place = record.Text(l.Host + l.Path)
	}
	f.Line = lineNumber(l.Line)
	if l.Dependency.Package.Name != "" {
		f.Package = record.Package(record.EcosystemOfFile(l.File), l.Dependency.Package.Name)
	}
}

// imageName is an image without tag and digest, which are no part of where a weakness is.
func imageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name = name[:at]
	}
	return name
}

func lineNumber(value any) int {
	switch v := value.(type) {
	case float64:
		if v > 0 && v < 1e9 {
			return int(v)
		}
	case string:
		var n int
		if _, err := fmt.Sscan(v, &n); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

var states = translate.Vocabulary[record.Closure]{
	Name: "gitlab vulnerability state",
	Words: map[string]record.Closure{
		"detected": record.ClosureNone, "confirmed": record.ClosureNone, "resolved": record.ClosureFixed, "dismissed": record.ClosureOther,
	},
	Other: record.ClosureNone,
}

// settle reads whether a vulnerability is still open. One that the latest scan of the default branch no longer finds is fixed, whether or not somebody has
// changed its state since; GitLab sets that mark only when the same scanner ran.
func (c *Collector) settle(f *record.Finding, v *vulnerability) {
	f.Closure = states.Of(c.words, v.State)
	switch {
	case strings.EqualFold(v.State, "dismissed"):
		f.Closure, f.ClosedAt = dismissals.Of(c.words, v.DismissalReason), v.DismissedAt.Time
	case f.Closure == record.ClosureFixed:
		f.ClosedAt = v.ResolvedAt.Time
	case v.NoLongerFound:
		f.Closure = record.ClosureFixed
	}
}
