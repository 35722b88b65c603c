package policy

import (
	"math"
	"strings"
	"testing"

	"prodsec_exporter/internal/record"
)

func TestExploitation(t *testing.T) {
	for _, c := range []struct {
		name          string
		known, active bool
		epss          uint16
		threshold     float64
		want          Exploitation
	}{
		{"nothing known", false, false, 0, 0.5, ExploitationNone},
		{"below the threshold", false, false, 4999, 0.5, ExploitationNone},
		{"at the threshold", false, false, 5000, 0.5, ExploitationLikely},
		{"a working secret", false, true, 9999, 0.5, ExploitationActiveSecret},
		{"known counts first", true, true, 9999, 0.5, ExploitationKnown},
		{"a threshold of 0 does not make likely what nobody predicts", false, false, 0, 0, ExploitationNone},
		{"but what somebody does", false, false, 1, 0, ExploitationLikely},
		{"a threshold of 1", false, false, 9999, 1, ExploitationNone},
		{"certain", false, false, 10_000, 1, ExploitationLikely},
	} {
		p := policyWith(t, func(config *Config) { config.EPSS = c.threshold })
		if got := p.Exploitation(c.known, c.active, c.epss); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestRiskWeight multiplies the factors of the default table: 10 and 4 for critical and high, 2, 1 and 1.5 for exposure, 3 for crown jewels,
// 2, 1.5, 1 and 1.5 by tier, 4, 4, 2 and 1 for exploitation.
func TestRiskWeight(t *testing.T) {
	critical, high, medium := IndexOfSeverity(record.SeverityCritical), IndexOfSeverity(record.SeverityHigh), IndexOfSeverity(record.SeverityMedium)
	p := Default()
	for _, c := range []struct {
		name     string
		severity SeverityIndex
		service  record.Service
		evidence Exploitation
		want     float64
	}{
		{"10 × 2 × 3 × 4", critical, record.Service{TrustTier: "tier0", InternetFacing: record.AnswerYes, CrownJewel: record.AnswerYes}, ExploitationKnown, 240},
		{"4 × 1 × 1 × 1", high, record.Service{TrustTier: "tier3", InternetFacing: record.AnswerNo, CrownJewel: record.AnswerNo}, ExploitationNone, 4},
		{"4 × 1.5 × 2 × 2", high, record.Service{TrustTier: "tier0"}, ExploitationLikely, 24},
		{"10 × 1 × 1.5 × 4", critical, record.Service{TrustTier: "tier1", InternetFacing: record.AnswerNo}, ExploitationActiveSecret, 60},
		{"nobody knows anything: 10 × 1.5 × 1.5 × 1", critical, record.Service{}, ExploitationNone, 22.5},
		{"a tier that the policy does not list: 10 × 1.5 × 1.5 × 1", critical, record.Service{TrustTier: "gold"}, ExploitationNone, 22.5},
		{"a medium weighs nothing", medium, record.Service{TrustTier: "tier0", InternetFacing: record.AnswerYes}, ExploitationKnown, 0},
	} {
		if got := p.FindingWeight(c.severity, c.evidence) * p.ServiceWeight(c.service); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	low := policyWith(t, func(c *Config) { c.Risk.Criticality.CrownJewel = 1.2 })
	if got := low.ServiceWeight(record.Service{TrustTier: "tier0", InternetFacing: record.AnswerNo, CrownJewel: record.AnswerYes}); got != 2 {
		t.Errorf("a crown jewel at tier0 weighs %v, want the larger factor, 2", got)
	}
}

func TestRiskTableIsStrict(t *testing.T) {
	for _, c := range []struct {
		change func(*RiskConfig)
		want   string
	}{
		{func(c *RiskConfig) { c.Severity.High = 0 }, "policy.risk.severity.high: 0 is not a factor"},
		{func(c *RiskConfig) { c.Severity.Critical = 3 }, "policy.risk.severity.critical: 3 is less than risk.severity.high (4)"},
		{func(c *RiskConfig) { c.Severity.Critical = 1001 }, "policy.risk.severity.critical: 1001 is not a factor"},
		{func(c *RiskConfig) { c.Exposure.Unknown = 0.5 }, "policy.risk.exposure.unknown: 0.5 is less than risk.exposure.internal (1), but what is unknown must not count as good"},
		{func(c *RiskConfig) { c.Exposure.InternetFacing = 0.5 }, "policy.risk.exposure.internet_facing: 0.5 is less"},
		{func(c *RiskConfig) { c.Criticality.CrownJewel = -1 }, "policy.risk.criticality.crown_jewel: -1 is not a factor"},
		{func(c *RiskConfig) { c.Criticality.TrustTiers = map[string]float64{"gold": 2} }, `policy.risk.criticality.trust_tiers: "gold" is not listed in policy.trust_tiers`},
		{func(c *RiskConfig) { c.Criticality.TrustTiers = map[string]float64{"tier0": math.Inf(1)} }, "policy.risk.criticality.trust_tiers.tier0: +Inf is not a factor"},
		{func(c *RiskConfig) { c.Criticality.TrustTiers = map[string]float64{"unknown": 2} }, "policy.risk.criticality.trust_tiers: \"unknown\" has a key of its own"},
		{func(c *RiskConfig) { c.Criticality.Others = math.NaN() }, "policy.risk.criticality.other_tiers: NaN is not a factor"},
		{func(c *RiskConfig) { c.Criticality.UnknownTier = 0 }, "policy.risk.criticality.unknown_tier: 0 is not a factor"},
		{func(c *RiskConfig) { c.Exploitation.Likely = 0.5 }, "policy.risk.exploitation.likely: 0.5 is less than risk.exploitation.none (1)"},
		{func(c *RiskConfig) { c.Exploitation.ActiveSecret = 0.5 }, "policy.risk.exploitation.active_secret: 0.5 is less"},
		{func(c *RiskConfig) { c.Exploitation.KnownExploited = 1.5 }, "policy.risk.exploitation.known_exploited: 1.5 is less than risk.exploitation.likely (2)"},
	} {
		config := DefaultConfig()
		c.change(&config.Risk)
		_, err := New(config)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want only %q", err, c.want)
		}
	}
}
