package collectorstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"prodsec_exporter/internal/record"
)

func checkHealthy(t testing.TB, s *Suite) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	batches, err := b.gather(t)
	if err != nil {
		return []string{"Collect from a healthy source: " + err.Error()}
	}
	problems := b.leaks(batches, err)
	expected := map[string]bool{}
	for _, scope := range s.Scopes {
		expected[scope.Name] = true
		problems = append(problems, checkWhole(batches, scope)...)
	}
	for name, batch := range batches {
		if !expected[name] {
			problems = append(problems, fmt.Sprintf("scope %q was not expected", name))
		}
		problems = append(problems, checkRecords(&batch)...)
	}
	return append(problems, checkTokenSent(b)...)
}

func checkTokenSent(b *bench) []string {
	for _, r := range b.server.Requests() {
		for _, values := range r.Header {
			if strings.Contains(fmt.Sprint(values), Token) || strings.HasPrefix(values[0], "Basic ") {
				return nil
			}
		}
	}
	return []string{"no request carried the token, so nothing was shown about it"}
}

func checkWhole(batches map[string]record.Batch, scope Scope) []string {
	batch, ok := batches[scope.Name]
	switch {
	case !ok:
		return []string{fmt.Sprintf("scope %s is missing", scope.Name)}
	case batch.Err != nil:
		return []string{fmt.Sprintf("scope %s failed: %v", scope.Name, batch.Err)}
	case batch.Mode != record.Full:
		return []string{fmt.Sprintf("scope %s without a cursor has mode %q, want %q", scope.Name, batch.Mode, record.Full)}
	case batch.Size() != scope.Records:
		return []string{fmt.Sprintf("scope %s holds %d records, want %d: are all pages followed?", scope.Name, batch.Size(), scope.Records)}
	}
	return nil
}

// checkRecords checks what any record must satisfy.
func checkRecords(b *record.Batch) []string {
	var problems []string
	bad := func(format string, args ...any) {
		problems = append(problems, b.Scope+": "+fmt.Sprintf(format, args...))
	}
	ids := map[string]bool{}
	for i := range b.Findings {
		f := &b.Findings[i]
		switch {
		case f.ID == "" || ids[f.ID]:
			bad("finding %d has an empty or repeated id %q", i, f.ID)
		case f.Tool == "" || f.Tool != strings.ToLower(f.Tool):
			bad("finding %s has the tool %q, want a lower-case name", f.ID, f.Tool)
		case !slices.Contains(record.Classes(), f.Class):
			bad("finding %s has the class %q", f.ID, f.Class)
		case !slices.Contains(record.Severities(), f.Severity):
			bad("finding %s has the severity %q", f.ID, f.Severity)
		case f.Closure != record.ClosureNone && !slices.Contains(record.Closures(), f.Closure):
			bad("finding %s has the closure %q", f.ID, f.Closure)
		case len(f.Title) > record.MaxText || len(f.URL) > record.MaxText || len(f.Place) > record.MaxText:
			bad("finding %s has text longer than %d bytes", f.ID, record.MaxText)
		case f.Closure == record.ClosureNone && !f.ClosedAt.IsZero():
			bad("finding %s is open and has a date of closure", f.ID)
		}
		ids[f.ID] = true
	}
	for i := range b.Exceptions {
		if b.Exceptions[i].ID == "" || b.Exceptions[i].State == "" {
			bad("exception %d has no id or no state", i)
		}
	}
	for i := range b.Repositories {
		if _, err := record.ParseRepository(string(b.Repositories[i].Name)); err != nil {
			bad("repository %d: %v", i, err)
		}
	}
	return problems
}

func checkEqual(t testing.TB, s *Suite) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	first, err := b.gather(t)
	if err != nil {
		return []string{err.Error()}
	}
	second, err := b.gather(t)
	if err != nil {
		return []string{err.Error()}
	}
	if diff := cmp.Diff(first, second, cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
		return []string{"two collections from an unchanged source differ (-first +second):\n" + diff}
	}
	return nil
}

type faultCase struct {
	name    string
	apply   func(*Exchange)
	reasons []record.ErrorReason
	// last says that the fault makes no sense on the first request, link that it does only where pages are linked.
	last, link bool
	// body is the fault's answer where a source may mean it; see Scope.Nothing.
	body string
}

