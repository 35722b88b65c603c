package jira

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"prodsec_exporter/collectors"
	"prodsec_exporter/internal/record"
)

// Collect reads each mapping's issues: those updated since the scope's cursor, or all.
func (c *Collector) Collect(ctx context.Context, cursors collectors.Cursors, emit func(record.Batch) error) error {
	session, err := c.open(ctx, cursors.Sweep())
	c.mu.Lock()
	c.extra = 0
	c.mu.Unlock()
	for _, m := range c.mappings {
		b := failed(m, err)
		if err == nil {
			b = c.read(ctx, session, m, cursors[m.scope()])
		}
		if err := collectors.Canceled(ctx); err != nil {
			return err
		}
		if err := emit(b); err != nil {
			return fmt.Errorf("jira: emit %s: %w", b.Scope, err)
		}
	}
	return nil
}

// failed is what is known of a scope that cannot be read: which kind of record it would hold.
func failed(m mapping, err error) record.Batch {
	b := record.Batch{Scope: m.scope(), Err: err}
	m.start(&b)
	return b
}

// read reads one scope whole or since its cursor.
func (c *Collector) read(ctx context.Context, s *session, m mapping, cursor record.Cursor) record.Batch {
	b := record.Batch{Scope: m.scope(), Mode: record.Full}
	m.start(&b)
	fail := func(err error) record.Batch {
		return failed(m, fmt.Errorf("jira %s: %w", m.scope(), err))
	}
	resolved, err := c.resolve(s, m.fields())
	if err != nil {
		return fail(err)
	}
	jql, latest := m.jql(), time.Time{}
	if cursor != "" {
		at, ok := cursor.Time()
		if !ok {
			return fail(&record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("stored cursor: %q is no instant", string(cursor))})
		}
		latest = at
		b.Mode = record.Delta
		jql = updatedSince(jql, latest, s.location)
	}
	raw, err := c.search(ctx, s, jql, resolved)
	if err != nil {
		return fail(err)
	}
	follows := s.followedBy(m, resolved)
	issues, rejected := c.understand(raw, resolved, follows)
	b.Rejected = rejected
	for _, i := range issues {
		if i.updated.After(latest) {
			latest = i.updated
		}
	}
	if b.Mode == record.Full {
		if err := c.checkProjects(ctx, s, m, issues); err != nil {
			return fail(err)
		}
	}
	if err := c.complete(ctx, s, m, issues, follows, b.Mode); err != nil {
		return fail(err)
	}
	for _, i := range issues {
		reason := record.RejectDecode
		if !i.garbled {
			reason = m.add(i, &b)
		}
		if reason != "" {
			b.Rejected[reason]++
		}
	}
	c.warnOfGaps(b)
	c.warnOfFields(b.Scope, issues)
	if !latest.IsZero() {
		b.Cursor = record.CursorAt(latest)
	}
	return b
}

// understand reads issues and counts those that cannot be.
func (c *Collector) understand(raw []json.RawMessage, r resolved, f followed) ([]*issue, map[record.RejectReason]int) {
	issues, rejected := make([]*issue, 0, len(raw)), map[record.RejectReason]int{}
	for _, data := range raw {
		i, reason := readIssue(data, r, f)
		if reason != "" {
			rejected[reason]++
			continue
		}
		i.zone, i.read = c.env.TimeZone, c.env.Now()
		issues = append(issues, i)
	}
	return issues, rejected
}

// warnOfGaps says of how many exceptions nobody knows when they were in force.
func (c *Collector) warnOfGaps(b record.Batch) {
	unknown, first := 0, ""
	for _, x := range b.Exceptions {
		if x.InForce != nil {
			continue
		}
		if unknown++; unknown == 1 {
			first = x.ID
		}
	}
	if unknown > 0 {
		c.env.Logger.Warn("Jira gives the changelog of some issues in part or not at all: when those exceptions were in force before is unknown",
			"scope", b.Scope, "issues", unknown, "first", first)
	}
}

// warnOfFields logs which issues have fields that are not understood, once until the first of them changes.
func (c *Collector) warnOfFields(scope string, issues []*issue) {
	count, first := warnings(issues)
	c.mu.Lock()
	before := c.lastWarning[scope]
	c.lastWarning[scope] = first
	c.mu.Unlock()
	if count > 0 && first != before {
		c.env.Logger.Warn("Fields of some issues are not understood, or not wholly", "scope", scope, "issues", count, "first", first)
	}
}

// warnings counts the issues with fields that are not understood, and describes the first.
func warnings(issues []*issue) (count int, first string) {
	for _, i := range issues {
		if len(i.warnings) == 0 {
			continue
		}
		if count++; count == 1 {
			first = i.key + ": " + i.warnings[0].text
		}
	}
	return count, first
}

// complete adds to issues what a search does not return: changelogs with the statuses that they name, and what the mapping itself requests.
func (c *Collector) complete(ctx context.Context, s *session, m mapping, issues []*issue, follows followed, mode record.Mode) error {
	if err := c.addHistories(ctx, s, issues, follows); err != nil {
		return err
	}
	if err := c.settleIdentity(ctx, s, issues); err != nil {
		return err
	}
	c.former.learn(issues)
	for _, i := range issues {
		i.identify(s.statuses, &c.former)
	}
	if err := c.nameAssets(ctx, m.fields(), issues, mode == record.Full); err != nil {
		return err
	}
	more, ok := m.(completer)
	if !ok {
		return nil
	}
	whole := mode == record.Full
	if err := more.prepare(ctx, c, s, whole); err != nil {
		return err
	}
	asked, err := more.complete(ctx, c, s, issues, whole)
	if !whole {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.extra += float64(asked)
	}
	return err
}
