package policy

import (
	"slices"
	"strings"
	"time"

	"prodsec_exporter/internal/record"
)

// ExceptionStanding is where an exception stands at an instant; it is the label "state" of prodsec_exceptions.
type ExceptionStanding string

// The standings of an exception.
const (
	// StandingRequested: asked for, or approved from a later instant on.
	StandingRequested        ExceptionStanding = "requested"
	StandingActive           ExceptionStanding = "active"
	StandingExpired          ExceptionStanding = "expired"
	StandingRejectedRecently ExceptionStanding = "rejected_recently"
	// StandingUnscoped: approved and unexpired, but it names nothing and therefore covers nothing.
	StandingUnscoped ExceptionStanding = "unscoped"
	// StandingGone: it is no longer part of the inventory.
	StandingGone ExceptionStanding = ""
)

// ExceptionStandings lists the standings that are counted.
func ExceptionStandings() []ExceptionStanding {
	return []ExceptionStanding{StandingRequested, StandingActive, StandingExpired, StandingRejectedRecently, StandingUnscoped}
}

// ExceptionStanding says where an exception stands. Expiry follows from the date alone. A scanner's own risk acceptance that
// policy does not count is no exception.
func (p *Policy) ExceptionStanding(e *record.Exception, at time.Time) ExceptionStanding {
	if !p.counts(e) {
		return StandingGone
	}
	switch e.State {
	case record.ExceptionRequested:
		return StandingRequested
	case record.ExceptionRejected:
		if !e.DecidedAt.IsZero() && at.Sub(e.DecidedAt) <= p.config.Exceptions.RejectedRecently.Std() {
			return StandingRejectedRecently
		}
		return StandingGone
	case record.ExceptionApproved:
		switch {
		case e.DecidedAt.After(at):
			return StandingRequested
		case !e.EndedAt.IsZero() && !at.Before(e.EndedAt):
			return StandingGone
		case !e.ExpiresAt.IsZero() && !at.Before(e.ExpiresAt):
			return StandingExpired
		case !Scoped(e):
			return StandingUnscoped
		default:
			return StandingActive
		}
	case record.ExceptionEnded, record.ExceptionOther:
		return StandingGone
	default:
		return StandingGone
	}
}

// counts reports whether policy takes an exception from where it comes from.
func (p *Policy) counts(e *record.Exception) bool {
	return !e.VendorAcceptance || p.accepted[strings.ToLower(e.Tool)]
}

// Granted reports whether an exception that policy takes was approved on a known date, whatever happened to it since.
func (p *Policy) Granted(e *record.Exception) bool {
	return p.counts(e) && !e.DecidedAt.IsZero() && (e.State == record.ExceptionApproved || e.State == record.ExceptionEnded)
}

// Horizon is the label "expires" of prodsec_exceptions.
type Horizon string

// The horizons.
const (
	HorizonExpired Horizon = "expired"
	Horizon7d      Horizon = "7d"
	Horizon30d     Horizon = "30d"
	Horizon90d     Horizon = "90d"
	HorizonLater   Horizon = "later"
	HorizonNever   Horizon = "never"
)

// Horizons lists the horizons, nearest first.
func Horizons() []Horizon {
	return []Horizon{HorizonExpired, Horizon7d, Horizon30d, Horizon90d, HorizonLater, HorizonNever}
}

// HorizonOf says how soon an exception expires, seen from an instant.
func HorizonOf(e *record.Exception, at time.Time) Horizon {
	left := e.ExpiresAt.Sub(at)
	switch {
	case e.ExpiresAt.IsZero():
		return HorizonNever
	case left <= 0:
		return HorizonExpired
	case left <= 7*Day:
		return Horizon7d
	case left <= 30*Day:
		return Horizon30d
	case left <= 90*Day:
		return Horizon90d
	default:
		return HorizonLater
	}
}

// Scoped reports whether an exception names where it holds and what for; one that does not covers nothing.
func Scoped(e *record.Exception) bool {
	where := e.Service != "" || e.Repository != "" || len(e.Findings) > 0
	return where && len(e.Findings)+len(e.Advisories)+len(e.Rules)+len(e.Categories)+len(e.Controls) > 0
}

// Subject is what an exception may cover: a weakness in the words an exception uses. The lists join those of all reports that
// are folded into it.
type Subject struct {
	Service    string
	Repository record.RepositoryName
	Findings   []string
	Advisories []string
	Rules      []string
	Category   string
}

// Covers reports whether an exception covers a weakness: everything it names matches. It says nothing about time or approval.
func (p *Policy) Covers(e *record.Exception, s *Subject) bool {
	switch {
	case !Scoped(e), !p.counts(e):
		return false
	case e.Service != "" && e.Service != s.Service, e.Repository != "" && e.Repository != s.Repository:
		return false
	case len(e.Findings)+len(e.Advisories)+len(e.Rules)+len(e.Categories) == 0:
		return false // it is about controls
	}
	return allows(e.Findings, s.Findings...) && allows(e.Advisories, s.Advisories...) &&
		allows(e.Rules, s.Rules...) && allows(e.Categories, s.Category)
}

// allows reports whether a list of names is empty or holds one of the given ones, without regard to case.
func allows(names []string, given ...string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(given, func(g string) bool { return g != "" && strings.EqualFold(name, g) })
	})
}

// PausesOf are the spans in which an exception stops the clock of what it covers, in order: those in which its source says that it was in force,
// where it keeps that history, else the one that follows from its dates.
func PausesOf(e *record.Exception) []Pause {
	if e.InForce == nil {
		if pause, ok := pauseOf(e); ok {
			return []Pause{pause}
		}
		return nil
	}
	pauses := make([]Pause, 0, len(e.InForce))
	for _, interval := range e.InForce {
		pause := Pause{Start: max(0, interval.From.Unix()), End: Forever}
		if !interval.Until.IsZero() {
			pause.End = interval.Until.Unix()
		}
		if pause.End > pause.Start {
			pauses = append(pauses, pause)
		}
	}
	return pauses
}

// pauseOf is the span that follows from the dates of an exception; ok is false when it never was in force. An approved
// exception without a date of approval holds from its request.
func pauseOf(e *record.Exception) (pause Pause, ok bool) {
	if e.State != record.ExceptionApproved && (e.State != record.ExceptionEnded || e.DecidedAt.IsZero()) {
		return Pause{}, false
	}
	start := e.DecidedAt
	if start.IsZero() {
		start = e.RequestedAt
	}
	if start.IsZero() {
		return Pause{}, false
	}
	end := record.Earliest(e.ExpiresAt, e.EndedAt)
	if e.State == record.ExceptionEnded && e.EndedAt.IsZero() {
		end = record.Earliest(e.ExpiresAt, e.UpdatedAt)
	}
	if e.State == record.ExceptionEnded && end.IsZero() {
		return Pause{}, false // it is over, and nobody knows since when
	}
	pause = Pause{Start: start.Unix(), End: Forever}
	if !end.IsZero() {
		pause.End = end.Unix()
	}
	return pause, pause.End > pause.Start
}
