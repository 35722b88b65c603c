package github

import (
	"fmt"
	"strconv"
	"strings"

	"prodsec_exporter/internal/demo/answer"
	"prodsec_exporter/internal/demo/world"
	"prodsec_exporter/internal/record"
)

type gitHubUser struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
	Type  string `json:"type"`
}

type alertRepository struct {
	ID       int64      `json:"id"`
	NodeID   string     `json:"node_id"`
	Name     string     `json:"name"`
	FullName string     `json:"full_name"`
	Owner    gitHubUser `json:"owner"`
	Private  bool       `json:"private"`
	HTMLURL  string     `json:"html_url"`
	Fork     bool       `json:"fork"`
	URL      string     `json:"url"`
}

func (g *gitHub) alertRepository(r *world.Repository) alertRepository {
	return alertRepository{
		ID: r.ID, NodeID: nodeID(r), Name: r.Name, FullName: r.FullName(), Private: r.Visibility != record.VisibilityPublic, Fork: r.Fork,
		Owner:   gitHubUser{Login: r.Organisation, ID: organisationIDs[r.Organisation], Type: "Organization"},
		HTMLURL: answer.WebURL + r.FullName(), URL: g.url + "/repos/" + r.FullName(),
	}
}

func nodeID(r *world.Repository) string { return fmt.Sprintf("R_demo%d", r.ID) }

// alertHead is what all kinds of alert share.
type alertHead struct {
	Number     int64           `json:"number"`
	State      string          `json:"state"`
	URL        string          `json:"url"`
	HTMLURL    string          `json:"html_url"`
	CreatedAt  *string         `json:"created_at"`
	UpdatedAt  *string         `json:"updated_at"`
	Repository alertRepository `json:"repository"`
}

func (g *gitHub) alertHead(s answer.Seen, source world.Source, kind, place string) alertHead {
	api, web := g.alertURLs(s, kind, place)
	return alertHead{
		Number: s.Number, State: alertState(source, s), URL: api, HTMLURL: web,
		CreatedAt: answer.Stamp(s.Born), UpdatedAt: answer.Stamp(s.UpdatedAt), Repository: g.alertRepository(s.Repository),
	}
}

// dismissal is how an alert was dismissed; every field is null while it is not.
type dismissal struct {
	DismissedAt      *string     `json:"dismissed_at"`
	DismissedBy      *gitHubUser `json:"dismissed_by"`
	DismissedReason  *string     `json:"dismissed_reason"`
	DismissedComment *string     `json:"dismissed_comment"`
	FixedAt          *string     `json:"fixed_at"`
}

func dismissalOf(s answer.Seen, reasons map[record.Closure]string) dismissal {
	if s.Closure == record.ClosureFixed {
		return dismissal{FixedAt: answer.Stamp(s.ClosedAt)}
	}
	reason, ok := reasons[s.Closure]
	if !ok {
		return dismissal{}
	}
	return dismissal{DismissedAt: answer.Stamp(s.ClosedAt), DismissedBy: &gitHubUser{"ada-byrne", 5001, "User"}, DismissedReason: &reason}
}

// The reasons for dismissal that GitHub knows, by what they mean.
var (
	dependabotReasons = map[record.Closure]string{
		record.ClosureFalsePositive: "inaccurate", record.ClosureRiskAccepted: "tolerable_risk", record.ClosureWontFix: "no_bandwidth",
		record.ClosureOutOfScope: "not_used", record.ClosureOther: "fix_started",
	}
	codeScanningReasons = map[record.Closure]string{
		record.ClosureFalsePositive: "false positive", record.ClosureWontFix: "won't fix", record.ClosureUsedInTests: "used in tests",
		record.ClosureMitigated: "mitigated",
	}
	secretResolutions = map[record.Closure]string{
		record.ClosureFixed: "revoked", record.ClosureFalsePositive: "false_positive", record.ClosureWontFix: "wont_fix",
		record.ClosureUsedInTests: "used_in_tests",
	}
)

type dependabotPackage struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

type identified struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
}

type cweName struct {
	ID   string `json:"cwe_id"`
	Name string `json:"name"`
}

type cvss struct {
	Vector *string `json:"vector_string"`
	Score  float64 `json:"score"`
}

type epss struct {
	Percentage float64 `json:"percentage"`
	// Percentile is text, as in GitHub's own example.
	Percentile string `json:"percentile"`
}

