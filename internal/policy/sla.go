package policy

import (
	"fmt"
	"time"

	"prodsec_exporter/internal/record"
)

// SeverityIndex is the position of a severity in record.Severities: 0 is critical.
type SeverityIndex uint8

var severities = record.Severities()

// IndexOfSeverity is the index of a severity; one that is not listed counts as unknown.
func IndexOfSeverity(s record.Severity) SeverityIndex {
	for i, known := range severities {
		if s == known {
			return SeverityIndex(i)
		}
	}
	return SeverityIndex(len(severities) - 1)
}

// Severity is the severity at the index.
func (i SeverityIndex) Severity() record.Severity { return severities[i] }

// TierUnknown is the trust tier of a service whose catalog names none, or one that the policy does not list.
const TierUnknown = "unknown"

// TierIndex is the position of a trust tier in the policy; the last one is TierUnknown.
type TierIndex uint8

// ServiceFacts are the facts about a service that SLA targets depend on.
type ServiceFacts struct {
	Tier           TierIndex
	InternetFacing bool
	CrownJewel     bool
}

func (p *Policy) indexTiers(fail failFunc) {
	p.tiers = map[string]TierIndex{}
	for i, name := range p.config.TrustTiers {
		key := fmt.Sprintf("trust_tiers[%d]", i)
		if name == "" || name == TierUnknown {
			fail(key, "%q is reserved for services without a tier", name)
		}
		if _, ok := p.tiers[name]; ok {
			fail(key, "%q is listed twice", name)
		}
		p.tiers[name] = TierIndex(i)
	}
	if len(p.config.TrustTiers) > 16 {
		fail("trust_tiers", "at most 16 tiers can be told apart")
	}
	p.names = append(append([]string(nil), p.config.TrustTiers...), TierUnknown)
}

// Tier is the index of a trust tier by name.
func (p *Policy) Tier(name string) TierIndex {
	if i, ok := p.tiers[name]; ok {
		return i
	}
	return TierIndex(len(p.names) - 1)
}

// TierNames are the names of all tiers in order, TierUnknown last.
func (p *Policy) TierNames() []string { return p.names }

// FactsOf picks the facts that SLA targets depend on. What is unknown counts as not exposed; that it is unknown is
// visible in prodsec_service_info.
func (p *Policy) FactsOf(s record.Service) ServiceFacts {
	return ServiceFacts{
		Tier:           p.Tier(s.TrustTier),
		InternetFacing: s.InternetFacing == record.AnswerYes,
		CrownJewel:     s.CrownJewel == record.AnswerYes,
	}
}

// targetIndex packs everything a target depends on.
func (p *Policy) targetIndex(s SeverityIndex, f ServiceFacts, exploited bool) int {
	i := int(s)*len(p.names) + int(f.Tier)
	for _, bit := range [...]bool{f.InternetFacing, f.CrownJewel, exploited} {
		i <<= 1
		if bit {
			i |= 1
		}
	}
	return i
}

func (p *Policy) compileTargets(fail failFunc) {
	for i, t := range p.config.SLA.Targets {
		p.checkTarget(fmt.Sprintf("sla.targets[%d]", i), t, fail)
	}
	p.targets = make([]int64, len(severities)*len(p.names)*8)
	for s := range severities {
		for tier := range p.names {
			for bits := range 8 {
				f := ServiceFacts{Tier: TierIndex(tier), InternetFacing: bits&4 != 0, CrownJewel: bits&2 != 0}
				exploited := bits&1 != 0
				p.targets[p.targetIndex(SeverityIndex(s), f, exploited)] = p.mostSpecific(SeverityIndex(s), f, exploited)
			}
		}
	}
}

func (p *Policy) checkTarget(key string, t Target, fail failFunc) {
	switch t.Severity {
	case record.SeverityCritical, record.SeverityHigh, record.SeverityMedium, record.SeverityLow:
	default:
		fail(key+".severity", "%q is not one of critical, high, medium, low", t.Severity)
	}
	p.checkTiers(key+".trust_tiers", t.TrustTiers, fail)
	if t.Within <= 0 {
		fail(key+".within", "must be longer than 0; leave the rule out if there is no target")
	}
}

// mostSpecific is the target in seconds of the matching rule with the most conditions, 0 if none matches.
func (p *Policy) mostSpecific(s SeverityIndex, f ServiceFacts, exploited bool) int64 {
	best, bestConditions := int64(0), -1
	for _, t := range p.config.SLA.Targets {
		conditions, ok := p.matches(t, s, f, exploited)
		within := int64(t.Within.Std() / time.Second)
		if ok && (conditions > bestConditions || conditions == bestConditions && within < best) {
			best, bestConditions = within, conditions
		}
	}
	return best
}

func (p *Policy) matches(t Target, s SeverityIndex, f ServiceFacts, exploited bool) (conditions int, ok bool) {
	if t.Severity != s.Severity() {
		return 0, false
	}
	if len(t.TrustTiers) > 0 {
		conditions++
		found := false
		for _, name := range t.TrustTiers {
			found = found || name == p.names[f.Tier]
		}
		if !found {
			return 0, false
		}
	}
	for _, c := range [...]struct {
		want *bool
		have bool
	}{{t.InternetFacing, f.InternetFacing}, {t.CrownJewel, f.CrownJewel}, {t.Exploited, exploited}} {
		if c.want == nil {
			continue
		}
		conditions++
		if *c.want != c.have {
			return 0, false
		}
	}
	return conditions, true
}

