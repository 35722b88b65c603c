package policy

import (
	"maps"
	"math"
	"slices"

	"prodsec_exporter/internal/record"
)

// RiskConfig is the table of factors behind risk: the weight of an open critical or high is
//
//	severity × exposure × criticality × exploitation
//
// Other severities weigh nothing: risk is what has to be dealt with now.
type RiskConfig struct {
	Severity     RiskSeverity     `yaml:"severity" json:"severity"`
	Exposure     RiskExposure     `yaml:"exposure" json:"exposure"`
	Criticality  RiskCriticality  `yaml:"criticality" json:"criticality"`
	Exploitation RiskExploitation `yaml:"exploitation" json:"exploitation"`
}

// RiskSeverity holds the factors of severities.
type RiskSeverity struct {
	Critical float64 `yaml:"critical" json:"critical"`
	High     float64 `yaml:"high" json:"high"`
}

// RiskExposure holds the factors of whether the service faces the internet. Unknown is of services whose catalog does not say; it
// must not weigh less than Internal, because what is unknown is not good.
type RiskExposure struct {
	InternetFacing float64 `yaml:"internet_facing" json:"internet_facing"`
	Internal       float64 `yaml:"internal" json:"internal"`
	Unknown        float64 `yaml:"unknown" json:"unknown"`
}

// RiskCriticality holds the factors of how much depends on a service: that of its trust tier or, for a crown jewel, CrownJewel if that
// is larger.
type RiskCriticality struct {
	CrownJewel float64 `yaml:"crown_jewel" json:"crown_jewel"`
	// TrustTiers are by tier; Others is of tiers that are not named, UnknownTier of services without a tier.
	TrustTiers  map[string]float64 `yaml:"trust_tiers,omitempty" json:"trust_tiers"`
	Others      float64            `yaml:"other_tiers" json:"other_tiers"`
	UnknownTier float64            `yaml:"unknown_tier" json:"unknown_tier"`
}

// RiskExploitation holds the factors of what is known about attacks: the first of these that holds counts.
type RiskExploitation struct {
	KnownExploited float64 `yaml:"known_exploited" json:"known_exploited"`
	ActiveSecret   float64 `yaml:"active_secret" json:"active_secret"`
	// Likely is of an exploit prediction at or above epss_threshold.
	Likely float64 `yaml:"likely" json:"likely"`
	None   float64 `yaml:"none" json:"none"`
}

// Exploitation is the strongest evidence that a weakness is, or is about to be, used in attacks.
type Exploitation uint8

// The evidence, weakest first.
const (
	ExploitationNone Exploitation = iota
	ExploitationLikely
	ExploitationActiveSecret
	ExploitationKnown
)

var exploitationNames = [...]string{"", "epss", "active_secret", "kev"}

// String is the label value of "evidence"; empty for ExploitationNone.
func (e Exploitation) String() string { return exploitationNames[e] }

// Exploitations lists the evidence, weakest first, without ExploitationNone.
func Exploitations() []Exploitation {
	return []Exploitation{ExploitationLikely, ExploitationActiveSecret, ExploitationKnown}
}

// epssScale is how finely exploit predictions are told apart.
const epssScale = 10_000

// Exploitation is the strongest evidence of a weakness. epss is in 1/10000, 0 when unknown.
func (p *Policy) Exploitation(knownExploited, activeSecret bool, epss uint16) Exploitation {
	switch {
	case knownExploited:
		return ExploitationKnown
	case activeSecret:
		return ExploitationActiveSecret
	case epss > 0 && epss >= p.likely:
		return ExploitationLikely
	default:
		return ExploitationNone
	}
}

// FindingWeight is the part of the risk weight that follows from the weakness alone: severity × exploitation. It is 0 for what is neither
// critical nor high.
func (p *Policy) FindingWeight(s SeverityIndex, e Exploitation) float64 {
	if int(s) >= len(p.findingWeights) {
		return 0
	}
	return p.findingWeights[s][e]
}

// ServiceWeight is the part of the risk weight that follows from the service: exposure × criticality.
func (p *Policy) ServiceWeight(s record.Service) float64 {
	return p.exposureFactor(s.InternetFacing) * p.criticalityFactor(s)
}

func (p *Policy) exposureFactor(facing record.Answer) float64 {
	c := p.config.Risk.Exposure
	switch facing {
	case record.AnswerYes:
		return c.InternetFacing
	case record.AnswerNo:
		return c.Internal
	case record.AnswerUnknown:
		return c.Unknown
	default:
		return c.Unknown
	}
}

