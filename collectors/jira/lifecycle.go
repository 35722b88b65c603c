package jira

import (
	"cmp"
	"time"

	"prodsec_exporter/internal/record"
)

// phase is how far an issue has come.
type phase string

const (
	phaseOpen    phase = "open"
	phaseBlocked phase = "blocked"
	phaseDone    phase = "done"
)

// StatusNames name statuses, in any language and without regard to case. What is not named is recognized by a few usual words and by Jira's
// own category of the status.
type StatusNames struct {
	Open []string `yaml:"open,omitempty"`
	Done []string `yaml:"done,omitempty"`
}

// lifecycle tells the phase of an issue and when it was closed.
type lifecycle struct {
	names map[string]phase
	usual []words[phase]
	// closed is the field that says when; it may be absent.
	closed *field
}

func newLifecycle(names StatusNames, blocked []string, usual []words[phase], closed *field) (lifecycle, error) {
	found, err := index(named[phase]{phaseOpen, names.Open}, named[phase]{phaseBlocked, blocked}, named[phase]{phaseDone, names.Done})
	return lifecycle{names: found, usual: usual, closed: closed}, err
}

// doneWords are the words of a status that means done where Jira no longer knows it, as after a change of the workflow.
var doneWords = []words[phase]{
	{phaseOpen, []string{"not ", "to be", "unresolved", "incomplete", "未"}},
	{phaseDone, []string{"done", "closed", "resolved", "complete", "finished", "fixed", "cancel", "erledigt", "geschlossen", "完成", "关闭"}},
}

// phaseOf: the configured names first, then usual words, then the category. A status without a category, which Jira has for broken
// workflows and which the past has for statuses that are gone, is recognized by its name, else it is open: what is not known to be
// done is not done.
func (l lifecycle) phaseOf(s status) phase {
	if p, ok := configured(l.names, s); ok {
		return p
	}
	if p := usualOf(l.usual, s); p != "" {
		return p
	}
	switch s.Category.Key {
	case "done":
		return phaseDone
	case "new", "indeterminate":
		return phaseOpen
	}
	return cmp.Or(usualOf(doneWords, s), phaseOpen)
}

// closing is the present phase, and for an issue that is done when it was: the configured field; else the change of status by which it
// was last closed; else the date of resolution; else the last update, which is the least that is known.
func (l lifecycle) closing(i *issue) (phase, time.Time, error) {
	stated, err := i.moment(l.closed)
	present := l.phaseOf(i.status)
	if present != phaseDone || err != nil {
		return present, time.Time{}, err
	}
	return present, firstOf(stated.begins(i.zone), l.entered(i), i.resolved, i.updated), nil
}

// entered is when the issue was done for the last time after it had not been; zero when the changes do not tell.
func (l lifecycle) entered(i *issue) time.Time {
	var at time.Time
	before := phaseOpen
	for _, c := range i.changes {
		p := l.phaseOf(c.led())
		switch {
		case p != phaseDone:
			at = time.Time{}
		case before != phaseDone:
			at = c.at
		}
		before = p
	}
	return at
}

// answers understand a field that answers yes or no.
type answers map[string]record.Answer

// AnswerNames say which values mean yes and which no; anything else leaves the question open.
type AnswerNames struct {
	Yes []string `yaml:"yes,omitempty"`
	No  []string `yaml:"no,omitempty"`
}

func newAnswers(names AnswerNames) (answers, error) {
	found, err := index(named[record.Answer]{record.AnswerYes, names.Yes}, named[record.Answer]{record.AnswerNo, names.No})
	for _, usual := range []named[record.Answer]{
		{record.AnswerYes, []string{"yes", "true", "y", "ja", "oui", "sí", "si", "是", "はい"}},
		{record.AnswerNo, []string{"no", "false", "n", "none", "nein", "non", "否", "いいえ"}},
	} {
		for _, name := range usual.names {
			if _, configured := found[name]; !configured && found != nil {
				found[name] = usual.meaning
			}
		}
	}
	return found, err
}

// of is the answer of a field's values: yes when one of them says so, no when all of them do.
func (a answers) of(values []string) record.Answer {
	answer := record.AnswerUnknown
	for n, v := range values {
		if value := a[fold(v)]; n == 0 {
			answer = value
		} else {
			answer = answer.Or(value)
		}
	}
	return answer
}
