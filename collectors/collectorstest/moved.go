package collectorstest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"prodsec_exporter/internal/record"
)

// checkMoved lets an item of the first page come again on a later one, in place of another that nobody sees then: what is missing must not be taken for gone.
func checkMoved(t testing.TB, s *Suite) []string {
	var problems []string
	for _, scope := range s.Scopes {
		if scope.Steady != "" || scope.Pages < 2 {
			continue
		}
		b, err := s.bench(t)
		if err != nil {
			return []string{err.Error()}
		}
		var done concealment
		b.server.Inject(&Fault{Match: scope.Requests, Apply: done.apply(scope.Items)})
		batches, err := b.gatherFrom(t, s.known())
		switch {
		case !done.listed:
			problems = append(problems, fmt.Sprintf("no list was found in the answers of %s: say where it is (Items), or why nothing can be hidden in it (Steady)", scope.Name))
			continue
		case !done.hidden:
			continue // there are no items on a second page
		}
		failure := err
		if batch, ok := batches[scope.Name]; ok {
			failure = batch.Err
		}
		if record.ReasonOf(failure) != record.ReasonTruncated {
			problems = append(problems, fmt.Sprintf("an item of %s repeats on its second page and hides another, and its error is %v, want the reason %q",
				scope.Name, failure, record.ReasonTruncated))
		}
		problems = append(problems, checkNoShortBatch(s, batches)...)
	}
	return problems
}

// concealment is what was hidden.
type concealment struct {
	mu             sync.Mutex
	first          json.RawMessage
	listed, hidden bool
}

// apply answers as a healthy source does, but for one item: the first one of the first page stands in place of the first one of each other page.
func (c *concealment) apply(path string) func(*Exchange) {
	return func(e *Exchange) {
		healthy := e.Healthy()
		items := itemsAt(healthy.Body.Bytes(), path)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.listed = c.listed || items != nil
		switch {
		case len(items) == 0:
		case c.first == nil:
			c.first = items[0]
		case string(c.first) != string(items[0]):
			changed := strings.Replace(healthy.Body.String(), string(items[0]), string(c.first), 1)
			c.hidden = true
			healthy.Body.Reset()
			healthy.Body.WriteString(changed)
		}
		replay(e, healthy)
	}
}

// itemsAt are the items of an answer, none if it has no such list.
func itemsAt(body []byte, path string) []json.RawMessage {
	for key := range strings.SplitSeq(path, ".") {
		if key == "" {
			break
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &object) != nil {
			return nil
		}
		body = object[key]
	}
	var items []json.RawMessage
	if json.Unmarshal(body, &items) != nil {
		return nil
	}
	return items
}