type patchedVersion struct {
	Identifier string `json:"identifier"`
}

type vulnerability struct {
	Package      dependabotPackage `json:"package"`
	Severity     string            `json:"severity"`
	Range        string            `json:"vulnerable_version_range"`
	FirstPatched *patchedVersion   `json:"first_patched_version"`
}

type securityAdvisory struct {
	GHSA            string          `json:"ghsa_id"`
	CVE             string          `json:"cve_id"`
	Summary         string          `json:"summary"`
	Severity        string          `json:"severity"`
	Identifiers     []identified    `json:"identifiers"`
	PublishedAt     *string         `json:"published_at"`
	UpdatedAt       *string         `json:"updated_at"`
	WithdrawnAt     *string         `json:"withdrawn_at"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
	CVSS            cvss            `json:"cvss"`
	CVSSSeverities  map[string]cvss `json:"cvss_severities"`
	EPSS            epss            `json:"epss"`
	CWEs            []cweName       `json:"cwes"`
}

type dependency struct {
	Package      dependabotPackage `json:"package"`
	ManifestPath string            `json:"manifest_path"`
	Scope        string            `json:"scope"`
	Relationship string            `json:"relationship"`
}

type dependabotAlert struct {
	alertHead
	dismissal
	AutoDismissedAt *string          `json:"auto_dismissed_at"`
	Dependency      dependency       `json:"dependency"`
	Advisory        securityAdvisory `json:"security_advisory"`
	Vulnerability   vulnerability    `json:"security_vulnerability"`
}

func (g *gitHub) dependabotAlert(s answer.Seen) dependabotAlert {
	a := s.Advisory
	ecosystem := a.Ecosystem
	what := dependabotPackage{ecosystem, a.Package}
	v := vulnerability{Package: what, Severity: string(s.Severity), Range: "<= " + a.Affected}
	if a.Patched != "" {
		v.FirstPatched = &patchedVersion{a.Patched}
	}
	score := cvss{Score: a.Score}
	alert := dependabotAlert{
		alertHead: g.alertHead(s, world.SourceDependabot, "dependabot", "dependabot"), dismissal: dismissalOf(s, dependabotReasons),
		Dependency: dependency{Package: what, ManifestPath: s.Path, Scope: "runtime", Relationship: "direct"},
		Advisory: securityAdvisory{
			GHSA: a.GHSA, CVE: a.CVE, Summary: a.Summary, Severity: string(a.Severity),
			Identifiers: []identified{{"GHSA", a.GHSA}, {"CVE", a.CVE}}, PublishedAt: answer.Stamp(a.Published), UpdatedAt: answer.Stamp(a.Published),
			Vulnerabilities: []vulnerability{v}, CVSS: score, CVSSSeverities: map[string]cvss{"cvss_v3": score, "cvss_v4": {}},
			EPSS: epss{a.EPSS, fmt.Sprintf("%.5fe0", min(a.EPSS*1.5, 0.99999))}, CWEs: []cweName{{fmt.Sprintf("CWE-%d", a.CWE), a.Summary}},
		},
		Vulnerability: v,
	}
	if s.Closure == record.ClosureAutoDismissed {
		alert.AutoDismissedAt = answer.Stamp(s.ClosedAt)
	}
	return alert
}

type codeScanningRule struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Severity      string   `json:"severity"`
	SecurityLevel *string  `json:"security_severity_level,omitempty"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
}

type codeLocation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
}

type codeInstance struct {
	Ref             string            `json:"ref"`
	AnalysisKey     string            `json:"analysis_key"`
	State           string            `json:"state"`
	CommitSHA       string            `json:"commit_sha"`
	Message         map[string]string `json:"message"`
	Location        codeLocation      `json:"location"`
	Classifications []string          `json:"classifications"`
}

type codeTool struct {
	Name    string  `json:"name"`
	GUID    *string `json:"guid"`
	Version string  `json:"version"`
}

type codeScanningAlert struct {
	alertHead
	dismissal
	Rule     codeScanningRule `json:"rule"`
	Tool     codeTool         `json:"tool"`
	Instance codeInstance     `json:"most_recent_instance"`
}

