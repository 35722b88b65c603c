package policy

import (
	"maps"
	"slices"

	"prodsec_exporter/internal/record"
)

// The built-in controls that other parts of the program name.
const (
	ControlOwner            = "owner"
	ControlBranchProtection = "branch_protection"
	ControlRollback         = "rollback"
	ControlLogging          = "logging"
	ControlBaseline         = "baseline"
)

// builtinControls are the controls that there are if the configuration says nothing. Tiers are taken by their position, so that they fit any
// list of trust tiers.
func builtinControls(tiers []string) ControlsConfig {
	first, top, every := tiers[:min(1, len(tiers))], tiers[:min(2, len(tiers))], append(slices.Clone(tiers), TierUnknown)
	yes := true
	critical := []SelectorConfig{{TrustTiers: top}, {CrownJewel: &yes}}
	hostedCritical := []SelectorConfig{{TrustTiers: top, HasRepository: &yes}, {CrownJewel: &yes, HasRepository: &yes}}
	production := []SelectorConfig{{Lifecycles: []string{"production", noneStated}}}
	hosted := []SelectorConfig{{HasRepository: &yes}}
	shipped := []SelectorConfig{{HasRepository: &yes, Lifecycles: []string{"production", noneStated}}}
	stated := SourceConfig{From: FromEvidence}
	fact := SourceConfig{From: FromCatalogFact}
	month, half, year := Duration(30*Day), Duration(180*Day), Duration(365*Day)

	controls := ControlsConfig{
		ControlOwner:            {Domain: DomainGovernance, Evidence: []SourceConfig{{From: FromCatalogField, Name: fieldTeam}}, Baseline: every},
		ControlLogging:          {Domain: DomainGovernance, AppliesTo: production, Evidence: []SourceConfig{stated, fact}, Baseline: top},
		ControlBaseline:         {Domain: DomainGovernance, AppliesTo: production, Evidence: []SourceConfig{stated, fact, {From: FromSetting, Name: "security_configuration"}}, Baseline: top},
		"golden_path":           {Domain: DomainDelivery, AppliesTo: hosted, Evidence: []SourceConfig{stated, fact, {From: FromProperty}}},
		"threat_model":          reviewed(record.ReviewThreatModel, critical, top, year),
		"design_review":         reviewed(record.ReviewDesign, critical, first, year),
		"sast":                  scanned(record.ClassSAST, hosted, top),
		"sca":                   scanned(record.ClassSCA, hosted, top),
		"secret_scanning":       scanned(record.ClassSecret, hosted, top),
		"push_protection":       {Domain: DomainAppSec, AppliesTo: hosted, Evidence: []SourceConfig{{From: FromSetting}, stated}, Baseline: first},
		"cloud_baseline":        {Domain: DomainCloud, AppliesTo: production, Evidence: []SourceConfig{stated, fact}, MaxAge: age(month), Baseline: first},
		"kubernetes_baseline":   {Domain: DomainKubernetes, AppliesTo: orchestrated(), Evidence: []SourceConfig{stated, fact}, MaxAge: age(month), Baseline: first},
		ControlBranchProtection: {Domain: DomainDelivery, AppliesTo: hosted, Evidence: []SourceConfig{{From: FromBranchProtection, Name: string(CheckRequired)}, stated}, Combine: CombineFirst, Baseline: top},
		"provenance": {
			Domain: DomainDelivery, AppliesTo: shipped, Combine: CombineFirst, Baseline: first,
			Evidence: []SourceConfig{
				{From: FromDeployment, Name: string(record.EvidenceProvenance)}, {From: FromRelease, Name: string(record.EvidenceProvenance)},
				{From: FromPipeline, Name: string(record.EvidenceProvenance)}, stated,
			},
		},
		"runner_tier":    {Domain: DomainDelivery, AppliesTo: hostedCritical, Evidence: []SourceConfig{{From: FromRunner}, stated}, Combine: CombineFirst, Baseline: first},
		"cloud_identity": {Domain: DomainDelivery, AppliesTo: hosted, Evidence: []SourceConfig{{From: FromCloudIdentity}, stated}, Combine: CombineFirst, Baseline: first},
		ControlRollback:  {Domain: DomainDelivery, AppliesTo: critical, Evidence: []SourceConfig{{From: FromRollback}, stated, fact}, MaxAge: age(half), Baseline: first},
	}
	for name, c := range controls {
		if c.Combine == "" {
			c.Combine = CombineAny
		}
		if c.MaxAge == nil {
			c.MaxAge = age(0)
		}
		controls[name] = c
	}
	return controls
}

// reviewed is a control that a finished review of a kind proves. A service of which the place where reviews are kept knows none fails.
func reviewed(kind record.ReviewKind, of []SelectorConfig, tiers []string, maxAge Duration) ControlConfig {
	return ControlConfig{
		Domain: DomainAppSec, AppliesTo: of, MaxAge: age(maxAge), Baseline: tiers,
		Evidence: []SourceConfig{{From: FromReview, Name: string(kind), Absent: AbsenceFail}, {From: FromEvidence}, {From: FromCatalogFact}},
	}
}

// scanned is a control that scans of a class prove.
func scanned(class record.Class, of []SelectorConfig, tiers []string) ControlConfig {
	return ControlConfig{
		Domain: DomainAppSec, AppliesTo: of, Baseline: tiers,
		Evidence: []SourceConfig{{From: FromScan, Name: string(class)}, {From: FromEvidence}},
	}
}

// orchestrated are production services of which no catalog says that they run on something else than Kubernetes.
func orchestrated() []SelectorConfig {
	return []SelectorConfig{{Lifecycles: []string{"production", noneStated}, Facts: map[string][]string{"platform": {"kubernetes", noneStated}}}}
}

func age(d Duration) *Duration { return &d }

// effectiveControls puts what is configured over what is built in, part by part.
func effectiveControls(configured ControlsConfig, tiers []string) ControlsConfig {
	controls := builtinControls(tiers)
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		over, c := configured[name], controls[name]
		c.Disabled = over.Disabled
		if over.Domain != "" {
			c.Domain = over.Domain
		}
		if over.AppliesTo != nil {
			c.AppliesTo = over.AppliesTo
		}
		if over.WithoutRepositories != nil {
			c.WithoutRepositories = over.WithoutRepositories
		}
		if over.WithoutTopics != nil {
			c.WithoutTopics = over.WithoutTopics
		}
		if over.Evidence != nil {
			c.Evidence = over.Evidence
		}
		if over.Combine != "" {
			c.Combine = over.Combine
		}
		if over.MaxAge != nil {
			c.MaxAge = over.MaxAge
		}
		if over.Baseline != nil {
			c.Baseline = over.Baseline
		}
		if c.Combine == "" {
			c.Combine = CombineAny
		}
		if c.MaxAge == nil {
			c.MaxAge = age(0)
		}
		controls[name] = c
	}
	return controls
}
