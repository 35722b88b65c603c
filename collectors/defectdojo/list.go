package defectdojo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"prodsec_exporter/internal/apiclient"
	"prodsec_exporter/internal/record"
)

// pageSize is what is asked for; DefectDojo's default of 25 would take eight times the requests.
const pageSize = 200

// page is a page of any list.
type page struct {
	Count   *int              `json:"count"`
	Results []json.RawMessage `json:"results"`
}

// list reads all pages of a list, or up to the first item that enough says is no longer of interest. Offsets are counted here and not
// taken from the field "next", which carries the wrong scheme behind many proxies. Items that cannot be decoded are counted.
//
// A list that shrinks while it is read moves items to pages that were read already, and one that repeats itself has hidden others: both are
// errors of reason truncated, unless the list is read from its newest end, where that loses nothing.
func list[T any](ctx context.Context, client *apiclient.Client, path string, query url.Values, id func(T) int64, enough func(T) bool) (items []T, rejected int, err error) {
	query = maps.Clone(query)
	query.Set("limit", strconv.Itoa(pageSize))
	seen, count := map[int64]bool{}, -1
	offset := 0
	for range apiclient.DefaultMaxPages {
		query.Set("offset", strconv.Itoa(offset))
		var p page
		if _, err := client.Do(ctx, http.MethodGet, path, query, nil, &p); err != nil {
			return nil, 0, err
		}
		if p.Count == nil || p.Results == nil && *p.Count > offset {
			return nil, 0, &record.Error{Reason: record.ReasonDecode, Err: fmt.Errorf("the answer of %s has no count or no results", path)}
		}
		if *p.Count < count && enough == nil {
			return nil, 0, truncated("%s shrank from %d to %d while it was read", path, count, *p.Count)
		}
		count = *p.Count
		for _, raw := range p.Results {
			var item T
			if json.Unmarshal(raw, &item) != nil {
				rejected++
				continue
			}
			if enough != nil && enough(item) {
				return items, rejected, nil
			}
			if n := id(item); n != 0 {
				if seen[n] && enough == nil {
					return nil, 0, truncated("%s holds number %d twice", path, n)
				}
				if seen[n] {
					continue
				}
				seen[n] = true
			}
			items = append(items, item)
		}
		offset += len(p.Results)
		switch {
		case offset >= count:
			return items, rejected, nil
		case len(p.Results) == 0:
			return nil, 0, truncated("%s ended after %d of %d", path, offset, count)
		}
	}
	return nil, 0, truncated("%s has more than %d pages", path, apiclient.DefaultMaxPages)
}

func truncated(format string, args ...any) error {
	return &record.Error{Reason: record.ReasonTruncated, Err: fmt.Errorf(format, args...)}
}