func faultCases() []faultCase {
	return []faultCase{
		{name: "401", apply: Status(http.StatusUnauthorized), reasons: []record.ErrorReason{record.ReasonUnauthorized}},
		{name: "403", apply: Status(http.StatusForbidden), reasons: []record.ErrorReason{record.ReasonPermission, record.ReasonFeatureOff}},
		{name: "404", apply: Status(http.StatusNotFound), reasons: []record.ErrorReason{record.ReasonNotFound, record.ReasonPermission, record.ReasonFeatureOff}},
		{name: "429", apply: RetryAfter(http.StatusTooManyRequests, 2*time.Hour), reasons: []record.ErrorReason{record.ReasonRateLimited}},
		{name: "500", apply: Status(http.StatusInternalServerError), reasons: []record.ErrorReason{record.ReasonServer}},
		{name: "502", apply: Status(http.StatusBadGateway), reasons: []record.ErrorReason{record.ReasonServer}},
		{name: "cut body", apply: CutBody, reasons: []record.ErrorReason{record.ReasonTruncated}},
		{name: "malformed JSON", apply: Malformed, reasons: []record.ErrorReason{record.ReasonDecode, record.ReasonTruncated}},
		{name: "null body", apply: Body("null"), reasons: []record.ErrorReason{record.ReasonDecode}, body: "null"},
		{name: "object without its list", apply: Body("{}"), reasons: []record.ErrorReason{record.ReasonDecode}, body: "{}"},
		{name: "HTML", apply: HTML, reasons: []record.ErrorReason{record.ReasonDecode}},
		{name: "connection reset", apply: Reset, reasons: []record.ErrorReason{record.ReasonTransport}},
		{name: "redirect to another host", apply: ForeignRedirect, reasons: []record.ErrorReason{record.ReasonTransport}},
		{name: "repeated cursor", apply: RepeatFirst, reasons: []record.ErrorReason{record.ReasonTruncated}, last: true},
		{name: "link to another host", apply: ForeignLink, reasons: []record.ErrorReason{record.ReasonTransport}, link: true},
	}
}

func checkFaults(t testing.TB, s *Suite) []string {
	var problems []string
	for _, scope := range s.Scopes {
		for _, c := range faultCases() {
			for _, from := range scope.places(c) {
				where := fmt.Sprintf("%s at request %d of %s: ", c.name, from, scope.Name)
				for _, p := range s.checkFault(t, scope, c, from) {
					problems = append(problems, where+p)
				}
			}
		}
	}
	return problems
}

// places are the requests that a fault should hit first.
func (scope Scope) places(c faultCase) []int {
	switch {
	case c.last && (!scope.Cursor || scope.Pages < 2), c.link && !scope.Links, c.body != "" && c.body == scope.Nothing:
		return nil
	case c.last:
		return []int{2}
	case scope.Pages > 1:
		return []int{1, scope.Pages}
	default:
		return []int{1}
	}
}

func (s *Suite) checkFault(t testing.TB, scope Scope, c faultCase, from int) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	b.server.Inject(&Fault{Name: c.name, Match: scope.Requests, From: from, Apply: c.apply})
	batches, err := b.gatherFrom(t, s.known())
	problems := append(b.leaks(batches, err), s.closedBy(t, batches)...)
	if unknown, ok := scope.Tolerates[c.name]; ok {
		problems = append(problems, checkWhole(batches, scope)...)
		if err := unknown(batches[scope.Name]); err != nil {
			problems = append(problems, "what could not be read is not unknown: "+err.Error())
		}
		return problems
	}
	failure := err
	if batch, ok := batches[scope.Name]; ok && batch.Err != nil {
		failure = batch.Err
	} else if ok {
		problems = append(problems, fmt.Sprintf("the scope has no error and %d records, want an error", batch.Size()))
	}
	reasons := c.reasons
	if other, ok := scope.Reasons[c.name]; ok {
		reasons = other
	}
	switch {
	case failure == nil:
		problems = append(problems, "neither Collect nor the scope has an error")
	case !slices.Contains(reasons, record.ReasonOf(failure)):
		problems = append(problems, fmt.Sprintf("reason %q, want one of %v: %v", record.ReasonOf(failure), reasons, failure))
	}
	if c.name != "429" {
		problems = append(problems, s.checkOthers(batches, scope)...)
	}
	return append(problems, checkNoShortBatch(s, batches)...)
}

// closedBy lists the findings that are open in a healthy source and are closed in what a failing one led to.
func (s *Suite) closedBy(t testing.TB, batches map[string]record.Batch) []string {
	if s.open == nil {
		b, err := s.bench(t)
		if err != nil {
			return []string{err.Error()}
		}
		healthy, err := b.gather(t)
		if err != nil {
			return []string{err.Error()}
		}
		s.open = map[string]bool{}
		for _, batch := range healthy {
			for i := range batch.Findings {
				if f := &batch.Findings[i]; f.Closure == record.ClosureNone {
					s.open[f.ID] = true
				}
			}
		}
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		batch := batches[name]
		for i := range batch.Findings {
			if f := &batch.Findings[i]; batch.Err == nil && f.Closure != record.ClosureNone && s.open[f.ID] {
				problems = append(problems, fmt.Sprintf("the failure closes finding %s as %s", f.ID, f.Closure))
			}
		}
	}
	return problems
}

