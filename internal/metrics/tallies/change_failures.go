package tallies

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"prodsec_exporter/internal/policy"
	"prodsec_exporter/internal/record"
)

// A change to production is a deployment to a production environment that ended and is no rollback. It failed if it did
// not succeed, or if a rollback or an incident is attributed to it; however many are, it failed once.
//
// Rollbacks and incidents are attributed twice. For counters they are attributed once and for all when they are observed, to the deployments
// that are known by then and belong to the service as of the day they were first held: what was counted is not taken back when a deployment
// in between becomes known later, a service is renamed or a ticket changes. For trailing windows they are attributed anew at every
// evaluation, by all that is known.

// ChangeFailures are the changes that failed.
type ChangeFailures struct {
	// Counted are the failures as they were attributed when they were observed, Recent as they are attributed by all that is known now.
	Counted, Recent []ChangeFailure
	// Incidents are attributed by all that is known now.
	Incidents []IncidentAttribution
}

// ChangeFailure is a change that failed.
type ChangeFailure struct {
	// Deployment is a position in Snapshot.Deployed.
	Deployment int32
	// Counted is from when the failure counts.
	Counted time.Time
	Cause   policy.FailureCause
}

// IncidentAttribution says whether an incident, by position in Snapshot.Opened, was attributed to a deployment.
type IncidentAttribution struct {
	Incident   int32
	Attributed bool
}

func newChangeFailures(in *Input, deployments *Deployments) *ChangeFailures {
	f := &ChangeFailures{}
	f.Counted, _ = (&attribution{in: in, ended: deployments.Ended, final: true}).run()
	f.Recent, f.Incidents = (&attribution{in: in, ended: deployments.Ended}).run()
	return f
}

// failureSignal is a rollback or an incident: it shows that some change failed.
type failureSignal struct {
	at, counted, known time.Time
	subject            int32
	// rollback is the position of the rollback in Snapshot.Deployed and environment its environment; -1 and 0 for an incident.
	rollback, environment int32
	// incident is a position in Snapshot.Opened, -1 for a rollback.
	incident   int32
	controlGap record.Answer
}

// attribution attributes failure signals to deployments.
type attribution struct {
	in    *Input
	ended []Deployment
	// final: once and for all, by what was known at the time.
	final bool
	// subjectOf is by position in Snapshot.Deployed; 0 is no subject that an incident could be about.
	subjectOf []int32
	// candidates are the deployments of a subject that are no rollbacks; those of a subject that is sorted are in the order in which they ended.
	candidates [][]int32
	sorted     []bool
	reasons    []failureReason
}

// failureReason is one reason why a deployment, by position in Snapshot.Deployed, counts as failed.
type failureReason struct {
	deployment     int32
	counted, known time.Time
	controlGap     record.Answer
}

func (a *attribution) run() (failures []ChangeFailure, incidents []IncidentAttribution) {
	subjects := a.findCandidates()
	for _, signal := range a.signals(subjects) {
		i, counted, ok := a.attribute(&signal)
		if signal.incident >= 0 {
			incidents = append(incidents, IncidentAttribution{signal.incident, ok})
		}
		if ok {
			known := Latest(signal.known, knownAt(a.in.Snapshot, a.in.Snapshot.Deployed[i].Observed))
			a.reasons = append(a.reasons, failureReason{i, counted, known, signal.controlGap})
		}
	}
	slices.SortFunc(a.reasons, func(x, y failureReason) int {
		return cmp.Or(cmp.Compare(x.deployment, y.deployment), x.known.Compare(y.known), x.counted.Compare(y.counted))
	})
	var gaps []record.Answer
	for rest := a.reasons; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].deployment == rest[0].deployment {
			n++
		}
		gaps = a.controlGaps(gaps[:0], rest[:n])
		failures = append(failures, ChangeFailure{rest[0].deployment, rest[0].counted, a.in.Policy.Cause(gaps...)})
		rest = rest[n:]
	}
	return failures, incidents
}

// controlGaps are the control gaps of the reasons of one failure, which are in the order in which they became known: if final, as of when the failure
// became known.
func (a *attribution) controlGaps(gaps []record.Answer, reasons []failureReason) []record.Answer {
	for _, one := range reasons {
		if !a.final || !one.known.After(reasons[0].known) {
			gaps = append(gaps, one.controlGap)
		}
	}
	return gaps
}