func (p *Policy) criticalityFactor(s record.Service) float64 {
	c := p.config.Risk.Criticality
	factor, named := c.TrustTiers[s.TrustTier]
	switch {
	case named:
	case p.TierNames()[p.Tier(s.TrustTier)] == TierUnknown:
		factor = c.UnknownTier
	default:
		factor = c.Others
	}
	if s.CrownJewel == record.AnswerYes {
		factor = max(factor, c.CrownJewel)
	}
	return factor
}

func (p *Policy) compileRisk(fail failFunc) {
	c := p.config.Risk
	p.checkFactors(fail)
	p.likely = uint16(math.Round(min(1, max(0, p.config.EPSS)) * epssScale))
	for s, severity := range []float64{c.Severity.Critical, c.Severity.High} {
		p.findingWeights[s] = [...]float64{
			ExploitationNone:         severity * c.Exploitation.None,
			ExploitationLikely:       severity * c.Exploitation.Likely,
			ExploitationActiveSecret: severity * c.Exploitation.ActiveSecret,
			ExploitationKnown:        severity * c.Exploitation.KnownExploited,
		}
	}
}

// maxFactor bounds a factor: beyond it one finding drowns every other and a typing error is likely.
const maxFactor = 1000

func (p *Policy) checkFactors(fail failFunc) {
	c := p.config.Risk
	factor := func(key string, f float64) {
		if math.IsNaN(f) || f <= 0 || f > maxFactor {
			fail("risk."+key, "%v is not a factor: use a number above 0 and at most %d", f, maxFactor)
		}
	}
	atLeast := func(key string, f float64, lowerKey string, lower float64, why string) {
		factor(key, f)
		if f < lower {
			fail("risk."+key, "%v is less than risk.%s (%v), but %s", f, lowerKey, lower, why)
		}
	}
	factor("severity.high", c.Severity.High)
	atLeast("severity.critical", c.Severity.Critical, "severity.high", c.Severity.High, "a critical weighs at least as much as a high")
	factor("exposure.internal", c.Exposure.Internal)
	atLeast("exposure.internet_facing", c.Exposure.InternetFacing, "exposure.internal", c.Exposure.Internal, "exposure adds to risk")
	atLeast("exposure.unknown", c.Exposure.Unknown, "exposure.internal", c.Exposure.Internal, "what is unknown must not count as good")
	factor("criticality.crown_jewel", c.Criticality.CrownJewel)
	for _, tier := range slices.Sorted(maps.Keys(c.Criticality.TrustTiers)) {
		p.checkTiers("risk.criticality.trust_tiers", []string{tier}, fail)
		factor("criticality.trust_tiers."+tier, c.Criticality.TrustTiers[tier])
	}
	factor("criticality.other_tiers", c.Criticality.Others)
	if _, named := c.Criticality.TrustTiers[TierUnknown]; named {
		fail("risk.criticality.trust_tiers", "%q has a key of its own: risk.criticality.unknown_tier", TierUnknown)
	}
	factor("criticality.unknown_tier", c.Criticality.UnknownTier)
	factor("exploitation.none", c.Exploitation.None)
	atLeast("exploitation.likely", c.Exploitation.Likely, "exploitation.none", c.Exploitation.None, "evidence adds to risk")
	atLeast("exploitation.active_secret", c.Exploitation.ActiveSecret, "exploitation.none", c.Exploitation.None, "evidence adds to risk")
	atLeast("exploitation.known_exploited", c.Exploitation.KnownExploited, "exploitation.likely", c.Exploitation.Likely,
		"what is known to be exploited weighs at least as much as what is likely to be")
}

// defaultRisk gives the two highest trust tiers more weight than the others.
func defaultRisk(tiers []string) RiskConfig {
	weights := map[string]float64{}
	for i, weight := range []float64{2, 1.5} {
		if i < len(tiers) {
			weights[tiers[i]] = weight
		}
	}
	return RiskConfig{
		Severity:     RiskSeverity{Critical: 10, High: 4},
		Exposure:     RiskExposure{InternetFacing: 2, Internal: 1, Unknown: 1.5},
		Criticality:  RiskCriticality{CrownJewel: 3, TrustTiers: weights, Others: 1, UnknownTier: 1.5},
		Exploitation: RiskExploitation{KnownExploited: 4, ActiveSecret: 4, Likely: 2, None: 1},
	}
}
