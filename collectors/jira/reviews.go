package jira

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"prodsec_exporter/internal/record"
)

// ReviewsConfig says which issues ask for a review, who answers them and where in them to look.
type ReviewsConfig struct {
	Issues `yaml:",inline"`
	// Kind of all of them: threat_model, design, code or other. By default the field kind decides.
	Kind record.ReviewKind `yaml:"kind,omitempty"`
	// Responders are the people whose answer counts as the first response.
	Responders RespondersConfig `yaml:"responders"`
	Fields     ReviewFields     `yaml:"fields,omitempty"`
	Statuses   ReviewStatuses   `yaml:"statuses,omitempty"`
}

// ReviewFields name fields as ExceptionFields do. Kind is by default the issue type; FirstResponse and Closed are derived from
// changes of status and comments unless a field is named. FirstResponse may be an SLA of Jira Service Management, whose clock then measures, and Closed one
// of resolution; a review is blocked while either is paused.
type ReviewFields struct {
	PlaceFields   `yaml:",inline"`
	Kind          string `yaml:"kind,omitempty"`
	FirstResponse string `yaml:"first_response,omitempty"`
	Closed        string `yaml:"closed,omitempty"`
}

// ReviewStatuses name the statuses of reviews. Whether an open review waits or is in progress is no matter of its status: it waits
// until the first response.
type ReviewStatuses struct {
	StatusNames `yaml:",inline"`
	// Blocked: the reviewers wait for somebody else.
	Blocked []string `yaml:"blocked,omitempty"`
}

var blockedWords = []words[phase]{
	{phaseOpen, []string{"unblocked", "not blocked"}},
	{phaseBlocked, []string{"blocked", "on hold", "waiting for requester", "waiting for customer", "waiting for reporter", "waiting for team", "needs info", "blockiert", "阻塞"}},
}

var reviewWords = []words[record.ReviewKind]{
	{record.ReviewThreatModel, []string{"threat", "bedrohung", "威胁"}},
	{record.ReviewDesign, []string{"design", "architect", "architekt", "设计"}},
	{record.ReviewCode, []string{"code", "pull request", "代码"}},
}

// reviews is the mapping from issues to record.Review.
type reviews struct {
	selection
	place
	lifecycle
	always         record.ReviewKind
	kind, response *field
	// reporter and creator are who asked: their own comments are no response.
	reporter, creator *field
	responders        *responders

	mu sync.Mutex
	// known are the first responses by the id of the issue, so that only the comments of issues that still wait are read.
	known map[string]firstResponse
}

// firstResponse is when an issue, as of an update, was first responded to; zero when it was not yet.
type firstResponse struct{ updated, first time.Time }

func newReviews(config ReviewsConfig, site string) (*reviews, error) {
	s, err := newSelection("reviews", config.Issues, site, `project = SREV AND issuetype in ("Threat model", "Design review")`, "security reviews: how many wait, and for how long")
	if err != nil {
		return nil, err
	}
	switch config.Kind {
	case "", record.ReviewThreatModel, record.ReviewDesign, record.ReviewCode, record.ReviewOther:
	default:
		return nil, fmt.Errorf("kind %q is none of threat_model, design, code, other", config.Kind)
	}
	f := config.Fields
	life, err := newLifecycle(config.Statuses.StatusNames, config.Statuses.Blocked, blockedWords, newField("closed", f.Closed))
	if err != nil {
		return nil, fmt.Errorf("statuses: %w", err)
	}
	who, err := newResponders(config.Responders)
	if err != nil {
		return nil, fmt.Errorf("responders: %w", err)
	}
	where, err := newPlace(f.PlaceFields)
	if err != nil {
		return nil, err
	}
	return &reviews{
		selection: s, place: where, lifecycle: life, always: config.Kind,
		kind: newFieldOr("kind", f.Kind, "issuetype"), response: newField("first_response", f.FirstResponse),
		reporter: newField("reporter", "reporter"), creator: newField("creator", "creator"),
		responders: who, known: map[string]firstResponse{},
	}, nil
}

func (m *reviews) fields() []*field {
	return []*field{m.service, m.repository, m.kind, m.response, m.closed, m.reporter, m.creator}
}

func (m *reviews) start(b *record.Batch) { b.Reviews = []record.Review{} }

func (m *reviews) add(i *issue, b *record.Batch) record.RejectReason {
	response, err := i.moment(m.response)
	if err != nil {
		return record.RejectTimestamp
	}
	p, closed, err := m.closing(i)
	if err != nil {
		return record.RejectTimestamp
	}
	x := record.Review{
		ID: i.known(), Kind: cmp.Or(m.always, usual(reviewWords, i.text(m.kind)), record.ReviewOther),
		Title: record.Text(i.summary), URL: m.link(i), RequestedAt: i.created,
		FirstResponseAt: firstOf(response.begins(i.zone), i.answered), ClosedAt: closed, UpdatedAt: i.updated,
	}
	measured := i.sla(m.response)
	if measured != nil {
		x.Response = measured.clock(i.read)
	}
	switch {
	case p == phaseDone:
		x.State = record.ReviewDone
	case p == phaseBlocked || measured.paused() || i.sla(m.closed).paused():
		x.State = record.ReviewBlocked
	case x.FirstResponseAt.IsZero():
		x.State = record.ReviewWaiting
	default:
		x.State = record.ReviewInProgress
	}
	x.Service, x.Repository = m.of(i)
	b.Reviews = append(b.Reviews, x)
	return ""
}

// prepare reads who the responders are.
func (m *reviews) prepare(ctx context.Context, c *Collector, s *session, anew bool) error {
	return m.responders.load(ctx, c, s, anew)
}

// complete finds the first response to each issue: the earliest change of status or comment by a responder. Comments cost a request for
// each issue, so they are read when an issue that had no response has changed since they were read last. What was learned is kept
// when a later request fails, so that the next attempt goes on from there.
func (m *reviews) complete(ctx context.Context, c *Collector, s *session, issues []*issue, whole bool) (asked int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := make(map[string]bool, len(issues))
	for _, i := range issues {
		seen[i.id] = true
		if known, ok := m.known[i.id]; ok && (!known.first.IsZero() || known.updated.Equal(i.updated)) {
			i.answered = known.first
			continue
		}
		if response, err := i.moment(m.response); err == nil && !response.IsZero() || i.sla(m.response) != nil {
			continue // the field says it, or that there is none yet
		}
		askers := i.people(m.reporter, m.creator)
		first := m.responders.firstChange(i, askers)
		asked++
		comment, err := c.firstComment(ctx, s, i, func(p person) bool { return m.responders.answers(p, askers) })
		if err != nil {
			return asked, fmt.Errorf("read comments of %s: %w", i.key, err)
		}
		if i.garbled {
			continue // It is left out, and asked again when it comes up again.
		}
		i.answered = record.Earliest(first, comment)
		m.known[i.id] = firstResponse{i.updated, i.answered}
	}
	if whole {
		for id := range m.known {
			if !seen[id] {
				delete(m.known, id)
			}
		}
	}
	return asked, nil
}