// Target is the time to fix in seconds, 0 when the policy sets none.
func (p *Policy) Target(s SeverityIndex, f ServiceFacts, exploited bool) int64 {
	return p.targets[p.targetIndex(s, f, exploited)]
}

func (p *Policy) checkSLA(fail failFunc) {
	c := p.config.SLA
	if c.DueSoonRatio < 0 || c.DueSoonRatio > 1 {
		fail("sla.due_soon_ratio", "%v is not between 0 and 1", c.DueSoonRatio)
	}
	if c.AttainmentTarget < 0 || c.AttainmentTarget > 1 {
		fail("sla.attainment_target", "%v is not between 0 and 1", c.AttainmentTarget)
	}
	if c.Reopen != ReopenContinue && c.Reopen != ReopenRestart {
		fail("sla.reopen", "%q is neither continue nor restart", c.Reopen)
	}
	if c.ReopenWithin < 0 {
		fail("sla.reopen_within", "must not be negative")
	}
}

// Pause is a span in which an exception stops a clock, in Unix seconds; End is exclusive and Forever when no end is known.
type Pause struct{ Start, End int64 }

// Forever is the end of a pause that names none.
const Forever = int64(1) << 62

// Clock is what a deadline follows from, in Unix seconds.
type Clock struct {
	Start  int64
	Target int64
	// Pauses are ordered by start and disjoint.
	Pauses []Pause
}

// Due is the last second at which a fix is still in time: the end, in the policy's time zone, of the day on which the target
// runs out. A pause moves it only if it began before the deadline then in force. It is Forever for a clock that an
// exception without end has stopped, and 0 when the target is 0, which means that there is no deadline.
func (p *Policy) Due(c Clock) int64 {
	if c.Target == 0 {
		return 0
	}
	due := c.Start + c.Target
	for _, pause := range c.Pauses {
		start := max(pause.Start, c.Start)
		if pause.End <= start {
			continue
		}
		if start > p.endOfDay(due) {
			break
		}
		if pause.End >= Forever {
			return Forever
		}
		due += pause.End - start
	}
	return p.endOfDay(due)
}

// endOfDay is the last second of the day that holds t in the policy's time zone.
func (p *Policy) endOfDay(t int64) int64 {
	if p.location == time.UTC {
		const day = int64(Day / time.Second)
		return t - mod(t, day) + day - 1
	}
	return record.DayEnd(time.Unix(t, 0).In(p.location), p.location).Unix() - 1
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// SLA is where an open weakness stands; it is the label "sla".
type SLA uint8

// The standings.
const (
	SLAWithin SLA = iota
	SLADueSoon
	SLABreached
	SLAExcepted
	SLANone
)

var slaNames = [...]string{"within", "due_soon", "breached", "excepted", "none"}

// String is the label value.
func (s SLA) String() string { return slaNames[s] }

// SLAs lists the standings in order.
func SLAs() []SLA { return []SLA{SLAWithin, SLADueSoon, SLABreached, SLAExcepted, SLANone} }

// Standing is where an open weakness with the given clock stands at an instant (Unix seconds).
func (p *Policy) Standing(c Clock, at int64) SLA {
	if c.Target == 0 {
		return SLANone
	}
	for _, pause := range c.Pauses {
		if pause.Start <= at && at < pause.End {
			return SLAExcepted
		}
	}
	due := p.Due(c)
	switch {
	case at > due:
		return SLABreached
	case float64(due-at) <= p.config.SLA.DueSoonRatio*float64(c.Target):
		return SLADueSoon
	default:
		return SLAWithin
	}
}

// Treatment is what a closure means for an SLA.
type Treatment uint8

// The treatments.
const (
	// Remediated: met if in time.
	Remediated Treatment = iota
	// Void: in no denominator.
	Void
	// Accepted: the weakness is still there by choice; missed when due unless an exception stops the clock.
	Accepted
)

// Treat says what a closure means for an SLA. Whatever is not clearly a fix or clearly not a weakness of ours is Accepted.
func Treat(c record.Closure) Treatment {
	switch c {
	case record.ClosureFixed:
		return Remediated
	case record.ClosureFalsePositive, record.ClosureDuplicate, record.ClosureOutOfScope, record.ClosureUsedInTests,
		record.ClosureRepositoryArchived, record.ClosureRepositoryDeleted, record.ClosureManifestDeleted, record.ClosureVanished,
		record.ClosureAutoDismissed:
		return Void
	case record.ClosureNone, record.ClosureWontFix, record.ClosureRiskAccepted, record.ClosureMitigated, record.ClosureOther:
		return Accepted
	default:
		return Accepted
	}
}

// Continues reports whether a weakness that was closed and is now reopened keeps its old clock.
func (p *Policy) Continues(closed, reopened int64) bool {
	return p.config.SLA.Reopen == ReopenContinue && reopened-closed <= int64(p.config.SLA.ReopenWithin.Std()/time.Second)
}
