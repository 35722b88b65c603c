package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"prodsec_exporter/internal/record"
)

// Config is the section "policy" of the configuration file.
type Config struct {
	// TimeZone is the IANA name of the zone in which a deadline's day ends.
	TimeZone string `yaml:"time_zone" json:"time_zone"`
	// TrustTiers are the organisation's words for trust tiers, highest trust first.
	TrustTiers []string         `yaml:"trust_tiers" json:"trust_tiers"`
	SLA        SLAConfig        `yaml:"sla" json:"sla"`
	Exceptions ExceptionsConfig `yaml:"exceptions" json:"exceptions"`
	Protection ProtectionConfig `yaml:"protection" json:"protection"`
	Windows    []Duration       `yaml:"windows" json:"windows"`
	// Targets are what shares are compared with by rules and boards.
	Targets    TargetsConfig `yaml:"targets" json:"targets"`
	Precedence []string      `yaml:"catalog_precedence,omitempty" json:"catalog_precedence"`
	EPSS       float64       `yaml:"epss_threshold" json:"epss_threshold"`
	// Risk weighs open criticals and highs.
	Risk RiskConfig `yaml:"risk" json:"risk"`
	// Buckets are those of histograms.
	Buckets BucketsConfig `yaml:"buckets" json:"buckets"`
	Detail  DetailConfig  `yaml:"detail" json:"detail"`
	// ScanMaxAge is by class; a class that is not named has seven days.
	ScanMaxAge ScanAges `yaml:"scan_max_age,omitempty" json:"scan_max_age,omitempty"`
	// Calendars say which times count in working hours.
	Calendars CalendarsConfig `yaml:"calendars,omitempty" json:"calendars,omitzero"`
	// Delivery says when the way to production is to be trusted, DORA what the measures of delivery count.
	Delivery DeliveryConfig `yaml:"delivery" json:"delivery"`
	DORA     DORAConfig     `yaml:"dora" json:"dora"`
	// Controls are what services ought to have. Of a Policy's Config they are all there are, the built-in ones included.
	Controls ControlsConfig `yaml:"controls,omitempty" json:"controls,omitempty"`
	// ControlMapping attributes failures to controls. Of a Policy's Config the built-in rows are at its end.
	ControlMapping []MappingConfig `yaml:"control_mapping,omitempty" json:"control_mapping,omitempty"`
}

// SLAConfig says how fast what must be fixed.
type SLAConfig struct {
	// Targets are rules; of those that match a finding, the one that names the most conditions wins, and of equally specific
	// ones the shortest.
	Targets []Target `yaml:"targets" json:"targets"`
	// DueSoonRatio is the last part of the time in which a finding is due soon, in 0–1.
	DueSoonRatio float64 `yaml:"due_soon_ratio" json:"due_soon_ratio"`
	// Reopen says what a reopening within ReopenWithin does to the clock.
	Reopen       Reopen   `yaml:"reopen" json:"reopen"`
	ReopenWithin Duration `yaml:"reopen_within" json:"reopen_within"`
	// AttainmentTarget is the share of outcomes that should be met, in 0–1; boards and alerts compare with it.
	AttainmentTarget float64 `yaml:"attainment_target" json:"attainment_target"`
}

// Reopen is what a reopening does to the clock.
type Reopen string

// The ways to treat a reopening.
const (
	// ReopenContinue: the old clock goes on as if the finding had never been closed, and an earlier "met" is revoked.
	ReopenContinue Reopen = "continue"
	// ReopenRestart: a new clock starts; the earlier outcome stands.
	ReopenRestart Reopen = "restart"
)

// Target is one SLA rule. Conditions that are not set match everything.
type Target struct {
	Severity       record.Severity `yaml:"severity" json:"severity"`
	TrustTiers     []string        `yaml:"trust_tiers,omitempty" json:"trust_tiers,omitempty"`
	InternetFacing *bool           `yaml:"internet_facing,omitempty" json:"internet_facing,omitempty"`
	CrownJewel     *bool           `yaml:"crown_jewel,omitempty" json:"crown_jewel,omitempty"`
	Exploited      *bool           `yaml:"exploited,omitempty" json:"exploited,omitempty"`
	// Within is the time to fix.
	Within Duration `yaml:"within" json:"within"`
}

// ExceptionsConfig says which exceptions count.
type ExceptionsConfig struct {
	// VendorAcceptances names the tools whose own risk acceptances stop a clock, e.g. [defectdojo].
	VendorAcceptances []string `yaml:"vendor_acceptances,omitempty" json:"vendor_acceptances,omitempty"`
	// RejectedRecently is how long a rejected request is shown.
	RejectedRecently Duration `yaml:"rejected_recently" json:"rejected_recently"`
	// RenewalWithin: a grant for the same service and category within this time of an earlier one is a renewal.
	RenewalWithin Duration `yaml:"renewal_within" json:"renewal_within"`
}