func (g *gitHub) codeScanningAlert(s answer.Seen) codeScanningAlert {
	level := string(s.Severity)
	rule := codeScanningRule{ID: s.Rule.ID, Name: s.Rule.ID, Severity: "warning", SecurityLevel: &level, Description: s.Rule.Name, Tags: []string{"security"}}
	if s.Severity == record.SeverityCritical || s.Severity == record.SeverityHigh {
		rule.Severity = "error"
	}
	if s.Rule.CWE > 0 {
		rule.Tags = append(rule.Tags, fmt.Sprintf("external/cwe/cwe-%03d", s.Rule.CWE))
	}
	if s.Severity == record.SeverityUnknown {
		rule.SecurityLevel, rule.Severity, rule.Tags = nil, "note", []string{"maintainability"}
	}
	head := g.alertHead(s, world.SourceCodeScanning, "code-scanning", "code-scanning")
	instance := codeInstance{
		Ref: "refs/heads/main", AnalysisKey: ".github/workflows/scan.yml:analyse", State: head.State, Classifications: []string{},
		CommitSHA: fmt.Sprintf("%040x", uint64(s.ID)*2654435761), Message: map[string]string{"text": s.Rule.Name},
		Location: codeLocation{s.Path, s.Line, s.Line},
	}
	if s.Closure == record.ClosureUsedInTests {
		instance.Classifications = []string{"test"}
	}
	return codeScanningAlert{
		alertHead: head, dismissal: dismissalOf(s, codeScanningReasons), Rule: rule,
		Tool: codeTool{Name: string(s.Tool), Version: "2.20.1"}, Instance: instance,
	}
}

type secretScanningAlert struct {
	alertHead
	SecretType        string      `json:"secret_type"`
	SecretTypeDisplay string      `json:"secret_type_display_name"`
	ProviderSlug      string      `json:"provider_slug"`
	Secret            *string     `json:"secret,omitempty"`
	Validity          string      `json:"validity"`
	PubliclyLeaked    bool        `json:"publicly_leaked"`
	MultiRepo         bool        `json:"multi_repo"`
	Resolution        *string     `json:"resolution"`
	ResolvedAt        *string     `json:"resolved_at"`
	ResolvedBy        *gitHubUser `json:"resolved_by"`
	Bypassed          bool        `json:"push_protection_bypassed"`
	BypassedAt        *string     `json:"push_protection_bypassed_at"`
}

func (g *gitHub) secretScanningAlert(s answer.Seen, hide bool) secretScanningAlert {
	alert := secretScanningAlert{
		alertHead:  g.alertHead(s, world.SourceSecretScanning, "secret-scanning", "secret-scanning"),
		SecretType: s.Rule.ID, SecretTypeDisplay: s.Rule.Name, Validity: "unknown", PubliclyLeaked: s.ID%17 == 0,
	}
	alert.ProviderSlug, _, _ = strings.Cut(s.Rule.ID, "_")
	switch {
	case s.ActiveSecret && s.Closure != record.ClosureFixed:
		alert.Validity = "active"
	case s.Closure == record.ClosureFixed || s.ID%3 == 0:
		alert.Validity = "inactive"
	}
	if !hide {
		literal := fmt.Sprintf("not-a-secret-demo-%d", s.ID)
		alert.Secret = &literal
	}
	if resolution, ok := secretResolutions[s.Closure]; ok {
		alert.Resolution, alert.ResolvedAt = &resolution, answer.Stamp(s.ClosedAt)
		alert.ResolvedBy = &gitHubUser{"mina-okafor", 5003, "User"}
	}
	if s.ID%11 == 0 {
		alert.Bypassed, alert.BypassedAt = true, answer.Stamp(s.Born)
	}
	return alert
}

// alertState is the state of an alert in GitHub's words.
func alertState(source world.Source, s answer.Seen) string {
	switch {
	case s.Closure == record.ClosureNone:
		return "open"
	case source == world.SourceSecretScanning:
		return "resolved"
	case s.Closure == record.ClosureFixed:
		return "fixed"
	case s.Closure == record.ClosureAutoDismissed:
		return "auto_dismissed"
	default:
		return "dismissed"
	}
}

// alertURLs are the addresses of an alert for programs and for people.
func (g *gitHub) alertURLs(s answer.Seen, kind, place string) (api, web string) {
	number := strconv.FormatInt(s.Number, 10)
	return g.url + "/repos/" + s.Repository.FullName() + "/" + kind + "/alerts/" + number,
		answer.WebURL + s.Repository.FullName() + "/security/" + place + "/" + number
}
