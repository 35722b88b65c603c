package policy

import (
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// Statement is what one source says about whether a control holds somewhere. The zero Statement says nothing.
type Statement struct {
	// at is when the evidence was produced in Unix seconds, 0 if nobody knows.
	at        int64
	assertion assertion
	// present: it states what is so now, and does not grow old while its source is read.
	present bool
}

// assertion is what a statement claims.
type assertion uint8

const (
	assertNothing assertion = iota
	assertInapplicable
	assertYes
	assertNo
	assertUnclear
)

func assertionOf(a record.Answer) assertion {
	switch a {
	case record.AnswerYes:
		return assertYes
	case record.AnswerNo:
		return assertNo
	case record.AnswerUnknown:
		return assertUnclear
	default:
		return assertUnclear
	}
}

// Present states what is so now, e.g. a setting. An unknown answer says that the source could not tell.
func Present(a record.Answer) Statement { return Statement{assertion: assertionOf(a), present: true} }

// Produced states what was so when evidence was produced; the zero time is an unknown one.
func Produced(a record.Answer, at time.Time) Statement {
	s := Statement{assertion: assertionOf(a)}
	if !at.IsZero() {
		s.at = at.Unix()
	}
	return s
}

// Inapplicable states that there is nothing the control could be about.
func Inapplicable() Statement { return Statement{assertion: assertInapplicable} }

// Silent reports whether the statement says nothing.
func (s Statement) Silent() bool { return s.assertion == assertNothing }

// Fact reads a fact of a catalog or a property of a repository: an accepted value passes and any other fails where the source lists
// values; else yes and no in the usual words, a date, as of which it passes, or "n/a".
func (c *Control) Fact(s *Source, value string) Statement {
	word := fold(value)
	switch {
	case word == "":
		return Statement{}
	case s.accept != nil:
		return Produced(record.AnswerOf(s.accept[word]), time.Time{})
	}
	switch word {
	case "yes", "true", "pass":
		return Produced(record.AnswerYes, time.Time{})
	case "no", "false", "fail":
		return Produced(record.AnswerNo, time.Time{})
	case "n/a", "not applicable", "not_applicable":
		return Inapplicable()
	}
	if at, ok := c.policy.FactDate(value); ok {
		return Produced(record.AnswerYes, at)
	}
	return Produced(record.AnswerUnknown, time.Time{})
}

// FactDate reads a fact that is a date, which begins with that day in the policy's time zone, or an instant in the form of RFC 3339.
func (p *Policy) FactDate(value string) (at time.Time, ok bool) {
	value = strings.TrimSpace(value)
	if day, err := time.Parse(time.DateOnly, value); err == nil {
		return record.DayStart(day, p.location), true
	}
	at, err := time.Parse(time.RFC3339, value)
	return at, err == nil
}

// Absent is what it means for the control that a source, which was read whole, says nothing.
func (s *Source) Absent() Statement {
	if s.AbsenceFails {
		return Present(record.AnswerNo)
	}
	return Statement{}
}

// Verdict is the result of a control and the date of the evidence it rests on.
type Verdict struct {
	// Status is empty where the control is about nothing that is there.
	Status Status
	// At is when the evidence was produced in Unix seconds, 0 if it is not dated.
	At int64
}

// futureTolerance allows for clocks and time zones that differ.
const futureTolerance = Day

// weighed is a statement in the light of its age: stale evidence is not evidence, for or against, and neither is evidence without a date
// where age matters, nor what is dated in the future.
func (c *Control) weighed(s Statement, now int64) assertion {
	if s.present || s.assertion != assertYes && s.assertion != assertNo {
		return s.assertion
	}
	switch {
	case s.at > now+int64(futureTolerance.Seconds()):
		return assertUnclear
	case c.maxAge > 0 && (s.at == 0 || now-s.at > c.maxAge):
		return assertUnclear
	default:
		return s.assertion
	}
}

// Agreed is what several statements of one source say together: no if one says so, unclear if one is, else yes; what is too old is left out,
// unless there is nothing else. The date is that of the oldest one that counts.
func (c *Control) Agreed(statements []Statement, at time.Time) Statement {
	var agreed, stale Statement
	for _, s := range statements {
		weighed := c.weighed(s, at.Unix())
		if weighed == assertUnclear && s.assertion != assertUnclear {
			if stale.Silent() || s.at > stale.at {
				stale = s
			}
			continue
		}
		switch {
		case rank(s.assertion) > rank(agreed.assertion):
			agreed = s
		case s.assertion == agreed.assertion && s.at < agreed.at:
			agreed.at = s.at
		}
	}
	if agreed.Silent() {
		return stale
	}
	return agreed
}

// rank orders statements by which of them decides.
func rank(s assertion) int {
	switch s {
	case assertNothing:
		return 0
	case assertInapplicable:
		return 1
	case assertYes:
		return 2
	case assertUnclear:
		return 3
	case assertNo:
		return 4
	default:
		return 0
	}
}

// Judge is the result that follows from one statement for each of the control's sources, in their order.
func (c *Control) Judge(statements []Statement, at time.Time) Verdict {
	now := at.Unix()
	switch c.combine {
	case CombineFirst:
		return c.firstResult(statements, now)
	case CombineAll:
		return c.resultByOrder(statements, now, [...]assertion{assertNo, assertUnclear, assertNothing, assertYes, assertInapplicable})
	case CombineAny:
		return c.resultByOrder(statements, now, [...]assertion{assertYes, assertUnclear, assertNo, assertInapplicable, assertNothing})
	default:
		return Verdict{Status: StatusUnknown}
	}
}

// resultByOrder is the result of the statement that comes first in an order of precedence. Of several that say the same the newest counts
// where one suffices, the oldest where all must.
func (c *Control) resultByOrder(statements []Statement, now int64, order [5]assertion) Verdict {
	var dates [5]int64
	var present [5]bool
	for _, s := range statements {
		w := c.weighed(s, now)
		older := dates[w] == 0 || s.at < dates[w]
		if s.at != 0 && (c.combine == CombineAll && older || c.combine != CombineAll && s.at > dates[w]) {
			dates[w] = s.at
		}
		present[w] = true
	}
	for _, s := range order {
		if present[s] {
			return Verdict{Status: statusOf(s), At: dates[s]}
		}
	}
	return Verdict{Status: StatusUnknown}
}

func (c *Control) firstResult(statements []Statement, now int64) Verdict {
	unclear, inapplicable := Verdict{Status: StatusUnknown}, false
	anyUnclear := false
	for _, s := range statements {
		switch w := c.weighed(s, now); w {
		case assertYes, assertNo:
			return Verdict{Status: statusOf(w), At: s.at}
		case assertUnclear:
			anyUnclear = true
			unclear.At = max(unclear.At, s.at)
		case assertInapplicable:
			inapplicable = true
		case assertNothing:
		}
	}
	if inapplicable && !anyUnclear {
		return Verdict{}
	}
	return unclear
}

func statusOf(s assertion) Status {
	switch s {
	case assertYes:
		return StatusPass
	case assertNo:
		return StatusFail
	case assertInapplicable:
		return ""
	case assertUnclear, assertNothing:
		return StatusUnknown
	default:
		return StatusUnknown
	}
}

// Excused is a verdict in the light of exceptions: one in force makes a fail or an unknown exempt, one of which nobody knows whether it
// still is makes it unknown. What passes needs none.
func (v Verdict) Excused(inForce, doubtful bool) Verdict {
	if v.Status != StatusFail && v.Status != StatusUnknown {
		return v
	}
	switch {
	case inForce:
		v.Status = StatusExempt
	case doubtful:
		v.Status = StatusUnknown
	}
	return v
}

// WorstVerdict is the result for a service of the results for its repositories: fail if one fails, unknown if none fails and one is unknown,
// exempt if only exempt ones are left that do not pass. Repositories that the control is not about are left out. The date is the oldest.
func WorstVerdict(verdicts []Verdict) Verdict {
	var worst Verdict
	for _, v := range verdicts {
		if v.Status == "" {
			continue
		}
		if severity(v.Status) > severity(worst.Status) {
			worst.Status = v.Status
		}
		if v.At != 0 && (worst.At == 0 || v.At < worst.At) {
			worst.At = v.At
		}
	}
	return worst
}

// severity orders results from good to bad.
func severity(s Status) int {
	switch s {
	case StatusPass:
		return 1
	case StatusExempt:
		return 2
	case StatusUnknown:
		return 3
	case StatusFail:
		return 4
	default:
		return 0
	}
}

// Baseline is the result of a trust tier's baseline for a service, given the results of all controls in the order of Controls: the worst of
// those that the tier requires and that are about something; an exempt control leaves the baseline exempt, not passed. It is empty where the
// tier requires nothing. What a service without a known tier must have is not known, so it never passes.
func (p *Policy) Baseline(tier TierIndex, verdicts []Verdict) Status {
	var worst Status
	for i := range p.controls {
		if p.controls[i].Required(tier) && severity(verdicts[i].Status) > severity(worst) {
			worst = verdicts[i].Status
		}
	}
	if int(tier) == len(p.names)-1 && worst != "" && worst != StatusFail {
		return StatusUnknown
	}
	return worst
}

// Together is the result of several controls that belong together: the worst of them, where exempt is worse than pass. It is empty for none.
func Together(statuses ...Status) Status {
	var worst Status
	for _, s := range statuses {
		if severity(s) > severity(worst) {
			worst = s
		}
	}
	return worst
}

// Detailed reports whether a service is one of those whose gaps are listed one by one.
func (p *Policy) Detailed(f ServiceFacts) bool {
	d := p.config.Detail
	return d.CrownJewel && f.CrownJewel || d.InternetFacing && f.InternetFacing || among(d.TrustTiers, p.names[f.Tier]) && len(d.TrustTiers) > 0
}

// ExceptsControls reports whether an exception is one in force, at an instant, that names controls.
func (p *Policy) ExceptsControls(e *record.Exception, at time.Time) bool {
	return len(e.Controls) > 0 && p.ExceptionStanding(e, at) == StandingActive
}
