package policy

// Objective names a share that the organisation holds itself to. It is the label "objective" of prodsec_target_ratio, with which rules and boards compare.
type Objective string

// The objectives.
const (
	// ObjectiveSLAAttainment: met of met and missed SLA outcomes. Set by policy.sla.attainment_target.
	ObjectiveSLAAttainment Objective = "sla_attainment"
	// ObjectiveProtection: privileged repositories and production paths that pass every required check.
	ObjectiveProtection Objective = "protection"
	// ObjectiveOwnership: repositories and services with a known owner.
	ObjectiveOwnership Objective = "ownership"
	// ObjectiveControls: services that have a control, or every control of their baseline.
	ObjectiveControls Objective = "controls"
	// ObjectiveApproval: production deployments that were approved.
	ObjectiveApproval Objective = "approval"
	// ObjectiveEvidence: releases and privileged pipelines with evidence.
	ObjectiveEvidence Objective = "evidence"
	// ObjectiveRemediation: closed findings that were fixed, of all that were closed.
	ObjectiveRemediation Objective = "remediation"
	// ObjectiveConcentration: the largest share of open criticals and highs that the five services with most may hold. Lower is better.
	ObjectiveConcentration Objective = "concentration"
)

// Objectives lists the objectives in the order of the boards.
func Objectives() []Objective {
	return []Objective{
		ObjectiveSLAAttainment, ObjectiveProtection, ObjectiveOwnership, ObjectiveControls, ObjectiveApproval, ObjectiveEvidence,
		ObjectiveRemediation, ObjectiveConcentration,
	}
}

// TargetsConfig are the targets of objectives, each above 0 and up to 1. The one of SLA attainment is policy.sla.attainment_target.
type TargetsConfig struct {
	Protection    float64 `yaml:"protection" json:"protection"`
	Ownership     float64 `yaml:"ownership" json:"ownership"`
	Controls      float64 `yaml:"controls" json:"controls"`
	Approval      float64 `yaml:"approval" json:"approval"`
	Evidence      float64 `yaml:"evidence" json:"evidence"`
	Remediation   float64 `yaml:"remediation" json:"remediation"`
	Concentration float64 `yaml:"concentration" json:"concentration"`
	// MinimumOutcomes is the smallest denominator of a share that means something; below it boards show the share in grey and no alert compares it.
	MinimumOutcomes int `yaml:"minimum_outcomes" json:"minimum_outcomes"`
}

// defaultTargets: a privileged repository is protected or somebody decided otherwise; a deployment past approval is an emergency; what lacks a control
// or evidence yet is known by name. Of four outcomes, one late fix is a quarter and no trend.
func defaultTargets() TargetsConfig {
	return TargetsConfig{
		Protection: 0.95, Ownership: 0.98, Controls: 0.9, Approval: 0.95, Evidence: 0.9, Remediation: 0.7, Concentration: 0.5, MinimumOutcomes: 5,
	}
}

// ObjectiveTarget is the share, in 0–1, that an objective is held to; 0 for a word that is no objective.
func (p *Policy) ObjectiveTarget(o Objective) float64 {
	c := p.config.Targets
	switch o {
	case ObjectiveSLAAttainment:
		return p.config.SLA.AttainmentTarget
	case ObjectiveProtection:
		return c.Protection
	case ObjectiveOwnership:
		return c.Ownership
	case ObjectiveControls:
		return c.Controls
	case ObjectiveApproval:
		return c.Approval
	case ObjectiveEvidence:
		return c.Evidence
	case ObjectiveRemediation:
		return c.Remediation
	case ObjectiveConcentration:
		return c.Concentration
	default:
		return 0
	}
}

// MinimumOutcomes is the smallest denominator for which a share is compared with its target.
func (p *Policy) MinimumOutcomes() int { return p.config.Targets.MinimumOutcomes }

func (p *Policy) checkObjectives(fail failFunc) {
	for _, o := range Objectives() {
		if target := p.ObjectiveTarget(o); o != ObjectiveSLAAttainment && (target <= 0 || target > 1) {
			fail("targets."+string(o), "%v is not a share above 0 and up to 1, e.g. 0.95", target)
		}
	}
	if p.config.Targets.MinimumOutcomes < 1 {
		fail("targets.minimum_outcomes", "%d is no size of a denominator; use at least 1", p.config.Targets.MinimumOutcomes)
	}
}
