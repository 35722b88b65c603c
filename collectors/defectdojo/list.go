package defectdojo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/platform"
	"prodsec_exporter/internal/record"
)

// page is a page of any list.
type page struct {
	Count   *int              `json:"count"`
	Results []json.RawMessage `json:"results"`
	// Prefetch holds what the results refer to, if it was asked for, by field and number.
	Prefetch json.RawMessage `json:"prefetch"`
}

// query is what is asked of a list.
type query[T any] struct {
	path   string
	values url.Values
	// id is the number of an item, 0 if it has none.
	id func(T) int64
	// enough says of an item that it and all that follow are no longer of interest; nil wants all.
	enough func(T) bool
}

// listed is what a list held.
type listed[T any] struct {
	items []T
	// rejected counts the items that cannot be decoded.
	rejected int
	// beside is what the items refer to, by field and number.
	beside map[string]map[string]json.RawMessage
}

// keep adds what a page sent along. In a form that we do not know, it is nothing: the items say more than what they refer to.
func (a *listed[T]) keep(prefetch json.RawMessage) {
	var prefetched map[string]map[string]json.RawMessage
	if len(prefetch) == 0 || json.Unmarshal(prefetch, &prefetched) != nil {
		return
	}
	for field, byNumber := range prefetched {
		if a.beside[field] == nil {
			a.beside[field] = map[string]json.RawMessage{}
		}
		maps.Copy(a.beside[field], byNumber)
	}
}

// besides is one thing that items refer to; what was not sent along, or cannot be decoded, is the zero value and false.
func besides[T any](all map[string]map[string]json.RawMessage, field string, number int64) (thing T, ok bool) {
	raw, ok := all[field][strconv.FormatInt(number, 10)]
	if !ok || json.Unmarshal(raw, &thing) != nil {
		return *new(T), false
	}
	return thing, true
}

// list reads all pages of a list, or up to the first item that enough says is no longer of interest. Offsets are counted here and not
// taken from the field "next", which carries the wrong scheme behind many proxies. Items that cannot be decoded are counted.
//
// A list that shrinks while it is read moves items to pages that were read already, and one that repeats itself has hidden others: both are
// errors of reason truncated, unless the list is read from its newest end, where that loses nothing.
func list[T any](ctx context.Context, base *platform.Base, q query[T]) (*listed[T], error) {
	values := maps.Clone(q.values)
	if values == nil {
		values = url.Values{}
	}
	values.Set("limit", strconv.Itoa(base.PageSize))
	all := &listed[T]{beside: map[string]map[string]json.RawMessage{}}
	seen, count := map[int64]bool{}, -1
	offset := 0
	for range apiclient.DefaultMaxPages {
		values.Set("offset", strconv.Itoa(offset))
		var p page
		if _, err := base.Source.Get(ctx, q.path, values, &p); err != nil {
			return nil, err
		}
		if p.Count == nil || p.Results == nil && *p.Count > offset {
			return nil, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer of %s has no count or no results", q.path)}
		}
		if *p.Count < count && q.enough == nil {
			return nil, truncated("%s shrank from %d to %d while it was read", q.path, count, *p.Count)
		}
		count = *p.Count
		all.keep(p.Prefetch)
		for _, raw := range p.Results {
			var item T
			if json.Unmarshal(raw, &item) != nil {
				all.rejected++
				continue
			}
			if q.enough != nil && q.enough(item) {
				return all, nil
			}
			if n := q.id(item); n != 0 {
				if seen[n] && q.enough == nil {
					return nil, truncated("%s holds number %d twice", q.path, n)
				}
				if seen[n] {
					continue
				}
				seen[n] = true
			}
			all.items = append(all.items, item)
		}
		offset += len(p.Results)
		switch {
		case offset >= count:
			return all, nil
		case len(p.Results) == 0:
			return nil, truncated("%s ended after %d of %d", q.path, offset, count)
		}
	}
	return nil, truncated("%s has more than %d pages", q.path, apiclient.DefaultMaxPages)
}

func truncated(format string, args ...any) error {
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf(format, args...)}
}