// checkNoShortBatch finds batches that claim to be whole and are not.
func checkNoShortBatch(s *Suite, batches map[string]record.Batch) []string {
	var problems []string
	for _, scope := range s.Scopes {
		if batches[scope.Name].Retired {
			problems = append(problems, fmt.Sprintf("scope %s is retired because of a failure", scope.Name))
		}
		if batch, ok := batches[scope.Name]; ok && batch.Err == nil && batch.Size() != scope.Records {
			problems = append(problems, fmt.Sprintf("scope %s claims to be whole with %d of %d records", scope.Name, batch.Size(), scope.Records))
		}
	}
	return problems
}

func checkRetryAfter(t testing.TB, s *Suite) []string {
	const wait = 7 * time.Second
	var problems []string
	for _, scope := range s.Scopes {
		b, err := s.bench(t)
		if err != nil {
			return []string{err.Error()}
		}
		b.server.Inject(&Fault{Match: scope.Requests, Times: 1, Apply: RetryAfter(http.StatusTooManyRequests, wait)})
		batches, err := b.gather(t)
		if err != nil {
			problems = append(problems, fmt.Sprintf("429 with Retry-After for %s: %v", scope.Name, err))
			continue
		}
		problems = append(problems, checkWhole(batches, scope)...)
		if b.clock.Slept() < wait {
			problems = append(problems, fmt.Sprintf("%s was asked to wait for %s and waited for %s", scope.Name, wait, b.clock.Slept()))
		}
	}
	return problems
}

const prompt = 5 * time.Second

func checkCancel(t testing.TB, s *Suite) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	hanging := make(chan struct{}, 1)
	b.server.Inject(&Fault{Apply: func(e *Exchange) {
		select {
		case hanging <- struct{}{}:
		default:
		}
		Hang(e)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := Gather(ctx, b.collector, nil)
		done <- err
	}()
	select {
	case <-hanging:
	case err := <-done:
		return []string{fmt.Sprintf("Collect ended without asking the source: %v", err)}
	case <-time.After(patience):
		return []string{"Collect never asked the source"}
	}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			return []string{fmt.Sprintf("Collect with a canceled context = %v, want an error that wraps context.Canceled", err)}
		}
		return nil
	case <-time.After(prompt):
		return []string{fmt.Sprintf("Collect still runs %s after its context was canceled", prompt)}
	}
}

func checkEmit(t testing.TB, s *Suite) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	full := errors.New("the ledger is full")
	if err := b.collector.Collect(t.Context(), nil, func(record.Batch) error { return full }); !errors.Is(err, full) {
		return []string{fmt.Sprintf("Collect with a failing emit = %v, want the error of emit", err)}
	}
	return nil
}

func checkAltered(t testing.TB, s *Suite) []string {
	if len(s.Altered) == 0 {
		return []string{"the suite has no altered source: give one with an unknown value of an enumeration"}
	}
	var problems []string
	for _, a := range s.Altered {
		for _, p := range s.checkAlteration(t, a) {
			problems = append(problems, a.Name+": "+p)
		}
	}
	return problems
}

func (s *Suite) checkAlteration(t testing.TB, a Altered) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	a.Serve(b.server)
	batches, err := b.gather(t)
	problems := b.leaks(batches, err)
	if err != nil {
		return append(problems, err.Error())
	}
	batch, ok := batches[a.Scope]
	if !ok {
		return append(problems, fmt.Sprintf("scope %s is missing among %v", a.Scope, slices.Sorted(maps.Keys(batches))))
	}
	if batch.Err != nil {
		return append(problems, "the scope failed: "+batch.Err.Error())
	}
	rejected := 0
	for _, n := range batch.Rejected {
		rejected += n
	}
	if batch.Size() != a.Records || rejected != a.Rejected {
		problems = append(problems, fmt.Sprintf("%d records and %d rejected, want %d and %d", batch.Size(), rejected, a.Records, a.Rejected))
	}
	problems = append(problems, checkRecords(&batch)...)
	if a.Check != nil {
		if err := a.Check(batch); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

// Items makes the JSON array of a page from items.
func Items(items ...string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(items, ",") + "]")
}
