package collectorstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"prodsec_exporter/internal/record"
)

// checkShrunk lets an item leave the first page of a list after that was read: the list is one shorter from then on, and the first item of the next page has moved to where
// nobody looks any more. It must not be taken for gone.
func checkShrunk(t testing.TB, s *Suite) []string {
	var problems []string
	for _, scope := range s.Scopes {
		if scope.Total == "" || scope.Pages < 2 {
			continue
		}
		b, err := s.bench(t)
		if err != nil {
			return []string{err.Error()}
		}
		var done shrinkage
		b.server.Inject(&Fault{Match: scope.Requests, Apply: done.apply(scope.Items, scope.Total)})
		batches, err := b.gatherFrom(t, s.known())
		if done.problem != "" || !done.hidden {
			problems = append(problems, fmt.Sprintf("the list of %s could not be made shorter: there is one page, or %s", scope.Name, done.problem))
			continue
		}
		failure := err
		if batch, ok := batches[scope.Name]; ok {
			failure = batch.Err
		}
		if record.ReasonOf(failure) != record.ReasonTruncated {
			problems = append(problems, fmt.Sprintf("an item of %s left the list while it was read and hid another, and its error is %v, want the reason %q",
				scope.Name, failure, record.ReasonTruncated))
		}
		problems = append(problems, checkNoShortBatch(s, batches)...)
	}
	return problems
}

// shrinkage is what was left out.
type shrinkage struct {
	mu      sync.Mutex
	first   string
	hidden  bool
	problem string
}

// apply answers as a healthy source does, but all pages other than the first lack their first item and count one item less.
func (c *shrinkage) apply(items, total string) func(*Exchange) {
	return func(e *Exchange) {
		healthy := e.Healthy()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.first == "" {
			c.first = e.Request.URL.String()
		}
		if e.Request.URL.String() != c.first && len(itemsAt(healthy.Body.Bytes(), items)) > 0 {
			body, err := shorter(healthy.Body.Bytes(), items, total)
			if count := healthy.Header().Get(total); count != "" {
				n, convErr := strconv.Atoi(count)
				err = convErr
				healthy.Header().Set(total, strconv.Itoa(n-1))
			}
			if err != nil {
				c.problem = err.Error()
			}
			c.hidden = true
			healthy.Body.Reset()
			healthy.Body.Write(body)
		}
		replay(e, healthy)
	}
}

// shorter is an answer without the first item of its list, and with a count that is one less; the error says that there is no count, which may be in a header.
func shorter(body []byte, items, total string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var answer any
	if err := decoder.Decode(&answer); err != nil {
		return body, fmt.Errorf("decode the answer: %w", err)
	}
	answer = change(answer, items, func(old any) any {
		list, _ := old.([]any)
		return list[1:]
	})
	var failure error
	answer = change(answer, total, func(old any) any {
		count, _ := old.(json.Number)
		n, err := count.Int64()
		if err != nil {
			failure = fmt.Errorf("it has no count at %s", total)
			return old
		}
		return n - 1
	})
	changed, err := json.Marshal(answer)
	if err != nil {
		return body, fmt.Errorf("encode the answer: %w", err)
	}
	return changed, failure
}

// change replaces what is at a path of keys.
func change(value any, path string, to func(any) any) any {
	if path == "" {
		return to(value)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return value // a list, whose count is in a header
	}
	key, rest, _ := strings.Cut(path, ".")
	if rest == "" {
		object[key] = to(object[key])
	} else {
		object[key] = change(object[key], rest, to)
	}
	return object
}