// ProtectionConfig says what a protected repository is.
type ProtectionConfig struct {
	// Required are the branch checks that must all pass for the check "required".
	Required []Check `yaml:"required" json:"required"`
	// RequiredEnvironment are the environment checks that must all pass.
	RequiredEnvironment []Check `yaml:"required_environment" json:"required_environment"`
	// ProductionEnvironments are glob patterns of environment names that count.
	ProductionEnvironments []string `yaml:"production_environments" json:"production_environments"`
	// Approvals is the least number of required approving reviews.
	Approvals int `yaml:"approvals" json:"approvals"`
	// Privileged selects the repositories whose gaps are listed one by one.
	Privileged PrivilegedConfig `yaml:"privileged" json:"privileged"`
}

// PrivilegedConfig selects privileged repositories: any condition suffices.
type PrivilegedConfig struct {
	TrustTiers   []string `yaml:"trust_tiers,omitempty" json:"trust_tiers,omitempty"`
	Topics       []string `yaml:"topics,omitempty" json:"topics,omitempty"`
	Repositories []string `yaml:"repositories,omitempty" json:"repositories,omitempty"`
}

// DetailConfig bounds what is exported per service and control.
type DetailConfig struct {
	TrustTiers     []string `yaml:"trust_tiers" json:"trust_tiers"`
	CrownJewel     bool     `yaml:"crown_jewel" json:"crown_jewel"`
	InternetFacing bool     `yaml:"internet_facing" json:"internet_facing"`
	// MaxSeries is the series budget of a family; services beyond it fold into "other".
	MaxSeries int `yaml:"max_series" json:"max_series"`
}

// Duration is a time span written as in Prometheus, e.g. "7d".
type Duration time.Duration

// UnmarshalText reads a Prometheus duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := model.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 12h, 7d or 13w", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes a Prometheus duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Std is the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes whole days as days ("90d", not "12w6d"), anything else as Prometheus does.
func (d Duration) String() string {
	if days := d.Std() / Day; days > 0 && d.Std()%Day == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return model.Duration(d).String()
}

// Day is 24 hours.
const Day = 24 * time.Hour

// defaultTiers are the trust tiers where the configuration says nothing, highest trust first.
var defaultTiers = []string{"tier0", "tier1", "tier2", "tier3"}

// DefaultConfig is used where the configuration file says nothing.
func DefaultConfig() Config { return DefaultConfigFor(nil) }

// DefaultConfigFor is DefaultConfig for an organisation with trust tiers of its own, highest trust first: what the defaults say of the two highest tiers they
// say of the two highest of these. Without tiers it is DefaultConfig.
func DefaultConfigFor(tiers []string) Config {
	if len(tiers) == 0 {
		tiers = defaultTiers
	}
	highest, high := tiers[:1:1], tiers[:min(2, len(tiers)):min(2, len(tiers))]
	yes := true
	days := func(n int) Duration { return Duration(time.Duration(n) * Day) }
	return Config{
		TimeZone:   "UTC",
		TrustTiers: slices.Clone(tiers),
		SLA: SLAConfig{
			Targets: []Target{
				{Severity: record.SeverityCritical, Within: days(14)},
				{Severity: record.SeverityCritical, TrustTiers: slices.Clone(highest), Within: days(7)},
				{Severity: record.SeverityCritical, InternetFacing: &yes, Within: days(7)},
				{Severity: record.SeverityCritical, InternetFacing: &yes, Exploited: &yes, Within: days(3)},
				{Severity: record.SeverityHigh, Within: days(30)},
				{Severity: record.SeverityHigh, Exploited: &yes, Within: days(14)},
				{Severity: record.SeverityMedium, Within: days(90)},
				{Severity: record.SeverityLow, Within: days(180)},
			},
			DueSoonRatio: 0.25, Reopen: ReopenContinue, ReopenWithin: days(30), AttainmentTarget: 0.9,
		},
		Exceptions: ExceptionsConfig{RejectedRecently: days(30), RenewalWithin: days(365)},
		Protection: ProtectionConfig{
			Required:               []Check{CheckPullRequest, CheckApprovals, CheckStatusChecks, CheckForcePushBlocked, CheckDeletionBlocked},
			RequiredEnvironment:    []Check{CheckRequiredReviewers, CheckBranchPolicy},
			ProductionEnvironments: []string{"prod", "production", "prod-*", "production-*"},
			Approvals:              1,
			Privileged:             PrivilegedConfig{TrustTiers: slices.Clone(high), Topics: []string{"privileged"}},
		},
		Windows: []Duration{days(7), days(30), days(90)},
		Targets: defaultTargets(),
		EPSS:    0.5,
		Risk:    defaultRisk(tiers),
		Buckets: defaultBuckets(),
		Detail:  DetailConfig{TrustTiers: slices.Clone(high), CrownJewel: true, InternetFacing: true, MaxSeries: 10_000},

		Delivery: defaultDelivery(), DORA: defaultDORA(),
	}
}
