package policy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Control is something that a service ought to have, and how its result follows from evidence.
type Control struct {
	// Name is the label "control".
	Name   string
	Domain Domain
	// Sources are what speaks for or against it.
	Sources []Source

	combine   Combination
	appliesTo []SelectorConfig
	without   []string
	topics    []string
	maxAge    int64
	// baseline is by TierIndex.
	baseline []bool
	policy   *Policy
}

// Source is one source of evidence of a control.
type Source struct {
	From EvidenceSource
	Name string
	// AbsenceFails: that the source was read whole and says nothing means that the control does not hold.
	AbsenceFails bool

	accept map[string]bool
}

// ofRepository reports whether the source is about repositories; statements are about either.
func (s Source) ofRepository() bool {
	switch s.From {
	case FromCatalogField, FromCatalogFact, FromReview, FromRollback:
		return false
	default:
		return true
	}
}

// AcceptsRunner says whether a runner of some trust is good enough for the source.
func (s *Source) AcceptsRunner(trust RunnerTrust) record.Answer {
	switch {
	case trust == RunnerTrustUnknown:
		return record.AnswerUnknown
	case s.accept == nil:
		return record.AnswerOf(trust == RunnerDedicated)
	default:
		return record.AnswerOf(s.accept[string(trust)])
	}
}

// OfRepositories reports whether a source of the control is about repositories, so that there is a result for each.
func (c *Control) OfRepositories() bool {
	return slices.ContainsFunc(c.Sources, Source.ofRepository)
}

// Dated reports whether evidence of the control grows old.
func (c *Control) Dated() bool { return c.maxAge > 0 }

// Required reports whether the baseline of a trust tier requires the control.
func (c *Control) Required(tier TierIndex) bool { return c.baseline[tier] }

// MaxControls bounds how many controls there may be.
const MaxControls = 64

// The fields of the catalog that can be evidence.
const (
	fieldTeam         = "team"
	fieldBusinessUnit = "business_unit"
	fieldTrustTier    = "trust_tier"
	fieldProductArea  = "product_area"
	fieldLifecycle    = "lifecycle"
	fieldRepositories = "repositories"
)

// noneStated is the word for what a catalog leaves open, as it is in labels.
const noneStated = "none"

var controlName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Controls are the controls in force, by name. The caller must not change them.
func (p *Policy) Controls() []Control { return p.controls }

// Control is the position in Controls of the control of that name, -1 if there is none.
func (p *Policy) Control(name string) int {
	if i, ok := p.controlAt[strings.ToLower(strings.TrimSpace(name))]; ok {
		return i
	}
	return -1
}

func (p *Policy) compileControls(fail failFunc) {
	p.config.Controls = effectiveControls(p.config.Controls, p.config.TrustTiers)
	p.controlAt = map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(p.config.Controls)) {
		c, key := p.config.Controls[name], "controls."+name
		if !controlName.MatchString(name) || name == noneStated {
			fail("controls", "%.60q is not the name of a control: small letters, digits and underscores, as in threat_model", name)
			continue
		}
		p.checkControl(key, c, fail)
		if c.Disabled {
			continue
		}
		p.controlAt[name] = len(p.controls)
		p.controls = append(p.controls, p.compileControl(name, c))
	}
	if len(p.controls) > MaxControls {
		fail("controls", "%d controls are in force; at most %d can be told apart, so disable some", len(p.controls), MaxControls)
	}
}

func (p *Policy) compileControl(name string, c ControlConfig) Control {
	control := Control{
		Name: name, Domain: c.Domain, combine: c.Combine, appliesTo: c.AppliesTo, without: c.WithoutRepositories, topics: c.WithoutTopics,
		maxAge:   int64(c.MaxAge.Std() / time.Second),
		baseline: make([]bool, len(p.names)), policy: p,
	}
	for _, tier := range c.Baseline {
		control.baseline[p.Tier(tier)] = true
	}
	for _, e := range c.Evidence {
		source := Source{From: e.From, Name: cmp.Or(e.Name, name), AbsenceFails: e.Absent == AbsenceFail}
		if len(e.Accept) > 0 {
			source.accept = map[string]bool{}
			for _, value := range e.Accept {
				source.accept[fold(value)] = true
			}
		}
		control.Sources = append(control.Sources, source)
	}
	return control
}

func (p *Policy) checkControl(key string, c ControlConfig, fail failFunc) {
	if c.Domain == "" && len(c.Evidence) == 0 {
		fail(key, "no control of that name is built in, and one of your own needs at least domain and evidence; built in are %s",
			strings.Join(slices.Sorted(maps.Keys(builtinControls(p.config.TrustTiers))), ", "))
		return
	}
	if !slices.Contains(Domains(), c.Domain) {
		fail(key+".domain", "%q is not one of %s", c.Domain, oneOf(Domains()))
	}
	if !slices.Contains(Combinations(), c.Combine) {
		fail(key+".combine", "%q is not one of %s", c.Combine, oneOf(Combinations()))
	}
	if c.MaxAge.Std() < 0 {
		fail(key+".max_age", "must not be negative; 0s takes evidence of any age")
	}
	if len(c.Evidence) == 0 {
		fail(key+".evidence", "name at least one source, or disable the control; without evidence it is unknown everywhere")
	}
	p.checkTiers(key+".baseline", c.Baseline, fail)
	checkPatterns(key+".without_repositories", c.WithoutRepositories, fail)
	for i, s := range c.AppliesTo {
		p.checkSelector(fmt.Sprintf("%s.applies_to[%d]", key, i), s, fail)
	}
	for i, e := range c.Evidence {
		checkEvidence(fmt.Sprintf("%s.evidence[%d]", key, i), e, fail)
	}
}

