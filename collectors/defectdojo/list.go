package defectdojo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strconv"

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
	// enough says of an item that it and all that follow are no longer of interest; nil wants all.
	enough func(T) bool
	// from is where the list is read from, and first looks at its first item, if it is read from the beginning.
	from  int
	first func(T) error
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
func list[T any](ctx context.Context, base *platform.Base, q query[T]) (*listed[T], error) {
	var all *listed[T]
	err := platform.Again(func() error {
		all = &listed[T]{beside: map[string]map[string]json.RawMessage{}}
		return platform.List{
			Name: q.path, ID: func(raw json.RawMessage) string { return platform.Key(raw, "id") },
			Page: func(ctx context.Context, cursor string) (platform.Page, error) { return q.page(ctx, base, cursor, all) },
			Take: func(raw json.RawMessage) {
				var item T
				if json.Unmarshal(raw, &item) != nil {
					all.rejected++
					return
				}
				all.items = append(all.items, item)
			},
		}.Read(ctx)
	})
	return all, err
}

// page reads the page at an offset. Where an item is no longer of interest, the page ends before it and is the last.
func (q query[T]) page(ctx context.Context, base *platform.Base, cursor string, all *listed[T]) (platform.Page, error) {
	offset := q.from
	if cursor != "" {
		parsed, err := strconv.Atoi(cursor)
		if err != nil {
			return platform.Page{}, fmt.Errorf("offset of a page: %w", err)
		}
		offset = parsed
	}
	values := maps.Clone(q.values)
	if values == nil {
		values = url.Values{}
	}
	values.Set("limit", strconv.Itoa(base.PageSize))
	values.Set("offset", strconv.Itoa(offset))
	var p page
	if _, err := base.Source.Get(ctx, q.path, values, &p); err != nil {
		return platform.Page{}, err
	}
	if p.Count == nil || p.Results == nil && *p.Count > offset {
		return platform.Page{}, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer of %s has no count or no results", q.path)}
	}
	all.keep(p.Prefetch)
	total := max(0, *p.Count-q.from)
	for i, raw := range p.Results {
		var item T
		if q.first != nil && offset == 0 && i == 0 && json.Unmarshal(raw, &item) == nil {
			if err := q.first(item); err != nil {
				return platform.Page{}, err
			}
		}
		if q.enough != nil && json.Unmarshal(raw, &item) == nil && q.enough(item) {
			return platform.Page{Items: p.Results[:i], Total: &total, Enough: true}, nil
		}
	}
	result := platform.Page{Items: p.Results, Total: &total}
	if offset += len(p.Results); len(p.Results) > 0 && offset < *p.Count {
		result.Next = strconv.Itoa(offset)
	}
	return result, nil
}
