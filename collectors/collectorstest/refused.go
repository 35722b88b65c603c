package collectorstest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"prodsec_exporter/internal/record"
)

// checkRefused lets the source refuse, block or fail what one scope is read by: the other scopes are read whole, and the scope is read again once the source answers, in the same
// process. A refusal that is remembered for good or takes the place of others is found here, and a wait that no server means.
func checkRefused(t testing.TB, s *Suite) []string {
	var problems []string
	for _, scope := range s.Scopes {
		for _, code := range []int{http.StatusForbidden, http.StatusUnavailableForLegalReasons, http.StatusInternalServerError} {
			for _, p := range s.checkOneRefused(t, scope, Status(code), true) {
				problems = append(problems, fmt.Sprintf("%s is refused with %d: %s", scope.Name, code, p))
			}
		}
		const years = 10 * 365 * 24 * time.Hour
		for _, p := range s.checkOneRefused(t, scope, RetryAfter(http.StatusTooManyRequests, years), false) {
			problems = append(problems, fmt.Sprintf("%s is asked to wait for ten years: %s", scope.Name, p))
		}
	}
	return problems
}

// checkOneRefused answers what one scope is read by as apply does, and then healthily. Alone says that the others must be read meanwhile.
func (s *Suite) checkOneRefused(t testing.TB, scope Scope, apply func(*Exchange), alone bool) []string {
	b, err := s.bench(t)
	if err != nil {
		return []string{err.Error()}
	}
	b.server.Inject(&Fault{Match: scope.Requests, Apply: apply})
	batches, err := b.gatherFrom(t, s.known())
	problems := b.leaks(batches, err)
	if alone && len(scope.Tolerates) == 0 {
		if batch, ok := batches[scope.Name]; ok && batch.Err == nil {
			problems = append(problems, fmt.Sprintf("it has no error and %d records", batch.Size()))
		}
		problems = append(problems, s.checkOthers(batches, scope)...)
	}
	b.server.Inject(nil)
	if err := b.clock.Sleep(t.Context(), 24*time.Hour); err != nil { // so that everything is due, and may be asked again
		return []string{err.Error()}
	}
	again, err := b.gatherFrom(t, s.known())
	if err != nil {
		return append(problems, fmt.Sprintf("once the source answers again: %v", err))
	}
	for _, p := range checkWhole(again, scope) {
		problems = append(problems, "once the source answers again: "+p)
	}
	return problems
}

// checkOthers wants every scope whole that does not fail along with one.
func (s *Suite) checkOthers(batches map[string]record.Batch, scope Scope) []string {
	var problems []string
	for _, other := range s.Scopes {
		if other.Name != scope.Name && !slices.Contains(scope.Along, other.Name) {
			problems = append(problems, checkWhole(batches, other)...)
		}
	}
	return problems
}