// findCandidates gives every deployment its subject, lists those to which a failure can be attributed, and notes those that failed by
// themselves.
func (a *attribution) findCandidates() *subjects {
	s := a.in.Snapshot
	subjects := newSubjects(s, a.final)
	a.subjectOf = make([]int32, len(s.Deployed))
	for i := range s.Deployed {
		d, m := &a.ended[i], &s.Deployed[i]
		if !d.InProduction() {
			continue
		}
		subject := subjects.of(m.Owner, m.Service, m.Record.Repository)
		a.subjectOf[i] = subject
		if !a.in.Policy.IsChange(&m.Record) {
			continue
		}
		if d.Status == record.DeploymentFailed {
			a.reasons = append(a.reasons, failureReason{int32(i), m.Counted, knownAt(s, m.Observed), record.AnswerUnknown})
		}
		for int(subject) >= len(a.candidates) {
			a.candidates = append(a.candidates, nil)
		}
		if subject > 0 {
			a.candidates[subject] = append(a.candidates[subject], int32(i))
		}
	}
	a.sorted = make([]bool, len(a.candidates))
	return subjects
}

// signals are all rollbacks and incidents that count.
func (a *attribution) signals(subjects *subjects) (all []failureSignal) {
	s := a.in.Snapshot
	for i := range s.Deployed {
		if d := &a.ended[i]; d.InProduction() && d.Rollback {
			m := &s.Deployed[i]
			all = append(all, failureSignal{
				at: m.At, counted: m.Counted, known: knownAt(s, m.Observed), subject: a.subjectOf[i], rollback: int32(i), environment: d.environment, incident: -1,
			})
		}
	}
	facts := NewIncidentFacts(s, a.final)
	for i := range s.Opened {
		if m := &s.Opened[i]; !m.Counted.After(a.in.At) {
			all = append(all, failureSignal{
				at: m.At, counted: m.Counted, known: Latest(knownAt(s, m.Observed), m.At), subject: subjects.of(m.Owner, m.Service, m.Record.Repository), rollback: -1,
				incident: int32(i), controlGap: facts.Of(&m.Held).ControlGap,
			})
		}
	}
	return all
}

// attribute finds the latest deployment that had ended when the signal arose, no longer before it than the failure window of the policy; of
// several that ended at the same instant, the one with the greatest ID. If final, those that were known then come first; if there was none,
// it is the first to become known.
func (a *attribution) attribute(signal *failureSignal) (deployment int32, counted time.Time, ok bool) {
	s := a.in.Snapshot
	if signal.subject == 0 || int(signal.subject) >= len(a.candidates) {
		return 0, time.Time{}, false
	}
	candidates := a.inOrder(signal.subject)
	after := sort.Search(len(candidates), func(i int) bool { return a.endedAfter(candidates[i], signal.at) })
	deployment = -1
	var known time.Time
	for n := after - 1; n >= 0; n-- {
		i := candidates[n]
		m := &s.Deployed[i]
		if signal.at.Sub(m.At) > a.in.Policy.FailureWindow() {
			break
		}
		if !a.attributable(signal, i) {
			continue
		}
		learned := knownAt(s, m.Observed)
		if !a.final || !learned.After(signal.known) {
			return i, Latest(signal.counted, m.Counted), true
		}
		if deployment < 0 || learned.Before(known) {
			deployment, known = i, learned
		}
	}
	if deployment < 0 {
		return 0, time.Time{}, false
	}
	return deployment, Latest(signal.counted, s.Deployed[deployment].Counted), true
}

// attributable reports whether a signal can be about a deployment: an incident about one that was live, a rollback about the last attempt in
// its environment, whether or not it went live, unless that deployed the very commit that the rollback deploys.
func (a *attribution) attributable(signal *failureSignal, i int32) bool {
	d := &a.in.Snapshot.Deployed[i].Record
	if signal.rollback < 0 {
		return d.Status == record.DeploymentSucceeded
	}
	commit := a.in.Snapshot.Deployed[signal.rollback].Record.Commit
	return a.ended[i].environment == signal.environment && (commit == "" || d.Commit != commit)
}

// inOrder are the candidates of a subject in the order in which they ended.
func (a *attribution) inOrder(subject int32) []int32 {
	candidates := a.candidates[subject]
	if !a.sorted[subject] {
		deployed := a.in.Snapshot.Deployed
		slices.SortFunc(candidates, func(i, j int32) int {
			if x, y := a.ended[i].second, a.ended[j].second; x != y {
				return cmp.Compare(x, y)
			}
			return compareDeployments(&deployed[i], &deployed[j])
		})
		a.sorted[subject] = true
	}
	return candidates
}

// endedAfter reports whether a deployment ended after an instant.
func (a *attribution) endedAfter(deployment int32, at time.Time) bool {
	if second := at.Unix(); a.ended[deployment].second != second {
		return a.ended[deployment].second > second
	}
	return a.in.Snapshot.Deployed[deployment].At.After(at)
}
