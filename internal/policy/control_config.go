package policy

// ControlsConfig are controls by name. What is said of a built-in control replaces that part of it; another name makes a new control.
type ControlsConfig map[string]ControlConfig

// ControlConfig is one control. What is left out of a built-in one keeps its built-in value.
type ControlConfig struct {
	// Disabled takes the control out of everything.
	Disabled bool   `yaml:"disabled,omitempty" json:"disabled,omitempty"`
	Domain   Domain `yaml:"domain,omitempty" json:"domain,omitempty"`
	// AppliesTo are the services that ought to have it: those that one of the selectors matches, all if there is none.
	AppliesTo []SelectorConfig `yaml:"applies_to,omitempty" json:"applies_to"`
	// WithoutRepositories are glob patterns of the names, and WithoutTopics topics, of repositories that it is not about.
	WithoutRepositories []string `yaml:"without_repositories,omitempty" json:"without_repositories"`
	WithoutTopics       []string `yaml:"without_topics,omitempty" json:"without_topics"`
	// Evidence are the sources that speak for or against it, in order; Combine says how they make one result.
	Evidence []SourceConfig `yaml:"evidence,omitempty" json:"evidence"`
	Combine  Combination    `yaml:"combine,omitempty" json:"combine,omitempty"`
	// MaxAge is how old evidence may be; 0 for any age.
	MaxAge *Duration `yaml:"max_age,omitempty" json:"max_age,omitempty"`
	// Baseline are the trust tiers whose baseline requires it.
	Baseline []string `yaml:"baseline,omitempty" json:"baseline"`
}

// Domain is the discipline that a control belongs to; it is the label "domain".
type Domain string

// The domains.
const (
	DomainAppSec     Domain = "appsec"
	DomainCloud      Domain = "cloud"
	DomainKubernetes Domain = "kubernetes"
	DomainDelivery   Domain = "delivery"
	DomainGovernance Domain = "governance"
)

// Domains lists the domains.
func Domains() []Domain {
	return []Domain{DomainAppSec, DomainCloud, DomainKubernetes, DomainDelivery, DomainGovernance}
}

// Combination says how what several sources say makes one result.
type Combination string

// The combinations. A source that says nothing is left out of CombineAny and CombineFirst; where all say nothing the result is unknown.
const (
	// CombineAny passes when one source passes, is unknown when none passes and one is unclear, and fails when one fails.
	CombineAny Combination = "any"
	// CombineAll fails when one source fails, is unknown when none fails and one is unclear or says nothing, and passes otherwise.
	CombineAll Combination = "all"
	// CombineFirst is the result of the first source that passes or fails, and unknown when none does.
	CombineFirst Combination = "first"
)

// Combinations lists the combinations.
func Combinations() []Combination { return []Combination{CombineAny, CombineAll, CombineFirst} }

// SelectorConfig selects services: every condition that is set must hold. What a catalog leaves open counts as it does for SLA targets: not
// a crown jewel, not facing the internet, the tier "unknown", and the word "none" for a text.
type SelectorConfig struct {
	TrustTiers     []string            `yaml:"trust_tiers,omitempty" json:"trust_tiers,omitempty"`
	CrownJewel     *bool               `yaml:"crown_jewel,omitempty" json:"crown_jewel,omitempty"`
	InternetFacing *bool               `yaml:"internet_facing,omitempty" json:"internet_facing,omitempty"`
	Lifecycles     []string            `yaml:"lifecycles,omitempty" json:"lifecycles,omitempty"`
	ProductAreas   []string            `yaml:"product_areas,omitempty" json:"product_areas,omitempty"`
	BusinessUnits  []string            `yaml:"business_units,omitempty" json:"business_units,omitempty"`
	HasRepository  *bool               `yaml:"has_repository,omitempty" json:"has_repository,omitempty"`
	Facts          map[string][]string `yaml:"facts,omitempty" json:"facts,omitempty"`
}

// SourceConfig is one source of evidence of a control.
type SourceConfig struct {
	From EvidenceSource `yaml:"from" json:"from"`
	// Name is what to look at there: a fact, setting, check, class or kind; the control's own name for facts, settings and statements.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// Accept are the values that pass, where the source has values of its own.
	Accept []string `yaml:"accept,omitempty" json:"accept,omitempty"`
	// Absent is what it means that the source was read whole and says nothing of a service.
	Absent Absence `yaml:"absent,omitempty" json:"absent,omitempty"`
}

// Absence is what it means that a source says nothing.
type Absence string

// The meanings. The default is AbsenceUnknown.
const (
	AbsenceUnknown Absence = "unknown"
	AbsenceFail    Absence = "fail"
)

// Absences lists the meanings.
func Absences() []Absence { return []Absence{AbsenceUnknown, AbsenceFail} }

// EvidenceSource is where evidence comes from.
type EvidenceSource string

// The sources. The first group is about services, the second of repositories, and statements of either.
const (
	// FromCatalogField: a field that the catalog fills or leaves empty.
	FromCatalogField EvidenceSource = "catalog_field"
	// FromCatalogFact: a further fact of the catalog: yes or no, a date, or an accepted value.
	FromCatalogFact EvidenceSource = "catalog_fact"
	// FromReview: a security review of a kind that was done, as of its closing.
	FromReview EvidenceSource = "review"
	// FromRollback: a deployment to production that brought back an older state and succeeded.
	FromRollback EvidenceSource = "rollback"

	// FromEvidence: statements by collectors (catalog, Scorecard, evidence documents, policy reports) that name the control.
	FromEvidence EvidenceSource = "evidence"

	// FromSetting and FromProperty: a yes-or-no setting and a custom property of a repository.
	FromSetting  EvidenceSource = "repository_setting"
	FromProperty EvidenceSource = "repository_property"
	// FromScanner: scanning of a class is switched on. FromScan: the last successful scan of a class is fresh by policy.scan_max_age; where
	// no source says anything about scans of the class, as FromScanner.
	FromScanner EvidenceSource = "scanner"
	FromScan    EvidenceSource = "scan"
	// FromBranchProtection and FromEnvironmentProtection: a protection check.
	FromBranchProtection      EvidenceSource = "branch_protection"
	FromEnvironmentProtection EvidenceSource = "environment_protection"
	// FromRelease, FromDeployment and FromPipeline: evidence of a kind for the last release, the last successful deployment to production, and
	// all pipelines that publish or deploy.
	FromRelease    EvidenceSource = "release"
	FromDeployment EvidenceSource = "deployment"
	FromPipeline   EvidenceSource = "pipeline"
	// FromRunner: every self-hosted runner that the repository may use has an accepted trust, dedicated by default, or there is none.
	FromRunner EvidenceSource = "runner"
	// FromCloudIdentity: pipelines use short-lived tokens and no long-lived key of a cloud.
	FromCloudIdentity EvidenceSource = "cloud_identity"
)

// EvidenceSources lists the sources.
func EvidenceSources() []EvidenceSource {
	return []EvidenceSource{
		FromCatalogField, FromCatalogFact, FromReview, FromRollback, FromEvidence, FromSetting, FromProperty, FromScanner, FromScan,
		FromBranchProtection, FromEnvironmentProtection, FromRelease, FromDeployment, FromPipeline,
		FromRunner, FromCloudIdentity,
	}
}
