package api

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"prodsec_exporter/internal/record"
)

// MaxRefusals is how many repositories may refuse a kind of question, with none that answered it lately, before no further one is asked for a while: the
// credential most likely lacks the permission, and thousands of requests would say no more than a few. Those that refused are not asked again before others.
const MaxRefusals = 10

// Questions remembers which questions about single repositories GitHub refused or failed to answer, so that one repository does not stop the others: permissions
// differ by repository (an App that is installed on selected ones, private ones on a free plan), and so do blocks and lasting failures.
//
// A question that was refused is asked again after a pause. What it asks stays unknown until then, for that repository alone.
type Questions struct {
	now    func() time.Time
	logger *slog.Logger
	// pause is how long a question is not asked again, window how long no further repositories are asked after MaxRefusals.
	pause, window time.Duration

	mu      sync.Mutex
	refused map[questionKey]refusedQuestion
	kinds   map[kindKey]*kindOfQuestion
}

type questionKey struct{ repository, what string }

// refusedQuestion is why a question was not answered, and when.
type refusedQuestion struct {
	err error
	at  time.Time
}

type kindKey struct{ organisation, what string }

// kindOfQuestion is what is known about a question over the repositories of an organisation.
type kindOfQuestion struct {
	// answered are the last two repositories that answered, and when.
	answered [2]answeredQuestion
	// refusals counts the repositories that refused since the start of the window, and failures those for which the server failed, in a row.
	refusals, failures int
	since              time.Time
	last               error
}

// NewQuestions asks what was refused again after a pause, and further repositories after a window.
func NewQuestions(now func() time.Time, logger *slog.Logger, pause, window time.Duration) *Questions {
	return &Questions{now: now, logger: logger, pause: pause, window: window, refused: map[questionKey]refusedQuestion{}, kinds: map[kindKey]*kindOfQuestion{}}
}

// Question is asked of one repository of an organisation.
type Question struct {
	// Organisation is in lower case; Repository is OWNER/NAME, or the organisation where the question is about that.
	Organisation, Repository string
	// What is asked, in a few words; the same for all repositories.
	What string
	// Permission is what a credential needs to have it answered.
	Permission string
	// Item says that the question is about one thing of the repository: that this is gone, or cannot be asked about, is its own and is not remembered.
	Item bool
	// Strict makes a failure of the server an error of the reading: for scopes that are about this repository alone.
	Strict bool
}

// Ask asks a question, unless that was refused a short while ago. Refused says why it is not answered: then nothing is known, and others may be asked. It names the permission only
// if the credential seems to lack it. Err is any other failure, which concerns more than this repository; among these are failures of the server in
// MaxRefusals repositories in a row.
func (q *Questions) Ask(question Question, ask func() error) (refused, err error) {
	if refused := q.Refused(question); refused != nil {
		return refused, nil
	}
	err = ask()
	switch {
	case err == nil:
		q.noteAnswer(question)
		return nil, nil
	case question.Item && (record.ReasonOf(err) == record.ReasonNotFound || record.ReasonOf(err) == record.ReasonRejected):
		return err, nil
	case serverFailed(err) && !question.Strict:
		return q.noteFailure(question, err)
	case singleRefusal(err):
		return q.noteRefusal(question, err), nil
	default:
		return nil, err
	}
}

// Refused is why a question is not asked now, nil if it may be.
func (q *Questions) Refused(question Question) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if r, ok := q.refused[questionKey{question.Repository, question.What}]; ok && now.Sub(r.at) < q.pause {
		return q.explain(question, r.err)
	}
	k := q.kind(question.Organisation, question.What)
	if now.Sub(k.since) < q.window && k.refusals >= MaxRefusals && !q.answeredLately(k, "") {
		return ScopeError(k.last, question.Permission)
	}
	return nil
}

func (q *Questions) kind(org, what string) *kindOfQuestion {
	key := kindKey{org, what}
	if q.kinds[key] == nil {
		q.kinds[key] = &kindOfQuestion{}
	}
	return q.kinds[key]
}

type answeredQuestion struct {
	repository string
	at         time.Time
}

// note keeps the last answers of two repositories.
func (k *kindOfQuestion) note(repository string, at time.Time) {
	if k.answered[0].repository != repository {
		k.answered[1] = k.answered[0]
	}
	k.answered[0] = answeredQuestion{repository, at}
}

// answeredLately reports whether a repository, other than one, answered the question since a repository that refuses it would have been asked twice.
func (q *Questions) answeredLately(k *kindOfQuestion, except string) bool {
	for _, a := range k.answered {
		if a.repository != except && !a.at.IsZero() && q.now().Sub(a.at) < 2*q.pause {
			return true
		}
	}
	return false
}

func (q *Questions) noteAnswer(question Question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.refused, questionKey{question.Repository, question.What})
	k := q.kind(question.Organisation, question.What)
	k.note(question.Repository, q.now())
	k.failures = 0
}

func (q *Questions) noteRefusal(question Question, err error) (refused error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.remember(question, err)
	if record.ReasonOf(ScopeError(err, "")) == record.ReasonFeatureOff {
		// That a feature is off is an answer.
		k.note(question.Repository, q.now())
	} else {
		k.refusals++
		k.last = err
	}
	return q.explain(question, err)
}

func (q *Questions) noteFailure(question Question, err error) (refused, failure error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := q.remember(question, err)
	if k.failures++; k.failures >= MaxRefusals {
		return nil, fmt.Errorf("%s: %d repositories in a row: %w", question.What, k.failures, err)
	}
	return q.explain(question, err), nil
}

// remember notes that a question was not answered. The caller holds the lock.
func (q *Questions) remember(question Question, err error) *kindOfQuestion {
	now := q.now()
	key := questionKey{question.Repository, question.What}
	if _, again := q.refused[key]; !again {
		q.logger.Info("GitHub does not answer a question about one repository: what it asks is unknown there, and is asked again later", "question", question.What,
			"repository", record.Text(question.Repository), "again_after", q.pause, "cause", err)
	}
	q.refused[key] = refusedQuestion{err, now}
	k := q.kind(question.Organisation, question.What)
	if now.Sub(k.since) >= q.window {
		k.since, k.refusals = now, 0
	}
	return k
}

// Explain is why a question was not answered, by what is known now: a permission is named only if no other repository of the organisation answers it.
func (q *Questions) Explain(question Question, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.explain(question, err)
}

func (q *Questions) explain(question Question, err error) error {
	if q.answeredLately(q.kind(question.Organisation, question.What), question.Repository) {
		return notSelected(err)
	}
	return ScopeError(err, question.Permission)
}

// singleRefusal reports whether a failure may concern one repository alone: a refusal, a block, something that is gone or a feature that is off.
func singleRefusal(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonPermission, record.ReasonNotFound, record.ReasonFeatureOff, record.ReasonRejected:
		return true
	default:
		return false
	}
}

// serverFailed reports whether the server did not give an answer that can be used. A broken connection, a spent budget, a wrong credential and the end of a
// collection concern all repositories.
func serverFailed(err error) bool {
	switch record.ReasonOf(err) {
	case record.ReasonServer, record.ReasonDecode, record.ReasonTruncated:
		return true
	default:
		return false
	}
}

// Permission is the permission that an error names, empty if it names none.
func Permission(err error) string {
	if e, ok := errors.AsType[*record.Error](err); ok {
		return e.Permission
	}
	return ""
}