func (p *Policy) checkSelector(key string, s SelectorConfig, fail failFunc) {
	p.checkTiers(key+".trust_tiers", s.TrustTiers, fail)
	for name, values := range s.Facts {
		if name == "" || len(values) == 0 {
			fail(key+".facts", "%.60q names no values; list those that match, with none for a fact that is not stated", name)
		}
	}
}

// namesOf are the names that a source knows; nil where any name will do.
func (s EvidenceSource) names() []string {
	switch s {
	case FromCatalogField:
		return []string{fieldTeam, fieldBusinessUnit, fieldTrustTier, fieldProductArea, fieldLifecycle, fieldRepositories}
	case FromReview:
		return words([]record.ReviewKind{record.ReviewThreatModel, record.ReviewDesign, record.ReviewCode, record.ReviewOther})
	case FromScanner, FromScan:
		return words(record.Classes())
	case FromBranchProtection:
		return words(append(BranchChecks(), CheckRequired))
	case FromEnvironmentProtection:
		return words(append(EnvironmentChecks(), CheckRequired))
	case FromRelease, FromDeployment, FromPipeline:
		return words([]record.EvidenceKind{record.EvidenceProvenance, record.EvidenceSBOM, record.EvidenceSignature, record.EvidenceApproval})
	default:
		return nil
	}
}

func checkEvidence(key string, e SourceConfig, fail failFunc) {
	if !slices.Contains(EvidenceSources(), e.From) {
		fail(key+".from", "%q is not one of %s", e.From, oneOf(EvidenceSources()))
		return
	}
	if known := e.From.names(); known != nil && !slices.Contains(known, e.Name) {
		fail(key+".name", "%q is not one of %s, which %s can be asked for", e.Name, strings.Join(known, ", "), e.From)
	}
	switch {
	case len(e.Accept) == 0 || e.From == FromCatalogFact || e.From == FromProperty:
	case e.From != FromRunner:
		fail(key+".accept", "goes with %s, %s and %s; %s has no values of its own", FromCatalogFact, FromProperty, FromRunner, e.From)
	default:
		for i, trust := range e.Accept {
			if !slices.Contains([]RunnerTrust{RunnerDedicated, RunnerShared, RunnerPublicExposed}, RunnerTrust(trust)) {
				fail(fmt.Sprintf("%s.accept[%d]", key, i), "%q is not one of %s, %s, %s", trust, RunnerDedicated, RunnerShared, RunnerPublicExposed)
			}
		}
	}
	if e.Absent != "" && !slices.Contains(Absences(), e.Absent) {
		fail(key+".absent", "%q is not one of %s", e.Absent, oneOf(Absences()))
	}
}

// words are the values of an enumeration as texts.
func words[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return texts
}

func oneOf[T ~string](values []T) string { return strings.Join(words(values), ", ") }

// fold is the form in which words are compared.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Applies reports whether a service ought to have the control. hosted says whether a repository that is neither archived nor a fork holds
// its code.
func (c *Control) Applies(s *record.Service, hosted bool) bool {
	if len(c.appliesTo) == 0 {
		return true
	}
	for i := range c.appliesTo {
		if c.policy.selects(&c.appliesTo[i], s, hosted) {
			return true
		}
	}
	return false
}

// About reports whether the control is about a repository of a service that it applies to.
func (c *Control) About(r *record.Repository) bool {
	return !anyPattern(c.without, string(r.Name)) &&
		!slices.ContainsFunc(r.Topics, func(topic string) bool { return slices.Contains(c.topics, topic) })
}

func (p *Policy) selects(c *SelectorConfig, s *record.Service, hosted bool) bool {
	is := func(want *bool, have bool) bool { return want == nil || *want == have }
	return among(c.TrustTiers, p.names[p.Tier(s.TrustTier)]) &&
		is(c.CrownJewel, s.CrownJewel == record.AnswerYes) && is(c.InternetFacing, s.InternetFacing == record.AnswerYes) &&
		is(c.HasRepository, hosted) &&
		among(c.Lifecycles, s.Lifecycle) && among(c.ProductAreas, s.ProductArea) && among(c.BusinessUnits, s.BusinessUnit) && stated(c.Facts, s.Facts)
}

// among reports whether a list is empty or holds a value, "none" for an empty one, without regard to case.
func among(list []string, value string) bool {
	if len(list) == 0 {
		return true
	}
	value = cmp.Or(value, noneStated)
	for _, one := range list {
		if strings.EqualFold(one, value) {
			return true
		}
	}
	return false
}

func stated(want map[string][]string, facts map[string]string) bool {
	for name, values := range want {
		if !among(values, facts[name]) {
			return false
		}
	}
	return true
}

// CatalogField reports whether a catalog fills a field that a control asks for.
func CatalogField(s *record.Service, name string) bool {
	switch name {
	case fieldTeam:
		return s.Team != ""
	case fieldBusinessUnit:
		return s.BusinessUnit != ""
	case fieldTrustTier:
		return s.TrustTier != ""
	case fieldProductArea:
		return s.ProductArea != ""
	case fieldLifecycle:
		return s.Lifecycle != ""
	default:
		return len(s.Repositories) > 0
	}
}
